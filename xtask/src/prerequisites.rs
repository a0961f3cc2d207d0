//! What a machine must have before anything else: git, a C compiler, Rust and, for the pages, Node with npm.
//!
//! One clear line tells what is missing and how it is installed. Nothing is installed here.

use crate::failure::Failure;
use crate::process::Run;

/// The oldest Node that builds the pages.
const NODE_MAJOR_MIN: u32 = 20;

/// Which chores are planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Rust alone.
    Rust,
    /// The pages too.
    Pages,
}

/// An error that names everything that is missing, in one line.
pub(crate) fn check(need: Need) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for (program, package) in [("git", "apt-get install git"), ("cc", "apt-get install build-essential")] {
        if !is_there(program) {
            missing.push(format!("{program} ({package})"));
        }
    }
    if need == Need::Pages {
        let node = Run::new("node").args(["--version"]).capture().map(|output| output.stdout).unwrap_or_default();
        if let Some(what) = lacking_node(&node) {
            missing.push(what);
        }
        if !is_there("npm") {
            missing.push("npm (apt-get install npm)".to_owned());
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("missing on this machine: {}", missing.join(", "))))
}

fn is_there(program: &str) -> bool {
    Run::new(program).args(["--version"]).capture().is_ok()
}

/// What to say when `node --version` printed this.
fn lacking_node(printed: &str) -> Option<String> {
    let major =
        printed.trim().strip_prefix('v').and_then(|rest| rest.split('.').next()).and_then(|major| major.parse().ok());
    match major {
        Some(major) if NODE_MAJOR_MIN <= major => None,
        Some::<u32>(_) => Some(format!("node {NODE_MAJOR_MIN} or newer ({} is too old)", printed.trim())),
        None => Some(format!("node {NODE_MAJOR_MIN} or newer (apt-get install nodejs, where it is new enough)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_is_judged_by_its_major() {
        assert_eq!(lacking_node("v20.20.2\n"), None);
        assert_eq!(lacking_node("v22.0.0\n"), None);
        assert!(lacking_node("v18.19.0\n").unwrap().contains("too old"));
        assert!(lacking_node("").unwrap().contains("apt-get install nodejs"));
    }
}
