//! What ARCHITECTURE.md says of the code, checked.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers of `workflow-runtime`: a file may use its own or a lower one.
const LAYERS: [(&str, u32); 8] = [
    ("base", 0),
    ("record", 1),
    ("kernel", 2),
    ("machine", 3),
    ("store", 3),
    ("stores", 4),
    ("engine", 5),
    ("testing", 6),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "{} has no Rust files", folder.display());
    files
}

/// The code without comments: docs may name what code may not use.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn runtime_files() -> Vec<(PathBuf, &'static str, u32)> {
    let source = root().join("workflow-runtime/src");
    let mut files = Vec::new();
    for path in rust_files(&source) {
        let relative = path.strip_prefix(&source).unwrap();
        let folder = relative.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        if let Some((name, layer)) = LAYERS.iter().find(|(name, _)| *name == folder) {
            files.push((path, *name, *layer));
        }
    }
    files
}

#[test]
fn every_folder_of_the_runtime_is_a_layer() {
    let source = root().join("workflow-runtime/src");
    let folders: BTreeSet<_> = fs::read_dir(source)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let known: BTreeSet<_> = LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(folders, known);
}

#[test]
fn a_layer_uses_no_higher_one() {
    for (path, _, layer) in runtime_files() {
        let code = code(&path);
        for (other, other_layer) in LAYERS {
            if other_layer > layer {
                for used in [format!("crate::{other}::"), format!("crate::{{{other}"), format!("super::super::{other}")]
                {
                    assert!(
                        !code.contains(&used),
                        "{} is of layer {layer} and uses `{used}`, of layer {other_layer}",
                        path.display()
                    );
                }
            }
        }
    }
}

#[test]
fn tokio_is_for_the_engine_alone() {
    for (path, folder, layer) in runtime_files() {
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if layer < 5 && !is_test {
            let code = code(&path);
            let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
            assert!(!code.contains("tokio::"), "{} in {folder} uses tokio", path.display());
        }
    }
}

#[test]
fn the_kernel_knows_no_clock_and_no_chance() {
    for (path, folder, _) in runtime_files() {
        if folder == "kernel" {
            let code = code(&path);
            for word in ["SystemTime", "Instant::now", "fastrand", "std::fs", "std::thread", "async fn", ".await"] {
                assert!(!code.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}

#[test]
fn files_are_small() {
    for folder in ["workflow-macros/src", "workflow-runtime/src", "examples", "tests"] {
        for path in rust_files(&root().join(folder)) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 600, "{} has {lines} lines; the ceiling is 600", path.display());
        }
    }
}

#[test]
fn the_macro_crate_depends_on_no_hashing_order() {
    for path in rust_files(&root().join("workflow-macros/src")) {
        let code = code(&path);
        for word in ["HashMap", "HashSet"] {
            assert!(!code.contains(word), "{} uses {word}: its order changes from build to build", path.display());
        }
    }
}

#[test]
fn the_workflow_of_an_example_is_read_at_a_glance() {
    let examples = root().join("examples");
    let workflows: Vec<_> =
        rust_files(&examples).into_iter().filter(|path| path.ends_with("src/workflow.rs")).collect();
    assert!(!workflows.is_empty());
    for path in workflows {
        let lines = code(&path).lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= 120, "{} has {lines} lines of code; the ceiling is 120", path.display());
    }
}

#[test]
fn what_is_fuzzed_has_every_module_of_the_macro_crate() {
    let modules = |file: &str| -> BTreeSet<String> {
        let code = code(&root().join("workflow-macros/src").join(file)).replace("#[cfg(test)]\nmod ", "");
        code.lines().filter_map(|line| line.strip_prefix("mod ")).map(str::to_owned).collect()
    };
    let (of_the_macros, fuzzed) = (modules("lib.rs"), modules("fuzzed.rs"));
    assert!(!of_the_macros.is_empty());
    let forgotten = of_the_macros.difference(&fuzzed).next();
    assert_eq!(forgotten, None, "workflow-macros/src/fuzzed.rs lacks a module of lib.rs that the others use");
}

/// A crate under `examples/` that has a workflow: its name, and the code of its tests.
fn examples_with_workflows() -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if !path.join("Cargo.toml").is_file() {
            continue;
        }
        let files: Vec<_> = rust_files(&path).iter().map(|path| code(path)).collect();
        if files.iter().any(|code| code.contains("#[workflow")) {
            examples.push((path.file_name().unwrap().to_str().unwrap().to_owned(), files.concat()));
        }
    }
    assert!(!examples.is_empty());
    examples
}

#[test]
fn every_example_is_crashed_everywhere_repeated_and_locked() {
    for (name, code) in examples_with_workflows() {
        for (proof, why) in [
            ("    crash_everywhere(", "that it survives a crash at every point"),
            ("    repeat_everywhere(", "that it bears a repetition of every step"),
            ("workflow_runtime::lock!(", "what its executions are saved as"),
        ] {
            assert!(code.contains(proof), "examples/{name} has no test with `{}…)`: {why}", proof.trim());
        }
        let locks = fs::read_dir(root().join("examples").join(&name).join("workflows"));
        let locks = locks.map_or(0, |locks| locks.filter(Result::is_ok).count());
        let workflows = code.matches("#[workflow(start").count() + code.matches("#[workflow]").count();
        assert_eq!(locks, workflows, "examples/{name} has {workflows} workflows, and {locks} files in workflows/");
    }
}
