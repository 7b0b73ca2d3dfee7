//! What the process that is killed leaves behind outside of the store: what its steps did, and what it was acknowledged.
//!
//! A line is one write at the end of a file, so the order of the lines is that of time. A kill may cut the last one off, where
//! it goes over a page's end: what it was to say has not happened, as every line is written before what follows from it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

/// A file of lines, each of some words.
#[derive(Debug)]
pub struct Log(File);

impl Log {
    /// Opens it to add to it. What a kill has cut off is removed.
    pub fn open(path: &Path) -> Self {
        let file = File::options().create(true).append(true).open(path).unwrap();
        let text = fs::read(path).unwrap();
        let whole = whole_lines(&text);
        if whole.len() < text.len() {
            file.set_len(whole.len().try_into().unwrap()).unwrap();
        }
        Self(file)
    }

    /// Adds a line. Words are apart by tabs.
    pub fn add(&self, words: &[&str]) {
        let line = format!("{}\n", words.join("\t"));
        (&self.0).write_all(line.as_bytes()).unwrap();
    }
}

/// All up to the last end of a line.
fn whole_lines(text: &[u8]) -> &[u8] {
    let length = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    &text[..length]
}

/// Every line of the file, oldest first; none if it is not there yet.
pub fn lines(path: &Path) -> Vec<Vec<String>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(_) => return Vec::new(),
    };
    let text = std::str::from_utf8(whole_lines(&text)).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// A step has begun or ended.
#[derive(Debug, Clone)]
pub struct Effect {
    /// Its place among all of them.
    pub place: usize,
    /// Which process, counted from 1.
    pub run: u32,
    pub has_ended: bool,
    /// Workflow and id.
    pub execution: String,
    /// The step, with what tells its calls apart.
    pub name: String,
    pub attempt: u32,
    pub key: String,
    /// What it was given that has to be the same each time.
    pub detail: String,
}

pub fn effects(path: &Path) -> Vec<Effect> {
    let parse = |(place, words): (usize, Vec<String>)| {
        let [run, what, execution, name, attempt, key, detail] = <[String; 7]>::try_from(words).expect("seven words");
        Effect {
            place,
            run: run.parse().unwrap(),
            has_ended: what == "end",
            execution,
            name,
            attempt: attempt.parse().unwrap(),
            key,
            detail,
        }
    };
    lines(path).into_iter().enumerate().map(parse).collect()
}

/// What the process was told by the engine before it was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ack {
    /// It is begun: from now on there may be something of it in the store.
    Begun,
    /// The start of a piece of load returned.
    Started,
    /// An event with this id was sent.
    Sent(String),
    /// An event with this id was answered so.
    Answered(String, String),
    /// What whoever drives it has to know in the next process.
    Noted(String),
    /// It came to its end, which was as it is to be.
    Done,
}

impl Ack {
    pub fn write(&self, log: &Log, number: u64) {
        let number = number.to_string();
        match self {
            Self::Begun => log.add(&[&number, "begun"]),
            Self::Started => log.add(&[&number, "started"]),
            Self::Sent(event) => log.add(&[&number, "sent", event]),
            Self::Answered(event, answer) => log.add(&[&number, "answered", event, answer]),
            Self::Noted(text) => log.add(&[&number, "noted", text]),
            Self::Done => log.add(&[&number, "done"]),
        }
    }
}

/// Every acknowledgement, with the number of the piece of load that it is of.
pub fn acks(path: &Path) -> Vec<(u64, Ack)> {
    let parse = |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (number, ack) = match words[..] {
            [number, "begun"] => (number, Ack::Begun),
            [number, "started"] => (number, Ack::Started),
            [number, "sent", event] => (number, Ack::Sent(event.to_owned())),
            [number, "answered", event, answer] => (number, Ack::Answered(event.to_owned(), answer.to_owned())),
            [number, "noted", text] => (number, Ack::Noted(text.to_owned())),
            [number, "done"] => (number, Ack::Done),
            _ => panic!("no acknowledgement: {words:?}"),
        };
        (number.parse().unwrap(), ack)
    };
    lines(path).into_iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "1\tone\n2\ttw").unwrap();
        assert_eq!(lines(&path), [["1", "one"]]);
        let log = Log::open(&path);
        log.add(&["3", "three"]);
        drop(Log::open(&path));
        assert_eq!(lines(&path), [["1", "one"], ["3", "three"]]);
        assert!(lines(&folder.path().join("missing")).is_empty());
    }
}
