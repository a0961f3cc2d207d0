//! How often somebody may try to sign in: by e-mail address and by network address.
//!
//! Tries are counted before they are decided, so that many at once are no way around. The counts are those of this process.
//! Limits: [`TRIES`] failures in [`WINDOW_MS`]; [`COUNTED`] addresses, of which the oldest is forgotten first.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use rapport_types::{MINUTE_MS, Timestamp};

/// Failures after which one waits.
pub(super) const TRIES: u32 = 10;
/// In which time, from the first.
const WINDOW_MS: i64 = 15 * MINUTE_MS;
/// How many addresses are counted.
const COUNTED: usize = 20_000;

/// Counts of tries.
#[derive(Debug, Default)]
pub(super) struct Guard(Mutex<BTreeMap<String, Count>>);

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Timestamp,
    tries: u32,
}

/// A try that was counted.
#[derive(Debug)]
#[must_use]
pub(super) struct Try {
    names: Vec<String>,
}

impl Try {
    /// Somebody who tries an e-mail address from a network address.
    pub(super) fn new(email: &str, address: Option<&str>) -> Self {
        let names = [Some(format!("email {email}")), address.map(|address| format!("from {address}"))];
        Self { names: names.into_iter().flatten().collect() }
    }

    /// Somebody of whom only the network address is known yet.
    pub(super) fn of_address(address: Option<&str>) -> Self {
        Self { names: address.map(|address| format!("from {address}")).into_iter().collect() }
    }
}

impl Guard {
    /// Counts a try; if there were too many, how many seconds to wait.
    pub(super) fn count(&self, attempt: &Try, now: Timestamp) -> Result<(), u64> {
        let mut counts = self.0.lock();
        let waits = attempt.names.iter().filter_map(|name| {
            let count = counts.get(name).filter(|count| count.is_of(now))?;
            (count.tries >= TRIES).then(|| (count.since.0 + WINDOW_MS - now.0).unsigned_abs().div_ceil(1000))
        });
        if let Some(wait) = waits.max() {
            return Err(wait);
        }
        for name in &attempt.names {
            if !counts.contains_key(name) && counts.len() >= COUNTED {
                make_room(&mut counts, now);
            }
            let count = counts.entry(name.clone()).or_insert(Count { since: now, tries: 0 });
            if !count.is_of(now) {
                *count = Count { since: now, tries: 0 };
            }
            count.tries += 1;
        }
        Ok(())
    }

    /// Takes a try back that was no failure.
    pub(super) fn take_back(&self, attempt: &Try) {
        let mut counts = self.0.lock();
        for name in &attempt.names {
            if let Some(count) = counts.get_mut(name) {
                count.tries = count.tries.saturating_sub(1);
            }
        }
    }

    /// Forgets the failures of an e-mail address whose owner has signed in. Those of a network address stay: who has one
    /// account must not be free to guess at others.
    pub(super) fn succeed(&self, attempt: &Try) {
        self.take_back(attempt);
        if let Some(email) = attempt.names.first() {
            self.0.lock().remove(email);
        }
    }
}

impl Count {
    fn is_of(&self, now: Timestamp) -> bool {
        now.0 - self.since.0 < WINDOW_MS
    }
}

fn make_room(counts: &mut BTreeMap<String, Count>, now: Timestamp) {
    counts.retain(|_, count| count.is_of(now) && count.tries > 0);
    if counts.len() >= COUNTED
        && let Some(oldest) = counts.iter().min_by_key(|(_, count)| count.since).map(|(name, _)| name.clone())
    {
        counts.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_failures_wait_and_no_longer_than_the_window() {
        let guard = Guard::default();
        let attempt = Try::new("ann@example.com", Some("192.0.2.1"));
        for _ in 0..TRIES {
            guard.count(&attempt, Timestamp(0)).unwrap();
        }
        assert_eq!(guard.count(&attempt, Timestamp(1_000)), Err(15 * 60 - 1));
        let elsewhere = Try::new("ann@example.com", Some("192.0.2.2"));
        assert!(guard.count(&elsewhere, Timestamp(1_000)).is_err(), "another address, the same account");
        let other = Try::new("bob@example.com", Some("192.0.2.1"));
        assert!(guard.count(&other, Timestamp(1_000)).is_err(), "another account, the same address");
        guard.count(&attempt, Timestamp(WINDOW_MS)).unwrap();
    }

    #[test]
    fn a_success_is_no_failure_and_clears_the_account_only() {
        let guard = Guard::default();
        let attempt = |email| Try::new(email, Some("192.0.2.1"));
        for _ in 0..5 {
            guard.count(&attempt("ann"), Timestamp(0)).unwrap();
        }
        for _ in 0..100 {
            guard.count(&attempt("bob"), Timestamp(0)).unwrap();
            guard.succeed(&attempt("bob"));
        }
        guard.count(&attempt("ann"), Timestamp(0)).unwrap();
        guard.succeed(&attempt("ann"));
        for _ in 0..5 {
            guard.count(&attempt("ann"), Timestamp(0)).unwrap();
        }
        assert!(guard.count(&attempt("ann"), Timestamp(0)).is_err(), "the address has failed ten times");
    }

    #[test]
    fn the_counts_are_bounded() {
        let guard = Guard::default();
        for number in 0..=COUNTED as i64 {
            guard.count(&Try::new(&number.to_string(), None), Timestamp(number)).unwrap();
        }
        let counts = guard.0.lock();
        assert_eq!(counts.len(), COUNTED);
        assert!(!counts.contains_key("email 0") && counts.contains_key("email 1"));
    }
}
