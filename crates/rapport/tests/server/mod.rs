//! The real program as a child process, for tests.

#![allow(dead_code, unreachable_pub, reason = "every test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// A running server; killed when it is dropped.
pub struct Server {
    child: Child,
    pub gate: Gate,
}

/// What a sender needs to know.
#[derive(Clone)]
pub struct Gate {
    pub address: String,
    pub write_key: String,
    pub api_key: String,
}

/// The program with a data folder, to be told what to do.
pub fn rapport(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(arguments).arg("--data").arg(data);
    command
}

/// What a command that ends by itself said.
pub fn run(data: &Path, arguments: &[&str]) -> Output {
    rapport(data, arguments).output().unwrap()
}

/// What `rapport state` says of a stopped installation.
pub fn state(data: &Path, rebuild: bool) -> serde_json::Value {
    let more = if rebuild { &["--rebuild"][..] } else { &[] };
    let output = run(data, &[&["state", "--digest", "--json"], more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

impl Server {
    /// Starts it with settings of the environment and waits until it listens.
    pub fn start(data: &Path, settings: &[(&str, &str)]) -> Self {
        let mut child = rapport(data, &["serve", "--listen", "127.0.0.1:0", "--log-level", "error"])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("http://"), "the server said {line:?}");
        let read = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
        let credentials: serde_json::Value = serde_json::from_str(&read("credentials.json")).unwrap();
        let key = |name: &str| credentials[name].as_str().unwrap().to_owned();
        let address = read("address").trim().trim_start_matches("http://").to_owned();
        Self { child, gate: Gate { address, write_key: key("write_key"), api_key: key("api_key") } }
    }

    /// Ends it as an operator does, and waits until everything is written.
    pub fn stop(mut self) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where a test killed it.
        let _gone = self.child.kill().is_err() | self.child.wait().is_err();
    }
}
