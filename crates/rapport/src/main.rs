//! The one binary of Rapport: chooses the backends, wires the rooms and reads the command line. No logic of its own.

mod backup;
mod cli;
mod config;
mod credentials;
mod data;
mod demo;
mod learning;
mod moving;
mod names;
mod random;
mod repair;
mod replay;
mod sealing;
mod serve;
mod state;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

/// Frees memory in pieces that the fold's many small values leave behind better than the system's allocator does. Without
/// huge pages: a page of 2 MB stays whole as long as one small value in it lives, which doubled the memory of profiles.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            cli::complain(&*error);
            ExitCode::FAILURE
        }
    }
}
