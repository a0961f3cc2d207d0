//! The server that is played to: one that runs already, or one of our own that is started and stopped with the replay.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;

use super::{client::Endpoint, error::ReplayError};

const START_PATIENCE: Duration = Duration::from_mins(1);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at a process that starts or ends, which tells nobody when it has.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The data folder of a server that was started without settings.
const DEFAULT_DATA: &str = "data";

/// What a server's data folder says of who may come in.
#[derive(Debug, Deserialize)]
pub(super) struct Keys {
    pub(super) write_key: String,
    pub(super) api_key: String,
}

impl Keys {
    fn read(data: &Path) -> Result<Self, ReplayError> {
        let path = data.join("credentials.json");
        let text = fs::read_to_string(&path)
            .map_err(|error| ReplayError::Credentials { path: path.clone(), why: error.to_string() })?;
        serde_json::from_str(&text).map_err(|error| ReplayError::Credentials { path, why: error.to_string() })
    }
}

/// The server that is played to.
pub(super) struct Target {
    pub(super) endpoint: Endpoint,
    pub(super) keys: Keys,
    own: Option<Own>,
}

/// A server that we started. Dropping it ends it.
struct Own {
    child: Child,
    log: PathBuf,
    /// Goes with it, unless the folder was named.
    _folder: Option<TempDir>,
}

impl Target {
    /// The server at `url`, or one of our own on `data` or on a folder that is removed at the end.
    pub(super) async fn find(url: Option<&str>, data: Option<&Path>) -> Result<Self, ReplayError> {
        if let Some(url) = url {
            let endpoint = Endpoint::parse(url)?;
            let keys = Keys::read(data.unwrap_or(Path::new(DEFAULT_DATA)))?;
            return Ok(Self { endpoint, keys, own: None });
        }
        let (data, folder) = match data {
            Some(data) => (data.to_owned(), None),
            None => {
                let folder = tempfile::Builder::new().prefix("rapport-replay-").tempdir()?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        fs::create_dir_all(&data)?;
        let mut own = Own::start(&data, folder)?;
        let endpoint = own.address(&data.join("address")).await?;
        Ok(Self { endpoint, keys: Keys::read(&data)?, own: Some(own) })
    }

    /// The most memory that the server ever had, in megabytes; none if it runs elsewhere.
    pub(super) fn peak_rss_mb(&self) -> Option<f64> {
        let process = match &self.own {
            Some(own) => own.child.id(),
            None if self.endpoint.is_local() => listener(self.endpoint.port)?,
            None => return None,
        };
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes * 1_024.0 / 1e6)
    }

    /// Why the replay ended with `error`: if our own server is gone, that is the reason.
    pub(super) fn reason(&mut self, error: ReplayError) -> ReplayError {
        let Some(own) = &mut self.own else { return error };
        match own.child.try_wait() {
            Ok(Some(status)) => ReplayError::Died { status, said: own.last_words() },
            _ => error,
        }
    }

    /// Stops the server if it is our own, as an operator would.
    pub(super) async fn stop(self) -> Result<(), ReplayError> {
        let Some(mut own) = self.own else { return Ok(()) };
        // One that has ended already needs no signal.
        if kill_process(Pid::from_child(&own.child), Signal::TERM).is_err() {
            return Ok(());
        }
        let begun = Instant::now();
        while own.child.try_wait()?.is_none() {
            if begun.elapsed() > STOP_PATIENCE {
                let (what, seconds) = ("the end of the server".to_owned(), STOP_PATIENCE.as_secs());
                return Err(ReplayError::Late { what, seconds, hint: "it was killed" });
            }
            // Waiting for a child has no limit, so its end is asked for.
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

impl Own {
    fn start(data: &Path, folder: Option<TempDir>) -> Result<Self, ReplayError> {
        // The server writes its address when it listens; one of an earlier run would be taken for it.
        match fs::remove_file(data.join("address")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let log = data.join("server.log");
        let out = File::create(&log)?;
        let child = Command::new(std::env::current_exe()?)
            .args(["serve".as_ref(), "--data".as_ref(), data.as_os_str()])
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()?;
        Ok(Self { child, log, _folder: folder })
    }

    /// Waits for the address that the server notes when it listens.
    async fn address(&mut self, note: &Path) -> Result<Endpoint, ReplayError> {
        let begun = Instant::now();
        loop {
            if let Ok(text) = fs::read_to_string(note)
                && !text.trim().is_empty()
            {
                let address = text.trim().trim_start_matches("http://");
                return Endpoint::parse(&format!("http://{address}"));
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(ReplayError::Start(format!("it ended with {status}; it said:\n{}", self.last_words())));
            }
            if begun.elapsed() > START_PATIENCE {
                let waited = START_PATIENCE.as_secs();
                return Err(ReplayError::Start(format!(
                    "it did not listen within {waited} s; it said:\n{}",
                    self.last_words()
                )));
            }
            // The server tells its address by a file.
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn last_words(&self) -> String {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Both fail only if it has ended, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The process of this machine that listens on a port, as far as we may see it.
fn listener(port: u16) -> Option<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let sockets: Vec<String> =
        tables.iter().filter_map(|table| listening(table, port)).map(|inode| format!("socket:[{inode}]")).collect();
    let is_ours = |folder: &Path| {
        let links = fs::read_dir(folder.join("fd")).into_iter().flatten().flatten();
        links
            .filter_map(|link| fs::read_link(link.path()).ok())
            .any(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str()))
    };
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut numbers = processes.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())));
    numbers.find(|(_, folder)| is_ours(folder)).map(|(number, _)| number)
}

/// The inode of the socket that listens on `port`, from a table like `/proc/net/tcp`.
fn listening(table: &str, port: u16) -> Option<&str> {
    let of = |line: &str| -> Option<bool> {
        let mut columns = line.split_whitespace().skip(1);
        let (_, local) = columns.next()?.rsplit_once(':')?;
        Some(u16::from_str_radix(local, 16).ok()? == port && columns.nth(1)? == "0A")
    };
    let line = table.lines().find(|line| of(line) == Some(true))?;
    line.split_whitespace().nth(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_behind_a_port_is_found() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:2081 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 41 1\n\
             1: 0100007F:2081 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42 1\n";
        assert_eq!(listening(table, 8321), Some("42"));
        assert_eq!(listening(table, 8322), None);
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(listener(socket.local_addr().unwrap().port()), Some(std::process::id()));
    }

    #[tokio::test]
    async fn missing_keys_are_told_with_their_path() {
        let folder = tempfile::tempdir().unwrap();
        let found = Target::find(Some("http://127.0.0.1:1"), Some(folder.path())).await;
        let error = found.err().unwrap().to_string();
        assert!(error.contains("credentials.json") && error.contains("--data"), "{error}");
    }
}
