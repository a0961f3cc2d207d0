//! Rows of a column by what they have in common.

use std::collections::BTreeMap;

use crate::frame::{Cell, Cells, Column};

/// Numbers are cut into so many groups of about one size; equal numbers stay together.
const CUTS: usize = 50;

/// But a group has about so many rows at least.
const ROWS_LEAST: usize = 30;

/// The group of each row.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    pub(super) of: Vec<u32>,
    pub(super) count: usize,
}

impl Groups {
    /// All rows alike.
    pub(super) fn one(rows: usize) -> Self {
        Self { of: vec![0; rows], count: 1 }
    }
}

/// Rows with the same category, or with numbers near one another; rows without a value are a group.
pub(super) fn by_value(column: &Column, rows: &[usize]) -> Groups {
    match &column.cells {
        Cells::Text(texts) => {
            let mut names: BTreeMap<&str, u32> = BTreeMap::new();
            let mut of = Vec::with_capacity(rows.len());
            for row in rows {
                let next = names.len() as u32 + 1;
                of.push(texts.get(*row).map_or(0, |name| *names.entry(name).or_insert(next)));
            }
            Groups { of, count: names.len() + 1 }
        }
        Cells::Number(_) | Cells::Time(_) => {
            let values: Vec<f64> = rows.iter().map(|row| number(column.cells.get(*row))).collect();
            by_cuts(&values)
        }
    }
}

/// Rows with and without a value, if there are both.
pub(super) fn by_presence(column: &Column, rows: &[usize]) -> Option<Groups> {
    let of: Vec<u32> = rows.iter().map(|row| u32::from(column.cells.get(*row) != Cell::Missing)).collect();
    let present = of.iter().filter(|group| **group == 1).count();
    (present > 0 && present < rows.len()).then_some(Groups { of, count: 2 })
}

/// Rows near one another by the number in their name (`A17` is 17), else by their place in the table.
pub(super) fn by_order(column: &Column, rows: &[usize]) -> Groups {
    let named: Vec<f64> = rows
        .iter()
        .map(|row| match column.cells.get(*row) {
            Cell::Text(text) => {
                let digits = text.trim_start_matches(|first: char| !first.is_ascii_digit());
                digits.parse().unwrap_or(f64::NAN)
            }
            other => number(other),
        })
        .collect();
    let numbered = named.iter().filter(|value| value.is_finite()).count();
    if numbered * 10 >= rows.len() * 9 {
        return by_cuts(&named);
    }
    by_cuts(&rows.iter().map(|row| *row as f64).collect::<Vec<_>>())
}

fn number(cell: Cell<'_>) -> f64 {
    match cell {
        Cell::Number(number) => number,
        Cell::Time(time) => time as f64,
        Cell::Missing | Cell::Text(_) => f64::NAN,
    }
}

/// Group 0 is for NaN.
fn by_cuts(values: &[f64]) -> Groups {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    let starts = if distinct.len() <= CUTS {
        distinct
    } else {
        // A value that most rows have takes no part in how the others are cut.
        let middle = sorted[sorted.len() / 2];
        let heavy = sorted.iter().filter(|value| **value == middle).count() * 2 > sorted.len();
        let rest: Vec<f64> = sorted.iter().copied().filter(|value| !heavy || *value != middle).collect();
        let cuts = (rest.len() / ROWS_LEAST).clamp(1, CUTS);
        let mut starts: Vec<f64> = (0..cuts).map(|cut| rest[cut * rest.len() / cuts]).collect();
        if heavy {
            let above = rest[rest.partition_point(|value| *value <= middle).min(rest.len() - 1)];
            starts.extend([middle, above.max(middle)]);
        }
        starts.sort_by(f64::total_cmp);
        starts.dedup();
        starts
    };
    let group = |value: &f64| {
        if value.is_finite() { starts.partition_point(|start| start <= value).max(1) as u32 } else { 0 }
    };
    Groups { of: values.iter().map(group).collect(), count: starts.len() + 1 }
}
