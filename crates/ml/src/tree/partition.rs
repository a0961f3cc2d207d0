//! Splitting the rows of a node between its children.

use super::bins::{CodeSet, holds};

/// Puts the rows whose code is in `left` before the others, each side in its order, and returns how many they are.
/// `scratch` has at least as many places as `rows`. Without branches, for which way a row goes is hard to foresee.
pub(super) fn partition(rows: &mut [u32], codes: &[u8], left: &CodeSet, scratch: &mut [u32]) -> usize {
    let scratch = &mut scratch[..rows.len()];
    let (mut lefts, mut rights) = (0, 0);
    for index in 0..rows.len() {
        let row = rows[index];
        let goes_left = holds(left, codes[row as usize]);
        rows[lefts] = row;
        scratch[rights] = row;
        lefts += goes_left;
        rights += 1 - goes_left;
    }
    rows[lefts..].copy_from_slice(&scratch[..rights]);
    lefts
}

/// As [`partition`], with a number for each row that goes the same way, and places for both.
pub(super) fn partition_both(
    rows: &mut [u32],
    parts: &mut [u64],
    codes: &[u8],
    left: &CodeSet,
    (other_rows, other_parts): (&mut [u32], &mut [u64]),
) -> usize {
    let parts = &mut parts[..rows.len()];
    let other_rows = &mut other_rows[..rows.len()];
    let other_parts = &mut other_parts[..rows.len()];
    let (mut lefts, mut rights) = (0, 0);
    for index in 0..rows.len() {
        let (row, part) = (rows[index], parts[index]);
        let goes_left = holds(left, codes[row as usize]);
        rows[lefts] = row;
        parts[lefts] = part;
        other_rows[rights] = row;
        other_parts[rights] = part;
        lefts += goes_left;
        rights += 1 - goes_left;
    }
    rows[lefts..].copy_from_slice(&other_rows[..rights]);
    parts[lefts..].copy_from_slice(&other_parts[..rights]);
    lefts
}
