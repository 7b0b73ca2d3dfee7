//! A diagram as one line of text, and back: what the macro that draws it is given.

use super::{Diagram, DiagramHandler, DiagramState, DiagramTrigger};

/// Between the parts of a diagram, those of a state or a handler, and the items of a list. None of them is in a name.
const RECORDS: char = '\u{1e}';
const FIELDS: char = '\u{1f}';
const ITEMS: char = '\u{1d}';

/// What of the diagram is drawn.
pub(crate) fn coded(diagram: &Diagram) -> String {
    let head = [plain(&diagram.name), plain(&diagram.start), diagram.states.len().to_string()];
    let mut records = vec![join(&head, FIELDS)];
    records.extend(diagram.states.iter().map(|state| join(&[flag(state.end).to_owned(), plain(&state.name)], FIELDS)));
    records.extend(diagram.handlers.iter().map(|handler| {
        let (kind, text) = match &handler.trigger {
            DiagramTrigger::Entry => ("entry", String::new()),
            DiagramTrigger::On(event) => ("on", plain(event)),
            DiagramTrigger::Time(kind, time) => (*kind, plain(time)),
            DiagramTrigger::Catch(error) => ("catch", plain(error)),
        };
        let list = |names: &[String]| join(&names.iter().map(|name| plain(name)).collect::<Vec<_>>(), ITEMS);
        let fields = [
            plain(&handler.name),
            kind.to_owned(),
            text,
            plain(&handler.from),
            list(&handler.to),
            list(&handler.unwinds),
            flag(handler.stays).to_owned(),
        ];
        join(&fields, FIELDS)
    }));
    join(&records, RECORDS)
}

/// The diagram of a text. What cannot be read is left out.
pub(crate) fn decoded(text: &str) -> Diagram {
    let mut records = text.split(RECORDS);
    let mut head = records.next().unwrap_or_default().split(FIELDS);
    let mut word = || head.next().unwrap_or_default().to_owned();
    let (name, start, count) = (word(), word(), word().parse().unwrap_or(0));
    let states = records.by_ref().take(count).filter_map(|record| {
        let (end, name) = record.split_once(FIELDS)?;
        Some(DiagramState { name: name.to_owned(), doc: String::new(), end: end == flag(true) })
    });
    let states = states.collect();
    Diagram { name, start, states, handlers: records.filter_map(handler).collect() }
}

fn handler(record: &str) -> Option<DiagramHandler> {
    let fields: Vec<&str> = record.split(FIELDS).collect();
    let [name, kind, text, from, to, unwinds, stays] = fields.as_slice() else { return None };
    let time = |kind| DiagramTrigger::Time(kind, (*text).to_owned());
    let trigger = match *kind {
        "entry" => DiagramTrigger::Entry,
        "on" => DiagramTrigger::On((*text).to_owned()),
        "catch" => DiagramTrigger::Catch((*text).to_owned()),
        kind => time(["after", "at", "every"].into_iter().find(|known| *known == kind)?),
    };
    let list = |items: &str| items.split(ITEMS).filter(|item| !item.is_empty()).map(str::to_owned).collect();
    Some(DiagramHandler {
        name: (*name).to_owned(),
        trigger,
        from: (*from).to_owned(),
        to: list(to),
        unwinds: list(unwinds),
        stays: *stays == flag(true),
        doc: String::new(),
    })
}

fn flag(set: bool) -> &'static str {
    if set { "+" } else { "" }
}

fn join(parts: &[String], by: char) -> String {
    parts.join(by.encode_utf8(&mut [0; 4]))
}

/// A text without what stands between texts.
fn plain(text: &str) -> String {
    text.replace([RECORDS, FIELDS, ITEMS], " ")
}
