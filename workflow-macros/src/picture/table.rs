//! The table of transitions, in Markdown.

use super::text::summary;
use super::{Diagram, DiagramHandler, DiagramTrigger};

/// A Markdown table with a row per handler, in declaration order; empty if there is none. It does not end with a newline.
pub(crate) fn table(diagram: &Diagram) -> String {
    if diagram.handlers.is_empty() {
        return String::new();
    }
    let mut lines =
        vec!["| From | Trigger | Handler | To | What it does |".to_owned(), "|---|---|---|---|---|".to_owned()];
    for handler in &diagram.handlers {
        let cells = [
            code(&handler.from),
            trigger(&handler.trigger),
            code(&handler.name),
            targets(handler),
            without_links(&summary(&handler.doc)),
        ];
        let cells = cells.map(|cell| escape_bars(&cell));
        lines.push(format!("| {} |", cells.join(" | ")));
    }
    lines.join("\n")
}

fn trigger(trigger: &DiagramTrigger) -> String {
    match trigger {
        DiagramTrigger::Entry => "entry".to_owned(),
        DiagramTrigger::On(event) => format!("on {}", code(event)),
        DiagramTrigger::Time(kind, time) => format!("{kind} {time}"),
        DiagramTrigger::Catch(error) => format!("catch {}", code(error)),
    }
}

fn targets(handler: &DiagramHandler) -> String {
    let stays = handler.stays.then(|| "stays".to_owned());
    let target = |target: &String| match handler.unwinds.contains(target) {
        true => format!("{} (unwinds)", code(target)),
        false => code(target),
    };
    handler.to.iter().map(target).chain(stays).collect::<Vec<_>>().join(", ")
}

/// A code span. Nothing that is named here can hold a backtick, but a macro must not depend on it.
fn code(name: &str) -> String {
    format!("`{}`", name.replace('`', "'"))
}

/// Takes the brackets off `[text]` and `[text][target]` and keeps `[text](target)`, and code spans as they are.
///
/// What the others link to is written further down in the handler's own doc comment or stands in its scope, neither of
/// which the table has: rustdoc would warn of a broken link.
fn without_links(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(special) = rest.find(['[', '`', '\\']) {
        let (before, at) = rest.split_at(special);
        result.push_str(before);
        let length = match link(at).or_else(|| code_span(at)) {
            Some(Part { length, replacement }) => {
                result.push_str(&replacement);
                length
            }
            // A bracket that is not closed, or the backslash of an escape: it and what it escapes stay.
            None => {
                let length = at.chars().take(if at.starts_with('\\') { 2 } else { 1 }).map(char::len_utf8).sum();
                result.push_str(at.get(..length).unwrap_or(at));
                length
            }
        };
        rest = at.get(length..).unwrap_or_default();
    }
    result.push_str(rest);
    result
}

/// How many bytes at the beginning of a text are replaced, and by what.
struct Part {
    length: usize,
    replacement: String,
}

fn link(text: &str) -> Option<Part> {
    let (inner, after) = text.strip_prefix('[')?.split_once(']')?;
    if after.starts_with('(') {
        let length = text.len() - after.len();
        return Some(Part { length, replacement: text.get(..length)?.to_owned() });
    }
    let target = after.strip_prefix('[').and_then(|target| target.split_once(']'));
    let after = target.map_or(after, |(_target, after)| after);
    Some(Part { length: text.len() - after.len(), replacement: inner.to_owned() })
}

fn code_span(text: &str) -> Option<Part> {
    let (_inner, after) = text.strip_prefix('`')?.split_once('`')?;
    let length = text.len() - after.len();
    Some(Part { length, replacement: text.get(..length)?.to_owned() })
}

/// A bar ends a cell even inside a code span, unless a backslash stands before it.
fn escape_bars(cell: &str) -> String {
    let mut escaped = String::with_capacity(cell.len());
    let mut backslash = false;
    for char in cell.chars() {
        if char == '|' && !backslash {
            escaped.push('\\');
        }
        backslash = char == '\\' && !backslash;
        escaped.push(char);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::tests::{diagram, order};
    use super::*;

    #[test]
    fn a_handler_has_a_row() {
        let expected = "\
| From | Trigger | Handler | To | What it does |
|---|---|---|---|---|
| `PendingPayment` | on `Payment` | `paid` | `Fulfilling` | The customer paid. |
| `PendingPayment` | after 15m | `unpaid` | `Cancelled` | Nobody paid in time. |
| `Fulfilling` | entry | `fulfilling` | `Shipped`, `Cancelled` | Reserves stock and ships. |
| `Fulfilling` | catch `ShipError` | `gave_up` | `Cancelled` | Any failure of the carrier. |";
        assert_eq!(table(&order()), expected);
    }

    #[test]
    fn a_workflow_without_handlers_has_no_table() {
        assert_eq!(table(&diagram("Only*", &[])), "");
    }

    #[test]
    fn what_is_entered_by_way_of_undos_is_marked() {
        let unwinding = diagram("A B* C*", &["a: A -> B C!"]);
        let table = table(&unwinding);
        assert!(table.ends_with("| `A` | entry | `a` | `B`, `C` (unwinds) |  |"), "{table}");
        assert!(super::super::draw::svg(&unwinding).contains("(unwinds)"));
    }

    #[test]
    fn a_bar_does_not_end_a_cell() {
        let table = table(&diagram("A", &["a on X: A -> stays # This | that \\| `x | y`."]));
        assert!(table.ends_with(r"| `A` | on `X` | `a` | stays | This \| that \| `x \| y`. |"), "{table}");
    }

    #[test]
    fn links_lose_what_they_point_to_unless_it_is_there() {
        let text = "See [`Order`] or [the page](https://a.b) or [this][1], `a[0]`, \\[no\\] and [open.";
        assert_eq!(without_links(text), "See `Order` or [the page](https://a.b) or this, `a[0]`, \\[no\\] and [open.");
    }

    #[test]
    fn the_first_paragraph_is_one_line() {
        assert_eq!(summary("\n One\n two.\n\n Three.\n"), "One two.");
    }
}
