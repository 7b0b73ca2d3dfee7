//! How to have a run that failed again.

/// What to type to have the present test again, with this variable set.
pub(super) fn command(variable: &str, value: &str) -> String {
    let package = std::env::var("CARGO_PKG_NAME").map(|name| format!(" -p {name}")).unwrap_or_default();
    let thread = std::thread::current();
    let test =
        thread.name().filter(|name| *name != "main").map(|name| format!(" -- --exact {name}")).unwrap_or_default();
    format!("{variable}='{value}' cargo test{package}{test}")
}
