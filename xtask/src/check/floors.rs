//! Floors and nevers: arrows between the crates run only downward, and some run not at all.
//!
//! The table is the house's own plan (`docs/ARCHITECTURE.md`). A crate that is not in it has no place, so a new crate comes
//! with a line here and a reason in its first commit.

use std::collections::BTreeMap;

use super::Finding;
use super::dependencies::{Dependency, Kind, Member, Workspace};

const RULE: &str = "floors";

/// Each crate of the house and the floor it stands on. A crate may use crates of lower floors only.
const FLOORS: &[(&str, u8)] = &[
    ("rapport-types", 0),
    ("rapport-condition", 1),
    ("rapport-ml", 1),
    ("rapport-outbound", 2),
    ("rapport-profile", 2),
    ("rapport-stream", 2),
    ("rapport-store", 2),
    ("rapport-decide", 3),
    ("rapport-records", 3),
    ("rapport-engine", 4),
    ("rapport-learn", 4),
    ("rapport-server", 4),
    ("rapport", 5),
];

/// Helps the tests of every crate and is in nothing that is shipped.
const TESTKIT: &str = "rapport-testkit";

/// Tools beside the house: they may use any crate, and no crate may use them.
const TOOLS: &[&str] = &["xtask", "rapport-bench"];

/// The one crate that asks other systems by HTTP, and the packages of which none but it ships one.
const DOOR: &str = "rapport-outbound";
const WAYS_OUT: &[&str] =
    &["curl", "hyper-rustls", "hyper-tls", "native-tls", "reqwest", "rustls", "tokio-rustls", "ureq"];

/// Names that say nothing of what is inside, and so fill up with everything.
const DRAWERS: &[&str] = &["common", "core", "util", "utils", "shared", "helpers", "misc"];

/// Every arrow that runs level, upward or to a tool, every circle, every crate without a place.
pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let members: BTreeMap<&str, &Member> =
        workspace.members.iter().map(|member| (member.name.as_str(), member)).collect();
    let mut findings = Vec::new();
    for member in &workspace.members {
        let manifest = format!("{}/Cargo.toml", member.folder);
        if DRAWERS.contains(&member.name.trim_start_matches("rapport-")) {
            findings.push(Finding::new(RULE, &manifest, 0, format!("'{}' names a drawer, not a subject", member.name)));
        }
        if !is_outside(&member.name) && floor(&member.name).is_none() {
            let text = format!("'{}' stands on no floor; give it one in xtask/src/check/floors.rs", member.name);
            findings.push(Finding::new(RULE, &manifest, 0, text));
        }
        for dependency in member.dependencies.iter().filter(|dependency| members.contains_key(dependency.name.as_str()))
        {
            if let Some(text) = wrong_arrow(&member.name, dependency) {
                findings.push(Finding::new(RULE, &manifest, 0, text));
            }
        }
        let ships = |dependency: &&Dependency| dependency.kind != Kind::Dev;
        let outward = |dependency: &&Dependency| WAYS_OUT.contains(&dependency.name.as_str());
        for way in member.dependencies.iter().filter(ships).filter(outward).filter(|_| member.name != DOOR) {
            let text = format!("'{}' ships '{}'; other systems are asked through '{DOOR}'", member.name, way.name);
            findings.push(Finding::new(RULE, &manifest, 0, text));
        }
        if reaches_itself(member, &members) {
            let text = format!("'{}' reaches itself through dev-dependencies; move the test up", member.name);
            findings.push(Finding::new(RULE, &manifest, 0, text));
        }
    }
    findings
}

fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, floor)| *floor)
}

fn is_outside(name: &str) -> bool {
    name == TESTKIT || TOOLS.contains(&name)
}

/// Why this arrow may not be, if so.
fn wrong_arrow(from: &str, dependency: &Dependency) -> Option<String> {
    let to = dependency.name.as_str();
    if TOOLS.contains(&to) {
        return Some(format!("'{from}' uses the tool '{to}'; tools are used by nobody"));
    }
    if to == TESTKIT {
        let shipped = dependency.kind != Kind::Dev && !TOOLS.contains(&from);
        return shipped.then(|| format!("'{from}' ships '{TESTKIT}'; make it a dev-dependency"));
    }
    let (Some(above), Some(below)) = (floor(from), floor(to)) else { return None };
    if below < above {
        return None;
    }
    let advice = if below == above { "they meet through the floor below or in the binary" } else { "turn it round" };
    Some(format!("'{from}' (floor {above}) uses '{to}' (floor {below}); {advice}"))
}

/// Whether a walk along all dependencies, those of tests included, comes back. Cargo itself lets such a circle pass.
fn reaches_itself(member: &Member, members: &BTreeMap<&str, &Member>) -> bool {
    let mut seen = Vec::new();
    let mut next: Vec<&str> = member.dependencies.iter().map(|dependency| dependency.name.as_str()).collect();
    while let Some(name) = next.pop() {
        if name == member.name {
            return true;
        }
        let Some(reached) = members.get(name) else { continue };
        if !seen.contains(&name) {
            seen.push(name);
            next.extend(reached.dependencies.iter().map(|dependency| dependency.name.as_str()));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[(&str, Kind)]) -> Member {
        Member {
            name: name.to_owned(),
            folder: format!("crates/{name}"),
            dependencies: dependencies
                .iter()
                .map(|(name, kind)| Dependency { name: (*name).to_owned(), kind: *kind })
                .collect(),
        }
    }

    fn findings(members: Vec<Member>) -> Vec<String> {
        check(&Workspace { members, packages: Vec::new() }).into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn downward_arrows_and_testkit_in_tests_are_fine() {
        let found = findings(vec![
            member("rapport-types", &[]),
            member("rapport-testkit", &[("rapport-types", Kind::Normal)]),
            member("rapport-store", &[("rapport-types", Kind::Normal), ("rapport-testkit", Kind::Dev)]),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn upward_and_level_arrows_are_found_in_tests_too() {
        let found = findings(vec![
            member("rapport-types", &[]),
            member("rapport-profile", &[("rapport-decide", Kind::Normal)]),
            member("rapport-decide", &[]),
            member("rapport-engine", &[("rapport-server", Kind::Dev)]),
            member("rapport-server", &[]),
        ]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("'rapport-profile' (floor 2) uses 'rapport-decide'"), "{found:?}");
        assert!(found[1].contains("'rapport-engine' (floor 4) uses 'rapport-server'"), "{found:?}");
    }

    #[test]
    fn there_is_one_door_out() {
        let found = findings(vec![
            member("rapport-outbound", &[("rustls", Kind::Normal)]),
            member("rapport-server", &[("rapport-outbound", Kind::Normal), ("rustls", Kind::Dev)]),
            member("rapport-records", &[("reqwest", Kind::Normal)]),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("'rapport-records' ships 'reqwest'"), "{found:?}");
    }

    #[test]
    fn shipped_testkit_drawers_unknown_crates_and_circles_are_found() {
        let found = findings(vec![
            member("rapport-types", &[("rapport-testkit", Kind::Dev)]),
            member("rapport-testkit", &[("rapport-types", Kind::Normal)]),
            member("rapport-store", &[("rapport-testkit", Kind::Normal)]),
            member("rapport-common", &[]),
        ]);
        assert!(found.iter().any(|text| text.contains("ships 'rapport-testkit'")), "{found:?}");
        assert!(found.iter().any(|text| text.contains("drawer")), "{found:?}");
        assert!(found.iter().any(|text| text.contains("stands on no floor")), "{found:?}");
        assert!(found.iter().any(|text| text.contains("'rapport-types' reaches itself")), "{found:?}");
    }
}
