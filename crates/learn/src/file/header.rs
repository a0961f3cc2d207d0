//! Names of columns: whether there are any, and mending them.

use std::collections::BTreeSet;

use rapport_ml::frame::is_missing;

use super::FileNote;

/// How many rows are compared with the first.
pub(super) const ROWS: usize = 50;

/// Whether the first row names the columns. It does, unless numbers stand in it where numbers follow.
pub(super) fn is_header(first: &[String], others: &[Vec<String>]) -> bool {
    let votes = |place: usize| {
        let below: Vec<bool> = others
            .iter()
            .filter_map(|row| row.get(place))
            .filter(|cell| !is_missing(cell))
            .map(|cell| is_value(cell))
            .collect();
        let values = below.iter().filter(|value| **value).count();
        match first.get(place).is_some_and(|cell| is_value(cell)) {
            _ if below.is_empty() || values * 10 < below.len() * 9 => 0,
            true => -1,
            false => 1,
        }
    };
    (0..first.len()).map(votes).sum::<i32>() >= 0
}

/// Whether a text is a number or a date rather than a name.
fn is_value(cell: &str) -> bool {
    let cell = cell.trim();
    cell.bytes().any(|byte| byte.is_ascii_digit())
        && cell.bytes().all(|byte| byte.is_ascii_digit() || b"+-.,:/%$TZeE ".contains(&byte))
}

/// Names that are neither empty nor twice.
pub(super) fn mend(raw: &[String], notes: &mut Vec<FileNote>) -> Vec<String> {
    let mut taken: BTreeSet<String> =
        raw.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let (mut empty, mut repeated) = (Vec::new(), BTreeSet::new());
    let mut names = Vec::with_capacity(raw.len());
    for (place, name) in raw.iter().map(|name| name.trim()).enumerate() {
        if !name.is_empty() && seen.insert(name) {
            names.push(name.to_owned());
            continue;
        }
        let base = if name.is_empty() {
            empty.push(place + 1);
            format!("column {}", place + 1)
        } else {
            repeated.insert(name.to_owned());
            format!("{name} (2)")
        };
        let numbered = (3..).map(|number| format!("{} ({number})", if name.is_empty() { &base } else { name }));
        let free = std::iter::once(base.clone()).chain(numbered).find(|candidate| taken.insert(candidate.clone()));
        names.push(free.unwrap_or(base));
    }
    if !empty.is_empty() {
        notes.push(FileNote::EmptyNames { places: empty });
    }
    if !repeated.is_empty() {
        notes.push(FileNote::RepeatedNames { names: repeated.into_iter().collect() });
    }
    names
}

/// Names by number.
pub(super) fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|place| format!("column {place}")).collect()
}
