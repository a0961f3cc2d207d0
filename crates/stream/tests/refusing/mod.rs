//! A kernel that refuses calls: for tests of what keeps data, run again in a child process because it cannot be taken back.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Names the folder to the child, and so makes a test the child.
const FOLDER: &str = "RAPPORT_TEST_DISK_FOLDER";

/// From now on the kernel answers these calls with an error in every thread of this process; it cannot be taken back.
/// Standard output and error stay.
pub(crate) fn refuse(calls: &[i64], error: i32) {
    let file = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Gt, 2).unwrap();
    let rule = SeccompRule::new(vec![file]).unwrap();
    let rules: BTreeMap<_, _> = calls.iter().map(|call| (*call, vec![rule.clone()])).collect();
    let refuse = SeccompAction::Errno(error as u32);
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let program: BpfProgram =
        SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).unwrap().try_into().unwrap();
    seccompiler::apply_filter_all_threads(&program).unwrap();
}

/// Runs `child` in a process of its own, which is this test again; the folder that it left.
pub(crate) fn in_a_child(test: &str, child: impl FnOnce(&Path)) -> Option<tempfile::TempDir> {
    if let Some(folder) = std::env::var_os(FOLDER) {
        child(&PathBuf::from(folder));
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    Some(folder)
}
