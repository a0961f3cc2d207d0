//! The chores of the tree, one command for each: `cargo xtask help` lists them.
//!
//! It is not shipped and holds no logic of the product. It builds in seconds on purpose: no argument parser, no async
//! runtime, no HTTP library. Everything it starts it also stops, on Ctrl-C and on SIGTERM too.

mod bench;
mod check;
mod console;
mod contract;
mod demo;
mod failure;
mod http;
mod interrupt;
mod prerequisites;
mod process;
mod sdk;
mod server;
mod services;
mod stamp;
mod suite;
mod tally;
mod tree;
mod ui;

use std::process::ExitCode;

use failure::Failure;

const HELP: &str = "\
cargo xtask COMMAND

  demo [--port N] [--data DIR] [--speed N|max] [--synthetic] [--exit]
             build the pages and the release binary, start the server, print the page's address, play traffic and stay
             up until Ctrl-C (--data goes on with the data of that folder; --synthetic plays the generator even if the
             file is there; --exit ends after the traffic)
  test [--only rust|web|e2e|sdk|contract]
             every test, installing or starting what a test needs; ends with 'N passed, N failed'
  check [--fast]
             the rules of the tree: format, lints, documentation, floors, sizes, licences (--fast: without cargo builds)
  bench [--json] [--quick] [--only NAME]
             measure the release binary beside the limits of the machine; no test, nothing fails by being slow
  bench ml [training|serving|quality ...] [--json] [--quick] [--budget SECONDS]
             measure learning beside scikit-learn, LightGBM, XGBoost and CatBoost, which are installed with pip
  bench records [list|board|change|search ...] [--json] [--rows N] [--database sqlite|postgres|both]
             measure records beside the same in plain SQL, on a million contacts
  ui         build the pages under web/ if their sources changed
  services [NAME...]
             what tests need from outside: print the state of all, or make the named ones ready
  help       this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            console::error(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<ExitCode, Failure> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    std::env::set_current_dir(tree::root())?;
    interrupt::watch()?;
    match command {
        "demo" => demo::run(rest).map(|()| ExitCode::SUCCESS),
        "test" => suite::run(rest),
        "check" => check::run(rest),
        "bench" => bench::run(rest).map(|()| ExitCode::SUCCESS),
        "ui" => ui::build().map(|()| ExitCode::SUCCESS),
        "services" => services::run(rest).map(|()| ExitCode::SUCCESS),
        "help" | "--help" | "-h" => {
            console::plain(HELP.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        other => Err(Failure::new(format!("there is no command '{other}'; `cargo xtask help` lists them"))),
    }
}
