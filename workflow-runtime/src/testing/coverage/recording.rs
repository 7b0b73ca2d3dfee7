//! What many processes saw, in a file for each workflow.
//!
//! Whoever adds to a file locks it, reads what is in it, and adds what is not: so it stays as small as the workflow, however
//! many tests there are. Each line stands for itself, with check digits: a process that is killed while it writes leaves half a
//! line, which is left out and told, and the next one begins a line of its own. A file is of one [run](Run): whoever adds
//! something in another one begins it anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::fact::{Fact, Seen};
use super::run::Run;

const FORMAT: u32 = 1;
const HEAD: &str = "workflow coverage, format ";
const REPORTED: &str = "reported";
const RUN: &str = "run ";

/// What this process has recorded, so that it looks into the files for what is new alone.
static RECORDED: Mutex<Done> = Mutex::new(Done { run: None, seen: Seen::new() });

struct Done {
    /// The run that all of it is recorded in.
    run: Option<u64>,
    seen: Seen,
}

/// A folder with what tests saw.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    folder: PathBuf,
}

/// What is recorded of one workflow.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) facts: BTreeSet<(u32, Fact)>,
    /// The numbers of lines that say nothing.
    pub(super) damaged: Vec<usize>,
    /// How many lines are of a newer build.
    pub(super) newer: usize,
    /// Whether nothing was added since the last report.
    pub(super) is_reported: bool,
    /// The run that it is of.
    pub(super) run: Option<u64>,
    /// Whether the file has its first line.
    has_head: bool,
    /// Whether the file ends in the middle of a line.
    is_cut: bool,
}

impl Recording {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a workflow.
    pub(super) fn path(&self, workflow: &str) -> PathBuf {
        self.folder.join(format!("{}.seen", file_name(workflow)))
    }

    /// The run that is recorded now.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub(super) fn run(&self) -> Result<Run, String> {
        Run::recording(&self.folder).map_err(|error| unwritable(&self.folder, &error))
    }

    /// The last run that was recorded.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub(super) fn last_run(&self) -> Result<Run, String> {
        Run::last(&self.folder).map_err(|error| unwritable(&self.folder, &error))
    }

    /// Adds what is new of this.
    pub(super) fn add(&self, seen: &Seen) -> Result<(), String> {
        let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
        let Done { run: recorded_in, seen: recorded } = &mut *recorded;
        let run = self.run()?;
        if *recorded_in != run.id() {
            // The files begin anew, without what this process has added to them before.
            let before = std::mem::take(recorded);
            for (code, facts) in before {
                self.add_to(&run, &code.0, &facts.into_iter().map(|fact| (code.1, fact)).collect())?;
            }
            *recorded_in = run.id();
        }
        let mut news: Vec<(&str, BTreeSet<(u32, Fact)>)> = Vec::new();
        for ((workflow, version), facts) in seen {
            let known = recorded.get(&(workflow.clone(), *version));
            let new = facts.iter().filter(|fact| known.is_none_or(|known| !known.contains(*fact)));
            let new: BTreeSet<_> = new.map(|fact| (*version, fact.clone())).collect();
            match news.last_mut() {
                Some((last, facts)) if *last == &**workflow => facts.extend(new),
                _ => news.push((workflow, new)),
            }
        }
        for (workflow, facts) in news.into_iter().filter(|(_, facts)| !facts.is_empty()) {
            self.add_to(&run, workflow, &facts)?;
        }
        for (code, facts) in seen {
            recorded.entry(code.clone()).or_default().extend(facts.iter().cloned());
        }
        Ok(())
    }

    pub(super) fn add_to(&self, run: &Run, workflow: &str, facts: &BTreeSet<(u32, Fact)>) -> Result<(), String> {
        let path = self.path(workflow);
        self.change(&path, workflow, |mut recorded, mut file| {
            let mut news = Vec::new();
            if recorded.run != run.id() {
                file.set_len(0).and_then(|()| file.rewind()).map_err(|error| unwritable(&path, &error))?;
                recorded = Recorded::default();
                news.extend(run.id().map(|id| checked(&format!("{RUN}{id:016x}"))));
            }
            news.extend(facts.difference(&recorded.facts).filter_map(line));
            Ok((recorded, news))
        })
    }

    /// Notes that there was a report of this workflow.
    pub(super) fn reported(&self, workflow: &str) -> Result<(), String> {
        self.change(&self.path(workflow), workflow, |recorded, _| {
            let news = if recorded.is_reported { Vec::new() } else { vec![checked(REPORTED)] };
            Ok((recorded, news))
        })
    }

    /// Adds lines to a file, in one write, while nobody else does.
    fn change(
        &self,
        path: &Path,
        workflow: &str,
        lines: impl FnOnce(Recorded, &File) -> Result<(Recorded, Vec<String>), String>,
    ) -> Result<(), String> {
        let unwritable = |error: &io::Error| unwritable(path, error);
        fs::create_dir_all(&self.folder).map_err(|error| unwritable(&error))?;
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = options.map_err(|error| unwritable(&error))?;
        file.lock().map_err(|error| unwritable(&error))?;
        // Where reading ends is where writing begins.
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| unwritable(&error))?;
        let (recorded, news) = lines(read(&bytes, path, workflow)?, &file)?;
        if news.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        if recorded.is_cut {
            text.push('\n');
        }
        if !recorded.has_head {
            let _ = writeln!(text, "{}", head(workflow));
        }
        for line in news {
            let _ = writeln!(text, "{line}");
        }
        file.write_all(text.as_bytes()).map_err(|error| unwritable(&error))
    }

    /// What is recorded of a workflow; `None` if nothing is.
    pub(super) fn read(&self, workflow: &str) -> Result<Option<Recorded>, String> {
        let path = self.path(workflow);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(read(&bytes, &path, workflow)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("what the tests take cannot be recorded in {}: {error}", path.display())
}

/// The name of a workflow as that of a file, which no other workflow has.
pub(super) fn file_name(workflow: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_');
    match workflow.chars().all(is_plain) {
        true => workflow.to_owned(),
        false => {
            let plain = workflow.chars().map(|char| if is_plain(char) { char } else { '_' });
            format!("{}-{:08x}", plain.collect::<String>(), crc32fast::hash(workflow.as_bytes()))
        }
    }
}

fn head(workflow: &str) -> String {
    format!("{HEAD}{FORMAT}, of {workflow}")
}

fn line((version, fact): &(u32, Fact)) -> Option<String> {
    Some(checked(&format!("{version} {}", serde_json::to_string(fact).ok()?)))
}

pub(super) fn checked(line: &str) -> String {
    format!("{:08x} {line}", crc32fast::hash(line.as_bytes()))
}

fn read(bytes: &[u8], path: &Path, workflow: &str) -> Result<Recorded, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut recorded = Recorded { is_cut: !text.is_empty() && !text.ends_with('\n'), ..Recorded::default() };
    let (own, mut is_foreign) = (head(workflow), false);
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        if line == own {
            recorded.has_head = true;
            continue;
        }
        if own.starts_with(line) {
            // The first line itself was cut.
            recorded.damaged.push(place + 1);
            continue;
        }
        let format = line.strip_prefix(HEAD).and_then(|rest| rest.split_once(", of "));
        if let Some((format, of)) = format {
            match format.parse::<u32>() {
                Ok(FORMAT) => {
                    return Err(format!(
                        "{} is of the workflow {of}, and not of {workflow}: delete it",
                        path.display()
                    ));
                }
                Ok(_) => {
                    return Err(format!(
                        "{} was written by another version of workflow-runtime, in format {format}: delete it, and record anew",
                        path.display()
                    ));
                }
                Err(_) => {}
            }
        }
        // Without its first line, it is one that was damaged, or something else.
        is_foreign |= !recorded.has_head;
        let body = line.split_once(' ').filter(|(_, body)| checked(body) == line).map(|(_, body)| body);
        match body.map(|body| (body, body.split_once(' '))) {
            Some((REPORTED, _)) => recorded.is_reported = true,
            Some((body, _)) if body.starts_with(RUN) => {
                recorded.run = body.strip_prefix(RUN).and_then(|id| u64::from_str_radix(id, 16).ok());
            }
            Some((_, Some((version, fact)))) => match (version.parse(), serde_json::from_str(fact)) {
                (Ok(version), Ok(fact)) => {
                    recorded.facts.insert((version, fact));
                }
                _ => recorded.newer += 1,
            },
            _ => recorded.damaged.push(place + 1),
        }
    }
    if is_foreign && recorded.facts.is_empty() && !recorded.has_head {
        return Err(format!("{} is no recording of what tests take: move it away", path.display()));
    }
    Ok(recorded)
}

#[cfg(test)]
mod tests;
