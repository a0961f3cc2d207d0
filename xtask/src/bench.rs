//! `cargo xtask bench`: the release binary measured beside the limits of the machine. Its arguments go to the bench program
//! (`--json`, `--quick`, `--only NAME`).

use crate::failure::Failure;
use crate::process::Run;
use crate::tree;

/// Builds both programs and runs the bench.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    Run::new("cargo").args(["build", "--release", "--package", "rapport", "--package", "rapport-bench"]).run()?;
    let release = tree::target().join("release");
    Run::new(release.join("rapport-bench"))
        .args(["--bin".as_ref(), release.join("rapport").as_os_str()])
        .args(arguments)
        .run()
}
