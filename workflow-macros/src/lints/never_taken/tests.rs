use super::*;
use crate::lints::tests::parse;

const DECLARED: [&str; 5] = ["A", "B", "Pending", "Stay", "Wait"];

/// The names of the declared targets that are reported for a handler that declares just these.
#[track_caller]
fn reported<'a>(declared: &[&'a str], body: &str) -> Vec<&'a str> {
    let body = parse(body);
    never_taken(&body, declared).into_iter().filter_map(|index| declared.get(index).copied()).collect()
}

/// A body that certainly takes `A` and never takes `B`.
#[track_caller]
fn takes_only_a(body: &str) {
    assert_eq!(reported(&["A", "B"], body), ["B"], "{body}");
}

/// A body about which nothing is certain.
#[track_caller]
fn is_unclear(body: &str) {
    assert!(reported(&DECLARED, body).is_empty(), "{body}");
}

#[test]
fn a_target_is_read_in_all_its_forms() {
    for target in [
        "A { x: 1 }",
        "A(x)",
        "A",
        "A::new(x)",
        "A::from(x)",
        "A::default()",
        "states::A { x }",
        "A::Fresh",
        "A::Fresh { x }",
    ] {
        takes_only_a(&format!("goto({target})"));
        takes_only_a(&format!("Ok(goto({target}))"));
        takes_only_a(&format!("let x = self.step(cx).await?; return Ok(goto({target}));"));
    }
    takes_only_a("Ok(workflow_runtime::goto((A { x })))");
    assert_eq!(reported(&["r#type", "B"], "goto(B)"), ["r#type"]);
}

#[test]
fn staying_and_waiting_are_targets() {
    assert_eq!(reported(&DECLARED, "if x { goto(Stay(s)) } else { goto(A) }"), ["B", "Pending", "Wait"]);
    assert_eq!(reported(&DECLARED, "Ok(goto(Wait))"), ["A", "B", "Pending", "Stay"]);
    // What is not declared is an error of its own.
    assert!(reported(&["A", "B"], "if x { goto(Wait) } else { goto(A) }").is_empty());
}

#[test]
fn every_exit_counts() {
    let both = "if self.ok(cx).await? { return Ok(goto(B { x })); } Ok(goto(A { x }))";
    assert!(reported(&["A", "B"], both).is_empty());
    let in_a_loop = "loop { if x { return goto(B); } else if y { break goto(A) } }";
    assert!(reported(&["A", "B"], in_a_loop).is_empty());
    let in_an_else = "let Some(x) = x else { return Ok(goto(B)) }; Ok(goto(A))";
    assert!(reported(&["A", "B"], in_an_else).is_empty());
    let from_a_label = "'done: { if x { break 'done goto(B); } goto(A) }";
    assert!(reported(&["A", "B"], from_a_label).is_empty());
}

#[test]
fn exits_are_followed_through_branches_and_blocks() {
    takes_only_a("if x { Ok(goto(A)) } else if y { Ok(goto(A { z })) } else { Ok(goto(A(z))) }");
    takes_only_a("match x { 1 => goto(A), 2 if y => { let z = 3; goto(A) } _ => return goto(A) }");
    takes_only_a("Ok(match x { Some(x) => goto(A { x }), None => unreachable!() })");
    takes_only_a("unsafe { goto(A) }");
    takes_only_a("'done: { if x { break 'done goto(A); } goto(A) }");
    takes_only_a("loop { if x { break Ok(goto(A)); } }");
    takes_only_a("loop { if x { return Ok(goto(A)); } }");
    takes_only_a("return goto(A);");
}

#[test]
fn errors_take_no_edge() {
    takes_only_a("let x = self.step(cx).await?; if x { return Err(Error::new(\"no\")); } Ok(goto(A))");
    takes_only_a("if x { Err(y)? } else { Ok(goto(A)) }");
    takes_only_a("if x { panic!(\"no\") } Ok(goto(A))");
    takes_only_a("tracing::info!(x, \"{}\", y); assert!(x > 1); Ok(goto(A))");
}

#[test]
fn what_others_return_is_not_an_exit() {
    takes_only_a("let f = || { return goto(B); }; goto(A)");
    takes_only_a("let f = async { return goto(B); }; goto(A)");
    takes_only_a("fn f() -> X { return goto(B); } goto(A)");
}

#[test]
fn an_exit_that_cannot_be_read_silences() {
    for body in [
        "let next = goto(A); next",
        "Ok(goto(a))",
        "if x { self.other(cx).await } else { Ok(goto(A)) }",
        "if x { return self.decide(s); } goto(A)",
        "Ok(goto(A)).map_err(from)",
        "Ok(goto(A.into()))",
        "Ok(goto(Unknown { x }))",
        "Ok(goto(Pending::ship(s)))",
        "Ok(goto(Pending::DEFAULT))",
        "Ok(goto(<Pending as Default>::default()))",
        "goto(make(x))",
        "A { x }",
        "x?",
        "let x = loop { break 5; }; goto(A)",
    ] {
        is_unclear(body);
    }
}

#[test]
fn a_macro_that_may_hold_an_exit_silences() {
    for body in [
        "bail_out!(x); Ok(goto(A))",
        "ensure!(x, \"no\"); Ok(goto(A))",
        "tokio::select! { x = y => return Ok(goto(B)) } Ok(goto(A))",
        "dbg!(if x { return goto(B) }); goto(A)",
        "let x = my::query!(y); goto(A)",
        "if x { next!(B) } else { goto(A) }",
    ] {
        is_unclear(body);
    }
}

#[test]
fn what_is_still_to_be_written_is_left_alone() {
    is_unclear("todo!()");
    is_unclear("if x { todo!() } goto(A)");
    is_unclear("unimplemented!(\"later\")");
    is_unclear("Err(Error::new(\"not yet\"))");
    is_unclear("panic!()");
    is_unclear("");
}
