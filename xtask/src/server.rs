//! The real binary, started on a port of its own with a data folder of its own, and stopped when dropped.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use serde_json::Value;

use crate::failure::Failure;
use crate::process::{Background, Run};
use crate::tree;

/// How long a start may take: the first one makes secrets and files.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// A running `rapport serve`.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The key that may send events.
    pub(crate) write_key: String,
    /// The key that may read.
    pub(crate) api_key: String,
    /// The page that signs a person in, once.
    pub(crate) sign_in: String,
    process: Background,
}

impl Server {
    /// Starts the binary of this build profile (`debug` or `release`), listening at `listen`, on the data in `data`. What
    /// it prints goes to `server.log` there.
    pub(crate) fn start(profile: &str, data: &Path, listen: &str) -> Result<Self, Failure> {
        Self::start_noted(profile, data, listen, "")
    }

    /// As [`Server::start`]; the pages say `note` about the data that they show.
    pub(crate) fn start_noted(profile: &str, data: &Path, listen: &str, note_for_pages: &str) -> Result<Self, Failure> {
        fs::create_dir_all(data)?;
        // The server writes its address there when it listens; one of an earlier run would be taken for it.
        let note = data.join("address");
        if note.exists() {
            fs::remove_file(&note)?;
        }
        let arguments: [&OsStr; 5] =
            ["serve".as_ref(), "--data".as_ref(), data.as_os_str(), "--listen".as_ref(), listen.as_ref()];
        let log = data.join("server.log");
        let mut process =
            Run::new(binary(profile)).args(arguments).env("RAPPORT_DATA_NOTE", note_for_pages).background(&log)?;
        let address = loop {
            let line = process.next_line(START_PATIENCE).map_err(|failure| {
                let said = fs::read_to_string(&log).unwrap_or_default();
                Failure::new(format!("{failure}; it said:\n{}", said.trim_end()))
            })?;
            // A line is only the occasion to look: the file is what the server promises.
            if let Some(address) = fs::read_to_string(&note).ok().as_deref().and_then(address_in) {
                break address;
            }
            drop(line);
        };
        process.mute();
        let credentials: Value = serde_json::from_str(&fs::read_to_string(data.join("credentials.json"))?)?;
        let secret = |name: &str| credentials[name].as_str().unwrap_or_default().to_owned();
        let sign_in = format!("http://{address}/signin?token={}", secret("admin_link_token"));
        Ok(Self { address, write_key: secret("write_key"), api_key: secret("api_key"), sign_in, process })
    }

    /// `http://host:port`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An error if it has ended by itself.
    pub(crate) fn still_runs(&mut self) -> Result<(), Failure> {
        match self.process.ended() {
            None => Ok(()),
            Some(status) => Err(Failure::new(format!("the server ended with {status}"))),
        }
    }

    /// Waits until it ends, which it does when it is told to.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus, Failure> {
        self.process.wait()
    }
}

/// The program of this build profile.
pub(crate) fn binary(profile: &str) -> PathBuf {
    tree::target().join(profile).join("rapport")
}

/// The address in a note such as `127.0.0.1:8321` or `http://127.0.0.1:8321/`.
fn address_in(note: &str) -> Option<SocketAddr> {
    let note = note.trim();
    note.strip_prefix("http://").unwrap_or(note).trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_what_the_server_notes() {
        assert_eq!(address_in("127.0.0.1:8321\n"), Some("127.0.0.1:8321".parse().unwrap()));
        assert_eq!(address_in("http://127.0.0.1:1/"), Some("127.0.0.1:1".parse().unwrap()));
        assert_eq!(address_in(""), None);
    }
}
