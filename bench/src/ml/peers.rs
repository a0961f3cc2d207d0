//! The peers: Python scripts that read what we wrote and answer in lines of JSON.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{npy, synthetic::Set};
use crate::error::BenchError;

/// How to run the peers.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    /// The interpreter that has them.
    pub(crate) python: PathBuf,
    /// Where the scripts are.
    pub(crate) scripts: PathBuf,
}

impl Peers {
    /// Runs a script with its jobs; the lines that it printed.
    pub(crate) fn run(&self, script: &str, jobs: &Value) -> Result<Vec<Value>, BenchError> {
        let mut command = Command::new(&self.python);
        command.arg(self.scripts.join(script)).arg(jobs.to_string()).stdin(Stdio::null());
        let output = command.output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let why = format!("{}\n{}", output.status, said.trim());
            return Err(BenchError::Process { what: script.to_owned(), why });
        }
        let lines = String::from_utf8_lossy(&output.stdout);
        Ok(lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }
}

/// Writes a set as the peers read it.
pub(crate) fn write_set(folder: &Path, set: &Set) -> Result<(), BenchError> {
    std::fs::create_dir_all(folder)?;
    for (part, (rows, target)) in [("train", &set.train), ("test", &set.test)] {
        npy::write(&folder.join(format!("{part}.x.npy")), rows.values(), Some(rows.columns()))?;
        npy::write(&folder.join(format!("{part}.y.npy")), target, None)?;
    }
    Ok(())
}
