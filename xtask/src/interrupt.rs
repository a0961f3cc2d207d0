//! Ctrl-C and SIGTERM: every program that runs is told to stop, and no new one is started. The chore then ends by itself,
//! through the same paths as any failure, so that what is dropped is cleaned up.
//!
//! Each program runs in a process group of its own, so that its children are told too and so that the terminal's Ctrl-C
//! reaches them from here only, once.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::Failure;

/// What runs, by process group, and whether we were told to stop.
struct State {
    stopped: bool,
    groups: Vec<u32>,
}

static STATE: Mutex<State> = Mutex::new(State { stopped: false, groups: Vec::new() });

fn state() -> MutexGuard<'static, State> {
    // The state is whole after every statement that holds the lock, so a panic elsewhere does not spoil it.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to listen for both signals.
pub(crate) fn watch() -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            let mut state = state();
            state.stopped = true;
            for group in &state.groups {
                signal("TERM", *group);
            }
        }
    });
    Ok(())
}

/// Whether we were told to stop.
pub(crate) fn is_stopped() -> bool {
    state().stopped
}

/// Starts a program in a group of its own; an error once we were told to stop.
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut state = state();
    if state.stopped {
        return Err(io::Error::new(io::ErrorKind::Interrupted, "told to stop"));
    }
    let child = command.process_group(0).spawn()?;
    state.groups.push(child.id());
    Ok(child)
}

/// Notes that the program that leads this group has ended.
pub(crate) fn ended(group: u32) {
    state().groups.retain(|running| *running != group);
}

/// Sends a signal to a group by the shell's own `kill`: the standard library can only send SIGKILL, and unsafe code is
/// forbidden. A group that is gone is no error: it has what the signal asks for.
pub(crate) fn signal(name: &str, group: u32) {
    drop(Command::new("sh").arg("-c").arg(format!("kill -s {name} -- -{group} 2>/dev/null")).status());
}
