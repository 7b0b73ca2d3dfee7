//! For tests: a program that is run, killed and run again, as a person would.

#![allow(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc, reason = "a test fails by a panic")]

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use tempfile::TempDir;
use workflow_runtime::Graph;

/// No run takes longer, or the program hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Asserts that a README shows this graph.
#[track_caller]
pub fn assert_shows(readme: &str, graph: &Graph) {
    let diagram = graph.to_mermaid();
    assert!(readme.contains(diagram.trim()), "put this into README.md:\n{diagram}");
}

/// A folder that a program is run in.
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
    program: PathBuf,
}

impl Folder {
    /// An empty folder for the program at this path: `env!("CARGO_BIN_EXE_…")`.
    #[must_use]
    pub fn of(program: impl Into<PathBuf>) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), program: program.into() }
    }

    /// A path in it.
    #[must_use]
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs the program in it.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Run {
        let log = self.path("stderr");
        let mut child = Command::new(&self.program)
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            // The test may have failed and gone.
            let _ = sender.send(text);
        });
        Run { child, output, log }
    }

    /// Runs the program to its end, which is to be a success, and gives what it printed.
    #[must_use]
    pub fn succeeds(&self, arguments: &[&str]) -> String {
        let End { code, output, errors } = self.run(arguments).end();
        assert_eq!(code, Some(0), "{output}\n{errors}");
        output
    }
}

/// A program, running. It does not outlive this.
#[derive(Debug)]
pub struct Run {
    child: Child,
    output: Receiver<String>,
    log: PathBuf,
}

/// How a program ended.
#[derive(Debug)]
pub struct End {
    /// Its exit code; `None` if it was killed.
    pub code: Option<i32>,
    /// What it had printed.
    pub output: String,
    /// What it and those before it in its folder had to say of errors.
    pub errors: String,
}

impl Run {
    /// Kills it when so much time has passed, unless it has ended by then.
    #[must_use]
    pub fn kill_after(mut self, moment: Duration) -> End {
        let output = match self.output.recv_timeout(moment) {
            Ok(output) => output,
            Err(_) => {
                self.child.kill().unwrap();
                self.output.recv().unwrap()
            }
        };
        let code = self.child.wait().unwrap().code();
        End { code, output, errors: fs::read_to_string(&self.log).unwrap() }
    }

    /// Lets it come to its end.
    #[must_use]
    pub fn end(self) -> End {
        let end = self.kill_after(PATIENCE);
        assert!(end.code.is_some(), "it hangs\n{}\n{}", end.output, end.errors);
        end
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Neither fails if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
