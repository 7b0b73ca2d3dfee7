//! How long a large machine takes to compile, and how many crates a user gets.
//!
//! A crate with a generated machine is written to a temporary directory, where `cargo check` runs over it: clean, and after
//! one handler was touched. What counts is the CPU time of rustc and cargo together, which other work on the machine
//! stretches less than it does the wall time.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io, process};

use crate::child::cargo;

/// What a machine of some size costs, in seconds of CPU.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compile {
    /// How many states the machine has.
    pub(crate) states: usize,
    /// How many handlers.
    pub(crate) handlers: usize,
    /// `cargo check` of the crate alone, with its dependencies built.
    pub(crate) clean: f64,
    /// The same after another expression in the body of one handler.
    pub(crate) body_touched: f64,
    /// The same after a line more in the body of one handler, which moves all that follows.
    pub(crate) line_added: f64,
}

/// How many crates a user of the library builds, without counting his own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tree {
    /// As it comes, with SQLite.
    pub(crate) with_sqlite: usize,
    /// With `default-features = false`.
    pub(crate) without_default_features: usize,
}

/// Compiles machines of these sizes.
pub(crate) fn compile(sizes: &[usize]) -> io::Result<Vec<Compile>> {
    let place = Place::new("compile", true)?;
    // With the dependencies built, the crate of a machine is all that is left.
    place.write(&source(2, &Edit::None))?;
    place.check()?;
    sizes.iter().map(|states| place.measure(*states)).collect()
}

/// Counts the crates that a build needs.
pub(crate) fn tree() -> io::Result<Tree> {
    let with_sqlite = Place::new("tree", true)?.crates()?;
    let without_default_features = Place::new("tree-small", false)?.crates()?;
    Ok(Tree { with_sqlite, without_default_features })
}

/// A temporary crate that depends on the library, and is removed in the end.
struct Place {
    root: PathBuf,
}

impl Place {
    fn new(name: &str, default_features: bool) -> io::Result<Self> {
        let root = env::temp_dir().join(format!("workflow-{name}-{}", process::id()));
        fs::create_dir_all(root.join("src"))?;
        let place = Self { root };
        let members = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let runtime = members.join("workflow-runtime");
        // The versions that the library is tested with.
        fs::copy(members.join("Cargo.lock"), place.root.join("Cargo.lock"))?;
        let manifest = format!(
            "[package]\nname = \"machine\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             workflow-runtime = {{ path = {runtime:?}, default-features = {default_features} }}\n"
        );
        fs::write(place.root.join("Cargo.toml"), manifest)?;
        place.write("")?;
        Ok(place)
    }

    fn write(&self, source: &str) -> io::Result<()> {
        fs::write(self.root.join("src/lib.rs"), source)
    }

    /// What a user has on his desk, whatever the surroundings of this program say.
    fn cargo(&self) -> Command {
        let mut cargo = cargo();
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", self.root.join("target")).stderr(Stdio::piped());
        for changed in ["CARGO_INCREMENTAL", "CARGO_PROFILE_DEV_DEBUG", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            cargo.env_remove(changed);
        }
        cargo
    }

    /// The seconds of CPU that a check takes.
    fn check(&self) -> io::Result<f64> {
        let before = cpu_of_children()?;
        output(self.cargo().args(["check", "--quiet"]))?;
        Ok(cpu_of_children()? - before)
    }

    fn measure(&self, states: usize) -> io::Result<Compile> {
        let check = |edit: &Edit| {
            self.write(&source(states, edit))?;
            self.check()
        };
        output(self.cargo().args(["clean", "--quiet", "--package", "machine"]))?;
        let clean = check(&Edit::None)?;
        let body_touched = check(&Edit::Body)?;
        check(&Edit::None)?;
        let line_added = check(&Edit::Line)?;
        Ok(Compile { states, handlers: handlers(states), clean, body_touched, line_added })
    }

    fn crates(&self) -> io::Result<usize> {
        let listed = output(self.cargo().args(["tree", "--prefix=none", "--edges=normal,build", "--no-dedupe"]))?;
        let mut crates: Vec<&str> =
            listed.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
        crates.sort_unstable();
        crates.dedup();
        Ok(crates.len().saturating_sub(1))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left of it is in the directory for what may be lost.
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn output(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// The CPU time of the children that have ended, and of theirs, in seconds.
fn cpu_of_children() -> io::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in parentheses, may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_ascii_whitespace();
    // `cutime` and `cstime`, in ticks, of which Linux shows a hundred a second.
    let ticks: u64 = fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    #[expect(clippy::cast_precision_loss, reason = "no process runs that long")]
    Ok(ticks as f64 / 100.0)
}

/// What is touched in the handler in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit {
    None,
    Body,
    Line,
}

fn handlers(states: usize) -> usize {
    source(states, &Edit::None).lines().filter(|line| line.trim_start().starts_with("//:")).count()
}

/// A machine with so many states that can be left: a chain with branches, in rows of ten, which are groups.
///
/// Each state has one handler, or two, or three: entry handlers that call a step, and pure ones; edges that events take,
/// and time; errors that are caught. Each handler has a comment that begins with `//:`.
fn source(states: usize, edit: &Edit) -> String {
    let mut text = String::from("#![allow(dead_code)]\nuse workflow_runtime::prelude::*;\n\npub struct Machine;\n\n");
    let rows = states.div_ceil(10);
    for state in 0..states {
        let _ = writeln!(
            text,
            "/// The place number {state}.\n#[state]\n#[derive(Debug, Clone)]\npub struct S{state} {{\n    \
             pub order: String,\n    pub count: u32,\n    pub notes: Vec<String>,\n}}\n"
        );
    }
    for end in ["Done", "Failed", "Dropped"] {
        let _ =
            writeln!(text, "#[state(end)]\n#[derive(Debug, Clone)]\npub struct {end} {{\n    pub count: u32,\n}}\n");
    }
    for row in 0..rows {
        let _ = writeln!(text, "#[event]\n#[derive(Debug, Clone)]\npub struct E{row} {{\n    pub amount: u32,\n}}\n");
        let members: String =
            (row * 10..states.min(row * 10 + 10)).map(|state| format!("    S{state}(S{state}),\n")).collect();
        let _ = writeln!(text, "#[state(group)]\npub enum Row{row} {{\n{members}}}\n");
    }
    text.push_str("#[event]\npub struct Stop;\n\n#[event]\npub struct Note {\n    pub text: String,\n}\n\n");
    text.push_str("#[workflow(start = S0)]\nimpl Machine {\n");
    for state in 0..states {
        let edit = if state == states / 2 { *edit } else { Edit::None };
        handlers_of(state, states, edit, &mut text);
    }
    for row in 0..rows {
        let _ = writeln!(
            text,
            "    //:\n    #[on]\n    fn dropped_in_row{row}(&self, _: Row{row}, _: Stop) -> Dropped {{\n        \
             Dropped {{ count: {row} }}\n    }}\n"
        );
    }
    text.push_str(
        "    //:\n    #[after(\"90d\")]\n    fn overdue(&self, _: MachineLive) -> Dropped {\n        Dropped { count: 0 }\n    }\n}\n",
    );
    text
}

fn handlers_of(state: usize, states: usize, edit: Edit, text: &mut String) {
    let row = state / 10;
    let next = match state + 1 {
        next if next < states => format!("S{next}"),
        _ => "Done".to_owned(),
    };
    let to_next = match next.as_str() {
        "Done" => "Done { count }".to_owned(),
        next => format!("{next} {{ order: s.order, count, notes: s.notes }}"),
    };
    let more = if edit == Edit::Body { 2 } else { 1 };
    let line = if edit == Edit::Line { "        let count = count.wrapping_add(3);\n" } else { "" };
    let count = format!("        let count = s.count.wrapping_add({more});\n{line}");
    let _ = match state % 4 {
        // What calls a service, and goes elsewhere if that fails.
        0 => writeln!(
            text,
            "    //:\n    /// Calls the service number {state}.\n    #[state]\n    \
             async fn enter{state}(&self, cx: &Cx, s: S{state}) -> Result<Next<({next}, Failed)>> {{\n{count}        \
             let answer = self.call{state}(cx, &s.order, count).await?;\n        \
             if answer > 1_000_000 {{\n            return Ok(goto(Failed {{ count: answer }}));\n        }}\n        \
             Ok(goto({to_next}))\n    }}\n\n    \
             #[step(retry(max = 5, backoff = \"200ms..30s\"), timeout = \"10s\")]\n    \
             async fn call{state}(&self, _cx: &Cx, order: &str, count: u32) -> Result<u32> {{\n        \
             u32::try_from(order.len()).map(|length| length + count).map_err(Error::from)\n    }}\n\n    \
             //:\n    #[catch]\n    fn gave_up{state}(&self, s: S{state}, _: Error) -> Failed {{\n        \
             Failed {{ count: s.count }}\n    }}\n"
        ),
        // What waits for one of two events.
        1 => writeln!(
            text,
            "    //:\n    #[on]\n    \
             fn take{state}(&self, s: S{state}, event: E{row}) -> Next<({next}, Dropped, Stay<S{state}>)> {{\n{count}        \
             match event.amount {{\n            0 => goto(Dropped {{ count }}),\n            \
             1 => goto(Stay(S{state} {{ count, ..s }})),\n            _ => goto({to_next}),\n        }}\n    }}\n\n    \
             //:\n    #[on]\n    fn note{state}(&self, mut s: S{state}, note: Note) -> Stay<S{state}> {{\n        \
             s.notes.push(note.text);\n        Stay(s)\n    }}\n"
        ),
        // What only decides.
        2 => writeln!(
            text,
            "    //:\n    #[state]\n    \
             fn choose{state}(&self, s: S{state}) -> Next<({next}, Failed)> {{\n{count}        \
             if count > 1_000_000 {{ goto(Failed {{ count }}) }} else {{ goto({to_next}) }}\n    }}\n"
        ),
        // What waits for an event, but not for ever.
        _ => writeln!(
            text,
            "    //:\n    #[on]\n    fn take{state}(&self, s: S{state}, event: E{row}) -> {next} {{\n{count}        \
             let count = count.wrapping_add(event.amount);\n        {to_next}\n    }}\n\n    \
             //:\n    #[after(\"2d\")]\n    fn late{state}(&self, s: S{state}) -> Result<Next<(Dropped, Wait)>> {{\n        \
             if s.count == 0 {{ Ok(goto(Dropped {{ count: 0 }})) }} else {{ Ok(goto(Wait)) }}\n    }}\n"
        ),
    };
}

#[cfg(test)]
mod tests {
    use super::{Edit, handlers, source};

    #[test]
    fn a_touched_machine_differs_from_the_other_in_one_handler() {
        for (edit, more) in [(Edit::Body, 0), (Edit::Line, 1)] {
            let (before, after) = (source(50, &Edit::None), source(50, &edit));
            assert_ne!(before, after);
            assert_eq!(after.lines().count(), before.lines().count() + more);
        }
        assert!((90..=100).contains(&handlers(50)), "{}", handlers(50));
    }
}
