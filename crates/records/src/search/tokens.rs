//! Texts as terms: what a document is found by.
//!
//! A term is a marker of its space, then folded text. The spaces are apart so that a walk over the words that begin with
//! `smith` does not pass a million e-mail addresses, and a typing error never leads from a word to a phone number. Words have
//! no marker; folded text holds no control characters, so none can be mistaken for one.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::fold::{fold, is_unspaced};

/// Bytes of one text that are read; what is beyond is not found.
const LONGEST_TEXT: usize = 64 * 1024;
/// Bytes of a word or an address that count.
const LONGEST_WORD: usize = 96;
/// Beginnings up to this many letters are terms of their own: a walk over all words that begin with `j` would be long.
pub(super) const LONGEST_EDGE: usize = 3;
/// Runs of an unspaced script up to this length are words as well, so that the whole name comes before a longer one.
pub(super) const LONGEST_WHOLE_RUN: usize = 8;
/// Digits of a number that may be dialled; the longest is that of ITU-T E.164.
const DIALLED: std::ops::RangeInclusive<usize> = 7..=15;
/// Digits from which a number that is written with a plus is one that somebody has begun to type.
const FEWEST_AFTER_PLUS: usize = 3;

/// What a term is, by the character in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// A word, as it is.
    Word,
    /// The first letters of a word.
    Edge,
    /// An e-mail address; after an `@`, a domain.
    Address,
    /// The digits of a phone number.
    Number,
    /// The digits of a phone number from the last to the first.
    Ending,
    /// One or two characters of an unspaced script.
    Gram,
}

impl Space {
    /// What a term of this space begins with.
    pub(super) fn marker(self) -> &'static str {
        match self {
            Self::Word => "",
            Self::Edge => "\u{1}",
            Self::Address => "\u{2}",
            Self::Number => "\u{3}",
            Self::Ending => "\u{4}",
            Self::Gram => "\u{5}",
        }
    }
}

/// A stretch of folded text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Digits that look like a phone number, as they are written and alone.
    Phone { text: &'a str, digits: String, international: bool },
    /// What stands between spaces and brackets: a word, several with signs between, an address.
    Chunk(&'a str),
}

/// A word of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'a> {
    Spaced(&'a str),
    Unspaced(&'a str),
}

/// Cuts folded text into pieces.
pub(super) struct Pieces<'a> {
    rest: &'a str,
}

pub(super) fn pieces(folded: &str) -> Pieces<'_> {
    Pieces { rest: folded }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| !(c.is_alphanumeric() || matches!(c, '@' | '+' | '(')));
            let first = self.rest.chars().next()?;
            if let Some((length, digits)) = phone(self.rest) {
                let (text, rest) = self.rest.split_at(length);
                self.rest = rest;
                return Some(Piece::Phone { text, digits, international: first == '+' });
            }
            if matches!(first, '+' | '(') {
                self.rest = &self.rest[1..];
                continue;
            }
            let length = self.rest.find(|c: char| !is_inside(c)).unwrap_or(self.rest.len());
            let (chunk, rest) = self.rest.split_at(length);
            self.rest = rest;
            return Some(Piece::Chunk(chunk.trim_end_matches(|c: char| !(c.is_alphanumeric() || c == '@'))));
        }
    }
}

/// Signs that hold a chunk together.
fn is_inside(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '@' | '.' | '_' | '-' | '+' | '\'' | '&' | '%')
}

/// The phone number at the beginning of `text`: its length in bytes and its digits.
fn phone(text: &str) -> Option<(usize, String)> {
    let bytes = text.as_bytes();
    let international = bytes[0] == b'+';
    let (mut at, mut end, mut gap) = (usize::from(international), 0, 0);
    let mut digits = String::new();
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_digit() {
            digits.push(char::from(byte));
            (end, gap) = (at + 1, 0);
            if digits.len() > *DIALLED.end() {
                return None;
            }
        } else if international && bytes[at..].starts_with(b"(0)") {
            // `+49 (0)30`: the zero is dialled only without the country's code.
            at += 2;
        } else if matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')') && gap < 3 {
            gap += 1;
        } else {
            break;
        }
        at += 1;
    }
    let fewest = if international { FEWEST_AFTER_PLUS } else { *DIALLED.start() };
    let tail = &text[end..];
    let ends_there = !tail.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let is_address = tail.split(char::is_whitespace).next().is_some_and(|rest| rest.contains('@'));
    (digits.len() >= fewest && ends_there && !is_address).then_some((end, digits))
}

/// The address in a chunk as terms of its space hold it: `name@domain`, or `@domain` for a domain alone.
pub(super) fn address(chunk: &str) -> Option<String> {
    let is_letter = |c: char| c.is_alphabetic();
    if let Some((name, domain)) = chunk.rsplit_once('@') {
        let known = !domain.is_empty() || !name.is_empty();
        return known.then(|| clip(&format!("{name}@{domain}")).to_owned());
    }
    let labels = chunk.strip_prefix("www.").unwrap_or(chunk);
    let is_domain = labels.contains('.')
        && labels.chars().any(is_letter)
        && labels.split('.').all(|label| label.starts_with(char::is_alphanumeric));
    is_domain.then(|| clip(&format!("@{labels}")).to_owned())
}

/// The words of a chunk, in order.
pub(super) fn words(chunk: &str) -> impl Iterator<Item = Word<'_>> {
    chunk.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).flat_map(Scripts)
}

/// Cuts a run of letters where an unspaced script begins or ends.
struct Scripts<'a>(&'a str);

impl<'a> Iterator for Scripts<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let unspaced = is_unspaced(self.0.chars().next()?);
        let length = self.0.find(|c| is_unspaced(c) != unspaced).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(if unspaced { Word::Unspaced(word) } else { Word::Spaced(clip(word)) })
    }
}

/// The one word that a chunk with signs may also be written as: `o'brien` is `obrien`, `jean-claude` is `jeanclaude`, `u.s.`
/// is `us`.
pub(super) fn joined(chunk: &str) -> Option<String> {
    if !chunk.chars().any(|c| matches!(c, '\'' | '-' | '&' | '.')) {
        return None;
    }
    let (mut parts, mut longest) = (0, 0);
    for part in chunk.split(['\'', '-', '&', '.']) {
        if part.is_empty() || !part.chars().all(|c| c.is_alphabetic() && !is_unspaced(c)) {
            return None;
        }
        parts += 1;
        longest = longest.max(part.chars().count());
    }
    let abbreviates = !chunk.contains('.') || longest == 1;
    (parts <= 4 && abbreviates).then(|| clip(&chunk.replace(['\'', '-', '&', '.'], "")).to_owned())
}

/// Single characters and neighbouring pairs of a run of an unspaced script.
pub(super) fn grams(run: &str) -> impl Iterator<Item = &str> {
    let starts = |after: usize| run.char_indices().map(|(at, _)| at).chain([run.len()]).skip(after);
    let singles = run.char_indices().zip(starts(1)).map(|((from, _), to)| &run[from..to]);
    singles.chain(pairs(run))
}

/// Neighbouring pairs of characters.
pub(super) fn pairs(run: &str) -> impl Iterator<Item = &str> {
    let ends = run.char_indices().map(|(at, _)| at).chain([run.len()]).skip(2);
    run.char_indices().zip(ends).map(|((from, _), to)| &run[from..to])
}

/// At most [`LONGEST_WORD`] bytes of `text`, whole characters.
fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_WORD)]
}

/// The terms of texts, one after the other in one buffer that is used again for the next document.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    folded: String,
    text: String,
    ends: Vec<usize>,
    next: usize,
    token: Token,
}

impl Terms {
    fn add(&mut self, space: Space, text: &str) {
        self.text.push_str(space.marker());
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    fn add_word(&mut self, word: &str) {
        self.add(Space::Word, word);
        for (at, letter) in word.char_indices().take(LONGEST_EDGE) {
            self.add(Space::Edge, &word[..at + letter.len_utf8()]);
        }
    }

    fn add_words(&mut self, chunk: &str) {
        for word in words(chunk) {
            match word {
                Word::Spaced(word) => self.add_word(word),
                Word::Unspaced(run) => {
                    grams(run).for_each(|gram| self.add(Space::Gram, gram));
                    if run.chars().count() <= LONGEST_WHOLE_RUN {
                        self.add(Space::Word, run);
                    }
                }
            }
        }
    }

    fn add_piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Phone { text, digits, international } => {
                self.add(Space::Number, digits);
                self.add(Space::Ending, &reversed(digits));
                // Without a plus it may be a date or two numbers side by side.
                if !international || !DIALLED.contains(&digits.len()) {
                    self.add_words(text);
                }
            }
            Piece::Chunk(chunk) => {
                if let Some(address) = address(chunk) {
                    if let Some((at, _)) = address.match_indices('@').next_back().filter(|(at, _)| *at > 0) {
                        self.add(Space::Address, &address[at..]);
                    }
                    self.add(Space::Address, &address);
                }
                if let Some(word) = joined(chunk) {
                    self.add_word(&word);
                }
                self.add_words(chunk);
            }
        }
    }

    fn read(&mut self, text: &str) {
        self.text.clear();
        self.ends.clear();
        self.next = 0;
        let mut folded = std::mem::take(&mut self.folded);
        folded.clear();
        fold(&text[..text.floor_char_boundary(LONGEST_TEXT)], &mut folded);
        for piece in pieces(&folded) {
            self.add_piece(&piece);
        }
        self.folded = folded;
    }
}

/// Digits from the last to the first.
pub(super) fn reversed(digits: &str) -> String {
    digits.chars().rev().collect()
}

impl Tokenizer for Terms {
    type TokenStream<'a> = &'a mut Terms;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> &'a mut Terms {
        self.read(text);
        self
    }
}

impl TokenStream for &mut Terms {
    fn advance(&mut self) -> bool {
        let Some(&end) = self.ends.get(self.next) else { return false };
        let start = self.next.checked_sub(1).map_or(0, |before| self.ends[before]);
        let this = &mut **self;
        this.token.text.clear();
        this.token.text.push_str(&this.text[start..end]);
        // Positions are not kept; equal ones would be a mistake of the stream.
        this.token.position = this.next;
        this.next += 1;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
