//! Text as terms: words and pairs of words, ideographs singly and in pairs, on request parts of words.
//!
//! Chinese is not cut into words by a dictionary: pairs of characters classify as well (Li, Sun, Scalable term selection for
//! text categorization, 2007), know tomorrow's words too, and cost nothing to load. Most Chinese words are two characters, so
//! a pair mostly reads as a word where terms are shown.

use std::hash::Hasher;

use rustc_hash::FxHasher;

/// Longer texts are cut here, in bytes.
const TEXT_MAX: usize = 64 << 10;
/// A longer word is no word.
const WORD_MAX: usize = 40;
/// In a term as written: before a part of a word, and around the word itself.
const PART: char = '#';
const EDGE: char = '_';

/// The text that is being cut, in lower case, and a word with its edges.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    lower: String,
    edged: String,
}

/// A term where it was met.
#[derive(Debug, Clone, Copy)]
pub(super) enum Term<'a> {
    Word(&'a str),
    Pair(&'a str, &'a str),
    Part(&'a str),
}

impl Term<'_> {
    /// As it is written in names: `long wait`, `#wai`.
    pub(super) fn written(self) -> String {
        match self {
            Self::Word(word) => word.to_owned(),
            Self::Pair(first, second) => format!("{first} {second}"),
            Self::Part(part) => format!("{PART}{part}"),
        }
    }

    /// The number by which it is found; only within one process.
    pub(super) fn hash(self) -> u64 {
        let mut hasher = FxHasher::default();
        match self {
            Self::Word(word) => hasher.write(word.as_bytes()),
            Self::Pair(first, second) => {
                hasher.write(first.as_bytes());
                hasher.write_u8(b' ');
                hasher.write(second.as_bytes());
            }
            Self::Part(part) => {
                hasher.write_u8(PART as u8);
                hasher.write(part.as_bytes());
            }
        }
        hasher.finish()
    }

    /// The term that is written so.
    pub(super) fn parse(written: &str) -> Term<'_> {
        match (written.strip_prefix(PART), written.split_once(' ')) {
            (Some(part), _) => Term::Part(part),
            (None, Some((first, second))) => Term::Pair(first, second),
            (None, None) => Term::Word(written),
        }
    }
}

/// Whether a character is written without spaces to the next word: Chinese and Japanese.
pub(crate) fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Calls `emit` for each term of a text, in order.
pub(super) fn terms(text: &str, parts: bool, buffer: &mut Buffer, emit: &mut dyn FnMut(Term<'_>)) {
    let end = text.floor_char_boundary(TEXT_MAX);
    buffer.lower.clear();
    if text[..end].is_ascii() {
        buffer.lower.push_str(&text[..end]);
        buffer.lower.make_ascii_lowercase();
    } else {
        buffer.lower.extend(text[..end].chars().flat_map(char::to_lowercase));
    }
    let lower = buffer.lower.as_str();
    let mut before: Option<&str> = None;
    let mut at = 0;
    while let Some(character) = lower[at..].chars().next() {
        let next = at + character.len_utf8();
        if !character.is_alphanumeric() {
            // A pair of words does not reach over the end of a sentence or its part.
            if !matches!(character, ' ' | '\'' | '’' | '-' | '_') {
                before = None;
            }
            at = next;
            continue;
        }
        let end = if is_ideograph(character) {
            next
        } else {
            let stops = |c: char| !c.is_alphanumeric() || is_ideograph(c);
            lower[at..].find(stops).map_or(lower.len(), |length| at + length)
        };
        let word = &lower[at..end];
        at = end;
        if word.len() > WORD_MAX {
            before = None;
            continue;
        }
        emit(Term::Word(word));
        if let Some(before) = before {
            emit(Term::Pair(before, word));
        }
        before = Some(word);
        if parts && !is_ideograph(character) {
            parts_of(word, &mut buffer.edged, emit);
        }
    }
}

/// Parts of three to five characters, the edges of the word counting as one each.
fn parts_of(word: &str, edged: &mut String, emit: &mut dyn FnMut(Term<'_>)) {
    edged.clear();
    edged.push(EDGE);
    edged.push_str(word);
    edged.push(EDGE);
    let text = edged.as_str();
    for (begin, _) in text.char_indices() {
        let ends = text[begin..].char_indices().map(|(end, _)| begin + end).chain([text.len()]);
        ends.skip(3).take(3).for_each(|end| emit(Term::Part(&text[begin..end])));
    }
}
