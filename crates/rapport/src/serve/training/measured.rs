//! The newest measurement of each score, shared by whoever asks for it within a minute.
//!
//! A measurement replays the log. Invariant: one runs at a time; who asks meanwhile waits a little and shares what it finds.

use std::{collections::BTreeMap, time::Duration as Span};

use parking_lot::Mutex;
use rapport_server::{api::Monitoring, ports::Refusal};
use rapport_types::{Duration, Timestamp};

/// So long a measurement is not made again.
const FRESH: Duration = Duration(60_000);
/// So long the next caller waits for the one before.
const PATIENCE: Span = Span::from_secs(5);

/// What a measurement is of: the version of the definitions, the champion and the challenger.
pub(super) type Subject = (u32, Option<u32>, Option<u32>);

#[derive(Debug)]
struct Measurement {
    of: Subject,
    at: Timestamp,
    found: Monitoring,
}

/// All scores' newest measurements.
#[derive(Debug)]
pub(in crate::serve) struct Measurements {
    /// Locked as long as a measurement runs.
    newest: Mutex<BTreeMap<Box<str>, Measurement>>,
    patience: Span,
}

impl Default for Measurements {
    fn default() -> Self {
        Self { newest: Mutex::default(), patience: PATIENCE }
    }
}

impl Measurements {
    /// A score's newest measurement, made by `measure` if there is no fresh one of the same subject.
    pub(super) fn fresh(
        &self,
        score: &str,
        of: Subject,
        clock: impl Fn() -> Timestamp,
        measure: impl FnOnce() -> Result<Monitoring, Refusal>,
    ) -> Result<Monitoring, Refusal> {
        let busy = || Refusal::Unavailable("another measurement is under way; try again in a moment".to_owned());
        let mut newest = self.newest.try_lock_for(self.patience).ok_or_else(busy)?;
        if let Some(known) = newest.get(score)
            && known.of == of
            && (0..FRESH.0).contains(&clock().since(known.at).0)
        {
            return Ok(known.found.clone());
        }
        let found = measure()?;
        newest.insert(score.into(), Measurement { of, at: clock(), found: found.clone() });
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: Subject = (1, Some(1), None);

    fn found(until: i64) -> Monitoring {
        let until = Some(Timestamp(until));
        Monitoring { score: "s".to_owned(), until, champion: None, challenger: None, comparison: None }
    }

    #[test]
    fn a_measurement_is_shared_for_a_minute_as_long_as_it_is_of_the_same_models() {
        let measurements = Measurements::default();
        let ask = |score: &str, of, now, until| {
            measurements.fresh(score, of, || Timestamp(now), || Ok(found(until))).unwrap().until.unwrap().0
        };
        assert_eq!(ask("s", OF, 1_000, 1), 1);
        assert_eq!(ask("s", OF, 60_999, 2), 1);
        assert_eq!(ask("t", OF, 1_000, 3), 3, "another score");
        assert_eq!(ask("s", OF, 61_000, 4), 4, "a minute later");
        assert_eq!(ask("s", (1, Some(2), None), 61_000, 5), 5, "another champion");
        assert_eq!(ask("s", (1, Some(2), None), 60_000, 6), 6, "the clock was set back");
    }

    #[test]
    fn what_failed_is_measured_again() {
        let measurements = Measurements::default();
        let failed = || Err(Refusal::NotFound("gone".to_owned()));
        assert!(measurements.fresh("s", OF, || Timestamp(0), failed).is_err());
        assert_eq!(measurements.fresh("s", OF, || Timestamp(0), || Ok(found(1))), Ok(found(1)));
    }

    #[test]
    fn one_measurement_runs_at_a_time() {
        let measurements = Measurements { patience: Span::ZERO, ..Measurements::default() };
        let second = || {
            let refused = measurements.fresh("t", OF, || Timestamp(0), || Ok(found(2)));
            assert!(matches!(refused, Err(Refusal::Unavailable(_))), "{refused:?}");
            Ok(found(1))
        };
        assert_eq!(measurements.fresh("s", OF, || Timestamp(0), second), Ok(found(1)));
    }
}
