//! Numbers as people and programs write them: signs of currency, percent, groups of thousands, a decimal comma.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Signs and codes of currencies, longer ones before those that they end with.
const CURRENCIES: &[&str] =
    &["US$", "HK$", "USD", "EUR", "GBP", "CNY", "RMB", "JPY", "CHF", "$", "€", "£", "¥", "￥", "₹", "₽", "₩", "元"];
/// No number that anyone means is longer.
const LONGEST: usize = 48;
/// An integer with more digits does not fit a float exactly: it is a name.
const DIGITS_MAX: usize = 15;

/// How numbers are written in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberForm {
    /// Before the fraction.
    pub decimal: char,
    /// Between groups of three digits.
    pub group: Option<char>,
    /// Whether values are hundredths, written with a percent sign.
    pub percent: bool,
    /// Whether signs of a currency stand with numbers.
    pub currency: bool,
}

impl Default for NumberForm {
    fn default() -> Self {
        Self { decimal: '.', group: None, percent: false, currency: false }
    }
}

/// The ways of writing that are tried; of those that explain equally many cells the first is taken.
const FORMS: [(char, Option<char>); 7] = [
    ('.', None),
    ('.', Some(',')),
    (',', None),
    (',', Some('.')),
    ('.', Some(' ')),
    (',', Some(' ')),
    ('.', Some('\'')),
];

impl NumberForm {
    /// The number that a text without surrounding spaces stands for.
    pub fn read(&self, text: &str) -> Option<f64> {
        if *self == Self::default()
            && let Some(number) = plain(text)
        {
            return Some(number);
        }
        let parts = Parts::of(text)?;
        if parts.percent != self.percent && parts.body != "0" {
            return None;
        }
        let number = grouped(parts.body, self.decimal, self.group)?;
        let number = if parts.negative { -number } else { number };
        Some(if self.percent { number / 100.0 } else { number })
    }
}

/// A text without what may stand around a number.
struct Parts<'a> {
    body: &'a str,
    negative: bool,
    percent: bool,
    currency: Option<&'static str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut parts = Self { body: text.trim(), negative: false, percent: false, currency: None };
        if let Some(inner) = parts.body.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            (parts.body, parts.negative) = (inner.trim(), true);
        }
        parts.sign();
        for currency in CURRENCIES {
            let rest = parts.body.strip_prefix(currency).or_else(|| parts.body.strip_suffix(currency));
            if let Some(rest) = rest {
                (parts.body, parts.currency) = (rest.trim(), Some(*currency));
                parts.sign();
                break;
            }
        }
        if let Some(rest) = parts.body.strip_suffix(['%', '％']) {
            (parts.body, parts.percent) = (rest.trim_end(), true);
        }
        Some(parts)
    }

    fn sign(&mut self) {
        if let Some(rest) = self.body.strip_prefix(['-', '\u{2212}'])
            && !self.negative
        {
            (self.body, self.negative) = (rest, true);
        } else if let Some(rest) = self.body.strip_prefix('+') {
            self.body = rest;
        }
    }
}

/// A finite number as programs write it.
fn plain(text: &str) -> Option<f64> {
    // Infinity and "not a number" have words that the parser knows.
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}

/// Whether a cell is written as programs write numbers, and is no name made of digits.
pub(super) fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    plain(text).is_some() && !is_name(digits)
}

/// Digits that are a name: they begin with zero (`00017`), or are too many for a number.
fn is_name(digits: &str) -> bool {
    let suspect = digits.len() > DIGITS_MAX || (digits.len() > 1 && digits.starts_with('0'));
    suspect && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number without sign whose integer part may have groups of three digits.
fn grouped(body: &str, decimal: char, group: Option<char>) -> Option<f64> {
    if !body.starts_with(|first: char| first.is_ascii_digit() || first == decimal) {
        return None;
    }
    let (whole, fraction) = match body.split_once(decimal) {
        Some((whole, fraction)) => (whole, fraction),
        None => (body, ""),
    };
    let mut buffer = [0_u8; LONGEST + 2];
    let mut length = 0;
    let mut put = |bytes: &[u8]| {
        buffer[length..length + bytes.len()].copy_from_slice(bytes);
        length += bytes.len();
    };
    let is_group = |character: char| {
        group == Some(character) || (group == Some(' ') && matches!(character, '\u{a0}' | '\u{202f}' | '\u{2009}'))
    };
    let groups = whole.split(is_group).count();
    for (index, part) in whole.split(is_group).enumerate() {
        let first = index == 0;
        let fits = if first { part.len() <= 3 && !part.starts_with('0') && !part.is_empty() } else { part.len() == 3 };
        if (groups > 1 && !fits)
            || !part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (groups == 1 && matches!(byte, b'e' | b'E' | b'-' | b'+')))
        {
            return None;
        }
        put(part.as_bytes());
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'e' | b'E' | b'-' | b'+')) {
        return None;
    }
    put(b".");
    put(fraction.as_bytes());
    let text = std::str::from_utf8(&buffer[..length]).ok()?;
    // An exponent without a fraction comes out as `1e5.`; the point is then too much.
    text.strip_suffix('.').unwrap_or(text).parse().ok().filter(|number: &f64| number.is_finite())
}

/// What the cells of a column look like, seen as numbers.
#[derive(Debug, Default)]
pub(super) struct Survey {
    seen: usize,
    accepted: [usize; FORMS.len()],
    percents: usize,
    zeros: usize,
    currencies: BTreeSet<&'static str>,
    with_currency: usize,
    names: usize,
}

/// What a survey found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) form: NumberForm,
    /// Cells that are no number.
    pub(super) refused: usize,
    /// Cells that are a number.
    pub(super) numbers: usize,
    /// Whether `1,234` could as well mean a little more than one.
    pub(super) ambiguous: bool,
    /// The signs that were taken off.
    pub(super) currencies: Vec<&'static str>,
}

impl Survey {
    /// Looks at a cell that has a value.
    pub(super) fn see(&mut self, text: &str) {
        self.seen += 1;
        let Some(parts) = Parts::of(text) else { return };
        if is_name(parts.body) {
            self.names += 1;
            return;
        }
        let mut number = false;
        for (place, (decimal, group)) in FORMS.iter().enumerate() {
            if grouped(parts.body, *decimal, *group).is_some() {
                self.accepted[place] += 1;
                number = true;
            }
        }
        if number {
            self.zeros += usize::from(parts.body == "0" && !parts.percent);
            self.percents += usize::from(parts.percent);
            if let Some(currency) = parts.currency {
                self.currencies.insert(currency);
                self.with_currency += 1;
            }
        }
    }

    /// How many cells no form explains together.
    pub(super) fn refused(&self) -> usize {
        self.seen - self.accepted.iter().max().copied().unwrap_or(0)
    }

    /// The form that explains most cells, unless units are mixed or the digits are names (`00017`).
    pub(super) fn found(&self) -> Option<Found> {
        let best = (0..FORMS.len()).rev().max_by_key(|place| self.accepted[*place])?;
        let numbers = self.accepted[best];
        let mixed_percent = self.percents > 0 && self.percents + self.zeros < numbers;
        if numbers == 0 || self.names > 0 || mixed_percent || self.currencies.len() > 1 {
            return None;
        }
        let (decimal, group) = FORMS[best];
        let form = NumberForm { decimal, group, percent: self.percents > 0, currency: !self.currencies.is_empty() };
        let ambiguous = best == 1 && self.accepted[2] == numbers && self.accepted[0] < numbers;
        let currencies = self.currencies.iter().copied().collect();
        Some(Found { form, refused: self.seen - numbers, numbers, ambiguous, currencies })
    }
}
