//! The mergeable state behind features: tiles, sessions, distinct sets and newest samples.
//!
//! A series is what several features over the same events share. Its state in a profile is a function of the *set* of
//! events it has seen: adding is commutative and associative, so a late event, a merge of two profiles and a replay in
//! another order of partitions all give the same bytes. That is why sums are integers (millionths) and not floats.
//!
//! Limits: a sum saturates at 9.2e12; a distinct set stops growing at [`crate::distinct::DISTINCT_MAX`]; a session that ended more than
//! [`SESSION_KEPT_MS`] before the newest one is forgotten, and so are tiles older than the longest window.

use rapport_types::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp, Value};
use serde::{Deserialize, Serialize};

use crate::distinct::Distinct;

/// How far behind the newest session an older one is kept for late events.
pub(crate) const SESSION_KEPT_MS: i64 = 7 * DAY_MS;
/// How many sessions are kept at most.
const SESSIONS_MAX: usize = 64;
/// A sum counts in millionths.
const MILLION: f64 = 1e6;

/// Which numbers a row of a series holds after its key; the count is always the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cells {
    pub(crate) sum: bool,
    pub(crate) min: bool,
    pub(crate) max: bool,
}

impl Cells {
    fn width(self) -> usize {
        1 + usize::from(self.sum) + usize::from(self.min) + usize::from(self.max)
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self { sum: self.sum || other.sum, min: self.min || other.min, max: self.max || other.max }
    }

    /// The cells of one value.
    fn of(self, number: f64) -> [i64; 4] {
        let mut cells = [1, 0, 0, 0];
        let mut at = 1;
        for (wanted, cell) in [(self.sum, millionths(number)), (self.min, ordered(number)), (self.max, ordered(number))]
        {
            if wanted {
                cells[at] = cell;
                at += 1;
            }
        }
        cells
    }

    fn add(self, into: &mut [i64], from: &[i64]) {
        into[0] = into[0].saturating_add(from[0]);
        let mut at = 1;
        if self.sum {
            into[at] = into[at].saturating_add(from[at]);
            at += 1;
        }
        if self.min {
            into[at] = into[at].min(from[at]);
            at += 1;
        }
        if self.max {
            into[at] = into[at].max(from[at]);
        }
    }

    /// The totals of `rows`, each one this wide.
    fn total<'a>(self, rows: impl Iterator<Item = &'a [i64]>) -> Totals {
        let mut sum: Option<[i64; 4]> = None;
        for row in rows {
            if let Some(total) = &mut sum {
                self.add(&mut total[..self.width()], row);
            } else {
                let mut first = [0; 4];
                first[..row.len()].copy_from_slice(row);
                sum = Some(first);
            }
        }
        sum.map_or(Totals::default(), |cells| self.read(&cells))
    }

    fn read(self, cells: &[i64]) -> Totals {
        let mut totals = Totals { count: cells[0], ..Totals::default() };
        let mut at = 1;
        if self.sum {
            totals.sum = cells[at] as f64 / MILLION;
            at += 1;
        }
        if self.min {
            totals.min = Some(from_ordered(cells[at]));
            at += 1;
        }
        if self.max {
            totals.max = Some(from_ordered(cells[at]));
        }
        totals
    }
}

/// What a window's rows add up to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Totals {
    pub(crate) count: i64,
    pub(crate) sum: f64,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
}

fn millionths(number: f64) -> i64 {
    // `as` saturates, which is the documented limit of a sum.
    (number * MILLION).round() as i64
}

/// The bits of a number in an order that integers compare alike.
fn ordered(number: f64) -> i64 {
    let bits = number.to_bits() as i64;
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

fn from_ordered(bits: i64) -> f64 {
    f64::from_bits((if bits < 0 { bits ^ i64::MAX } else { bits }) as u64)
}

/// How a series keeps its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// One row of cells over all time.
    Lifetime(Cells),
    /// Rows `[tile, cells..]`, the newest `retain` tiles.
    Tiles { tile_ms: i64, retain: i64, cells: Cells },
    /// Rows `[start, end, cells..]`.
    Sessions { gap_ms: i64, cells: Cells },
    /// Different values with the newest tile of each; over all time `tile_ms` is 0 and there are no tiles.
    Distinct { tile_ms: i64, retain: i64 },
    /// The newest `n` samples.
    Newest { n: u8 },
    /// The time of the first event.
    First,
}

/// The tile size for a window: the smallest of a few round ones that needs at most 64 tiles.
pub(crate) fn tile_ms(window_ms: i64) -> i64 {
    const SIZES: [i64; 16] = [
        SECOND_MS,
        5 * SECOND_MS,
        15 * SECOND_MS,
        MINUTE_MS,
        5 * MINUTE_MS,
        15 * MINUTE_MS,
        30 * MINUTE_MS,
        HOUR_MS,
        3 * HOUR_MS,
        6 * HOUR_MS,
        12 * HOUR_MS,
        DAY_MS,
        2 * DAY_MS,
        4 * DAY_MS,
        7 * DAY_MS,
        21 * DAY_MS,
    ];
    SIZES.into_iter().find(|size| size * 64 >= window_ms).unwrap_or(21 * DAY_MS)
}

/// One event's value in a [`Keeping::Newest`] series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) at: Timestamp,
    /// Part of the event's message key: orders events of one millisecond alike in every replay.
    pub(crate) tie: u64,
    pub(crate) value: Value,
}

/// The state of one series in one profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum SeriesState {
    Rows(Vec<i64>),
    Samples(Vec<Sample>),
    Values(Distinct),
}

impl SeriesState {
    pub(crate) fn empty(keeping: Keeping) -> Self {
        match keeping {
            Keeping::Newest { .. } => Self::Samples(Vec::new()),
            Keeping::Distinct { .. } => Self::Values(Distinct::default()),
            _ => Self::Rows(Vec::new()),
        }
    }

    /// Adds the number `number` of an event at `at`.
    pub(crate) fn add_number(&mut self, keeping: Keeping, at: Timestamp, number: f64) {
        let Self::Rows(rows) = self else { unreachable!("a series of numbers keeps rows") };
        match keeping {
            Keeping::Lifetime(cells) => add_row(rows, 0, cells, None, &cells.of(number)),
            Keeping::Tiles { tile_ms, retain, cells } => {
                let tile = at.0.div_euclid(tile_ms);
                let oldest =
                    newest_key(rows, 1 + cells.width()).map_or(i64::MIN, |newest| newest.saturating_sub(retain));
                if tile > oldest {
                    add_row(rows, 1, cells, Some(tile), &cells.of(number));
                    forget_tiles(rows, 1 + cells.width(), retain);
                }
            }
            Keeping::Sessions { gap_ms, cells } => {
                let row = cells.of(number);
                add_session(rows, gap_ms, cells, at.0, at.0, &row[..cells.width()]);
            }
            Keeping::Distinct { .. } | Keeping::Newest { .. } | Keeping::First => {
                unreachable!("this series does not keep numbers")
            }
        }
    }

    /// Adds the event at `at` to a [`Keeping::First`] series.
    pub(crate) fn add_first(&mut self, at: Timestamp) {
        let Self::Rows(rows) = self else { unreachable!("the first event is a row") };
        match rows.first_mut() {
            Some(first) => *first = (*first).min(at.0),
            None => rows.push(at.0),
        }
    }

    /// Adds a value, by its hash, to a [`Keeping::Distinct`] series.
    pub(crate) fn add_distinct(&mut self, tile_ms: i64, retain: i64, at: Timestamp, hash: u32) {
        let Self::Values(values) = self else { unreachable!("a distinct set is values") };
        values.add(hash, (tile_ms > 0).then(|| at.0.div_euclid(tile_ms)));
        values.forget(retain);
    }

    /// The state as this version keeps it, if an older one wrote it.
    pub(crate) fn renewed(self, keeping: Keeping) -> Self {
        match (self, keeping) {
            (Self::Rows(rows), Keeping::Distinct { tile_ms, .. }) => {
                Self::Values(Distinct::from_rows(&rows, tile_ms > 0))
            }
            (state, _) => state,
        }
    }

    /// Adds a sample to a [`Keeping::Newest`] series.
    pub(crate) fn add_sample(&mut self, n: u8, sample: Sample) {
        let Self::Samples(samples) = self else { unreachable!("the newest are samples") };
        let key = (sample.at, sample.tie);
        let place = samples.partition_point(|other| (other.at, other.tie) <= key);
        if place == 0 && samples.len() >= usize::from(n) {
            return;
        }
        samples.insert(place, sample);
        if samples.len() > usize::from(n) {
            samples.remove(0);
        }
    }

    /// Takes everything of `other` in.
    pub(crate) fn merge(&mut self, keeping: Keeping, other: Self) {
        match (self, other, keeping) {
            (Self::Samples(_), Self::Samples(_), Keeping::Newest { .. }) => unreachable!("samples merge one by one"),
            (Self::Rows(into), Self::Rows(from), Keeping::Lifetime(cells)) => {
                if !from.is_empty() {
                    add_row(into, 0, cells, None, &from);
                }
            }
            (Self::Rows(into), Self::Rows(from), Keeping::Tiles { retain, cells, .. }) => {
                let width = 1 + cells.width();
                for row in from.chunks_exact(width) {
                    add_row(into, 1, cells, Some(row[0]), &row[1..]);
                }
                forget_tiles(into, width, retain);
            }
            (Self::Rows(into), Self::Rows(from), Keeping::Sessions { gap_ms, cells }) => {
                for row in from.chunks_exact(2 + cells.width()) {
                    add_session(into, gap_ms, cells, row[0], row[1], &row[2..]);
                }
            }
            (Self::Values(into), Self::Values(from), Keeping::Distinct { retain, .. }) => {
                into.merge(&from);
                into.forget(retain);
            }
            (Self::Rows(into), Self::Rows(from), Keeping::First) => {
                into.extend(from);
                let first = into.iter().min().copied();
                into.clear();
                into.extend(first);
            }
            _ => unreachable!("both states are of one series"),
        }
    }

    /// What the window that ends at `at` holds; `window_ms` is none for all time.
    pub(crate) fn totals(&self, keeping: Keeping, window_ms: Option<i64>, at: Timestamp) -> Totals {
        let Self::Rows(rows) = self else { return Totals::default() };
        match keeping {
            Keeping::Lifetime(cells) if rows.is_empty() => cells.total(std::iter::empty()),
            Keeping::Lifetime(cells) => cells.read(rows),
            Keeping::Tiles { tile_ms, cells, .. } => {
                let beyond = window_ms.map_or(i64::MIN, |span| (at.0.saturating_sub(span)).div_euclid(tile_ms));
                let last = at.0.div_euclid(tile_ms);
                let inside = |row: &&[i64]| row[0] > beyond && row[0] <= last;
                cells.total(rows.chunks_exact(1 + cells.width()).filter(inside).map(|row| &row[1..]))
            }
            Keeping::Sessions { gap_ms, cells } => {
                let goes_on = |row: &&[i64]| row[0] <= at.0 && at.0 - row[1] <= gap_ms;
                cells.total(rows.rchunks_exact(2 + cells.width()).find(goes_on).map(|row| &row[2..]).into_iter())
            }
            Keeping::Distinct { .. } | Keeping::Newest { .. } | Keeping::First => Totals::default(),
        }
    }

    /// How many different values the window that ends at `at` holds.
    pub(crate) fn distinct(&self, tile_ms: i64, window_ms: Option<i64>, at: Timestamp) -> usize {
        let Self::Values(values) = self else { return 0 };
        match window_ms {
            None => values.len(),
            Some(span) => values.len_beyond((at.0.saturating_sub(span)).div_euclid(tile_ms)),
        }
    }

    /// The first instant after `at` at which the window loses something by time alone.
    pub(crate) fn next_loss(&self, keeping: Keeping, window_ms: Option<i64>, at: Timestamp) -> Option<Timestamp> {
        let leaves = |tile: i64, tile_ms: i64| Some(tile.saturating_mul(tile_ms).saturating_add(window_ms?));
        let later = |instant: &i64| *instant > at.0;
        if let (Self::Values(values), Keeping::Distinct { tile_ms, .. }) = (self, keeping) {
            return values.next_loss(at, |tile| leaves(tile, tile_ms)).map(Timestamp);
        }
        let Self::Rows(rows) = self else { return None };
        let next = match keeping {
            Keeping::Tiles { tile_ms, cells, .. } => {
                rows.chunks_exact(1 + cells.width()).filter_map(|row| leaves(row[0], tile_ms)).find(later)
            }
            Keeping::Sessions { gap_ms, cells } => {
                rows.rchunks_exact(2 + cells.width()).next().map(|row| row[1] + gap_ms + 1).filter(later)
            }
            Keeping::Lifetime(_) | Keeping::Distinct { .. } | Keeping::Newest { .. } | Keeping::First => None,
        };
        next.map(Timestamp)
    }

    /// The newest samples, oldest first.
    pub(crate) fn samples(&self) -> &[Sample] {
        if let Self::Samples(samples) = self { samples } else { &[] }
    }

    /// The time of the first event.
    pub(crate) fn first(&self) -> Option<Timestamp> {
        if let Self::Rows(rows) = self { rows.first().copied().map(Timestamp) } else { None }
    }

    /// Gives back spare memory.
    pub(crate) fn shrink(&mut self) {
        match self {
            Self::Rows(rows) => rows.shrink_to_fit(),
            Self::Samples(samples) => samples.shrink_to_fit(),
            Self::Values(values) => values.shrink(),
        }
    }
}

fn newest_key(rows: &[i64], width: usize) -> Option<i64> {
    rows.len().checked_sub(width).map(|at| rows[at])
}

/// Adds `cells` to the row of `key` among rows of `keys` keys each, sorted by the first.
fn add_row(rows: &mut Vec<i64>, keys: usize, cells: Cells, key: Option<i64>, values: &[i64]) {
    let width = keys + cells.width();
    let values = &values[..cells.width()];
    let Some(key) = key else {
        if rows.is_empty() {
            rows.extend_from_slice(values);
        } else {
            cells.add(rows, values);
        }
        return;
    };
    // Events mostly come in order, so the search begins at the end.
    let mut place = rows.len();
    while place > 0 && rows[place - width] > key {
        place -= width;
    }
    if place > 0 && rows[place - width] == key {
        cells.add(&mut rows[place - width + keys..place], values);
    } else {
        rows.splice(place..place, std::iter::once(key).chain(values.iter().copied()));
    }
}

fn forget_tiles(rows: &mut Vec<i64>, width: usize, retain: i64) {
    let Some(newest) = newest_key(rows, width) else { return };
    let old = rows.chunks_exact(width).take_while(|row| row[0] <= newest.saturating_sub(retain)).count();
    if old > 0 {
        rows.drain(..old * width);
    }
}

/// Adds a session, joining it with every kept one that is less than the gap away.
fn add_session(rows: &mut Vec<i64>, gap_ms: i64, cells: Cells, mut start: i64, mut end: i64, values: &[i64]) {
    let width = 2 + cells.width();
    let newest_end = newest_key(rows, width).map_or(i64::MIN, |_| rows[rows.len() - width + 1]);
    if end < newest_end.saturating_sub(SESSION_KEPT_MS) {
        return;
    }
    let mut total = [0; 4];
    total[..values.len()].copy_from_slice(values);
    let mut place = rows.len();
    while place > 0 && rows[place - width] > end.saturating_add(gap_ms) {
        place -= width;
    }
    // Rows before `place` may touch the new session; they are disjoint and sorted, so the touching ones are neighbours.
    while place > 0 && rows[place - width + 1].saturating_add(gap_ms) >= start {
        let row = place - width..place;
        start = start.min(rows[row.start]);
        end = end.max(rows[row.start + 1]);
        cells.add(&mut total[..cells.width()], &rows[row.start + 2..row.end]);
        rows.drain(row.clone());
        place = row.start;
    }
    rows.splice(place..place, [start, end].into_iter().chain(total[..cells.width()].iter().copied()));
    let newest_end = rows[rows.len() - width + 1];
    let kept_from = newest_end.saturating_sub(SESSION_KEPT_MS);
    let old = rows.chunks_exact(width).take_while(|row| row[1] < kept_from).count();
    let over = (rows.len() / width).saturating_sub(SESSIONS_MAX);
    rows.drain(..old.max(over) * width);
}
