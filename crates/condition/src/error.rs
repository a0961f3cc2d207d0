//! What can be wrong with a condition, told to the person who wrote it.

use std::fmt;

/// A place in a condition's source, both from 1; the column counts characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character in it.
    pub column: u32,
}

impl Position {
    /// The position of the byte `offset`; one within a character counts as that character, one past the end as the end.
    pub(crate) fn of(source: &str, offset: usize) -> Self {
        let before = &source.as_bytes()[..offset.min(source.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = before.split(|byte| *byte == b'\n').count();
        // Continuation bytes of UTF-8 do not start a character.
        let column = 1 + before[line_start..].iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        Self { line: line as u32, column: column as u32 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text is not a condition of its scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConditionError {
    /// Nothing but spaces.
    #[error("the condition is empty")]
    Empty,
    /// Longer than [`crate::MAX_SOURCE`].
    #[error("the condition is {length} bytes long; at most {limit} are allowed")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// More than [`crate::MAX_NODES`] nodes or [`crate::MAX_DEPTH`] levels.
    #[error("{position}: the condition has {what}; at most {limit} are allowed. Split it into smaller ones")]
    TooComplex {
        /// Where the limit is passed.
        position: Position,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Not CEL.
    #[error("{position}: {message}")]
    Syntax {
        /// Where the parser stopped.
        position: Position,
        /// What it says.
        message: String,
    },
    /// A name or function that the scope does not have.
    #[error("{position}: there is no {what} \"{name}\"{}", suggestion(nearest.as_deref()))]
    Unknown {
        /// Where it stands.
        position: Position,
        /// What kind of name it is: `name`, `field`, `function`, `method`.
        what: &'static str,
        /// The name.
        name: Box<str>,
        /// The known name most like it.
        nearest: Option<Box<str>>,
    },
    /// Operands or arguments that do not fit.
    #[error("{position}: {message}")]
    Mismatch {
        /// Where.
        position: Position,
        /// What does not fit, as a sentence.
        message: String,
    },
    /// CEL, but not in Rapport's part of it.
    #[error("{position}: {what} cannot be used in a condition")]
    Unsupported {
        /// Where.
        position: Position,
        /// What.
        what: &'static str,
    },
    /// Fine where conditions are evaluated, but not a question to a database of records.
    #[error("{what} cannot be asked of stored records")]
    NotInSql {
        /// What.
        what: &'static str,
    },
}

impl ConditionError {
    /// Where it is, if it is at one place.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Empty | Self::TooLong { .. } | Self::NotInSql { .. } => None,
            Self::TooComplex { position, .. }
            | Self::Syntax { position, .. }
            | Self::Unknown { position, .. }
            | Self::Mismatch { position, .. }
            | Self::Unsupported { position, .. } => Some(*position),
        }
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"))
}

/// The one of `known` that is most like `name`, if any is like enough: at most a third of its characters, and at least
/// two, need to change. The first of equals.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<Box<str>> {
    let allowed = (name.chars().count() / 3).max(2);
    let ranked = known.into_iter().map(|candidate| (distance(name, candidate), candidate));
    let (changes, best) = ranked.min_by_key(|(changes, _)| *changes)?;
    (changes <= allowed).then(|| best.into())
}

/// How many characters must be put in, taken out or replaced (Levenshtein 1966, by rows).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(!a.eq_ignore_ascii_case(b));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["count", "recency", "mean"];
        assert_eq!(nearest("cuont", known).as_deref(), Some("count"));
        assert_eq!(nearest("recencey", known).as_deref(), Some("recency"));
        assert_eq!(nearest("something", known), None);
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn columns_count_characters() {
        let source = "\"中文\" == x\n && y";
        let offset_of = |c| source.find(c).unwrap();
        assert_eq!(Position::of(source, offset_of('x')), Position { line: 1, column: 9 });
        assert_eq!(Position::of(source, offset_of('y')), Position { line: 2, column: 5 });
        assert_eq!(Position::of(source, 9_999).line, 2);
    }
}
