//! `rapport-testkit NAME...`: a throw-away PostgreSQL for trying things by hand. It makes an empty database of each name,
//! prints their URLs, one a line, and lasts until its standard input ends or it is stopped.

use std::io::{self, Write as _};
use std::process::ExitCode;

use rapport_testkit::postgres::Server;

fn main() -> ExitCode {
    match hold(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // There is nobody left to tell when the standard error is gone too.
            drop(writeln!(io::stderr(), "{message}"));
            ExitCode::FAILURE
        }
    }
}

fn hold(names: impl Iterator<Item = String>) -> Result<(), String> {
    let server = Server::start()?;
    let mut out = io::stdout().lock();
    for name in names {
        let url = server.try_database(&name)?;
        writeln!(out, "{url}").map_err(|error| error.to_string())?;
    }
    io::copy(&mut io::stdin().lock(), &mut io::sink()).map_err(|error| error.to_string())?;
    Ok(())
}
