//! What xtask says. The only module that prints, so that the lint against stray prints holds everywhere else.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks on its standard streams")]

use std::time::Duration;

/// The head of a step that may take a while.
pub(crate) fn step(text: &str) {
    println!("==> {text}");
}

/// The end of a step.
pub(crate) fn done(text: &str, took: Duration) {
    println!("    {text} in {:.1} s", took.as_secs_f64());
}

/// A line under a step.
pub(crate) fn note(text: &str) {
    println!("    {text}");
}

/// A line as it is.
pub(crate) fn plain(text: &str) {
    println!("{text}");
}

/// What went wrong.
pub(crate) fn error(text: &str) {
    eprintln!("xtask: {text}");
}
