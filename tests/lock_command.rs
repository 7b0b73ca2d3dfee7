//! The command that holds workflows to their locks, as a process: this program is it, where it is told so by its environment.
//! A word on its command line picks the cases with it in their names.

use std::env;
use std::fs;
use std::io::Read as _;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use workflow_runtime::testing::lock::{Checks, Code, LockCommand};

/// One sale as it was and as it is after a change, each as a program of its own.
macro_rules! sale {
    ($module:ident: $payload:ty $(, $optional:ident)?) => {
        mod $module {
            use std::process::ExitCode;

            use workflow_runtime::prelude::*;

            #[state]
            pub struct Pending {
                pub sum: $payload,
                $(pub $optional: Option<String>,)?
            }
            #[state(end)]
            pub struct Paid;
            #[event]
            pub struct Payment;

            pub struct Sale;

            #[workflow(start = Pending)]
            impl Sale {
                #[on(allow(endless_wait))]
                fn paid(&self, _: Pending, _: Payment) -> Paid {
                    Paid
                }
            }

            workflow_runtime::lock_command!(Sale, super::Greet: [super::write_to]);

            pub(super) fn run() -> ExitCode {
                main()
            }
        }
    };
}

sale!(old: u32);
sale!(wider: u64, note);
sale!(narrower: u16);
sale!(untagged: super::Either);

/// What serde does not tell the shape of.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Either {
    Number(u32),
    Text(String),
}

/// Another workflow, which stays as it is, with a step that is a function.
#[workflow_runtime::workflow]
async fn greet(cx: &workflow_runtime::Cx, name: String) -> workflow_runtime::Result<u32> {
    write_to(cx, &name).await
}

#[workflow_runtime::step(retry(max = 3))]
async fn write_to(_: &workflow_runtime::Cx, name: &str) -> workflow_runtime::Result<u32> {
    Ok(u32::from(name.is_empty()))
}

/// The sale under another name, and two of one name.
mod renamed {
    use std::process::ExitCode;

    use workflow_runtime::prelude::*;

    use super::old::{Paid, Payment, Pending};

    pub struct Purchase;

    #[workflow(start = Pending)]
    impl Purchase {
        #[on(allow(endless_wait))]
        fn paid(&self, _: Pending, _: Payment) -> Paid {
            Paid
        }
    }

    workflow_runtime::lock_command!(Purchase, super::Greet: [super::write_to]);

    pub(super) fn run() -> ExitCode {
        main()
    }
}

/// A version whose code is kept, and the one after it.
mod kept {
    use std::process::ExitCode;

    use workflow_runtime::prelude::*;

    mod v1 {
        use workflow_runtime::prelude::*;

        pub(super) use crate::old::{Paid, Payment, Pending};

        pub struct Sale;

        #[workflow(start = Pending, version = 1, keep)]
        impl Sale {
            #[on(allow(endless_wait))]
            fn paid(&self, _: Pending, _: Payment) -> Paid {
                Paid
            }
        }
    }

    #[state]
    pub struct Offered {
        pub cents: u64,
    }
    #[state(end)]
    pub struct Closed;

    pub struct Sale;

    #[workflow(start = Offered, version = 2, allow(no_migration))]
    impl Sale {
        #[after("1d")]
        fn closed(&self, _: Offered) -> Closed {
            Closed
        }
    }

    workflow_runtime::lock_command!(v1::Sale, Sale);

    pub(super) fn run() -> ExitCode {
        main()
    }
}

mod namesakes {
    use std::process::ExitCode;

    workflow_runtime::lock_command!(super::old::Sale, super::wider::Sale, super::Greet: [super::write_to], super::Greet);

    pub(super) fn run() -> ExitCode {
        main()
    }
}

/// What `lock!` makes of a test, where one fails.
fn test_that_fails() -> ExitCode {
    Checks::default().of(Code::of::<narrower::Sale>()).finish();
    ExitCode::SUCCESS
}

/// The line in it that is to be named.
const FAILS_AT: u32 = line!() - 5;

const PROGRAM: &str = "LOCK_COMMAND_PROGRAM";

const CASES: &[(&str, fn())] = &[
    ("locks_are_made_and_fit", locks_are_made_and_fit),
    ("what_fits_is_told_and_recorded", what_fits_is_told_and_recorded),
    ("what_does_not_fit_is_told_and_accepted", what_does_not_fit_is_told_and_accepted),
    ("what_cannot_be_looked_into_is_named", what_cannot_be_looked_into_is_named),
    ("a_damaged_lock_is_left_alone", a_damaged_lock_is_left_alone),
    ("a_workflow_that_was_renamed_is_told", a_workflow_that_was_renamed_is_told),
    ("code_that_is_kept_is_held_to_its_version", code_that_is_kept_is_held_to_its_version),
    ("two_of_one_name_are_told", two_of_one_name_are_told),
    ("wrong_arguments_are_told", wrong_arguments_are_told),
    ("help_and_locks_are_shown", help_and_locks_are_shown),
    ("the_folder_is_that_of_the_package", the_folder_is_that_of_the_package),
    ("a_folder_that_cannot_be_written_is_told", a_folder_that_cannot_be_written_is_told),
    ("a_test_that_fails_names_its_own_line", a_test_that_fails_names_its_own_line),
    ("nobody_has_to_read_what_is_said", nobody_has_to_read_what_is_said),
];

fn main() -> ExitCode {
    match env::var(PROGRAM).as_deref() {
        Ok("old") => old::run(),
        Ok("wider") => wider::run(),
        Ok("narrower") => narrower::run(),
        Ok("untagged") => untagged::run(),
        Ok("test") => test_that_fails(),
        Ok("kept") => kept::run(),
        Ok("renamed") => renamed::run(),
        Ok("namesakes") => namesakes::run(),
        _ => run_cases(),
    }
}

fn run_cases() -> ExitCode {
    let words: Vec<_> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = CASES.iter().filter(|(name, _)| words.is_empty() || words.iter().any(|word| name.contains(word)));
    let failed: Vec<_> = wanted.filter(|(_, case)| catch_unwind(case).is_err()).map(|(name, _)| name).collect();
    println!("{} cases of the command, failed: {failed:?}", CASES.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct World {
    _folder: tempfile::TempDir,
    locks: PathBuf,
}

struct Ended {
    code: Option<i32>,
    output: String,
    errors: String,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let locks = folder.path().join("workflows");
        Self { _folder: folder, locks }
    }

    /// With the locks of the sale as it was.
    fn recorded() -> Self {
        let world = Self::new();
        assert_eq!(world.run("old", &["record"]).code, Some(0));
        world
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        // What the environment means to `cargo test` means nothing here.
        command.args(arguments).env(PROGRAM, program).env("CI", "true").env("WORKFLOW_LOCK", "accept");
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Ended {
        ended(self.command(program, arguments).arg("--dir").arg(&self.locks))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.locks.join(format!("{name}.lock"))
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), output: text(output.stdout), errors: text(output.stderr) }
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}\n---\n{text}");
    }
}

fn locks_are_made_and_fit() {
    let world = World::new();
    for arguments in [&[] as &[&str], &["check"]] {
        let ended = world.run("old", arguments);
        assert_eq!(ended.code, Some(1), "{}", ended.output);
        // A line for each, and no word more.
        assert_eq!(ended.output.lines().count(), 2, "{}", ended.output);
        assert!(ended.output.starts_with("Sale: has no lock: "), "{}", ended.output);
        assert_has(
            &ended.output,
            &[
                "\nGreet: has no lock: ",
                "does not exist. Run `",
                " record Sale --dir ",
                "which makes it, and commit the file",
            ],
        );
        assert!(!world.locks.exists());
    }
    let ended = world.run("old", &["record", "Greet"]);
    assert_eq!((ended.code, ended.output.lines().count()), (Some(0), 1), "{}", ended.output);
    assert!(ended.output.starts_with("Greet: made ") && !world.path("Sale").exists(), "{}", ended.output);
    let ended = world.run("old", &["record"]);
    assert!(ended.output.starts_with("Sale: made ") && ended.output.ends_with("\nGreet: fits\n"), "{}", ended.output);
    for arguments in [&[] as &[&str], &["check"], &["record"], &["accept"], &["check", "Greet", "Sale"]] {
        let ended = world.run("old", arguments);
        assert_eq!((ended.code, ended.output.as_str()), (Some(0), "Sale: fits\nGreet: fits\n"));
        assert_eq!(ended.errors, "");
    }
    assert_has(&world.text("Greet"), &[" 1 step write_to: u32\n"]);
}

fn what_fits_is_told_and_recorded() {
    let world = World::recorded();
    let before = world.text("Sale");
    let ended = world.run("wider", &[]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.starts_with("Sale: fits, and its lock is out of date\nGreet: fits\n\n"), "{}", ended.output);
    assert_has(&ended.output, &["  + version 1: state `pending`", " record Sale --dir ", "commit the file"]);
    assert_eq!(world.text("Sale"), before);
    let ended = world.run("wider", &["record"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.output.starts_with("Sale: wrote "), "{}", ended.output);
    assert_has(&ended.output, &[": commit it\n  + version 1: state `pending`", "\nGreet: fits\n"]);
    assert_has(&world.text("Sale"), &["Pending.note: string?"]);
}

fn what_does_not_fit_is_told_and_accepted() {
    let world = World::recorded();
    let before = world.text("Sale");
    for arguments in [&[] as &[&str], &["check"], &["record"]] {
        let ended = world.run("narrower", arguments);
        assert_eq!(ended.code, Some(1));
        assert!(ended.output.starts_with("Sale: does not fit\nGreet: fits\n\n"), "{}", ended.output);
        assert_has(&ended.output, &["was `u32` and is `u16`", "There are two ways out", " accept Sale --dir "]);
        assert_eq!(world.text("Sale"), before);
    }
    // Another one is no reason for this one to fail.
    assert_eq!(world.run("narrower", &["check", "Greet"]).code, Some(0));
    let ended = world.run("narrower", &["accept", "Sale"]);
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert_has(&ended.output, &["Sale: wrote ", "  ! version 1: state `pending`"]);
    assert_eq!(world.run("narrower", &[]).code, Some(0));
}

fn what_cannot_be_looked_into_is_named() {
    let world = World::new();
    let ended = world.run("untagged", &["record", "Sale"]);
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert_has(&ended.output, &[": commit it\n  ? what changes inside of `Pending.sum` is not noticed: "]);
    assert_eq!(world.run("untagged", &["check", "Sale"]).output, "Sale: fits\n");
}

fn a_damaged_lock_is_left_alone() {
    let world = World::recorded();
    let good = world.text("Sale");
    for (bad, told) in [
        (good.replace("u32", "u64"), "was changed by hand"),
        (
            good.replace("format 1", "format 2"),
            "it has format 2, and this build of workflow-runtime reads up to format 1",
        ),
        (format!("<<<<<<< HEAD\n{good}"), "line 1 is the mark of a merge conflict"),
        (good.replace("workflow Sale", "workflow Other"), "is the lock of `Other`, and not of `Sale`"),
        (String::new(), "the line with `format` is missing"),
    ] {
        fs::write(world.path("Sale"), &bad).unwrap();
        for arguments in [&["check"], &["record"], &["accept"]] {
            let ended = world.run("old", arguments);
            assert_eq!(ended.code, Some(1), "{}", ended.output);
            assert_has(&ended.output, &["Sale: its lock is ", told, "Greet: fits"]);
            assert_eq!(world.text("Sale"), bad);
        }
    }
    let bytes = good.replace("state pending", "state pe\u{1}ding").into_bytes();
    let bytes: Vec<u8> = bytes.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    fs::write(world.path("Sale"), &bytes).unwrap();
    let ended = world.run("old", &["accept"]);
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert_has(&ended.output, &["Sale: its lock is not as it was written", "was changed by hand", "`git checkout`"]);
    assert_eq!(fs::read(world.path("Sale")).unwrap(), bytes);
    fs::write(world.path("Sale"), format!("\u{feff}{}", good.replace('\n', "\r\n"))).unwrap();
    assert_eq!(world.run("old", &[]).output, "Sale: fits\nGreet: fits\n", "an editor has other ways");
    fs::write(world.path("Sale"), good.replace("u32", "u64")).unwrap();
    assert_has(&world.run("old", &[]).output, &["`git checkout`", "right only if nothing is stored any more"]);
    fs::remove_file(world.path("Sale")).unwrap();
    fs::create_dir(world.path("Sale")).unwrap();
    let ended = world.run("old", &["accept"]);
    assert_eq!(ended.code, Some(2));
    assert_has(&ended.output, &["Sale: its lock cannot be read or written\nGreet: fits\n"]);
}

fn a_workflow_that_was_renamed_is_told() {
    let world = World::recorded();
    for arguments in [&["check"], &["record"]] {
        let ended = world.run("renamed", arguments);
        assert_eq!(ended.code, Some(1));
        assert_has(
            &ended.output,
            &[
                "Purchase: has no lock, and may have been renamed\nGreet: fits\n",
                "Sale.lock: belongs to none of these",
                "write `name = \"Sale\"` in the `#[workflow(…)]` of `Purchase`",
                " accept Purchase --dir ",
            ],
        );
        assert!(!world.path("Purchase").exists());
    }
    assert_eq!(world.run("renamed", &["accept", "Purchase"]).code, Some(0));
    // That there is one more file is said, and is no failure: another program of the package may have its workflow.
    let ended = world.run("renamed", &[]);
    assert_eq!(ended.code, Some(0));
    assert_has(&ended.output, &["Purchase: fits\nGreet: fits\n", "Sale.lock: belongs to none of these"]);
    // Who asks for one does not ask for others.
    assert_eq!(world.run("renamed", &["check", "Greet"]).output, "Greet: fits\n");
    fs::remove_file(world.path("Sale")).unwrap();
    assert_eq!(world.run("renamed", &[]).output, "Purchase: fits\nGreet: fits\n");
}

fn code_that_is_kept_is_held_to_its_version() {
    let world = World::recorded();
    let ended = world.run("kept", &["record"]);
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert_has(
        &ended.output,
        &["Sale (version 1): fits\nSale (version 2): wrote ", "  + version 2: version 2 is new\n"],
    );
    let ended = world.run("kept", &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert_has(&ended.output, &["Sale (version 1): fits\nSale (version 2): fits\n"]);
    // Without the newer code, the version goes back.
    let ended = world.run("old", &["accept", "Greet"]);
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let ended = world.run("old", &[]);
    assert_eq!(ended.code, Some(1));
    assert_has(&ended.output, &["Sale: does not fit\n", "this code is of version 1: build the newer code"]);
}

fn two_of_one_name_are_told() {
    let world = World::recorded();
    let ended = world.run("namesakes", &[]);
    assert_eq!(ended.code, Some(1));
    assert_has(
        &ended.output,
        &[
            "Sale (version 1): fits\nSale (version 1): is named beside another one of that name\n",
            "old::Sale` and `lock_command::wider::Sale` are both saved as `Sale`",
            "`lock_command::Greet` is named twice: take one of the two out",
        ],
    );
}

fn wrong_arguments_are_told() {
    let world = World::recorded();
    for (arguments, told) in [
        (&["chek"] as &[&str], "there is no command `chek`: write `check`, `record`, `accept` or `show`"),
        (&["Sale"], "there is no command `Sale`"),
        (&["check", "Sail"], "there is no workflow `Sail` here; there is Greet, Sale"),
        (&["--json"], "--json"),
        (&["check", "--dir"], "--dir"),
        (&["check", "--dir="], "`--dir` is followed by the folder of the locks"),
        (&["record", "-x"], "-x"),
    ] {
        let ended = ended(&mut world.command("narrower", arguments));
        assert_eq!((ended.code, ended.output.as_str()), (Some(2), ""), "{}", ended.errors);
        assert_has(&ended.errors, &[told, "`--help` says what there is\n"]);
    }
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    assert_eq!(LockCommand::default().run_with(["check".into()], &mut output, &mut errors), 2);
    assert_has(&String::from_utf8(errors).unwrap(), &["this program knows no workflow"]);
}

fn help_and_locks_are_shown() {
    let world = World::new();
    for arguments in [&["--help"] as &[&str], &["-h"], &["help"], &["record", "--help"]] {
        let ended = ended(&mut world.command("old", arguments));
        assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
        assert_has(&ended.output, &["Usage: [check | record | accept | show]", "knows: Greet, Sale\n", "Exit code: 0"]);
    }
    let shown = world.run("old", &["show", "Sale"]);
    assert_eq!(shown.code, Some(0));
    assert!(!world.locks.exists());
    world.run("old", &["record"]);
    assert_eq!(shown.output, world.text("Sale"));
    let both = world.run("old", &["show"]).output;
    assert_eq!(both, format!("{}\n{}", world.text("Sale"), world.text("Greet")));
}

fn the_folder_is_that_of_the_package() {
    let world = World::recorded();
    let package = world.locks.parent().unwrap();
    let run = |package: Option<&Path>| {
        let mut command = world.command("old", &[]);
        command.env_remove("CARGO_MANIFEST_DIR");
        package.map(|package| command.env("CARGO_MANIFEST_DIR", package));
        ended(&mut command)
    };
    assert_eq!(run(Some(package)).output, "Sale: fits\nGreet: fits\n");
    // Without cargo, it is the package that it was compiled in.
    let compiled_in = concat!(env!("CARGO_MANIFEST_DIR"), "/workflows");
    let ended = run(None);
    assert_has(&ended.output, &[&format!("{compiled_in}/Greet.lock does not exist")]);
}

#[cfg(unix)]
fn a_folder_that_cannot_be_written_is_told() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::recorded();
    let before = world.text("Sale");
    let permit = |mode| fs::set_permissions(&world.locks, fs::Permissions::from_mode(mode)).unwrap();
    permit(0o555);
    // Nothing keeps root from writing.
    let is_root = fs::write(world.locks.join("probe"), "").is_ok();
    let (checked, recorded) = (world.run("old", &[]), world.run("wider", &["record"]));
    permit(0o755);
    assert_eq!(checked.code, Some(0), "{}", checked.output);
    if !is_root {
        assert_eq!(recorded.code, Some(2));
        assert_has(
            &recorded.output,
            &["Sale: its lock cannot be read or written\nGreet: fits\n", "cannot be read or written: "],
        );
        assert_eq!(world.text("Sale"), before);
    }
    // A file in the place of the folder keeps anybody.
    let world = World::new();
    fs::write(&world.locks, "").unwrap();
    let ended = world.run("old", &["record"]);
    assert_eq!(ended.code, Some(2), "{}", ended.output);
    assert_has(&ended.output, &["Sale: its lock cannot be read or written\n", "Sale.lock cannot be read or written: "]);
}

#[cfg(not(unix))]
fn a_folder_that_cannot_be_written_is_told() {}

fn a_test_that_fails_names_its_own_line() {
    let world = World::recorded();
    let package = world.locks.parent().unwrap();
    for (mode, told) in [("check", "was `u32` and is `u16`"), ("acept", "WORKFLOW_LOCK is \"acept\"")] {
        let mut command = world.command("test", &[]);
        let ended = ended(command.env("WORKFLOW_LOCK", mode).env("CARGO_MANIFEST_DIR", package));
        assert_ne!(ended.code, Some(0));
        assert_has(&ended.errors, &[&format!("lock_command.rs:{FAILS_AT}:"), told]);
    }
}

fn nobody_has_to_read_what_is_said() {
    let world = World::recorded();
    for (program, code) in [("old", 0), ("narrower", 1)] {
        let mut command = world.command(program, &[]);
        command.arg("--dir").arg(&world.locks).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(code), ""));
    }
}
