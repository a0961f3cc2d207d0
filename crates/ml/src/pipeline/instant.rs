//! Instants as numbers: how long before the end of the training, and where in the year, the week and the day.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::Coding;
use super::number::Standard;
use crate::MlError;
use crate::frame::{DAY, civil};

/// What was learnt of a column of instants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Instants {
    coding: Coding,
    /// The last instant of the training rows.
    end: i64,
    /// Whether instants have a time of day.
    clock: bool,
    days: Standard,
}

impl Instants {
    /// From the instants that are there, and whether others are missing.
    pub(super) fn fit(coding: Coding, times: &[i64], missing: bool) -> Self {
        let end = times.iter().copied().max().unwrap_or(0);
        let clock = times.iter().any(|time| time.rem_euclid(DAY) != 0);
        let days: Vec<f64> = times.iter().map(|time| (time - end) as f64 / DAY as f64).collect();
        Self { coding, end, clock, days: Standard::fit(&days, missing) }
    }

    /// Refuses what makes no numbers.
    pub(super) fn check(&self) -> Result<(), MlError> {
        self.days.check()
    }

    /// The names of the outputs' parts.
    pub(super) fn parts(&self) -> Vec<&'static str> {
        match self.coding {
            Coding::Tree => {
                let parts = ["days", "year", "month", "weekday"];
                parts.into_iter().chain(self.clock.then_some("hour")).collect()
            }
            Coding::Linear => {
                let cycles = ["days", "month sine", "month cosine", "weekday sine", "weekday cosine"];
                let day = ["hour sine", "hour cosine"].into_iter().filter(|_| self.clock);
                cycles.into_iter().chain(day).chain(self.days.indicator.then_some("missing")).collect()
            }
        }
    }

    pub(super) fn code(&self, time: Option<i64>, put: &mut dyn FnMut(usize, f64)) {
        let days = time.map(|time| time.saturating_sub(self.end) as f64 / DAY as f64);
        match (self.coding, time.map(civil), days) {
            (Coding::Tree, Some(civil), Some(days)) => {
                put(0, days);
                put(1, civil.year as f64);
                put(2, f64::from(civil.month));
                put(3, f64::from(civil.weekday));
                if self.clock {
                    put(4, f64::from(civil.hour));
                }
            }
            (Coding::Linear, Some(civil), Some(days)) => {
                put(0, self.days.value(days));
                let cycles = [(civil.month - 1, 12.0), (civil.weekday, 7.0), (civil.hour, 24.0)];
                for (place, (part, length)) in cycles.into_iter().take(if self.clock { 3 } else { 2 }).enumerate() {
                    let (sine, cosine) = (TAU * f64::from(part) / length).sin_cos();
                    put(1 + 2 * place, sine);
                    put(2 + 2 * place, cosine);
                }
            }
            (Coding::Tree, ..) => (0..4 + usize::from(self.clock)).for_each(|place| put(place, f64::NAN)),
            (Coding::Linear, ..) => {
                if self.days.indicator {
                    put(if self.clock { 7 } else { 5 }, 1.0);
                }
            }
        }
    }
}
