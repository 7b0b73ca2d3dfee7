use super::*;
use crate::lints::tests::parse;

/// The kind and the path of what is found.
#[track_caller]
fn found(body: &str) -> Vec<(AmbientKind, String)> {
    let body = parse(body);
    ambient(&body).into_iter().map(|ambient| (ambient.kind, ambient.path)).collect()
}

#[track_caller]
fn paths(body: &str) -> Vec<String> {
    found(body).into_iter().map(|(_, path)| path).collect()
}

#[test]
fn every_function_has_a_root_that_is_looked_for_first() {
    for ([owner, function], ..) in AMBIENT {
        assert!(ROOTS.iter().any(|root| function.contains(root)), "{owner}::{function} would not be found");
    }
}

#[test]
fn time_is_found_by_the_end_of_the_path() {
    for path in [
        "tokio::time::sleep",
        "time::sleep",
        "tokio::time::sleep_until",
        "tokio::time::timeout",
        "tokio::time::interval",
        "std::thread::sleep",
        "thread::sleep",
        "Instant::now",
        "std::time::Instant::now",
        "tokio::time::Instant::now",
        "SystemTime::now",
        "chrono::Utc::now",
        "Local::now",
        "jiff::Timestamp::now",
        "Zoned::now",
    ] {
        assert_eq!(found(&format!("let x = {path}(y);")), [(AmbientKind::Time, path.to_owned())]);
    }
}

#[test]
fn tasks_are_found_by_the_end_of_the_path() {
    for path in ["tokio::spawn", "tokio::task::spawn", "task::spawn_blocking", "thread::spawn", "std::thread::spawn"] {
        assert_eq!(found(&format!("{path}(async move {{ work().await }});")), [(AmbientKind::Task, path.to_owned())]);
    }
    assert_eq!(paths("::tokio::spawn(x)"), ["tokio::spawn"]);
}

#[test]
fn calls_are_found_wherever_they_run() {
    assert_eq!(paths("if Utc::now() > s.due { return Ok(goto(Late)); } Ok(goto(Early))"), ["Utc::now"]);
    assert_eq!(paths("let f = || tokio::spawn(async { Instant::now() });"), ["tokio::spawn", "Instant::now"]);
    assert_eq!(paths("(Utc::now)()"), ["Utc::now"]);
    assert_eq!(paths("tokio::time::timeout(d, self.ship(cx)).await?"), ["tokio::time::timeout"]);
}

#[test]
fn macros_are_read_as_far_as_they_are_expressions() {
    assert_eq!(paths("println!(\"{}\", Utc::now())"), ["Utc::now"]);
    assert_eq!(paths("info!(time = Utc::now(), \"late\");"), ["Utc::now"]);
    assert_eq!(paths("let v = vec![Instant::now(); 3];"), ["Instant::now"]);
    assert_eq!(paths("let v = vec![format!(\"{:?}\", SystemTime::now())];"), ["SystemTime::now"]);
    let select = "tokio::select! { _ = tokio::time::sleep(d) => { late() } x = self.ship(cx) => x, }";
    assert_eq!(paths(select), ["tokio::time::sleep"]);
    assert!(paths("query!(SELECT Utc::now() FROM t WHERE a => );").is_empty());
}

#[test]
fn what_is_not_such_a_call_is_left_alone() {
    for body in [
        "cx.sleep(Duration::from_secs(1)).await; cx.now()",
        "sleep(d).await; spawn(f); now()",
        "let make: fn() -> Instant = Instant::now;",
        "self.tokio.spawn(x); timer.sleep()",
        "Utc::today(); Instant::from_std(x); my::spawn(x)",
        "fn helper() -> Instant { Instant::now() }",
        "let text = \"tokio::time::sleep(d)\";",
    ] {
        assert!(paths(body).is_empty(), "{body}");
    }
}

#[test]
fn what_to_write_instead_is_known() {
    let body: Block = syn::parse_quote!({ Utc::now() });
    let instead: Vec<_> = ambient(&body).iter().map(|ambient| ambient.instead).collect();
    assert_eq!(instead, ["`cx.now()`"]);
}

#[test]
fn what_is_inside_of_a_step_is_its_own_affair() {
    assert_eq!(paths("cx.step(\"mail\", || async { tokio::time::sleep(pause).await }).await?;"), [""; 0]);
    assert_eq!(paths("cx.step_with(name, |cx| async move { SystemTime::now() }).retry(policy).await?;"), [""; 0]);
    assert_eq!(paths("stairs.step(|| thread::sleep(pause));"), ["thread::sleep"]);
}
