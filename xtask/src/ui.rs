//! The pages under `web/`: installed from their lock file and built only when their sources changed. The document of the
//! API is one of these: the pages' types are generated from it with every build, lint and start of the development server.

use std::fs::File;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::console;
use crate::failure::Failure;
use crate::process::Run;
use crate::stamp::Stamp;
use crate::tree;

/// The document of the API, from which the types of the pages are generated.
const API: &str = "docs/reference/openapi.json";

/// The folder of the pages.
pub(crate) fn folder() -> PathBuf {
    tree::root().join("web")
}

/// Builds the pages into `web/dist`, which the server embeds, unless that was done from the same sources.
pub(crate) fn build() -> Result<(), Failure> {
    install()?;
    let sources = sources()?;
    let input = sources.iter().map(|file| (file.path.as_str(), file.text.as_bytes()));
    // Kept with the packages and not in `dist`, which is served as it is.
    let stamp = Stamp::new(folder().join("node_modules/.rapport-built"), input);
    if stamp.is_fresh() && folder().join("dist/index.html").is_file() {
        console::note("the pages are up to date");
        return Ok(());
    }
    let first = !folder().join("dist/index.html").is_file();
    npm(["run", "build"]).run()?;
    if first {
        // The server's build script chose the placeholder and watches no path that was not there: it must look again.
        let script = File::options().append(true).open(tree::root().join("crates/server/build.rs"))?;
        script.set_modified(SystemTime::now())?;
    }
    stamp.write()
}

/// Format, lints and types of the pages.
pub(crate) fn lint() -> Result<Run, Failure> {
    install()?;
    Ok(npm(["run", "lint"]))
}

/// Installs the packages of the pages, exactly as `package-lock.json` says, unless that was done.
pub(crate) fn install() -> Result<(), Failure> {
    let lock = std::fs::read(folder().join("package-lock.json"))
        .map_err(|error| Failure::new(format!("web/package-lock.json: {error}")))?;
    let stamp = Stamp::new(folder().join("node_modules/.rapport-installed"), [("package-lock.json", lock.as_slice())]);
    if stamp.is_fresh() {
        return Ok(());
    }
    // The browser of the tests is the machine's own (see `services`), so no package fetches one.
    npm(["ci", "--no-audit", "--no-fund"]).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1").run()?;
    stamp.write()
}

/// npm in the folder of the pages.
pub(crate) fn npm<const N: usize>(arguments: [&str; N]) -> Run {
    Run::new("npm").args(arguments).dir(folder())
}

fn sources() -> Result<Vec<tree::File>, Failure> {
    let is_source =
        |file: &tree::File| file.path == API || file.path.starts_with("web/") && !file.path.starts_with("web/e2e/");
    Ok(tree::files()?.into_iter().filter(is_source).collect())
}
