//! What was typed, as clauses: what a record must hold to be found. There is no syntax.

use super::fold::fold;
use super::tokens::{
    LONGEST_EDGE, LONGEST_WHOLE_RUN, Piece, Space, Word, address, joined, pairs, pieces, reversed, words,
};

/// Bytes of a query that are read.
const LONGEST: usize = 256;
/// Words of a query that count.
const MOST_WORDS: usize = 8;
/// Pairs of characters of a run that must occur.
const MOST_PAIRS: usize = 12;
/// Last digits of a number that it can be found by.
const FEWEST_LAST_DIGITS: usize = 4;
/// A national number has at least as many digits; fewer are not taken for the end of an international one.
const FEWEST_NATIONAL: usize = 7;
/// Letters from which one typing error is forgiven, and from which two are, and beyond which none is.
const ONE_ERROR_FROM: usize = 4;
const TWO_ERRORS_FROM: usize = 8;
const NO_ERRORS_BEYOND: usize = 48;

/// How well a word of the query fits one of a record, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Exact,
    Part,
    OneError,
    TwoErrors,
}

/// Terms of a clause that can be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) term: String,
    /// Whether terms that only begin so are meant too.
    pub(super) open: bool,
    pub(super) fit: Fit,
}

/// The word to forgive errors in, with the marker of its space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) term: String,
    pub(super) errors: u8,
}

/// One thing that a record must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) forms: Vec<Form>,
    pub(super) typed: Option<Typed>,
    /// Moves a record forward and is not asked of it.
    pub(super) optional: bool,
}

/// One way to read a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) clauses: Vec<Clause>,
    /// Holds a whole address or phone number: if it finds anything, nothing else was meant.
    pub(super) sure: bool,
}

/// The ways to read `text`: with addresses, numbers and words with signs in them as wholes, then with everything in parts.
/// The last one always has only words.
pub(super) fn readings(text: &str) -> Vec<Reading> {
    let mut folded = String::new();
    fold(&text[..text.floor_char_boundary(LONGEST)], &mut folded);
    let pieces: Vec<Piece> = pieces(&folded).take(MOST_WORDS).collect();
    let (mut wholes, mut parts) = (Reading::default(), Reading::default());
    let (mut left, mut parts_left) = (MOST_WORDS, MOST_WORDS);
    for (at, piece) in pieces.iter().enumerate() {
        let last = at + 1 == pieces.len();
        let whole = match piece {
            Piece::Phone { digits, .. } => Some(number(digits, last)),
            Piece::Chunk(chunk) => address(chunk)
                .map(|address| whole_address(&address, last))
                .or_else(|| joined(chunk).map(|word| spaced(&word, last))),
        };
        let (Piece::Phone { text, .. } | Piece::Chunk(text)) = piece;
        let sure = whole.as_ref().is_some_and(|_| !matches!(piece, Piece::Chunk(chunk) if joined(chunk).is_some()));
        let in_parts = in_parts(text, last, &mut parts_left);
        match whole {
            Some(clause) if left > 0 => {
                left -= 1;
                wholes.sure |= sure;
                wholes.clauses.push(clause);
            }
            _ => {
                left = left.min(parts_left);
                wholes.clauses.extend(in_parts.iter().cloned());
            }
        }
        parts.clauses.extend(in_parts);
    }
    let mut readings = vec![wholes, parts];
    readings.retain(|reading| reading.clauses.iter().any(|clause| !clause.optional));
    readings.dedup_by(|second, first| second.clauses == first.clauses);
    readings
}

/// The words of a chunk or number, at most `left` of them.
fn in_parts(text: &str, last: bool, left: &mut usize) -> Vec<Clause> {
    let words: Vec<Word> = words(text).take(*left).collect();
    *left -= words.len();
    let mut clauses = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match word {
            Word::Spaced(word) => clauses.push(spaced(word, last && at + 1 == words.len())),
            Word::Unspaced(run) => unspaced(run, &mut clauses),
        }
    }
    clauses
}

fn form(space: Space, text: &str, open: bool, fit: Fit) -> Form {
    Form { term: format!("{}{text}", space.marker()), open, fit }
}

/// A word between spaces; as the last one it may be only begun.
fn spaced(word: &str, last: bool) -> Clause {
    let letters = word.chars().count();
    let mut forms = vec![form(Space::Word, word, false, Fit::Exact)];
    if last && letters <= LONGEST_EDGE {
        forms.push(form(Space::Edge, word, false, Fit::Part));
    } else if last {
        forms.push(form(Space::Word, word, true, Fit::Part));
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        if letters >= FEWEST_LAST_DIGITS {
            forms.push(form(Space::Ending, &reversed(word), true, Fit::Part));
        }
        if last && letters >= FEWEST_LAST_DIGITS {
            forms.push(form(Space::Number, word, true, Fit::Part));
        }
    }
    let has_digit = word.chars().any(char::is_numeric);
    let typed = errors(letters).filter(|_| !has_digit).map(|errors| Typed { term: word.to_owned(), errors });
    Clause { forms, typed, optional: false }
}

/// A run of an unspaced script: it may stand inside a longer one, and one that is all there is comes first.
fn unspaced(run: &str, clauses: &mut Vec<Clause>) {
    let length = run.chars().count();
    let whole = form(Space::Word, run, false, Fit::Exact);
    let required = |forms: Vec<Form>| Clause { forms, ..Clause::default() };
    if length <= 2 {
        clauses.push(required(vec![whole, form(Space::Gram, run, false, Fit::Part)]));
        return;
    }
    clauses.extend(pairs(run).take(MOST_PAIRS).map(|pair| required(vec![form(Space::Gram, pair, false, Fit::Part)])));
    if length <= LONGEST_WHOLE_RUN {
        clauses.push(Clause { forms: vec![whole], optional: true, typed: None });
    }
}

/// A phone number however it is written: whole, by its last digits, or with or without the country's code.
fn number(digits: &str, last: bool) -> Clause {
    let mut forms = vec![form(Space::Number, digits, false, Fit::Exact)];
    if last {
        forms.push(form(Space::Number, digits, true, Fit::Part));
    }
    let dialled = digits.trim_start_matches('0');
    if dialled.len() >= FEWEST_LAST_DIGITS {
        forms.push(form(Space::Ending, &reversed(dialled), true, Fit::Part));
    }
    // The other way round: the record has the national number, with or without its leading zero.
    for from in 1..=dialled.len().saturating_sub(FEWEST_NATIONAL) {
        forms.push(form(Space::Number, &dialled[from..], false, Fit::Part));
        forms.push(form(Space::Number, &format!("0{}", &dialled[from..]), false, Fit::Part));
    }
    Clause { forms, ..Clause::default() }
}

/// An e-mail address or domain. What looks like a domain may also be the part before an `@`.
fn whole_address(address: &str, last: bool) -> Clause {
    let mut forms = vec![form(Space::Address, address, false, Fit::Exact)];
    if last || address.ends_with('@') {
        forms.push(form(Space::Address, address, true, Fit::Part));
    }
    match address.strip_prefix('@') {
        Some(name) => {
            forms.push(form(Space::Address, &format!("{name}@"), true, Fit::Part));
            Clause { forms, ..Clause::default() }
        }
        None => {
            let typed = errors(address.chars().count())
                .map(|errors| Typed { term: format!("{}{address}", Space::Address.marker()), errors });
            Clause { forms, typed, optional: false }
        }
    }
}

/// How many errors are forgiven in a word of `letters` letters.
fn errors(letters: usize) -> Option<u8> {
    match letters {
        ONE_ERROR_FROM..TWO_ERRORS_FROM => Some(1),
        TWO_ERRORS_FROM..=NO_ERRORS_BEYOND => Some(2),
        _ => None,
    }
}
