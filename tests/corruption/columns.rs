//! Each column of each table, damaged in each way that its type allows.

use std::path::Path;

use rusqlite::Connection;

use crate::outcome::{Fate, Outcome, outcome};
use crate::{Tally, copy, original, runtime};

/// What is done to a number.
const NUMBERS: [&str; 6] = ["0", "-1", "# + 1", "# | (1 << 40)", "9223372036854775807", "NULL"];

/// What is done to a text.
const TEXTS: [&str; 6] =
    ["''", "'x'", "substr(#, 1, length(#) / 2)", "replace(#, 'a', 'b')", "CAST(x'ff00fe' AS TEXT)", "NULL"];

struct Column {
    table: String,
    name: String,
    is_number: bool,
    is_of_execution: bool,
}

fn columns(path: &Path) -> Vec<Column> {
    let file = Connection::open(path).unwrap();
    let sql = "SELECT m.name, c.name, c.type, EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'exec')
               FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table' ORDER BY m.name, c.cid";
    let mut statement = file.prepare(sql).unwrap();
    let column = |row: &rusqlite::Row<'_>| {
        let kind: String = row.get(2)?;
        Ok(Column { table: row.get(0)?, name: row.get(1)?, is_number: kind == "INTEGER", is_of_execution: row.get(3)? })
    };
    statement.query_map([], column).unwrap().map(Result::unwrap).collect()
}

/// Damages a column of what belongs to `owner`; says whether there is anything that could be damaged so.
fn damage(path: &Path, column: &Column, value: &str, owner: &str) -> bool {
    let file = Connection::open(path).unwrap();
    let Column { table, name, .. } = column;
    let value = value.replace('#', name);
    let of = match column.is_of_execution {
        true => format!("exec = (SELECT exec FROM executions WHERE id = '{owner}') AND"),
        false => String::new(),
    };
    let sql = format!("UPDATE OR IGNORE {table} SET {name} = {value} WHERE {of} {name} IS NOT {value}");
    let changed = file.execute(&sql, []);
    // What the type or the key of the column forbids can be done to bytes alone.
    changed.is_ok_and(|rows| rows > 0)
}

#[test]
fn each_column_of_one_execution_is_no_concern_of_the_others() {
    let (_folder, path) = original();
    let runtime = runtime();
    let mut tally = Tally::default();
    let mut cases = 0;
    for owner in ["ann", "eve"] {
        for column in columns(&path) {
            let values = if column.is_number { &NUMBERS } else { &TEXTS };
            for value in values {
                let damaged = copy(&path, "damaged.db");
                if !damage(&damaged, &column, value, owner) {
                    continue;
                }
                cases += 1;
                let case = format!("{}.{} = {value} of {owner}", column.table, column.name);
                let mut outcome = runtime.block_on(outcome(&damaged));
                // A row that comes to another execution damages that one, too.
                if column.is_of_execution && column.name != "exec" {
                    outcome = outcome.and_then(|outcome| others_are_right(outcome, owner));
                }
                let is_unnoticed = |outcome: &Outcome| match outcome {
                    Outcome::Ran(fates) => fates.iter().any(|(_, fate)| *fate == Fate::Asleep),
                    Outcome::Refused(_) => false,
                };
                if outcome.as_ref().is_ok_and(is_unnoticed) {
                    outcome = Err(format!("nobody has noticed: {outcome:?}"));
                }
                tally.add(&case, outcome);
            }
        }
    }
    tally.check("columns");
    assert!(cases > 150, "{cases} columns were damaged");
}

fn others_are_right(outcome: Outcome, owner: &str) -> Result<Outcome, String> {
    match outcome {
        Outcome::Refused(why) => Err(format!("one is damaged, and all stop: {why}")),
        Outcome::Ran(fates) => match fates.iter().find(|(other, fate)| other.name != owner && *fate != Fate::Right) {
            Some((other, fate)) => Err(format!("{} is whole, and {fate:?}", other.name)),
            None => Ok(Outcome::Ran(fates)),
        },
    }
}
