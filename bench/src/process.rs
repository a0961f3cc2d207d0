//! Starting and stopping what is measured: the real `rapport serve`, and the bare server.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base64::Engine as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    error::BenchError,
    wire::{Connection, Peer},
};

/// How often and at most how many times memory is looked at until it rests, and for how many looks it has to.
const REST_LOOK: Duration = Duration::from_millis(250);
const REST_LOOKS: u32 = 60;
const REST_QUIET: u32 = 8;
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A child that is killed when it is dropped.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // Both fail only if it has ended, which is what is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn failed(what: &str, why: impl Into<String>) -> BenchError {
    BenchError::Process { what: what.to_owned(), why: why.into() }
}

/// The bare server in its process.
pub(crate) struct Bare {
    _child: Guard,
    /// How to reach it.
    pub(crate) peer: Peer,
}

impl Bare {
    /// Starts this same program as the bare server.
    pub(crate) fn start() -> Result<Self, BenchError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--bare").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = Guard(command.spawn()?);
        let out = child.0.stdout.take().ok_or_else(|| failed("the bare server", "it has no output"))?;
        let mut address = String::new();
        BufReader::new(out).read_line(&mut address)?;
        if address.trim().is_empty() {
            return Err(failed("the bare server", "it told no address"));
        }
        // The header is as long as the real one, and nobody looks at it.
        let authorization = basic("0123456789abcdef0123456789abcdef");
        Ok(Self { _child: child, peer: Peer { address: address.trim().to_owned(), authorization } })
    }
}

fn basic(key: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{key}:")))
}

/// A running `rapport serve`.
pub(crate) struct Server {
    child: Guard,
    data: PathBuf,
    /// For the collect door.
    pub(crate) door: Peer,
    /// For everything else.
    pub(crate) api: Peer,
    /// From the start of the process until it was ready.
    pub(crate) started_in: Duration,
}

/// What `/healthz` says of all partitions together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Health {
    /// Entries applied.
    pub(crate) next: u64,
    /// Entries in the log.
    pub(crate) end: u64,
    /// Profiles in memory.
    pub(crate) profiles: u64,
}

impl Server {
    /// Starts the program on a data folder and waits until it is ready.
    pub(crate) async fn start(program: &Path, data: &Path) -> Result<Self, BenchError> {
        fs::create_dir_all(data)?;
        let note = data.join("address");
        if note.exists() {
            fs::remove_file(&note)?;
        }
        let log = File::create(data.join("server.log"))?;
        let begun = Instant::now();
        let child = Command::new(program)
            .args(["serve".as_ref(), "--data".as_ref(), data.as_os_str()])
            .args(["--listen", "127.0.0.1:0", "--log-level", "warn"])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut child = Guard(child);
        let address = address(&mut child.0, &note, data).await?;
        let keys: Value = serde_json::from_str(&fs::read_to_string(data.join("credentials.json"))?)?;
        let key = |name: &str| keys[name].as_str().unwrap_or_default().to_owned();
        let door = Peer { address: address.clone(), authorization: basic(&key("write_key")) };
        let api = Peer { address, authorization: format!("Bearer {}", key("api_key")) };
        let mut server = Self { child, data: data.to_owned(), door, api, started_in: Duration::ZERO };
        server
            .until("the server to be ready", async |server| {
                server.get_status("/readyz").await.map(|status| status == 200)
            })
            .await?;
        server.started_in = begun.elapsed();
        Ok(server)
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Memory of the process now, in bytes.
    pub(crate) fn resident(&self) -> Result<f64, BenchError> {
        self.status("VmRSS:")
    }

    /// The part of it that is the process's own: without pages of files, the program's code among them, which the system reads
    /// again when it needs their place.
    pub(crate) fn private(&self) -> Result<f64, BenchError> {
        self.status("RssAnon:")
    }

    /// A line of what the system says of the process, in bytes.
    fn status(&self, name: &str) -> Result<f64, BenchError> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let kilobytes = line.trim().trim_end_matches("kB").trim().parse::<f64>();
        Ok(kilobytes.map_err(|error| failed("reading the server's memory", error.to_string()))? * 1_024.0)
    }

    /// The same once it does not change any more: what a start does at its side takes memory for some seconds.
    pub(crate) async fn resident_at_rest(&self) -> Result<f64, BenchError> {
        let mut last = self.resident()?;
        let mut quiet = 0;
        for _ in 0..REST_LOOKS {
            tokio::time::sleep(REST_LOOK).await;
            let now = self.resident()?;
            quiet = if (now - last).abs() <= last / 1e3 { quiet + 1 } else { 0 };
            last = now;
            if quiet == REST_QUIET {
                break;
            }
        }
        Ok(last)
    }

    async fn get_status(&self, path: &str) -> Result<u16, BenchError> {
        let mut connection = Connection::open(&self.api.address).await?;
        Ok(connection.call(&self.api.request("GET", path, b"")).await?.status)
    }

    /// Calls the operator's API; anything but success is an error.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Result<Value, BenchError> {
        let mut connection = Connection::open(&self.api.address).await?;
        let answer = connection.call(&self.api.request(method, path, body.as_bytes())).await?;
        if !(200..300).contains(&answer.status) {
            let body = String::from_utf8_lossy(answer.body).chars().take(500).collect();
            return Err(BenchError::Answer { what: format!("{method} {path}"), status: answer.status, body });
        }
        Ok(serde_json::from_slice(answer.body)?)
    }

    /// Where the partitions are.
    pub(crate) async fn health(&self) -> Result<Health, BenchError> {
        let facts = self.call("GET", "/healthz", "").await?;
        let sum = |name: &str| {
            let partitions = facts["partitions"].as_array().into_iter().flatten();
            partitions.filter_map(|partition| partition[name].as_u64()).sum()
        };
        Ok(Health { next: sum("next"), end: sum("end"), profiles: sum("profiles") })
    }

    /// Waits until everything in the log is applied.
    pub(crate) async fn caught_up(&mut self) -> Result<(), BenchError> {
        let caught_up = async |server: &Self| server.health().await.map(|health| health.next == health.end);
        self.until("the server to catch up", caught_up).await
    }

    async fn until(
        &mut self,
        what: &str,
        mut is_so: impl AsyncFnMut(&Self) -> Result<bool, BenchError>,
    ) -> Result<(), BenchError> {
        let begun = Instant::now();
        while !is_so(self).await? {
            if begun.elapsed() > PATIENCE {
                return Err(BenchError::Late { what: what.to_owned(), seconds: PATIENCE.as_secs() });
            }
            if let Some(status) = self.child.0.try_wait()? {
                return Err(failed(what, format!("it ended with {status}: {}", last_words(&self.data))));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Stops it as an operator would: a last checkpoint is written.
    pub(crate) async fn stop(mut self) -> Result<(), BenchError> {
        kill_process(Pid::from_child(&self.child.0), Signal::TERM).map_err(std::io::Error::from)?;
        let begun = Instant::now();
        while self.child.0.try_wait()?.is_none() {
            if begun.elapsed() > PATIENCE {
                return Err(BenchError::Late { what: "the server's end".to_owned(), seconds: PATIENCE.as_secs() });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

async fn address(child: &mut Child, note: &Path, data: &Path) -> Result<String, BenchError> {
    let begun = Instant::now();
    loop {
        if let Ok(text) = fs::read_to_string(note)
            && !text.trim().is_empty()
        {
            return Ok(text.trim().trim_start_matches("http://").trim_end_matches('/').to_owned());
        }
        if let Some(status) = child.try_wait()? {
            return Err(failed("starting the server", format!("it ended with {status}: {}", last_words(data))));
        }
        if begun.elapsed() > PATIENCE {
            return Err(BenchError::Late { what: "the server's start".to_owned(), seconds: PATIENCE.as_secs() });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn last_words(data: &Path) -> String {
    let said = fs::read_to_string(data.join("server.log")).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

/// Runs the program to its end and answers how long it took and what it printed.
pub(crate) fn run(program: &Path, arguments: &[&std::ffi::OsStr]) -> Result<(Duration, String), BenchError> {
    let begun = Instant::now();
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output()?;
    let took = begun.elapsed();
    if !output.status.success() {
        // A replay whose ledger does not balance says so in its report, which is not on the error stream.
        let said = [output.stderr, output.stdout].concat();
        let said = String::from_utf8_lossy(&said);
        let what = format!(
            "{} {}",
            program.display(),
            arguments.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join(" ")
        );
        return Err(failed(&what, format!("it ended with {}: {}", output.status, said.trim())));
    }
    Ok((took, String::from_utf8_lossy(&output.stdout).into_owned()))
}
