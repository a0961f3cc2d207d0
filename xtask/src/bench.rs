//! `cargo xtask bench`: the release binary measured beside the limits of the machine, and `cargo xtask bench ml`: learning
//! measured beside its peers, and `cargo xtask bench records`: lists and changes beside plain SQL. Their arguments go to the bench program.

use std::ffi::OsString;

use crate::failure::Failure;
use crate::process::Run;
use crate::services;
use crate::tree;

/// Builds both programs and runs the bench.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let build = ["build", "--release", "--package", "rapport", "--package", "rapport-bench"];
    let release = tree::target().join("release");
    let mut given = vec![OsString::from("--bin"), release.join("rapport").into_os_string()];
    match arguments.split_first() {
        Some((ml, rest)) if ml == "ml" => {
            let python = services::ready(&services::ML_PEERS)?;
            given.insert(0, "ml".into());
            given.extend(["--python".into(), python.into_os_string()]);
            given.extend(rest.iter().map(OsString::from));
        }
        Some((records, rest)) if records == "records" => {
            // It starts a PostgreSQL of its own.
            services::ready(&services::POSTGRESQL)?;
            given.insert(0, "records".into());
            given.extend(rest.iter().map(OsString::from));
        }
        _ => given.extend(arguments.iter().map(OsString::from)),
    }
    Run::new("cargo").args(build).run()?;
    Run::new(release.join("rapport-bench")).args(given).run()
}
