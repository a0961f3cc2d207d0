//! Columns that know the outcome.
//!
//! A column that was filled in after the outcome makes a model that is brilliant in the test and useless in service (Kaufman,
//! Rosset, Perlich, Leakage in data mining, 2012). No computation can prove that: it sees that a column is stronger than is
//! believable, and a person knows when it is filled in. So this warns, says why, and leaves nothing out; the caller trains
//! with and without.
//!
//! Each column is tried alone: its values make groups, and each row is given the rate of its group among the rows of other
//! folds, so a column of many names does not shine by heart. Sentences are only tried by whether they are there.

mod groups;
mod report;
mod strength;

use std::{collections::BTreeSet, ops::ControlFlow};

pub use report::{LeakReason, LeakReport, LeakWarning, Strength};

use crate::frame::{Frame, Meaning, name_words};
use crate::{MlError, Task};
use groups::{Groups, by_order, by_presence, by_value};
use strength::{Outcome, Rates};

/// A column alone that reaches this nearly determines the outcome: twice the area under the ROC curve less one (0.95), or the
/// share of variance that it explains.
const DETERMINES: f64 = 0.9;
/// The same for being the outcome in other words.
const COPY: f64 = 0.995;
/// A column this strong is suspicious if it is stronger by [`DOMINANCE`] than all others together.
const STRONG: f64 = 0.5;
const DOMINANCE: f64 = 1.2;
/// With fewer other columns, there is nothing to compare with.
const OTHERS_LEAST: usize = 3;
/// Whether a value is there tells this much: suspicious; and less if one side has hardly any outcome or nothing else.
const PRESENCE: f64 = 0.5;
const PRESENCE_PURE: f64 = 0.15;
/// With a name that speaks of the outcome, this much is suspicious.
const NAMED: f64 = 0.5;
/// With the target's own name in it, this.
const NAMED_AS_TARGET: f64 = 0.2;
/// If the order of the rows tells this much, ids and row numbers are a leak.
const ORDER: f64 = 0.5;
/// Parts of the outcome that together have this share of it.
const PARTS: f64 = 0.9;

/// Words in names of columns that are filled in at or after an outcome.
const TELLING: &[&str] = &[
    "outcome",
    "result",
    "closed",
    "close",
    "resolved",
    "resolution",
    "cancelled",
    "canceled",
    "cancellation",
    "duration",
    "ended",
    "end",
    "reason",
    "label",
    "target",
    "predicted",
    "prediction",
    "converted",
    "conversion",
    "refund",
    "refunded",
    "final",
    "结果",
    "结束",
    "关闭",
    "原因",
    "时长",
    "取消",
    "退款",
];

/// Tries every column alone. `frame` is without the target; `target` has an entry for each of `rows`. Rows should be those
/// of the training. `progress` is told the share of the columns that were tried, from 0 to 1, before each and at the end, and
/// ends the work by [`ControlFlow::Break`].
///
/// # Errors
///
/// [`MlError::Stopped`] if `progress` ended it, [`MlError::Shape`] if rows and targets do not fit together.
pub fn find_leaks(
    frame: &Frame,
    rows: &[usize],
    target: &[f64],
    task: Task,
    target_name: &str,
    seed: u64,
    progress: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<LeakReport, MlError> {
    if rows.len() != target.len() {
        return Err(MlError::Shape(format!("{} rows, {} targets", rows.len(), target.len())));
    }
    let outcome = Outcome::new(target, task, seed);
    let mut tell = |tried: usize| match progress(tried as f64 / frame.columns().len().max(1) as f64) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(MlError::Stopped),
    };
    let mut tried: Vec<Tried<'_>> = Vec::with_capacity(frame.columns().len());
    for column in frame.columns() {
        tell(tried.len())?;
        tried.push(Tried::new(column, rows, &outcome));
    }
    tell(tried.len())?;
    let mut warnings: Vec<Option<LeakWarning>> = tried.iter().map(|tried| tried.alone(target_name)).collect();
    parts_of_outcome(&tried, &outcome, &mut warnings);
    dominating(&tried, &outcome, &mut warnings);
    let columns = tried.iter().map(|tried| Strength {
        column: tried.name.to_owned(),
        alone: tried.rates.strength,
        presence: tried.presence.as_ref().map_or(0.0, |presence| presence.strength),
    });
    let columns = columns.collect();
    let mut warnings: Vec<LeakWarning> = warnings.into_iter().flatten().collect();
    warnings.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    Ok(LeakReport { columns, warnings })
}

/// A column and what it tells alone.
struct Tried<'a> {
    name: &'a str,
    meaning: Meaning,
    groups: Groups,
    rates: Rates,
    /// Whether a value is there, if that differs between rows.
    presence: Option<Rates>,
}

impl<'a> Tried<'a> {
    fn new(column: &'a crate::frame::Column, rows: &[usize], outcome: &Outcome<'_>) -> Self {
        let groups = match column.meaning {
            Meaning::Identifier => by_order(column, rows),
            Meaning::Text => by_presence(column, rows).unwrap_or_else(|| Groups::one(rows.len())),
            _ => by_value(column, rows),
        };
        let rates = outcome.rates(&groups);
        let presence = by_presence(column, rows).map(|groups| outcome.rates(&groups));
        Self { name: &column.name, meaning: column.meaning, groups, rates, presence }
    }

    /// What is suspicious in it without looking at other columns.
    fn alone(&self, target_name: &str) -> Option<LeakWarning> {
        let strength = self.rates.strength;
        let warn = |reason, strength| Some(LeakWarning { column: self.name.to_owned(), reason, strength });
        if self.meaning == Meaning::Identifier {
            return if strength >= ORDER { warn(LeakReason::Order, strength) } else { None };
        }
        if let Some(presence) = &self.presence {
            let tells = presence.strength >= PRESENCE || presence.strength >= PRESENCE_PURE && presence.one_sided;
            if tells && presence.strength >= 0.8 * strength {
                return warn(LeakReason::Presence, presence.strength);
            }
        }
        if strength >= COPY {
            return warn(LeakReason::Copy, strength);
        }
        if strength >= DETERMINES {
            return warn(LeakReason::Determines, strength);
        }
        if let Some(share) = self.rates.pure_share {
            return warn(LeakReason::Certain { share }, strength);
        }
        let words = name_words(self.name);
        let target_words = name_words(target_name);
        let has_target = !target_words.is_empty() && words.windows(target_words.len()).any(|run| run == target_words);
        if has_target && strength >= NAMED_AS_TARGET {
            return warn(LeakReason::Name { word: target_name.to_owned() }, strength);
        }
        let telling = TELLING.iter().find(|telling| {
            words.iter().any(|word| word == *telling) || (!telling.is_ascii() && self.name.contains(**telling))
        });
        match telling {
            Some(word) if strength >= NAMED => warn(LeakReason::Name { word: (*word).to_owned() }, strength),
            _ => None,
        }
    }
}

/// Columns each of which is certain of a part of the outcome, and which together are nearly all of it: kinds of failure
/// beside a failure.
fn parts_of_outcome(tried: &[Tried<'_>], outcome: &Outcome<'_>, warnings: &mut [Option<LeakWarning>]) {
    let parts: Vec<usize> = (0..tried.len())
        .filter(|place| matches!(&warnings[*place], Some(LeakWarning { reason: LeakReason::Certain { .. }, .. })))
        .collect();
    let any: Vec<bool> = (0..outcome.rows())
        .map(|row| parts.iter().any(|place| tried[*place].rates.is_pure(&tried[*place].groups, row)))
        .collect();
    if parts.len() < 2 || outcome.share_within(&any) < PARTS {
        return;
    }
    let names: BTreeSet<&str> = parts.iter().map(|place| tried[*place].name).collect();
    for place in parts {
        if let Some(warning) = &mut warnings[place] {
            let others = names.iter().filter(|name| **name != warning.column).map(|name| (*name).to_owned()).collect();
            warning.reason = LeakReason::Part { others };
        }
    }
}

/// A column that is stronger than all those together that nothing was said of. It is the weightier reason for a column of
/// which a small part is certain.
fn dominating(tried: &[Tried<'_>], outcome: &Outcome<'_>, warnings: &mut [Option<LeakWarning>]) {
    let clean = |place: &usize| warnings[*place].is_none() && tried[*place].meaning != Meaning::Identifier;
    let certain =
        |place: &usize| matches!(&warnings[*place], Some(LeakWarning { reason: LeakReason::Certain { .. }, .. }));
    let candidates = (0..tried.len()).filter(|place| clean(place) || certain(place));
    let strongest = candidates.max_by(|a, b| tried[*a].rates.strength.total_cmp(&tried[*b].rates.strength));
    let Some(strongest) = strongest else { return };
    let strength = tried[strongest].rates.strength;
    let others: Vec<&Rates> =
        (0..tried.len()).filter(|place| clean(place) && *place != strongest).map(|place| &tried[place].rates).collect();
    if others.len() < OTHERS_LEAST || strength < STRONG {
        return;
    }
    let together = outcome.together(&others);
    if strength >= DOMINANCE * together {
        let column = tried[strongest].name.to_owned();
        warnings[strongest] = Some(LeakWarning { column, reason: LeakReason::Dominates { together }, strength });
    }
}
