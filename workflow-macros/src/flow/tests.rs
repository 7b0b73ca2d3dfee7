use syn::ItemFn;

use super::{Flow, NodeKind, analyse};

#[track_caller]
#[allow(clippy::expect_used, reason = "a test whose input does not parse tests nothing")]
fn flow(body: &str) -> Flow {
    let item: ItemFn =
        syn::parse_str(&format!("async fn checks(cx: &Cx, order: &Order, id: String) -> R {{ {body} }}"))
            .expect("the body of a test parses");
    analyse(&item.sig, &item.block)
}

/// Each node with those that it waits for.
fn graph(body: &str) -> Vec<String> {
    let flow = flow(body);
    let nodes = flow.nodes.iter().map(|node| {
        let kind = match &node.kind {
            NodeKind::Branch(name) => name.clone(),
            NodeKind::Let => "let".to_owned(),
            NodeKind::Statement => "statement".to_owned(),
            NodeKind::Barrier => "barrier".to_owned(),
        };
        let after: Vec<String> = node.after.iter().map(ToString::to_string).collect();
        format!("{kind}: {}", after.join(" "))
    });
    nodes.map(|node| node.trim_end().to_owned()).collect()
}

#[test]
fn a_branch_waits_for_the_bindings_that_it_uses() {
    let diamond =
        "let a = f(cx).await?; let b = g(cx, &a).await?; let c = h(cx, a.id).await; let d = i(cx, b, c).await?; Ok(d)";
    assert_eq!(graph(diamond), ["a:", "b: 0", "c: 0", "d: 1 2"]);
}

#[test]
fn names_in_macros_and_format_strings_count() {
    for using in [
        "f(cx, format!(\"{a}\")).await",
        "f(cx, format!(\"{:?}\", a)).await",
        "f(cx, format!(\"{a:>8}\")).await",
        "f(cx, format!(\"{0:a$}\", 1)).await",
        "f(cx, vec![Wrap { a }]).await",
        "f(cx, odd!(some => [a])).await",
        "f(cx, Wrap { a }).await",
        "f(cx, |x| x + a).await",
        "async move { f(cx, a).await }.await",
        "if a { f(cx).await } else { 1 }",
        "a(cx).await",
    ] {
        let body = format!("let a = g(cx).await?; let b = {using}; Ok(b)");
        assert_eq!(graph(&body), ["a:", "b: 0"], "{using}");
    }
    assert_eq!(graph("let a = g(cx).await?; let b = f(cx, order.a).await; Ok(b)"), ["a:", "b:"]);
}

#[test]
fn a_statement_that_awaits_is_a_barrier() {
    let body = "let a = f(cx).await?; g(cx).await?; let b = f(cx).await?; Ok(a + b)";
    assert_eq!(graph(body), ["a:", "barrier: 0", "b: 1"]);
    let body = "let a = f(cx).await?; tokio::join!(a); let b = f(cx).await?; Ok(b)";
    assert_eq!(graph(body), ["a:", "barrier: 0", "b: 1"]);
}

#[test]
fn other_statements_keep_their_order_and_those_that_may_leave_hold_up_what_follows() {
    let body = "let a = f(cx).await?; println!(\"{a}\"); let b = f(cx).await?; println!(\"{b}\"); Ok(b)";
    assert_eq!(graph(body), ["a:", "statement: 0", "b:", "statement: 1 2"]);
    let body = "let a = f(cx).await?; if a > 1 { return Err(a); } let b = f(cx).await?; Ok(b)";
    assert_eq!(graph(body), ["a:", "statement: 0", "b: 1"]);
}

#[test]
fn users_of_what_can_change_have_it_one_after_the_other() {
    let body =
        "let mut all = Vec::new(); let a = f(cx).await?; all.push(a); let b = f(cx).await?; all.push(b); Ok(all)";
    assert_eq!(graph(body), ["let:", "a:", "statement: 0 1", "b:", "statement: 0 2 3"]);
}

#[test]
fn branches_without_a_name_of_their_own_get_one() {
    let names = flow("let _ = f(cx).await; let (a, b) = f(cx).await; let _ = f(cx).await; let Some(c) = f(cx).await else { return None }; a").branches();
    assert_eq!(names, ["_", "a", "__2", "c"]);
}

#[test]
fn what_is_awaited_in_a_closure_or_an_async_block_is_not_awaited_here() {
    assert_eq!(graph("let a = async { f(cx).await }; let b = f(cx).await; Ok(b)"), ["let:", "b:"]);
}
