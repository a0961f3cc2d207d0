//! `cargo xtask check`: the rules of the tree that a machine can hold.
//!
//! Two halves. The first reads the tree and takes a second; each rule is one module here, a function from files to
//! findings, so that a planted violation tests it. The second runs cargo: format, lints, documentation. A rule that has no
//! check is no rule of this tree, and each finding says what to do instead.

mod dependencies;
mod documents;
mod floors;
mod hygiene;
mod licences;
mod purity;
mod sizes;
mod source;
mod spdx;
mod words;

use std::fmt;
use std::process::ExitCode;

use crate::console;
use crate::failure::Failure;
use crate::prerequisites::{self, Need};
use crate::process::Run;
use crate::tree;
use crate::ui;

/// One place that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    text: String,
}

impl Finding {
    /// A finding at a line of a file, counted from 1; 0 means the file as a whole.
    pub(crate) fn new(rule: &'static str, path: impl Into<String>, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.into(), line, rule, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: [{}] {}", self.path, self.rule, self.text),
            line => write!(f, "{}:{line}: [{}] {}", self.path, self.rule, self.text),
        }
    }
}

/// Runs every check; success means nothing was found.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    let fast = match arguments {
        [] => false,
        [flag] if flag == "--fast" => true,
        _ => return Err(Failure::new("usage: cargo xtask check [--fast]")),
    };
    let mut failed = read_the_tree()?;
    failed += run_cargo(fast)?;
    if failed == 0 {
        console::plain("check: nothing found");
        return Ok(ExitCode::SUCCESS);
    }
    console::plain(&format!("check: {failed} to mend"));
    Ok(ExitCode::FAILURE)
}

/// The rules that need no compiler. Returns the number of findings.
fn read_the_tree() -> Result<usize, Failure> {
    console::step("rules of the tree");
    let files = tree::files()?;
    let workspace = dependencies::Workspace::load()?;
    let policy = licences::Policy::load()?;
    let mut findings = Vec::new();
    findings.extend(floors::check(&workspace));
    findings.extend(purity::check_closures(&workspace)?);
    findings.extend(purity::check_sources(&files));
    findings.extend(sizes::check(&files)?);
    findings.extend(words::check(&files));
    findings.extend(hygiene::check(&files));
    findings.extend(documents::check(&files));
    findings.extend(licences::check_crates(&workspace, &policy));
    findings.extend(licences::check_npm(&files, &policy)?);
    findings.sort();
    findings.dedup();
    for finding in &findings {
        console::plain(&finding.to_string());
    }
    for line in licences::duplicates(&workspace) {
        console::note(&line);
    }
    console::note(&format!("{} files, {} findings", files.len(), findings.len()));
    Ok(findings.len())
}

/// The rules that the compiler and its tools hold. Returns the number of tools that were not satisfied.
fn run_cargo(fast: bool) -> Result<usize, Failure> {
    let mut steps = vec![Run::new("cargo").args(["fmt", "--all", "--check"])];
    if let Some(deny) = licences::cargo_deny() {
        steps.push(deny);
    }
    if !fast {
        steps.push(Run::new("cargo").args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
        steps.push(Run::new("cargo").args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"));
    }
    if !fast {
        // Where Node is missing the rest is still worth checking; `cargo xtask test` refuses to start without it.
        match prerequisites::check(Need::Pages).and_then(|()| ui::lint()) {
            Ok(lint) => steps.push(lint),
            Err(failure) => console::note(&format!("the pages were not linted: {failure}")),
        }
    }
    let mut failed = 0;
    for step in steps {
        if !step.tee()?.success {
            failed += 1;
        }
    }
    Ok(failed)
}
