//! From columns of text to typed columns.
//!
//! Each decision is made over a whole column: one cell such as `3/4/2024` or `1,234` cannot be read alone. Few cells that do
//! not fit (one in two hundred) are missing values of a column that does; more make it a column of names.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::names::{says_identifier, says_time};
use super::number::{Found, Survey, is_plain};
use super::time::{self, TimeForm};
use super::words::{are_opposites, boolean, is_missing, is_missing_among_values};
use super::{Cell, Cells, Column, ColumnSchema, Frame, Meaning, NO_TIME, Note, NumberForm, Reading, Schema, Texts};
use crate::MlError;
use crate::pipeline::is_ideograph;

/// The share of cells that may be unreadable in a column of numbers or times.
const UNREADABLE: f64 = 0.005;
/// A column of identifiers names nearly every row differently.
const IDENTIFIER: f64 = 0.9;
/// With fewer rows than this, all values being different says nothing.
const ROWS_LEAST: usize = 20;
/// Ids that come back this often, on average, name something that can be learnt about.
const COMES_BACK: usize = 10;
/// Texts of so many words, on average, are sentences.
const WORDS_OF_TEXT: f64 = 3.0;
/// How many cells are looked at before a form of time is taken for possible.
const GLANCE: usize = 32;
const EXAMPLES: usize = 5;
const EXAMPLE_LENGTH: usize = 60;

/// What the user knows better.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InferOptions {
    /// What these columns are, whatever they look like. Constant and missing cannot be chosen.
    pub meanings: BTreeMap<String, Meaning>,
}

/// Finds out what columns of text hold, and reads them. The columns must be of one length and have different names.
pub fn infer(columns: Vec<(String, Texts)>, options: &InferOptions) -> Result<(Frame, Schema), MlError> {
    if let Some(name) = options.meanings.keys().find(|name| !columns.iter().any(|(known, _)| known == *name)) {
        return Err(MlError::Table(format!(
            "a type is stated for the column \"{name}\", which the table does not have"
        )));
    }
    let mut schema = Schema::default();
    let mut read = Vec::with_capacity(columns.len());
    for (name, texts) in columns {
        let look = Look::at(&texts);
        let mut notes = Vec::new();
        let (meaning, reading) = look.decide(&name, &texts, options.meanings.get(&name).copied(), &mut notes)?;
        let (distinct, examples) = (look.distinct, look.examples);
        let rows = texts.len();
        let words = missing_words(&texts, reading);
        let cells = cells(&name, texts, reading)?;
        let missing = (0..rows).filter(|row| cells.get(*row) == Cell::Missing).count();
        if !words.is_empty() {
            notes.push(Note::MissingWords { words });
        }
        schema.columns.push(ColumnSchema { name: name.clone(), meaning, rows, missing, distinct, examples, notes });
        read.push(Column { name, meaning, reading, cells });
    }
    Ok((Frame::new(read)?, schema))
}

/// Reads a column.
pub(super) fn cells(name: &str, mut texts: Texts, reading: Reading) -> Result<Cells, MlError> {
    let value = |text: Option<&str>| match text.map(|text| reading.read(text)) {
        Some(Cell::Number(number)) => number,
        _ => f64::NAN,
    };
    let time = |text: Option<&str>| match text.map(|text| reading.read(text)) {
        Some(Cell::Time(time)) => time,
        _ => NO_TIME,
    };
    Ok(match reading {
        Reading::Number(_) | Reading::Boolean => Cells::Number(texts.iter().map(value).collect()),
        Reading::Time(_) => Cells::Time(texts.iter().map(time).collect()),
        Reading::Text => {
            if texts.iter().flatten().any(|text| is_missing(text) || text.trim().len() < text.len()) {
                let mut clean = Texts::new();
                for text in texts.iter() {
                    match text.map(|text| reading.read(text)) {
                        Some(Cell::Text(text)) => {
                            clean.push(text).map_err(|error| MlError::Table(format!("column \"{name}\": {error}")))?;
                        }
                        _ => clean.push_missing(),
                    }
                }
                texts = clean;
            }
            texts.shrink();
            Cells::Text(texts)
        }
    })
}

/// The meaning of a column that was read without being looked at.
pub(super) fn plain_meaning(reading: Reading) -> Meaning {
    match reading {
        Reading::Number(_) => Meaning::Number,
        Reading::Boolean => Meaning::Boolean,
        Reading::Time(_) => Meaning::Time,
        Reading::Text => Meaning::Category,
    }
}

/// Words that stood for no value, with their counts.
fn missing_words(texts: &Texts, reading: Reading) -> Vec<(String, usize)> {
    let says_missing = if reading == Reading::Text { is_missing } else { is_missing_among_values };
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for text in texts.iter().flatten().filter(|text| says_missing(text)) {
        *words.entry(text).or_default() += 1;
    }
    let mut words: Vec<(String, usize)> = words.into_iter().map(|(word, count)| (word.to_owned(), count)).collect();
    words.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    words.truncate(EXAMPLES);
    words
}

/// A first look at a column.
struct Look {
    /// Cells with a value, seen as names.
    present: usize,
    distinct: usize,
    examples: Vec<String>,
    /// The two values, if there are exactly two.
    two: Option<(String, String)>,
    /// Words in a cell, on average; two ideographs count as a word.
    words: f64,
}

impl Look {
    fn at(texts: &Texts) -> Self {
        let mut distinct: FxHashSet<&str> = FxHashSet::default();
        let mut first: Vec<&str> = Vec::new();
        let (mut present, mut words) = (0_usize, 0.0);
        for text in texts.iter().flatten().map(str::trim).filter(|text| !is_missing(text)) {
            present += 1;
            if distinct.insert(text) && first.len() < EXAMPLES {
                first.push(text);
            }
            words += word_count(text);
        }
        let two = (distinct.len() == 2).then(|| (first[0].to_owned(), first[1].to_owned()));
        let shorten = |text: &&str| match text.char_indices().nth(EXAMPLE_LENGTH) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => (*text).to_owned(),
        };
        let examples = first.iter().map(shorten).collect();
        Self { present, distinct: distinct.len(), examples, two, words: words / present.max(1) as f64 }
    }

    fn decide(
        &self,
        name: &str,
        texts: &Texts,
        stated: Option<Meaning>,
        notes: &mut Vec<Note>,
    ) -> Result<(Meaning, Reading), MlError> {
        if let Some(meaning) = stated {
            return stated_reading(name, meaning, texts, notes).map(|reading| (meaning, reading));
        }
        if self.present == 0 {
            return Ok((Meaning::Missing, Reading::Text));
        }
        let constant =
            |meaning| if self.distinct == 1 && self.present == texts.len() { Meaning::Constant } else { meaning };
        if self.two.as_ref().is_some_and(|(one, other)| are_opposites(one, other)) {
            return Ok((Meaning::Boolean, Reading::Boolean));
        }
        if let Some((form, ambiguous, unreadable)) = times(texts, true) {
            note_time(form, ambiguous, unreadable, notes);
            return Ok((constant(Meaning::Time), Reading::Time(form)));
        }
        if let Some((found, values)) = numbers(texts, true) {
            return Ok(self.decide_number(name, texts, &found, values, notes));
        }
        Ok((constant(self.names(name)), Reading::Text))
    }

    fn decide_number(
        &self,
        name: &str,
        texts: &Texts,
        found: &Found,
        values: Values,
        notes: &mut Vec<Note>,
    ) -> (Meaning, Reading) {
        if self.distinct == 1 && self.present == texts.len() {
            return (Meaning::Constant, Reading::Number(found.form));
        }
        if says_time(name) && values.whole {
            for (form, unit) in [(TimeForm::Seconds, 1.0), (TimeForm::Milliseconds, 1000.0)] {
                // From 2001 to 2100.
                if values.least >= 1e9 * unit && values.most <= 4.1e9 * unit {
                    notes.push(Note::Times { form });
                    return (Meaning::Time, Reading::Time(form));
                }
            }
        }
        let consecutive = values.most - values.least + 1.0 == self.distinct as f64;
        let all_differ = self.distinct == found.numbers && self.distinct >= ROWS_LEAST;
        if values.whole && says_identifier(name) && self.distinct > ROWS_LEAST {
            let comes_back = self.present / self.distinct >= COMES_BACK;
            return (if comes_back { Meaning::Category } else { Meaning::Identifier }, Reading::Text);
        }
        if values.whole && all_differ && consecutive {
            return (Meaning::Identifier, Reading::Text);
        }
        note_number(texts, found, notes);
        let zero_or_one = values.whole && values.least == 0.0 && values.most == 1.0;
        (if zero_or_one { Meaning::Boolean } else { Meaning::Number }, Reading::Number(found.form))
    }

    /// What a column of names is.
    fn names(&self, name: &str) -> Meaning {
        let share = self.distinct as f64 / self.present as f64;
        if self.words >= WORDS_OF_TEXT && self.distinct >= ROWS_LEAST && share > 0.2 {
            return Meaning::Text;
        }
        let many = self.distinct > ROWS_LEAST;
        let named = many && says_identifier(name) && self.present / self.distinct < COMES_BACK;
        if named || many && share >= IDENTIFIER { Meaning::Identifier } else { Meaning::Category }
    }
}

fn word_count(text: &str) -> f64 {
    if text.is_ascii() {
        return text.split_ascii_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count() as f64;
    }
    let ideographs = text.chars().filter(|character| is_ideograph(*character)).count();
    let others = text.split(|character: char| character.is_whitespace() || is_ideograph(character));
    ideographs as f64 / 2.0 + others.filter(|word| word.contains(char::is_alphanumeric)).count() as f64
}

/// The range of a column of numbers.
#[derive(Debug, Clone, Copy)]
struct Values {
    least: f64,
    most: f64,
    whole: bool,
}

/// The form of a column of numbers, if it is one. `strict`: few exceptions only.
fn numbers(texts: &Texts, strict: bool) -> Option<(Found, Values)> {
    let found = if present(texts).all(is_plain) {
        let numbers = present(texts).count();
        let form = NumberForm::default();
        (numbers > 0).then_some(Found { form, refused: 0, numbers, ambiguous: false, currencies: Vec::new() })?
    } else {
        let mut survey = Survey::default();
        for text in present(texts) {
            survey.see(text);
            if strict && survey.refused() > exceptions_max(texts.len()) {
                return None;
            }
        }
        survey.found()?
    };
    if strict && !few(found.refused, found.numbers) {
        return None;
    }
    let mut values = Values { least: f64::INFINITY, most: f64::NEG_INFINITY, whole: true };
    for value in present(texts).filter_map(|text| found.form.read(text)) {
        values.least = values.least.min(value);
        values.most = values.most.max(value);
        values.whole &= value.fract() == 0.0;
    }
    Some((found, values))
}

/// The cells that have a value in a column of numbers or times.
fn present(texts: &Texts) -> impl Iterator<Item = &str> {
    texts.iter().flatten().map(str::trim).filter(|text| !is_missing_among_values(text))
}

/// The form of a column of instants, if it is one, whether day and month could be the other way round, and how many cells
/// are unreadable. Plain numbers that count from 1970 are not looked for.
fn times(texts: &Texts, strict: bool) -> Option<(TimeForm, bool, (usize, String))> {
    let possible: Vec<TimeForm> = time::FORMS
        .into_iter()
        .filter(|form| present(texts).take(GLANCE).any(|text| form.read(text).is_some()))
        .collect();
    if possible.is_empty() {
        return None;
    }
    let mut counts = vec![0_usize; possible.len()];
    let mut seen = 0;
    for text in present(texts) {
        seen += 1;
        for (count, form) in counts.iter_mut().zip(&possible) {
            *count += usize::from(form.read(text).is_some());
        }
        if strict && counts.iter().all(|count| seen - count > exceptions_max(texts.len())) {
            return None;
        }
    }
    let best = (0..possible.len()).rev().max_by_key(|place| counts[*place])?;
    let (form, read) = (possible[best], counts[best]);
    // Eight digits are a date only if all cells agree; else they are numbers.
    if strict && (!few(seen - read, read) || (form == TimeForm::Compact && read < seen)) {
        return None;
    }
    let other = possible.iter().zip(&counts).any(|(other, count)| *other == TimeForm::DayFirst && *count == read);
    let ambiguous = form == TimeForm::MonthFirst && other;
    // Points between are written where the day comes first.
    let points = || present(texts).take(GLANCE).any(|text| text.bytes().take(3).any(|byte| byte == b'.'));
    let form = if ambiguous && points() { TimeForm::DayFirst } else { form };
    let example = if read < seen { present(texts).find(|text| form.read(text).is_none()) } else { None };
    Some((form, ambiguous, (seen - read, example.unwrap_or_default().to_owned())))
}

/// With more exceptions than this no column of so many rows passes [`few`].
fn exceptions_max(rows: usize) -> usize {
    (UNREADABLE * rows as f64) as usize
}

/// Whether exceptions are few enough beside what fits.
fn few(exceptions: usize, fitting: usize) -> bool {
    fitting > 0 && exceptions as f64 <= UNREADABLE * fitting as f64
}

fn note_time(form: TimeForm, ambiguous: bool, (count, example): (usize, String), notes: &mut Vec<Note>) {
    notes.push(if ambiguous { Note::AmbiguousDates { form } } else { Note::Times { form } });
    if count > 0 {
        notes.push(Note::Unreadable { count, example });
    }
}

fn note_number(texts: &Texts, found: &Found, notes: &mut Vec<Note>) {
    let form = found.form;
    if (form.decimal, form.group) != ('.', None) {
        notes.push(Note::Separators { decimal: form.decimal, group: form.group });
    }
    if found.ambiguous {
        notes.push(Note::AmbiguousSeparator);
    }
    if form.percent {
        notes.push(Note::Percent);
    }
    notes.extend(found.currencies.iter().map(|sign| Note::Currency { sign: (*sign).to_owned() }));
    if found.refused > 0 {
        let odd = |text: &&str| !is_missing_among_values(text) && form.read(text.trim()).is_none();
        let example = texts.iter().flatten().find(odd).unwrap_or_default().trim().to_owned();
        notes.push(Note::Unreadable { count: found.refused, example });
    }
}

/// How a column whose meaning was stated is read.
fn stated_reading(name: &str, meaning: Meaning, texts: &Texts, notes: &mut Vec<Note>) -> Result<Reading, MlError> {
    let no = |what: &str| MlError::Table(format!("the column \"{name}\" is stated to hold {what}, but no cell is one"));
    match meaning {
        Meaning::Number => {
            let (found, _) = numbers(texts, false).ok_or_else(|| no("numbers"))?;
            note_number(texts, &found, notes);
            Ok(Reading::Number(found.form))
        }
        Meaning::Time => {
            if let Some((form, ambiguous, unreadable)) = times(texts, false) {
                note_time(form, ambiguous, unreadable, notes);
                return Ok(Reading::Time(form));
            }
            let (_, values) = numbers(texts, false).ok_or_else(|| no("times"))?;
            let form = if values.most.abs() < 1e11 { TimeForm::Seconds } else { TimeForm::Milliseconds };
            notes.push(Note::Times { form });
            Ok(Reading::Time(form))
        }
        Meaning::Boolean => {
            if texts.iter().flatten().any(|text| boolean(text).is_some()) {
                return Ok(Reading::Boolean);
            }
            let zero_or_one = |text: &str| is_missing(text) || matches!(text.trim(), "0" | "1");
            let fits = texts.iter().flatten().all(zero_or_one);
            fits.then(|| Reading::Number(NumberForm::default())).ok_or_else(|| no("yes and no"))
        }
        Meaning::Category | Meaning::Text | Meaning::Identifier => Ok(Reading::Text),
        Meaning::Constant | Meaning::Missing => {
            Err(MlError::Table(format!("the type stated for the column \"{name}\" cannot be chosen; it is found")))
        }
    }
}
