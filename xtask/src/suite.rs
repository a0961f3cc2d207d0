//! `cargo xtask test`: every test there is, with what it needs made ready, and one honest line at the end.
//!
//! A part that cannot run counts as failed; nothing is skipped in silence.

use std::process::ExitCode;

use rapport_testkit::postgres;

use crate::console;
use crate::contract;
use crate::failure::Failure;
use crate::interrupt;
use crate::prerequisites::{self, Need};
use crate::process::{Run, Teed};
use crate::sdk;
use crate::server;
use crate::services;
use crate::tally::Tally;
use crate::ui;

/// One part of the suite.
struct Part {
    name: &'static str,
    run: fn() -> Result<Tally, Failure>,
}

/// In the order in which a mistake is cheapest to find. The pages are built before the binary, which embeds them.
const PARTS: &[Part] = &[
    Part { name: "web", run: web },
    Part { name: "rust", run: rust },
    Part { name: "e2e", run: e2e },
    Part { name: "sdk", run: sdk },
    Part { name: "contract", run: contract },
];

/// Runs all parts, or the one named by `--only`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    let wanted = match arguments {
        [] => None,
        [flag, name] if flag == "--only" && PARTS.iter().any(|part| part.name == name) => Some(name.as_str()),
        _ => return Err(Failure::new("usage: cargo xtask test [--only rust|web|e2e|sdk|contract]")),
    };
    prerequisites::check(if wanted == Some("rust") { Need::Rust } else { Need::Pages })?;
    let mut total = Tally::default();
    let mut results = Vec::new();
    for part in PARTS.iter().filter(|part| wanted.is_none_or(|wanted| wanted == part.name)) {
        if interrupt::is_stopped() {
            return Err(Failure::new("told to stop"));
        }
        let tally = (part.run)().unwrap_or_else(|failure| {
            console::error(&format!("{}: {failure}", part.name));
            Tally { passed: 0, failed: 1 }
        });
        results.push((part.name, tally));
        total.add(tally);
    }
    console::plain("");
    for (name, tally) in results {
        console::plain(&format!("{name:<8} {tally}"));
    }
    console::plain(&total.to_string());
    Ok(if total.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Unit tests and a build of the pages, which checks their types. Their lints belong to `cargo xtask check`.
fn web() -> Result<Tally, Failure> {
    ui::install()?;
    let mut tally = Tally::default();
    tally.add(counted(&ui::npm(["test"]).env("NO_COLOR", "1").tee()?));
    tally.add(Tally::of_step(ui::build().is_ok()));
    Ok(tally)
}

/// Every test of every crate, documentation examples included.
fn rust() -> Result<Tally, Failure> {
    let has_nextest = Run::new("cargo").args(["nextest", "--version"]).capture().is_ok();
    let runner: &[&str] = if has_nextest { &["nextest", "run"] } else { &["test", "--lib", "--bins", "--tests"] };
    // Where it cannot be had the tests that need it fail, each with a sentence; the others are not held back.
    let postgresql = services::ready(&services::POSTGRESQL).inspect_err(|failure| console::error(&failure.to_string()));
    let mut tally = Tally::default();
    for command in [runner, &["test", "--doc"]] {
        let mut run = Run::new("cargo").args(command.iter().copied()).args(["--workspace", "--no-fail-fast"]);
        if let Ok(folder) = &postgresql {
            run = run.env(postgres::FOLDER_VARIABLE, folder);
        }
        tally.add(counted(&run.tee()?));
    }
    Ok(tally)
}

/// The pages in a real browser, against the real binary.
fn e2e() -> Result<Tally, Failure> {
    ui::build()?;
    build_binary()?;
    let chromium = services::ready(&services::CHROMIUM)?;
    let binary = server::binary("debug");
    let run = ui::npm(["run", "e2e"]).env("RAPPORT_CHROMIUM", chromium).env("RAPPORT_BINARY", binary);
    Ok(counted(&run.env("NO_COLOR", "1").tee()?))
}

/// The published SDKs against the real binary.
fn sdk() -> Result<Tally, Failure> {
    build_binary()?;
    sdk::run()
}

/// The OpenAPI document against the real binary.
fn contract() -> Result<Tally, Failure> {
    build_binary()?;
    contract::run()
}

/// The binary as the tests built it. All targets of the workspace are named, so that cargo chooses the same features as
/// for the tests and has nothing to compile again.
fn build_binary() -> Result<(), Failure> {
    Run::new("cargo").args(["build", "--workspace", "--all-targets"]).run()
}

/// What the runner counted; a runner that failed without a failing test counts as one failure, so that nothing is lost.
fn counted(teed: &Teed) -> Tally {
    let tally = Tally::read(&teed.lines);
    if !teed.success && tally.is_success() { Tally { failed: 1, ..tally } } else { tally }
}
