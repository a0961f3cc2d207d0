//! The first row: what stands between its cells, and names that are neither empty nor twice.

use std::collections::BTreeSet;

use super::MAX_COLUMNS;
use crate::RecordsError;

/// What may stand between cells, in the order of trust.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many rows are compared.
const ROWS: usize = 50;
/// The longest name that is kept, in letters.
const NAME: usize = 200;

/// The character by which most rows have as many cells as the first, then the one that makes most cells.
pub(super) fn delimiter(head: &str) -> u8 {
    let judged = DELIMITERS.iter().rev().map(|delimiter| {
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(*delimiter).flexible(true).has_headers(false);
        let mut reader = builder.from_reader(head.as_bytes());
        let widths: Vec<usize> = reader.records().take(ROWS).filter_map(Result::ok).map(|row| row.len()).collect();
        let width = widths.first().copied().unwrap_or(0);
        let alike = widths.iter().filter(|other| **other == width).count();
        ((width > 1, alike * 100 / widths.len().max(1), width), *delimiter)
    });
    judged.max_by_key(|(score, _)| *score).map_or(b',', |(_, delimiter)| delimiter)
}

/// Names of columns: trimmed, those without a name numbered, those that come again told apart.
pub(super) fn mend(raw: &[String]) -> Result<Vec<String>, RecordsError> {
    if raw.iter().all(|name| name.trim().is_empty()) {
        return Err(RecordsError::invalid("file", "its first row must hold the names of the columns"));
    }
    if raw.len() > MAX_COLUMNS {
        return Err(RecordsError::Limit(format!("a file has up to {MAX_COLUMNS} columns")));
    }
    let mut taken = BTreeSet::new();
    let mut names = Vec::with_capacity(raw.len());
    for (place, name) in raw.iter().enumerate() {
        let name: String = name.trim().chars().take(NAME).collect();
        let base = if name.is_empty() { format!("column {}", place + 1) } else { name };
        let again = (2..).map(|number| format!("{base} ({number})"));
        let free = std::iter::once(base.clone()).chain(again).find(|name| taken.insert(name.clone()));
        names.push(free.unwrap_or(base));
    }
    Ok(names)
}

/// The same for all files with the same columns, however they are ordered and spelled.
pub(super) fn fingerprint(header: &[String]) -> String {
    let names: BTreeSet<String> = header.iter().map(|name| normal(name)).collect();
    let mut hash = blake3::Hasher::new();
    for name in names {
        hash.update(name.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().to_hex().to_string()
}

/// A name without what is not a letter or digit, in small letters.
pub(super) fn normal(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_cells_is_seen() {
        let cases: [(&str, u8); 5] = [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n2;3,5\n", b';'),
            ("a\tb, c\n1\t2\n", b'\t'),
            ("name\nAnn\nBob\n", b','),
            ("a|b|c\n\"1|2\"|3|4\n", b'|'),
        ];
        for (head, expected) in cases {
            assert_eq!(delimiter(head) as char, expected as char, "{head:?}");
        }
    }

    #[test]
    fn names_are_neither_empty_nor_twice() {
        let names = |raw: &[&str]| mend(&raw.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["a", " a ", "", "b", "a (2)"]).unwrap(), ["a", "a (2)", "column 3", "b", "a (2) (2)"]);
        assert!(names(&["", " "]).is_err());
        assert_eq!(
            fingerprint(&names(&["First Name", "E-mail"]).unwrap()),
            fingerprint(&names(&["e_mail", "firstName"]).unwrap())
        );
    }
}
