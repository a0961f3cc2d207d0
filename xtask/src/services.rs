//! What tests need from outside the tree: found on the machine, or installed by package name.
//!
//! A row says how the thing is found and how it is made ready. Only what some test uses today stands in the table. A
//! service that runs (a database, a broker) is started by the tests that need it, which stop it again.

use std::fs;
use std::path::{Path, PathBuf};

use rapport_testkit::postgres;

use crate::console;
use crate::failure::Failure;
use crate::process::Run;
use crate::stamp::Stamp;
use crate::tree;

/// One thing from outside.
pub(crate) struct Service {
    /// What the command line calls it.
    pub(crate) name: &'static str,
    purpose: &'static str,
    /// How it is installed by hand, for the person who may not let us.
    by_hand: &'static str,
    find: fn() -> Option<PathBuf>,
    install: fn() -> Result<(), Failure>,
}

/// The browser of the end-to-end tests.
pub(crate) const CHROMIUM: Service = Service {
    name: "chromium",
    purpose: "end-to-end tests of the pages",
    by_hand: "apt-get install chromium",
    find: || ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| on_path(name)),
    install: || apt_get(&["chromium"]),
};

/// The database server of which tests start throw-away copies; found is the folder of its programs.
pub(crate) const POSTGRESQL: Service = Service {
    name: "postgresql",
    purpose: "tests that need a PostgreSQL",
    by_hand: "apt-get install postgresql",
    find: postgres::programs,
    install: || apt_get(&["postgresql"]),
};

/// Segment's published SDK for Node, unmodified.
pub(crate) const NODE_SDK: Service = Service {
    name: "node-sdk",
    purpose: "the collect endpoint, driven by @segment/analytics-node",
    by_hand: "npm install @segment/analytics-node",
    find: || installed_sdk("node").map(|folder| folder.join("send.mjs")),
    install: install_node_sdk,
};

/// Segment's published SDK for Python, unmodified.
pub(crate) const PYTHON_SDK: Service = Service {
    name: "python-sdk",
    purpose: "the collect endpoint with gzip, driven by segment-analytics-python",
    by_hand: "pip install segment-analytics-python",
    find: || installed_sdk("python").map(|folder| folder.join("venv/bin/python")),
    install: install_python_sdk,
};

/// The programs that learning is compared with.
pub(crate) const ML_PEERS: Service = Service {
    name: "ml-peers",
    purpose: "`bench ml`: scikit-learn, LightGBM, XGBoost, CatBoost, Optuna",
    by_hand: "pip install -r bench/peers/requirements.txt",
    find: || find_python("ml-peers", PEERS).map(|folder| folder.join("venv/bin/python")),
    install: || install_pinned("ml-peers", PEERS),
};

/// The programs that the OpenAPI document is held to the server with; found is the folder of them.
pub(crate) const CONTRACT: Service = Service {
    name: "contract",
    purpose: "the OpenAPI document: schemathesis, openapi-python-client, mypy",
    by_hand: "pip install -r xtask/contract/requirements.txt",
    find: || find_python("contract", CONTRACT_PROGRAMS).map(|folder| folder.join("venv/bin")),
    install: || install_pinned("contract", CONTRACT_PROGRAMS),
};

const ALL: &[Service] = &[CHROMIUM, POSTGRESQL, NODE_SDK, PYTHON_SDK, CONTRACT, ML_PEERS];

/// What the peers are pinned by.
const PEERS: &str = "bench/peers/requirements.txt";
/// What the programs of the contract are pinned by.
const CONTRACT_PROGRAMS: &str = "xtask/contract/requirements.txt";

/// Prints the state of all, or makes the named ones ready.
pub(crate) fn run(names: &[String]) -> Result<(), Failure> {
    if names.is_empty() {
        for service in ALL {
            let state = (service.find)()
                .map_or_else(|| format!("missing ({})", service.by_hand), |path| path.display().to_string());
            console::plain(&format!("{:<12} {:<68} {state}", service.name, service.purpose));
        }
        return Ok(());
    }
    for name in names {
        let service = ALL.iter().find(|service| service.name == name).ok_or_else(|| {
            let known: Vec<&str> = ALL.iter().map(|service| service.name).collect();
            Failure::new(format!("there is no service '{name}'; there are {}", known.join(", ")))
        })?;
        let path = ready(service)?;
        console::note(&format!("{name}: {}", path.display()));
    }
    Ok(())
}

/// Where the service is, after installing it if it was missing.
pub(crate) fn ready(service: &Service) -> Result<PathBuf, Failure> {
    if let Some(path) = (service.find)() {
        return Ok(path);
    }
    (service.install)()
        .map_err(|failure| Failure::new(format!("{} is needed for {}: {failure}", service.name, service.purpose)))?;
    (service.find)().ok_or_else(|| Failure::new(format!("{} was installed and is still not found", service.name)))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// Installs Debian packages by name, where we may.
fn apt_get(packages: &[&str]) -> Result<(), Failure> {
    let by_hand = format!("run `apt-get install {}` as root", packages.join(" "));
    if on_path("apt-get").is_none() {
        return Err(Failure::new(format!("this machine has no apt-get; install {}", packages.join(" "))));
    }
    if Run::new("id").args(["-u"]).capture()?.stdout.trim() != "0" {
        return Err(Failure::new(by_hand));
    }
    let apt = |arguments: &[&str]| {
        Run::new("apt-get").args(arguments.iter().copied()).env("DEBIAN_FRONTEND", "noninteractive")
    };
    apt(&["update", "-q"]).run()?;
    apt(&[&["install", "-q", "-y", "--no-install-recommends"], packages].concat()).run()
}

/// The folder in which something is installed, outside the tree's own files.
fn services_folder(name: &str) -> PathBuf {
    tree::target().join("services").join(name)
}

fn sdk_folder(language: &str) -> PathBuf {
    services_folder(&format!("{language}-sdk"))
}

/// The files that drive an SDK: its lock file and the script that sends.
fn sdk_files(language: &str) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(tree::root().join("xtask/sdk").join(language))? {
        let entry = entry?;
        files.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?));
    }
    files.sort();
    Ok(files)
}

fn sdk_stamp(language: &str, files: &[(String, Vec<u8>)]) -> Stamp {
    let input = files.iter().map(|(name, content)| (name.as_str(), content.as_slice()));
    Stamp::new(sdk_folder(language).join(".ready"), input)
}

fn installed_sdk(language: &str) -> Option<PathBuf> {
    let files = sdk_files(language).ok()?;
    sdk_stamp(language, &files).is_fresh().then(|| sdk_folder(language))
}

/// Copies the files that drive an SDK to where it is installed.
fn lay_out(language: &str) -> Result<(PathBuf, Stamp), Failure> {
    let (folder, files) = (sdk_folder(language), sdk_files(language)?);
    fs::create_dir_all(&folder)?;
    for (name, content) in &files {
        fs::write(folder.join(name), content)?;
    }
    let stamp = sdk_stamp(language, &files);
    Ok((folder, stamp))
}

fn install_node_sdk() -> Result<(), Failure> {
    let (folder, stamp) = lay_out("node")?;
    Run::new("npm").args(["ci", "--no-audit", "--no-fund"]).dir(&folder).run()?;
    stamp.write()
}

fn install_python_sdk() -> Result<(), Failure> {
    let (folder, stamp) = lay_out("python")?;
    install_python(&folder)?;
    stamp.write()
}

fn pinned_stamp(name: &str, requirements: &[u8]) -> Stamp {
    Stamp::new(services_folder(name).join(".ready"), [("requirements.txt", requirements)])
}

/// The folder in which the Python packages of a list are installed, if they are.
fn find_python(name: &str, list: &str) -> Option<PathBuf> {
    let stamp = pinned_stamp(name, &fs::read(tree::root().join(list)).ok()?);
    stamp.is_fresh().then(|| services_folder(name))
}

fn install_pinned(name: &str, list: &str) -> Result<(), Failure> {
    let (folder, requirements) = (services_folder(name), fs::read(tree::root().join(list))?);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("requirements.txt"), &requirements)?;
    install_python(&folder)?;
    pinned_stamp(name, &requirements).write()
}

/// Installs what a folder's `requirements.txt` says into its `venv`.
fn install_python(folder: &Path) -> Result<(), Failure> {
    let make_venv = || Run::new("python3").args(["-m", "venv", "--clear", "venv"]).dir(folder).run();
    if make_venv().is_err() {
        // Debian ships the module apart from the interpreter.
        apt_get(&["python3", "python3-venv"])?;
        make_venv()?;
    }
    let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
    Run::new(folder.join("venv/bin/python")).args(arguments).dir(folder).run()
}
