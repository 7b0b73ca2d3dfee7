//! Each mistake that the macros know, one case per file in `ui/`, named for the mistake.

use std::fs;
use std::path::Path;

#[test]
fn mistakes_are_explained_at_the_users_token() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}

/// One mistake is one error. A case whose name starts with `two_` has two.
#[test]
fn a_mistake_is_told_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let mut cases = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "stderr") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let expected = if name.starts_with("two_") { 2 } else { 1 };
        let text = fs::read_to_string(&path).unwrap();
        let errors = text.lines().filter(|line| line.starts_with("error")).count();
        assert_eq!(errors, expected, "{name} has {errors} errors:\n{text}");
        let warnings = text.lines().filter(|line| line.starts_with("warning")).count();
        assert_eq!(warnings, 0, "{name} has warnings besides:\n{text}");
        cases += 1;
    }
    assert!(cases > 0);
}
