//! Sentences as weights of terms (TF-IDF: Salton, Buckley, Term-weighting approaches in automatic text retrieval, 1988).
//!
//! The weight of a term is `1 + ln(times)` times `1 + ln((1 + texts) / (1 + texts with it))`; the weights of a text have
//! length 1, so that long texts do not count more.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::tokens::{Buffer, Term, terms};
use crate::{MlError, sound};

/// A term in fewer texts is not learnt from.
const TEXTS_LEAST: u32 = 3;
/// While counting, so many terms are held; beyond, those that were met in one text alone are dropped.
const COUNTED_MAX: usize = 4_000_000;

/// A vocabulary with its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub(super) struct Terms {
    written: Written,
    places: FxHashMap<u64, u32>,
}

/// What is kept of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Written {
    terms: Vec<String>,
    /// How much a term tells for being rare.
    rarity: Vec<f64>,
    parts: bool,
}

impl From<Written> for Terms {
    fn from(written: Written) -> Self {
        let numbered = written.terms.iter().enumerate();
        let places = numbered.map(|(place, term)| (Term::parse(term).hash(), place as u32)).collect();
        Self { written, places }
    }
}

impl From<Terms> for Written {
    fn from(terms: Terms) -> Self {
        terms.written
    }
}

/// What was counted of a term.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    texts: u32,
    last: u32,
    first: u64,
    target: f64,
}

type Counts = FxHashMap<u64, Count>;

impl Terms {
    /// Chooses at most `most` terms: with a target those that are most associated with it, else the most frequent. `target`
    /// has an entry for each text.
    pub(super) fn fit(texts: &[Option<&str>], target: Option<&[f64]>, most: usize, parts: bool) -> Self {
        let counts = count(texts, target, parts);
        let all = texts.iter().flatten().count().max(1) as f64;
        let mean = target.map_or(0.0, |target| target.iter().sum::<f64>() / target.len().max(1) as f64);
        let score = |count: &Count| {
            let share = f64::from(count.texts) / all;
            match target {
                // Proportional to the correlation of the target with the term's being there.
                Some(_) => {
                    (count.target - mean * f64::from(count.texts)).abs() / (share * (1.0 - share)).sqrt().max(1e-9)
                }
                None => f64::from(count.texts),
            }
        };
        // The order of the walk does not matter: what it collects is sorted by score and by first meeting.
        let mut chosen: Vec<(u64, Count)> =
            counts.into_iter().filter(|(_, count)| count.texts >= TEXTS_LEAST).collect();
        chosen.sort_by(|(_, a), (_, b)| score(b).total_cmp(&score(a)).then(a.first.cmp(&b.first)));
        chosen.truncate(most);
        let places: FxHashMap<u64, u32> =
            chosen.iter().enumerate().map(|(place, (hash, _))| (*hash, place as u32)).collect();
        let rarity =
            chosen.iter().map(|(_, count)| 1.0 + ((1.0 + all) / (1.0 + f64::from(count.texts))).ln()).collect();
        let terms = written(&places, texts, parts);
        Self { written: Written { terms, rarity, parts }, places }
    }

    /// Refuses what has not a weight for each term.
    pub(super) fn check(&self) -> Result<(), MlError> {
        let Written { terms, rarity, .. } = &self.written;
        sound::fits(terms.len() == rarity.len(), "a vocabulary has not one weight for each term")?;
        rarity.iter().try_for_each(|rarity| sound::divisor("the rarity of a term", *rarity))
    }

    /// The terms.
    pub(super) fn names(&self) -> &[String] {
        &self.written.terms
    }

    /// Weighs a text.
    pub(super) fn code(&self, text: &str, buffer: &mut Buffer, found: &mut Vec<u32>, put: &mut dyn FnMut(usize, f64)) {
        found.clear();
        terms(text, self.written.parts, buffer, &mut |term| found.extend(self.places.get(&term.hash())));
        found.sort_unstable();
        let weight = |same: &[u32]| (1.0 + (same.len() as f64).ln()) * self.written.rarity[same[0] as usize];
        let runs = || found.chunk_by(|one, other| one == other);
        let length = runs().map(|same| weight(same).powi(2)).sum::<f64>().sqrt();
        runs().for_each(|same| put(same[0] as usize, weight(same) / length));
    }
}

/// In how many texts each term is, and the sum of their targets.
fn count(texts: &[Option<&str>], target: Option<&[f64]>, parts: bool) -> Counts {
    let mut counts = Counts::default();
    let mut buffer = Buffer::default();
    let mut met = 0_u64;
    for (number, text) in texts.iter().enumerate() {
        let Some(text) = text else { continue };
        let this = number as u32 + 1;
        terms(text, parts, &mut buffer, &mut |term| {
            met += 1;
            let count = counts.entry(term.hash()).or_insert(Count { first: met, ..Count::default() });
            if count.last != this {
                count.last = this;
                count.texts += 1;
                count.target += target.map_or(0.0, |target| target[number]);
            }
        });
        if counts.len() > COUNTED_MAX {
            counts.retain(|_, count| count.texts > 1);
        }
    }
    counts
}

/// The chosen terms as they are written, from the texts themselves.
fn written(places: &FxHashMap<u64, u32>, texts: &[Option<&str>], parts: bool) -> Vec<String> {
    let mut found: Vec<Option<String>> = vec![None; places.len()];
    let mut left = places.len();
    let mut buffer = Buffer::default();
    for text in texts.iter().flatten() {
        if left == 0 {
            break;
        }
        terms(text, parts, &mut buffer, &mut |term| {
            if let Some(place) = places.get(&term.hash())
                && found[*place as usize].is_none()
            {
                found[*place as usize] = Some(term.written());
                left -= 1;
            }
        });
    }
    found.into_iter().flatten().collect()
}
