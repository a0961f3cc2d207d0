//! What is refused before the parser sees it, because the parser's own recursion would cost too much.
//!
//! It does not know where texts begin and end, on purpose: a guard that lexes a little differently from the parser can be
//! fooled. So marks within texts count too; the limit leaves room for them.

use crate::{ConditionError, MAX_NODES, MAX_SOURCE, Position};

/// The most marks (brackets, operators, dots, commas). Each level of the grammar takes at least one, each node takes one
/// or, as `&&` does, two.
const MAX_MARKS: usize = 2 * MAX_NODES;

/// Refuses sources that are empty, too long or made of too many parts.
pub(crate) fn check(source: &str) -> Result<(), ConditionError> {
    if source.len() > MAX_SOURCE {
        return Err(ConditionError::TooLong { length: source.len(), limit: MAX_SOURCE });
    }
    if source.trim().is_empty() {
        return Err(ConditionError::Empty);
    }
    let is_mark = |byte: &u8| byte.is_ascii_punctuation() && !matches!(byte, b'_' | b'"' | b'\'');
    let marks = source.bytes().enumerate().filter(|(_, byte)| is_mark(byte));
    match marks.map(|(at, _)| at).nth(MAX_MARKS) {
        Some(at) => {
            let position = Position::of(source, at);
            let what = "too many brackets, operators and other marks";
            Err(ConditionError::TooComplex { position, what, limit: MAX_MARKS })
        }
        None => Ok(()),
    }
}
