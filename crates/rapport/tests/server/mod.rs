//! The real program as a child process, for tests.

#![allow(dead_code, unreachable_pub, reason = "every test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// How long something that is on its way may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

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

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The lines of its head.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON of an answer to something that went well.
    pub fn good(&self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

impl Gate {
    /// Asks with the key of the installation. An error if the server was gone before its answer was whole.
    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> io::Result<Answer> {
        self.ask_as(&format!("Authorization: Bearer {}\r\n", self.api_key), method, path, body)
    }

    /// The same with lines of the head that the caller gives.
    pub fn ask_as(&self, head: &str, method: &str, path: &str, body: &[u8]) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        // The older protocol ends an answer by closing, without pieces in between.
        write!(stream, "{method} {path} HTTP/1.0\r\nHost: rapport\r\nContent-Length: {}\r\n{head}\r\n", body.len())?;
        stream.write_all(body)?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(cut)?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let body = bytes.split_off(end + 4);
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if length.is_some_and(|length: usize| length != body.len()) {
            return Err(cut());
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
        Ok(Answer { status, head, body })
    }

    /// Asks for what must go well.
    pub fn told(&self, path: &str) -> Value {
        self.ask("GET", path, b"").unwrap().good()
    }

    /// Sends JSON that must be taken.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, path, body.to_string().as_bytes()).unwrap().good()
    }
}

/// Asks again and again until there is an answer.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let from = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(from.elapsed() < PATIENCE, "{what} did not come");
        std::thread::yield_now();
    }
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
pub fn state(data: &Path, rebuild: bool) -> Value {
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
        let credentials: Value = serde_json::from_str(&read("credentials.json")).unwrap();
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
