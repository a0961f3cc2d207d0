//! Licences, bans and sources of everything that comes in from outside, held against `deny.toml`.
//!
//! Where cargo-deny is installed it is run on the same file too. Advisories need a database that is fetched; they are
//! checked only where cargo-deny finds one on the machine, and the output says when they were not.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::Finding;
use super::dependencies::Workspace;
use super::spdx;
use crate::console;
use crate::failure::Failure;
use crate::process::Run;
use crate::tree::{self, File};

const RULE: &str = "licences";
const POLICY: &str = "deny.toml";

/// What `deny.toml` says.
#[derive(Debug)]
pub(crate) struct Policy {
    allowed: Vec<String>,
    /// Crates that may be under one more licence, each with the reason in the file.
    exceptions: Vec<(String, String)>,
    banned: Vec<Banned>,
}

/// A crate that may not be used.
#[derive(Debug)]
struct Banned {
    name: String,
    /// Whether crates from outside that are named in the file may bring it. cargo-deny holds who does; here it is held that no
    /// crate of the house uses it.
    wrapped: bool,
}

impl Policy {
    /// Reads `deny.toml`.
    pub(crate) fn load() -> Result<Self, Failure> {
        Self::parse(&fs::read_to_string(tree::root().join(POLICY))?)
    }

    /// The licences that this crate may be under.
    fn allowed_for(&self, name: &str) -> Vec<String> {
        let more = self.exceptions.iter().filter(|(crate_name, _)| crate_name == name).map(|(_, licence)| licence);
        self.allowed.iter().chain(more).cloned().collect()
    }

    fn parse(text: &str) -> Result<Self, Failure> {
        let table: toml::Table = text.parse().map_err(|error| Failure::new(format!("{POLICY}: {error}")))?;
        let list = |section: &str, key: &str| -> Vec<toml::Value> {
            table
                .get(section)
                .and_then(|section| section.get(key))
                .and_then(|list| list.as_array())
                .cloned()
                .unwrap_or_default()
        };
        let allowed: Vec<String> =
            list("licenses", "allow").iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        if allowed.is_empty() {
            return Err(Failure::new(format!("{POLICY}: [licenses] allow is empty")));
        }
        let banned = list("bans", "deny")
            .iter()
            .filter_map(|entry| {
                let name = entry.get("name")?.as_str()?.to_owned();
                Some(Banned { name, wrapped: entry.get("wrappers").is_some() })
            })
            .collect();
        let exceptions = list("licenses", "exceptions").iter().flat_map(exception).collect();
        Ok(Self { allowed, exceptions, banned })
    }
}

/// The pairs of crate and licence in an entry of `[[licenses.exceptions]]`.
fn exception(entry: &toml::Value) -> Vec<(String, String)> {
    let name = entry.get("crate").and_then(|name| name.as_str()).unwrap_or_default();
    let licences = entry.get("allow").and_then(|list| list.as_array()).map(Vec::as_slice).unwrap_or_default();
    licences.iter().filter_map(|licence| Some((name.to_owned(), licence.as_str()?.to_owned()))).collect()
}

/// Crates under a licence that is not allowed, banned crates, and crates from elsewhere than a registry.
pub(crate) fn check_crates(workspace: &Workspace, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let name = format!("{} {}", package.name, package.version);
        match package.licence.as_deref() {
            None => findings.push(Finding::new(RULE, "Cargo.lock", 0, format!("{name} states no licence"))),
            Some(licence) if !spdx::is_allowed(licence, &policy.allowed_for(&package.name)) => {
                findings.push(Finding::new(RULE, "Cargo.lock", 0, format!("{name} is under '{licence}'")));
            }
            Some(_) => {}
        }
        let own = |name: &str| {
            workspace.members.iter().any(|member| member.dependencies.iter().any(|other| other.name == name))
        };
        if policy.banned.iter().any(|banned| banned.name == package.name && (!banned.wrapped || own(&banned.name))) {
            findings.push(Finding::new(
                RULE,
                "Cargo.lock",
                0,
                format!("{name} is banned in {POLICY}, with the reason there"),
            ));
        }
        if !package.from_registry {
            findings.push(Finding::new(RULE, "Cargo.lock", 0, format!("{name} comes from no registry")));
        }
    }
    findings
}

/// Licences that are fine in a tool that builds or tests and is never in what is shipped.
const FOR_TOOLS: &[&str] = &["MPL-2.0", "Python-2.0"];

/// npm packages under a licence that is not allowed, as each `package-lock.json` states it.
pub(crate) fn check_npm(files: &[File], policy: &Policy) -> Result<Vec<Finding>, Failure> {
    let mut for_tools = policy.allowed.clone();
    for_tools.extend(FOR_TOOLS.iter().map(|name| (*name).to_owned()));
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with("package-lock.json")) {
        let lock: Value = serde_json::from_str(&file.text)?;
        let Some(packages) = lock["packages"].as_object() else { continue };
        for (place, package) in packages.iter().filter(|(place, _)| place.contains("node_modules/")) {
            let name = place.rsplit("node_modules/").next().unwrap_or(place);
            let allowed = if package["dev"] == true { &for_tools } else { &policy.allowed };
            match package["license"].as_str() {
                Some(licence) if spdx::is_allowed(licence, allowed) => {}
                Some(licence) => {
                    findings.push(Finding::new(RULE, &file.path, 0, format!("{name} is under '{licence}'")));
                }
                None => findings.push(Finding::new(RULE, &file.path, 0, format!("{name} states no licence"))),
            }
        }
    }
    Ok(findings)
}

/// One line for each crate that is there in more than one version that cargo holds incompatible.
pub(crate) fn duplicates(workspace: &Workspace) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &workspace.packages {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    versions
        .into_iter()
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, versions)| format!("two versions of {name}: {}", versions.join(", ")))
        .collect()
}

/// The run of cargo-deny, where it is installed; says what is left unchecked where it is not.
pub(crate) fn cargo_deny() -> Option<Run> {
    if Run::new("cargo").args(["deny", "--version"]).capture().is_err() {
        console::note("cargo-deny is not installed: licences, bans and sources were checked here, advisories were not");
        return None;
    }
    let checks = ["licenses", "bans", "sources"];
    let mut run = Run::new("cargo").args(["deny", "--offline", "check"]).args(checks);
    if advisory_database().is_some_and(|folder| folder.exists()) {
        run = run.args(["advisories"]);
    } else {
        console::note("no advisory database on this machine: advisories were not checked");
    }
    Some(run)
}

fn advisory_database() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))?;
    Some(home.join("advisory-dbs"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::dependencies::{Dependency, Kind, Member, Package};

    fn policy() -> Policy {
        let except = "exceptions = [{ crate = \"let-in\", allow = [\"MPL-2.0\"] }]";
        Policy::parse(&format!(
            "[licenses]\nallow = [\"MIT\"]\n{except}\n[bans]\ndeny = [{{ name = \"bad\", reason = \"r\" }}, {{ name = \"wrapped\", wrappers = [\"a\"] }}]\n"
        ))
        .unwrap()
    }

    fn package(name: &str, version: &str, licence: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: licence.map(str::to_owned),
            from_registry: true,
        }
    }

    #[test]
    fn licences_bans_and_sources_are_held() {
        let mut packages = vec![
            package("a", "1.0.0", Some("MIT OR Apache-2.0")),
            package("b", "1.0.0", Some("GPL-3.0")),
            package("bad", "1.0.0", Some("MIT")),
            package("c", "1.0.0", None),
            package("let-in", "1.0.0", Some("MPL-2.0")),
            package("d", "1.0.0", Some("MIT")),
            package("wrapped", "1.0.0", Some("MIT")),
        ];
        packages[5].from_registry = false;
        let mut workspace = Workspace { members: Vec::new(), packages };
        let found = check_crates(&workspace, &policy());
        assert_eq!(found.len(), 4, "{found:?}");
        let dependencies = vec![Dependency { name: "wrapped".to_owned(), kind: Kind::Normal }];
        workspace.members.push(Member { name: "own".to_owned(), folder: "crates/own".to_owned(), dependencies });
        assert_eq!(check_crates(&workspace, &policy()).len(), 5, "the house itself may not use it");
    }

    #[test]
    fn npm_licences_are_held() {
        let lock = r#"{"packages":{"":{"license":"X"},"node_modules/a":{"license":"MIT"},"node_modules/b":{"license":"GPL-3.0"},"node_modules/c":{},"node_modules/d":{"license":"MPL-2.0"},"node_modules/e":{"license":"MPL-2.0","dev":true}}}"#;
        let file = File { path: "web/package-lock.json".to_owned(), text: lock.to_owned() };
        assert_eq!(check_npm(&[file], &policy()).unwrap().len(), 3);
    }

    #[test]
    fn two_majors_are_told() {
        let packages =
            vec![package("a", "1.0.0", Some("MIT")), package("a", "2.0.0", Some("MIT")), package("b", "1.0.0", None)];
        assert_eq!(duplicates(&Workspace { members: Vec::new(), packages }), ["two versions of a: 1.0.0, 2.0.0"]);
    }
}
