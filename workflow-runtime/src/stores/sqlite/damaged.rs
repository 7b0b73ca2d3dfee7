//! What can be made out of an execution whose rows are damaged. Nothing of it is believed: it says who is to be told.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

use super::error::failed_for;
use crate::record::{ExecutionKey, ParentRecord};
use crate::store::StoreError;

/// See [`Store::parent`](crate::store::Store::parent).
pub(super) fn parent(connection: &Connection, key: &ExecutionKey) -> Result<Option<ParentRecord>, StoreError> {
    let body = || -> rusqlite::Result<Option<Option<Vec<u8>>>> {
        let mut statement = connection.prepare_cached(
            "SELECT body FROM executions WHERE workflow = (SELECT workflow FROM workflows WHERE name = ?1) AND id = ?2",
        )?;
        let row = statement.query_row(params![&*key.workflow, key.id.as_str()], |row| {
            Ok(row.get_ref(0)?.as_bytes().ok().map(<[u8]>::to_vec))
        });
        row.optional()
    };
    // Where the page itself cannot be read, nothing is made out.
    let body = body().or_else(|error| match failed_for(key, "its record", error) {
        StoreError::Corrupt { .. } => Ok(None),
        error => Err(error),
    })?;
    Ok(body.flatten().and_then(|body| parent_in(&body)))
}

/// The parent in the body of a record of which anything may be damaged.
fn parent_in(body: &[u8]) -> Option<ParentRecord> {
    /// How a record names it.
    const BEGINS: &[u8] = br#""parent":{"#;

    #[derive(Deserialize)]
    struct Child {
        #[serde(default)]
        parent: Option<ParentRecord>,
    }

    if let Ok(child) = serde_json::from_slice::<Child>(body) {
        return child.parent;
    }
    // What a state says of a parent stands before, and is none of these.
    let places = body.windows(BEGINS.len()).enumerate().filter(|(_, window)| *window == BEGINS);
    let mut rests = places.filter_map(|(place, _)| body.get(place + BEGINS.len() - 1..));
    rests.find_map(|rest| ParentRecord::deserialize(&mut serde_json::Deserializer::from_slice(rest)).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"state":"open","data":{"a":1},"parent":{"workflow":"P","id":"p","child":"C/c","visit":2,"call":"work:call:0","reports":true,"reports_parking":true},"visit":1}"#;

    #[test]
    fn a_parent_is_made_out_unless_it_is_damaged_itself() {
        let whole = parent_in(WHOLE.as_bytes()).unwrap();
        assert_eq!((whole.id.as_str(), whole.visit, whole.reports_parking), ("p", 2, true));
        for (word, damaged) in [("{\"a\":1}", "{\"a\"\u{0}1}"), ("{\"state", "(\"state"), ("\"visit\":1}", "\"vis")] {
            let body = WHOLE.replace(word, damaged);
            assert_eq!(parent_in(body.as_bytes()).as_ref(), Some(&whole), "{body}");
        }
        let mut not_text = WHOLE.as_bytes().to_vec();
        not_text[3] = 0xff;
        assert_eq!(parent_in(&not_text), Some(whole));
        let of_a_state = WHOLE.replace("{\"a\":1}", "{\"parent\":{\"id\":7},\"a\" 1}");
        assert_eq!(parent_in(of_a_state.as_bytes()).map(|parent| parent.id), Some("p".to_owned()));
        assert_eq!(parent_in(WHOLE.replace("\"visit\":2", "\"visit\":x").as_bytes()), None);
        assert_eq!(parent_in(br#"{"state":"open"}"#), None);
        assert_eq!(parent_in(b""), None);
    }
}
