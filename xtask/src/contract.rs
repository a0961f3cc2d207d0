//! The OpenAPI document that a running server serves, held to that server by programs that know nothing else of it.
//!
//! A public generator makes a client from it, whose types are checked and which is then used: contacts, and records of an object
//! that was made a moment before. A public fuzzer sends what the document allows and what it does not, and compares each answer
//! with what the document says of it, the same ones every time.
//!
//! The fuzzer's check that everything the document allows is accepted is left out: that a name is taken, or a condition can be
//! read, no document says.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::console;
use crate::failure::Failure;
use crate::http;
use crate::process::Run;
use crate::server::Server;
use crate::services;
use crate::tally::Tally;
use crate::tree;

/// Requests of an operation beyond those that cover its document.
const EXAMPLES: &str = "4";
/// Answers that do not end by themselves.
const STREAMS: &str = "^/(v1/stream|api/v1/changes|.*/events)$";

/// What all steps work with.
struct Bench {
    server: Server,
    /// The folder of the programs.
    programs: PathBuf,
    /// Where the document and the client lie.
    folder: PathBuf,
}

/// All steps on one server. A step that fails says why, and the others are done.
pub(crate) fn run() -> Result<Tally, Failure> {
    let programs = services::ready(&services::CONTRACT)?;
    let folder = tree::target().join("services").join("contract-data");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let server = Server::start("debug", &folder.join("server"), "127.0.0.1:0")?;
    let mut bench = Bench { server, programs, folder };
    let session = bench.define()?;
    let mut tally = Tally::default();
    for (name, step) in [
        ("a public generator makes a client of the document", bench.generate()),
        ("the program that uses the client has the types that it must", bench.check_types()),
        ("the program does its work", bench.tell()),
        ("the fuzzer finds no answer that the document does not know", bench.fuzz(&session)),
        ("nor one of the collect door", bench.fuzz_door()),
    ] {
        console::note(&format!("{} {name}", if step.is_ok() { "ok  " } else { "FAIL" }));
        if let Err(failure) = &step {
            console::note(&format!("     {failure}"));
        }
        tally.add(Tally::of_step(step.is_ok()));
    }
    bench.server.still_runs()?;
    Ok(tally)
}

fn source(name: &str) -> PathBuf {
    tree::root().join("xtask/contract").join(name)
}

impl Bench {
    fn python(&self, name: &str) -> Run {
        let token = self.server.sign_in.rsplit('=').next().unwrap_or_default().to_owned();
        Run::new(self.programs.join(name))
            .dir(&self.folder)
            .env("RAPPORT_URL", self.server.url())
            .env("RAPPORT_API_KEY", &self.server.api_key)
            .env("RAPPORT_TOKEN", token)
            .env("PATH", with_first(&self.programs))
            .env("NO_COLOR", "1")
    }

    /// Makes an object and keeps the document; the secret of a session.
    fn define(&self) -> Result<String, Failure> {
        let arguments: [OsString; 2] = [source("define.py").into(), self.folder.clone().into()];
        Ok(self.python("python").args(arguments).capture()?.stdout.trim().to_owned())
    }

    /// A piece that the generator cannot make is a warning, and fails it.
    fn generate(&self) -> Result<(), Failure> {
        let arguments: [OsString; 10] = [
            "generate".into(),
            "--path".into(),
            self.folder.join("openapi.json").into(),
            "--output-path".into(),
            self.folder.join("rapport_client").into(),
            "--meta".into(),
            "none".into(),
            "--fail-on-warning".into(),
            "--config".into(),
            source("generator.yaml").into(),
        ];
        self.python("openapi-python-client").args(arguments).capture().map(drop)
    }

    fn check_types(&self) -> Result<(), Failure> {
        fs::copy(source("story.py"), self.folder.join("story.py"))?;
        self.python("mypy").args(["--strict", "--follow-imports", "silent", "story.py"]).capture().map(drop)
    }

    fn tell(&self) -> Result<(), Failure> {
        self.python("python").args(["story.py"]).capture().map(drop)
    }

    fn fuzz(&self, session: &str) -> Result<(), Failure> {
        let header = format!("Cookie: rapport_session={session}");
        // A session that ends itself would be refused from then on.
        self.schemathesis(&[
            "--header",
            &header,
            "--exclude-operation-id",
            "delete_session",
            "--exclude-tag",
            "collect",
        ])?;
        // Had something ended the session, all answers behind that would be the same refusal.
        match http::get_as(self.server.address, "/v1/session", &header)? {
            (200, _) => Ok(()),
            (status, answer) => Err(Failure::new(format!("the session does not hold any more: {status} {answer}"))),
        }
    }

    fn fuzz_door(&self) -> Result<(), Failure> {
        self.schemathesis(&["--auth", &format!("{}:", self.server.write_key), "--include-tag", "collect"])
    }

    fn schemathesis(&self, more: &[&str]) -> Result<(), Failure> {
        let url = self.server.url();
        let usual = [
            "run",
            "fuzzed.json",
            "--url",
            &url,
            "--header",
            "X-Rapport-Request: 1",
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            EXAMPLES,
            "--generation-deterministic",
            "--exclude-checks",
            "positive_data_acceptance",
            "--exclude-path-regex",
            STREAMS,
            "--warnings",
            "off",
            "--continue-on-failure",
        ];
        self.python("schemathesis").args(usual.iter().chain(more).copied()).capture().map(drop)
    }
}

/// The search path with a folder before all others.
fn with_first(folder: &Path) -> OsString {
    let known = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_path_buf()).chain(std::env::split_paths(&known));
    std::env::join_paths(folders).unwrap_or(known)
}
