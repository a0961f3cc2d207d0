//! Labelled moments of a customer whose outcome is not known yet, each with what a model that learns in service will learn from
//! it then. Kept in the profile, because they go where the customer goes; what they mean is the business of `decide`.

use rapport_types::Timestamp;
use serde::{Deserialize, Serialize};

/// How many moments of a customer one model waits for; more are passed over, and counted by the model.
pub const AWAITED_MAX: usize = 16;

/// A moment as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AwaitedMoment {
    /// The last instant at which its outcome counts.
    pub until: Timestamp,
    /// The values of the model's inputs at the moment; NaN where missing.
    pub row: Box<[f64]>,
    /// The probability that the model told then.
    pub said: f64,
    /// The probability that the model as it was registered would have told.
    pub as_registered: f64,
}

/// The moments that one model waits for, and since when it learns: what it waited for before it was out of service is void.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Awaited {
    /// The score.
    pub score: Box<str>,
    /// The model's version.
    pub version: u32,
    /// Since when it learns.
    pub since: Timestamp,
    /// The day of the newest moment, in days since 1970; where one moment a day counts.
    pub day: Option<i64>,
    /// In the order in which their time ends, as far as moments of one instant have one.
    pub moments: Vec<AwaitedMoment>,
}

impl Awaited {
    /// Whether it belongs to the same model in the same service.
    pub fn is_of(&self, score: &str, version: u32, since: Timestamp) -> bool {
        self.version == version && self.since == since && *self.score == *score
    }

    /// The first instant at which a moment's time is over.
    pub fn due(&self) -> Option<Timestamp> {
        self.moments.iter().map(|moment| moment.until).min().map(|until| Timestamp(until.0.saturating_add(1)))
    }

    /// Takes in what was awaited of a profile that became this one.
    fn merge(&mut self, other: Self) {
        self.day = self.day.max(other.day);
        self.moments.extend(other.moments);
        self.moments.sort_by_key(|moment| moment.until);
    }
}

/// Takes in all that was awaited of a profile that became this one. More than [`AWAITED_MAX`] moments may then be awaited.
pub(crate) fn merge(into: &mut Vec<Awaited>, from: Vec<Awaited>) {
    for other in from {
        match into.iter_mut().find(|known| known.is_of(&other.score, other.version, other.since)) {
            Some(known) => known.merge(other),
            None => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_profiles_await_of_one_model_is_awaited_together() {
        let moment =
            |until| AwaitedMoment { until: Timestamp(until), row: [1.0].into(), said: 0.5, as_registered: 0.5 };
        let of = |version, since, day, ends: &[i64]| Awaited {
            score: "s".into(),
            version,
            since: Timestamp(since),
            day,
            moments: ends.iter().map(|until| moment(*until)).collect(),
        };
        let mut known = vec![of(1, 0, Some(3), &[5, 9])];
        merge(&mut known, vec![of(1, 0, Some(2), &[7]), of(1, 8, None, &[6]), of(2, 0, None, &[])]);
        assert_eq!(known, [of(1, 0, Some(3), &[5, 7, 9]), of(1, 8, None, &[6]), of(2, 0, None, &[])]);
        let due: Vec<Option<i64>> = known.iter().map(|awaited| awaited.due().map(|due| due.0)).collect();
        assert_eq!(due, [Some(6), Some(7), None], "a millisecond after the last that counts");
    }
}
