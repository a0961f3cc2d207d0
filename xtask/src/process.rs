//! Starting programs and, above all, stopping them: no chore leaves a process behind.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::console;
use crate::failure::Failure;
use crate::interrupt;

/// How long a program that was asked to stop may take before it is killed.
const STOP_GRACE: Duration = Duration::from_secs(15);

/// A program about to be run, in the root of the tree unless told otherwise.
pub(crate) struct Run {
    command: Command,
    shown: String,
}

/// What a captured program said.
pub(crate) struct Output {
    /// Its standard output.
    pub(crate) stdout: String,
}

/// What a program said while it was also shown.
pub(crate) struct Teed {
    /// Whether it ended with success.
    pub(crate) success: bool,
    /// Every line of both its streams.
    pub(crate) lines: Vec<String>,
}

impl Run {
    /// The program of this name.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let shown = Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned();
        Self { command: Command::new(program), shown }
    }

    /// Adds arguments.
    pub(crate) fn args<S: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        for argument in arguments {
            let argument = argument.into();
            self.shown.push(' ');
            self.shown.push_str(&argument.to_string_lossy());
            self.command.arg(argument);
        }
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in this folder.
    pub(crate) fn dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.command.current_dir(folder.into());
        self
    }

    /// Runs it with our streams; an error when it does not end with success.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        console::step(&self.shown);
        let begun = Instant::now();
        self.command.stdin(Stdio::null());
        let mut child = self.spawn()?;
        let status = child.wait();
        interrupt::ended(child.id());
        let status = status?;
        if status.success() {
            console::done("done", begun.elapsed());
            return Ok(());
        }
        Err(self.failed(status))
    }

    /// Runs it silently and hands back what it printed; an error, with what it said, when it does not end with success.
    pub(crate) fn capture(mut self) -> Result<Output, Failure> {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.spawn()?;
        let group = child.id();
        let output = child.wait_with_output();
        interrupt::ended(group);
        let output = output?;
        if output.status.success() {
            return Ok(Output { stdout: String::from_utf8_lossy(&output.stdout).into_owned() });
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Failure::new(format!("{}\n{said}", self.failed(output.status))))
    }

    /// Runs it, shows what it prints as it comes, and hands the lines back. Ending without success is no error here.
    pub(crate) fn tee(mut self) -> Result<Teed, Failure> {
        console::step(&self.shown);
        let begun = Instant::now();
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.spawn()?;
        let mut lines = Vec::new();
        for line in spoken(&mut child, None) {
            console::plain(&line);
            lines.push(line);
        }
        let status = child.wait();
        interrupt::ended(child.id());
        let success = status?.success();
        console::done(if success { "done" } else { "failed" }, begun.elapsed());
        Ok(Teed { success, lines })
    }

    /// Starts it in the background. What it prints on both streams goes to the file `log`, and to us for as long as we read.
    pub(crate) fn background(mut self, log: &Path) -> Result<Background, Failure> {
        let log = Arc::new(File::create(log)?);
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.spawn()?;
        let lines = Some(spoken(&mut child, Some(&log)));
        Ok(Background { child, lines, shown: self.shown })
    }

    fn spawn(&mut self) -> Result<Child, Failure> {
        interrupt::spawn(&mut self.command).map_err(|error| self.not_started(&error))
    }

    fn not_started(&self, error: &std::io::Error) -> Failure {
        Failure::new(format!("cannot start `{}`: {error}", self.shown))
    }

    fn failed(&self, status: ExitStatus) -> Failure {
        Failure::new(format!("`{}` ended with {status}", self.shown))
    }
}

/// The lines of both streams of a program, as they come; they end when it has closed both. Each stream is read by a
/// thread of its own that lives as long as the stream.
fn spoken(child: &mut Child, log: Option<&Arc<File>>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stream) = child.stdout.take() {
        forward(stream, log.cloned(), sender.clone());
    }
    if let Some(stream) = child.stderr.take() {
        forward(stream, log.cloned(), sender);
    }
    receiver
}

fn forward(stream: impl Read + Send + 'static, log: Option<Arc<File>>, sender: mpsc::Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n') {
            let Ok(mut line) = line else { break };
            line.push(b'\n');
            if let Some(log) = &log {
                // A log that cannot be written must not stop the program that is being logged.
                drop(log.as_ref().write_all(&line));
            }
            // The receiver is gone when nobody wants the rest; the stream is still drained so that the writer never blocks.
            drop(sender.send(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned()));
        }
    });
}

/// A program in the background. It is stopped when this value is dropped.
pub(crate) struct Background {
    child: Child,
    lines: Option<mpsc::Receiver<String>>,
    shown: String,
}

impl Background {
    /// The next line it prints, or an error when it ends or stays silent for this long.
    pub(crate) fn next_line(&mut self, patience: Duration) -> Result<String, Failure> {
        let line = self.lines.as_ref().and_then(|lines| lines.recv_timeout(patience).ok());
        line.ok_or_else(|| {
            let state = match self.ended() {
                Some(status) => format!("ended with {status}"),
                None => format!("said nothing for {} s", patience.as_secs()),
            };
            Failure::new(format!("`{}` {state}", self.shown))
        })
    }

    /// Stops reading what it prints; the log file still gets it.
    pub(crate) fn mute(&mut self) {
        self.lines = None;
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until it has ended by itself or was told to by a signal.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus, Failure> {
        Ok(self.child.wait()?)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let group = self.child.id();
        if self.ended().is_none() {
            interrupt::signal("TERM", group);
            // One that does not stop in time is killed by a shell that waits beside it: waiting here needs no clock then.
            let grace = STOP_GRACE.as_secs();
            let late = format!("sleep {grace}; kill -s KILL -- -{group} 2>/dev/null");
            let watchdog = Command::new("sh").args(["-c", &late]).stdout(Stdio::null()).process_group(0).spawn();
            drop(self.child.wait());
            if let Ok(mut watchdog) = watchdog {
                interrupt::signal("KILL", watchdog.id());
                drop(watchdog.wait());
            }
        }
        interrupt::ended(group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_an_error_with_what_it_said() {
        let failure = Run::new("sh").args(["-c", "echo because >&2; exit 3"]).capture().err().unwrap().to_string();
        assert!(failure.contains("because"), "{failure}");
        assert!(failure.contains('3'), "{failure}");
    }

    #[test]
    fn tee_hands_back_both_streams() {
        let teed = Run::new("sh").args(["-c", "echo out; echo err >&2; exit 1"]).tee().unwrap();
        assert!(!teed.success);
        let mut lines = teed.lines;
        lines.sort_unstable();
        assert_eq!(lines, ["err", "out"]);
    }

    #[test]
    fn dropping_a_background_program_stops_it() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let command = ["-c", "echo $$; exec cat /dev/zero >/dev/null"];
        let mut running = Run::new("sh").args(command).background(&log).unwrap();
        let pid = running.next_line(Duration::from_secs(10)).unwrap();
        drop(running);
        assert_eq!(std::fs::read_to_string(&log).unwrap(), format!("{pid}\n"));
        assert!(!Path::new("/proc").join(pid.trim()).exists());
    }
}
