//! What depends on what, as cargo tells it: the members of the workspace, and every package they are built from.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::failure::Failure;
use crate::process::Run;

/// When a dependency is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In what is shipped.
    Normal,
    /// In tests, examples and benches.
    Dev,
    /// In the build script.
    Build,
}

/// A dependency that a member names.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// A crate of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Folder from the root, for example `crates/types`.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A package from outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The licence as the package states it.
    pub(crate) licence: Option<String>,
    /// Whether it comes from a registry; a package from a git address or a path outside the tree does not.
    pub(crate) from_registry: bool,
}

/// The members and what they are built from.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) members: Vec<Member>,
    pub(crate) packages: Vec<Package>,
}

impl Workspace {
    /// Asks `cargo metadata`, for the platform that this machine is.
    pub(crate) fn load() -> Result<Self, Failure> {
        let host = host()?;
        let said =
            Run::new("cargo").args(["metadata", "--format-version", "1", "--filter-platform", &host]).capture()?.stdout;
        Self::parse(&said)
    }

    /// Reads the document of `cargo metadata`.
    pub(crate) fn parse(document: &str) -> Result<Self, Failure> {
        let document: Value = serde_json::from_str(document)?;
        let ids: BTreeSet<&str> = array(&document["workspace_members"]).filter_map(Value::as_str).collect();
        let used: BTreeSet<&str> =
            array(&document["resolve"]["nodes"]).filter_map(|node| node["id"].as_str()).collect();
        let root = text(&document["workspace_root"]);
        let (mut members, mut packages) = (Vec::new(), Vec::new());
        for package in array(&document["packages"]) {
            let id = package["id"].as_str().unwrap_or_default();
            if ids.contains(id) {
                members.push(member(package, &root));
            } else if used.is_empty() || used.contains(id) {
                packages.push(Package {
                    name: text(&package["name"]),
                    version: text(&package["version"]),
                    licence: package["license"].as_str().map(str::to_owned),
                    from_registry: package["source"].as_str().is_some_and(|source| source.starts_with("registry+")),
                });
            }
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        packages.sort();
        Ok(Self { members, packages })
    }
}

fn member(package: &Value, root: &str) -> Member {
    let manifest = text(&package["manifest_path"]);
    let folder = manifest.trim_end_matches("/Cargo.toml").trim_start_matches(root).trim_start_matches('/').to_owned();
    let dependencies = array(&package["dependencies"])
        .map(|dependency| Dependency {
            name: text(&dependency["name"]),
            kind: match dependency["kind"].as_str() {
                Some("dev") => Kind::Dev,
                Some("build") => Kind::Build,
                _ => Kind::Normal,
            },
        })
        .collect();
    Member { name: text(&package["name"]), folder, dependencies }
}

/// The names of every package that the shipped part of this member is compiled from, proc macros left out: they run in
/// the compiler. Asked of `cargo tree` for this one member, so that features that others switch on do not count.
pub(crate) fn closure(member: &str) -> Result<BTreeSet<String>, Failure> {
    let said = Run::new("cargo")
        .args(["tree", "--package", member, "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .capture()?
        .stdout;
    Ok(said.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

fn host() -> Result<String, Failure> {
    let said = Run::new("rustc").args(["-vV"]).capture()?.stdout;
    said.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| Failure::new("`rustc -vV` names no host"))
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
