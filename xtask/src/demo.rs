//! `cargo xtask demo`: the whole thing in front of a person. Builds the pages and the release binary, starts the server, fills
//! the records with a company that does not exist, prints the page's address, plays the traffic of the company's customers and
//! stays up until Ctrl-C, when everything is stopped.
//!
//! Without `--data` each demo begins with nothing, in a folder under the target directory that is its own. A folder that
//! somebody named is never emptied: the demo goes on with what is in it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::console;
use crate::failure::Failure;
use crate::interrupt;
use crate::prerequisites::{self, Need};
use crate::process::Run;
use crate::server::{self, Server};
use crate::tree;
use crate::ui;

const USAGE: &str = "usage: cargo xtask demo [--port N] [--data DIR] [--speed N|max] [--synthetic] [--exit]";

/// Where the server listens unless told otherwise: the product's own default.
const PORT: u16 = 8321;

/// How fast time passes while somebody watches: a year in about ten minutes.
const SPEED_WATCHED: &str = "50000";
/// How fast it passes when nobody does.
const SPEED_EXIT: &str = "max";

/// The real traffic, beside the tree.
const FILE: &str = "../shared/data/online_retail/online_retail.csv.gz";

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Options {
    port: u16,
    data: Option<PathBuf>,
    speed: Option<String>,
    synthetic: bool,
    exit: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self { port: PORT, data: None, speed: None, synthetic: false, exit: false };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| Failure::new(format!("{flag} needs a value; {USAGE}")));
            match flag.as_str() {
                "--port" => {
                    let port = value()?;
                    options.port = port.parse().map_err(|_| Failure::new(format!("'{port}' is no port; {USAGE}")))?;
                }
                "--data" => options.data = Some(PathBuf::from(value()?)),
                "--speed" => options.speed = Some(value()?.clone()),
                "--synthetic" => options.synthetic = true,
                "--exit" => options.exit = true,
                _ => return Err(Failure::new(USAGE)),
            }
        }
        Ok(options)
    }
}

/// Builds, serves, plays, and stays until told to stop.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    prerequisites::check(Need::Pages)?;
    ui::build()?;
    Run::new("cargo").args(["build", "--release", "--package", "rapport"]).run()?;
    let data = data_folder(&options)?;
    let note = if is_synthetic(&options) { "synthetic" } else { "online_retail" };
    let mut server = Server::start_noted("release", &data, &format!("127.0.0.1:{}", options.port), note)?;
    fill(&options, &data)?;
    console::plain("");
    console::plain(&format!("  page     {}", server.url()));
    console::plain(&format!("  sign in  {}  (works once)", server.sign_in));
    console::plain(&format!("  data     {}", data.display()));
    console::plain("");
    let played = play(&options, &data, &server);
    server.still_runs().or_else(|failure| if interrupt::is_stopped() { Ok(()) } else { Err(failure) })?;
    if interrupt::is_stopped() {
        return Ok(());
    }
    played?;
    if options.exit {
        return Ok(());
    }
    console::plain(&format!("The traffic is over and the server stays up at {}. Ctrl-C ends it.", server.url()));
    let status = server.wait()?;
    if status.success() || interrupt::is_stopped() {
        Ok(())
    } else {
        Err(Failure::new(format!("the server ended with {status}")))
    }
}

fn data_folder(options: &Options) -> Result<PathBuf, Failure> {
    if let Some(named) = &options.data {
        return Ok(named.clone());
    }
    let own = tree::target().join("demo");
    if own.exists() {
        fs::remove_dir_all(&own)?;
    }
    Ok(own)
}

/// Whether a generator makes the traffic: where it was asked for, and where the real file is not there.
fn is_synthetic(options: &Options) -> bool {
    options.synthetic || !tree::root().join(FILE).is_file()
}

/// Fills in the company whose customers the traffic has. Where its data is from an earlier demo, it stays.
fn fill(options: &Options, data: &Path) -> Result<(), Failure> {
    let mut arguments: Vec<OsString> = vec!["demo".into(), "--data".into(), data.into()];
    if !is_synthetic(options) {
        arguments.push(FILE.into());
    }
    Run::new(server::binary("release")).args(arguments).run()
}

/// Sends the traffic through the server's HTTP door, with its progress in front of the person.
fn play(options: &Options, data: &Path, server: &Server) -> Result<(), Failure> {
    let mut arguments: Vec<OsString> = vec!["replay".into()];
    if is_synthetic(options) {
        console::plain("The customers of this demo are synthetic: a seeded generator makes them.");
        arguments.push("--synthetic".into());
    } else {
        console::plain("The traffic of this demo is real: the Online Retail file, one year of a shop's orders.");
        arguments.push(FILE.into());
    }
    let speed = options.speed.as_deref().unwrap_or(if options.exit { SPEED_EXIT } else { SPEED_WATCHED });
    arguments.extend(["--speed".into(), speed.into(), "--server".into(), server.url().into()]);
    arguments.extend(["--data".into(), data.into()]);
    Run::new(server::binary("release")).args(arguments).run()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments).map_err(|failure| failure.to_string())
    }

    #[test]
    fn flags_are_read_and_mistakes_are_told() {
        let plain = Options { port: PORT, data: None, speed: None, synthetic: false, exit: false };
        assert_eq!(parse("").unwrap(), plain);
        let all =
            Options { port: 0, data: Some("d".into()), speed: Some("max".to_owned()), synthetic: true, exit: true };
        assert_eq!(parse("--port 0 --data d --speed max --synthetic --exit").unwrap(), all);
        assert!(parse("--port x").unwrap_err().contains("'x' is no port"));
        assert!(parse("--data").unwrap_err().contains("--data needs a value"));
        assert!(parse("--fast").unwrap_err().starts_with("usage"));
    }
}
