//! Declared features, compiled: which series an event touches, and what a feature's value is.
//!
//! Features over the same events share a series (see [`crate::series`]). The order of features is the order of their
//! declaration; it is the order of a model's inputs. Compiling the same declarations gives the same series in the same
//! order, which the encoding of a profile relies on.

use rapport_condition::{Program, Type};
use rapport_types::{DAY_MS, Event, Object, Timestamp, Value, stable_hash};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::{
    definition::{Aggregate, DefinitionError, FeatureDefinition, Window},
    filter,
    profile::Profile,
    series::{Cells, Keeping, Sample, SeriesState, Totals, tile_ms},
};

/// What several features over the same events share.
#[derive(Debug)]
struct Series {
    event: Option<Box<str>>,
    filter: Option<u16>,
    value: Option<Box<str>>,
    keeping: Keeping,
}

#[derive(Debug)]
struct Feature {
    definition: FeatureDefinition,
    series: u16,
    window_ms: Option<i64>,
}

/// A value of a feature as conditions and models see it; borrowed, and cheap to copy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FeatureValue<'a> {
    /// Nothing to tell: no event yet.
    Missing,
    /// A number; days for recency and age.
    Number(f64),
    /// The newest value as it came.
    One(&'a Value),
    /// A sequence; [`FeatureSet::sequence`] gives its values.
    Sequence,
}

/// Compiled features.
#[derive(Debug, Default)]
pub struct FeatureSet {
    features: Vec<Feature>,
    series: Vec<Series>,
    filters: Vec<Program>,
    by_event: FxHashMap<Box<str>, Vec<u16>>,
    by_any: Vec<u16>,
    by_name: FxHashMap<Box<str>, usize>,
    fingerprint: u32,
}

impl FeatureSet {
    /// How many features are possible.
    pub const LIMIT: usize = 1_000;

    /// Compiles declared features; every mistake is reported.
    pub fn compile(definitions: &[FeatureDefinition]) -> Result<Self, Vec<DefinitionError>> {
        let mut set = Self::default();
        let mut mistakes = Vec::new();
        if definitions.len() > Self::LIMIT {
            return Err(vec![DefinitionError::TooMany(definitions.len(), Self::LIMIT)]);
        }
        let mut sources: Vec<Box<str>> = Vec::new();
        for definition in definitions {
            if let Err(mistake) = set.add(definition, &mut sources) {
                mistakes.push(mistake);
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let declared = definitions.iter().flat_map(|definition| format!("{definition:?}").into_bytes());
        set.fingerprint = (stable_hash(declared) >> 32) as u32;
        for (index, series) in set.series.iter().enumerate() {
            match &series.event {
                Some(event) => set.by_event.entry(event.clone()).or_default().push(index as u16),
                None => set.by_any.push(index as u16),
            }
        }
        Ok(set)
    }

    fn add(&mut self, definition: &FeatureDefinition, sources: &mut Vec<Box<str>>) -> Result<(), DefinitionError> {
        definition.check()?;
        if self.by_name.insert(definition.name.clone(), self.features.len()).is_some() {
            return Err(DefinitionError::Twice(definition.name.clone()));
        }
        let filter = match &definition.filter {
            Some(source) => Some(self.add_filter(source, sources, &definition.name)?),
            None => None,
        };
        let (keeping, window_ms) = keeping_of(definition);
        // Recency looks at times only, so it shares the series of any samples of the same events.
        let value = definition.value.clone();
        let found = self.series.iter().position(|series| {
            series.event == definition.event
                && series.filter == filter
                && series.value == value
                && joined(series.keeping, keeping).is_some()
        });
        let series = match found {
            Some(index) => {
                let both = joined(self.series[index].keeping, keeping);
                self.series[index].keeping = both.expect("the position was found by this");
                index
            }
            None => {
                self.series.push(Series { event: definition.event.clone(), filter, value, keeping });
                self.series.len() - 1
            }
        };
        self.features.push(Feature { definition: definition.clone(), series: series as u16, window_ms });
        Ok(())
    }

    fn add_filter(&mut self, source: &str, sources: &mut Vec<Box<str>>, feature: &str) -> Result<u16, DefinitionError> {
        if let Some(index) = sources.iter().position(|known| &**known == source) {
            return Ok(index as u16);
        }
        let wrong = |error| DefinitionError::Filter { name: feature.into(), error };
        let program = Program::compile(source, filter::scope()).map_err(wrong)?;
        if !matches!(program.result_type(), Type::Bool | Type::Any) {
            let what = "the filter must be true or false";
            return Err(DefinitionError::Shape { name: feature.into(), what });
        }
        sources.push(source.into());
        self.filters.push(program);
        Ok((self.filters.len() - 1) as u16)
    }

    /// How many features there are.
    pub fn len(&self) -> usize {
        self.features.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// Tells declarations apart: profiles encoded under one fingerprint are read under the same only.
    pub fn fingerprint(&self) -> u32 {
        self.fingerprint
    }

    /// Their names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.features.iter().map(|feature| &*feature.definition.name)
    }

    /// The place of the feature `name`.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The declaration of a feature.
    pub fn definition(&self, index: usize) -> &FeatureDefinition {
        &self.features[index].definition
    }

    /// Whether a feature is a number, so that a model can take it as it is.
    pub fn is_number(&self, index: usize) -> bool {
        !matches!(self.features[index].definition.aggregate, Aggregate::Last | Aggregate::Sequence)
    }

    pub(crate) fn keepings(&self) -> impl Iterator<Item = Keeping> {
        self.series.iter().map(|series| series.keeping)
    }

    /// Takes `event` into the series of a profile.
    pub(crate) fn update(&self, states: &mut Vec<SeriesState>, event: &Event, tie: u64) {
        if states.len() < self.series.len() {
            let missing = self.series[states.len()..].iter().map(|series| SeriesState::empty(series.keeping));
            states.extend(missing);
        }
        // Each filter is asked at most once for an event, however many series share it.
        let mut asked: SmallVec<[Option<bool>; 16]> = SmallVec::new();
        asked.resize(self.filters.len(), None);
        let named = self.by_event.get(event.feature_name()).map_or(&[][..], Vec::as_slice);
        for &index in named.iter().chain(&self.by_any) {
            let series = &self.series[usize::from(index)];
            if let Some(filter) = series.filter.map(usize::from) {
                let passes = *asked[filter].get_or_insert_with(|| filter::passes(&self.filters[filter], event));
                if !passes {
                    continue;
                }
            }
            series.update(&mut states[usize::from(index)], event, tie);
        }
    }

    /// The value of a feature at `at`.
    pub fn value<'a>(&self, profile: &'a Profile, index: usize, at: Timestamp) -> FeatureValue<'a> {
        let feature = &self.features[index];
        match feature.definition.aggregate {
            Aggregate::Last => Self::newest(profile, feature, at).map_or(FeatureValue::Missing, FeatureValue::One),
            Aggregate::Sequence => match profile.series.get(usize::from(feature.series)) {
                Some(state) if !state.samples().is_empty() => FeatureValue::Sequence,
                _ => FeatureValue::Missing,
            },
            _ => {
                let number = self.number(profile, index, at);
                if number.is_nan() { FeatureValue::Missing } else { FeatureValue::Number(number) }
            }
        }
    }

    /// The value of a feature at `at` as JSON; missing is null.
    pub fn json(&self, profile: &Profile, index: usize, at: Timestamp) -> Value {
        match self.value(profile, index, at) {
            FeatureValue::Missing => Value::Null,
            FeatureValue::Number(number) => Value::from(number),
            FeatureValue::One(value) => value.clone(),
            FeatureValue::Sequence => Value::List(self.sequence(profile, index).cloned().collect()),
        }
    }

    /// The values of a sequence feature, oldest first; nothing for other features.
    pub fn sequence<'a>(&self, profile: &'a Profile, index: usize) -> impl Iterator<Item = &'a Value> {
        let feature = &self.features[index];
        let wanted = match feature.definition.aggregate {
            Aggregate::Sequence => usize::from(feature.definition.n.unwrap_or(10)),
            _ => 0,
        };
        let samples = profile.series.get(usize::from(feature.series)).map_or(&[][..], SeriesState::samples);
        samples[samples.len().saturating_sub(wanted)..].iter().map(|sample| &sample.value)
    }

    fn newest<'a>(profile: &'a Profile, feature: &Feature, at: Timestamp) -> Option<&'a Value> {
        let sample = profile.series.get(usize::from(feature.series))?.samples().last()?;
        let in_window = feature.window_ms.is_none_or(|span| sample.at.0 > at.0.saturating_sub(span));
        in_window.then_some(&sample.value)
    }

    /// The value of a numeric feature at `at`; NaN where it is missing or not a number. Recency and age are in days.
    pub fn number(&self, profile: &Profile, index: usize, at: Timestamp) -> f64 {
        let feature = &self.features[index];
        let keeping = self.series[usize::from(feature.series)].keeping;
        let Some(state) = profile.series.get(usize::from(feature.series)) else {
            return if counts(feature.definition.aggregate) { 0.0 } else { f64::NAN };
        };
        let days = |earlier: Timestamp| at.since(earlier).0.max(0) as f64 / DAY_MS as f64;
        let totals = || state.totals(keeping, feature.window_ms, at);
        match feature.definition.aggregate {
            Aggregate::Count => totals().count as f64,
            Aggregate::Sum => totals().sum,
            Aggregate::Mean => mean(totals()),
            Aggregate::Min => totals().min.unwrap_or(f64::NAN),
            Aggregate::Max => totals().max.unwrap_or(f64::NAN),
            Aggregate::Distinct => match keeping {
                Keeping::Distinct { tile_ms, .. } => state.distinct(tile_ms, feature.window_ms, at) as f64,
                _ => unreachable!("distinct features keep a distinct set"),
            },
            Aggregate::Recency => Self::nth_newest(profile, feature).map_or(f64::NAN, days),
            Aggregate::Age => state.first().map_or(f64::NAN, days),
            Aggregate::Last => Self::newest(profile, feature, at).and_then(Value::as_f64).unwrap_or(f64::NAN),
            Aggregate::Sequence => f64::NAN,
        }
    }

    fn nth_newest(profile: &Profile, feature: &Feature) -> Option<Timestamp> {
        let samples = profile.series.get(usize::from(feature.series))?.samples();
        let n = usize::from(feature.definition.n.unwrap_or(1));
        samples.len().checked_sub(n).map(|place| samples[place].at)
    }

    /// Every feature at `at` in order, as [`Self::number`] gives it; `numbers` is cleared first.
    pub fn vector(&self, profile: &Profile, at: Timestamp, numbers: &mut Vec<f64>) {
        numbers.clear();
        numbers.extend((0..self.features.len()).map(|index| self.number(profile, index, at)));
    }

    /// The instant that a recency or age feature counts from; none for other features or without an event.
    pub fn counted_from(&self, profile: &Profile, index: usize) -> Option<Timestamp> {
        let feature = &self.features[index];
        match feature.definition.aggregate {
            Aggregate::Recency => Self::nth_newest(profile, feature),
            Aggregate::Age => profile.series.get(usize::from(feature.series))?.first(),
            _ => None,
        }
    }

    /// The first instant after `at` at which a feature's value changes because its window moved on.
    ///
    /// Recency and age change all the time and are not told here; see [`Self::counted_from`].
    pub fn next_change(&self, profile: &Profile, index: usize, at: Timestamp) -> Option<Timestamp> {
        let feature = &self.features[index];
        let keeping = self.series[usize::from(feature.series)].keeping;
        let state = profile.series.get(usize::from(feature.series))?;
        if let (Aggregate::Last, Some(span)) = (feature.definition.aggregate, feature.window_ms) {
            let leaves = Timestamp(state.samples().last()?.at.0.saturating_add(span));
            return (leaves > at).then_some(leaves);
        }
        state.next_loss(keeping, feature.window_ms, at)
    }
}

impl Series {
    fn update(&self, state: &mut SeriesState, event: &Event, tie: u64) {
        let at = event.timestamp;
        let Some(path) = &self.value else {
            match self.keeping {
                Keeping::Newest { n } => state.add_sample(n, Sample { at, tie, value: Value::Null }),
                Keeping::First => state.add_first(at),
                _ => state.add_number(self.keeping, at, 0.0),
            }
            return;
        };
        each_value(&event.properties, path, &mut |value| match self.keeping {
            Keeping::Newest { n } => state.add_sample(n, Sample { at, tie, value: value.clone() }),
            Keeping::Distinct { tile_ms, retain } => state.add_distinct(tile_ms, retain, at, value_hash(value)),
            Keeping::First => state.add_first(at),
            Keeping::Lifetime(_) | Keeping::Tiles { .. } | Keeping::Sessions { .. } => {
                // Without a sum, min or max the values are only counted, whatever they are.
                if let Some(number) = value.as_f64().or_else(|| self.keeping.only_counts().then_some(0.0)) {
                    state.add_number(self.keeping, at, number);
                }
            }
        });
    }
}

impl Keeping {
    fn only_counts(self) -> bool {
        match self {
            Self::Lifetime(cells) | Self::Tiles { cells, .. } | Self::Sessions { cells, .. } => {
                cells == Cells::default()
            }
            Self::Distinct { .. } | Self::Newest { .. } | Self::First => false,
        }
    }
}

fn counts(aggregate: Aggregate) -> bool {
    matches!(aggregate, Aggregate::Count | Aggregate::Sum | Aggregate::Distinct)
}

fn mean(totals: Totals) -> f64 {
    if totals.count == 0 { f64::NAN } else { totals.sum / totals.count as f64 }
}

fn keeping_of(definition: &FeatureDefinition) -> (Keeping, Option<i64>) {
    let aggregate = definition.aggregate;
    let cells = Cells {
        sum: matches!(aggregate, Aggregate::Sum | Aggregate::Mean),
        min: aggregate == Aggregate::Min,
        max: aggregate == Aggregate::Max,
    };
    let window_ms = match definition.window {
        Window::Sliding(span) => Some(span.0),
        Window::Lifetime | Window::Session(_) => None,
    };
    let tile = window_ms.map_or(0, tile_ms);
    let retain = window_ms.map_or(0, |span| span / tile + 2);
    let keeping = match (aggregate, definition.window) {
        (Aggregate::Last, _) => Keeping::Newest { n: 1 },
        (Aggregate::Recency, _) => Keeping::Newest { n: definition.n.unwrap_or(1) },
        (Aggregate::Sequence, _) => Keeping::Newest { n: definition.n.unwrap_or(10) },
        (Aggregate::Age, _) => Keeping::First,
        (Aggregate::Distinct, _) => Keeping::Distinct { tile_ms: tile, retain },
        (_, Window::Lifetime) => Keeping::Lifetime(cells),
        (_, Window::Sliding(_)) => Keeping::Tiles { tile_ms: tile, retain, cells },
        (_, Window::Session(gap)) => Keeping::Sessions { gap_ms: gap.0, cells },
    };
    (keeping, window_ms)
}

/// One way of keeping that serves both, if there is one.
fn joined(one: Keeping, other: Keeping) -> Option<Keeping> {
    use Keeping::{Distinct, First, Lifetime, Newest, Sessions, Tiles};
    match (one, other) {
        // Only-counting series count every value, the others only numbers, so they are not the same.
        (Lifetime(a), Lifetime(b)) if one.only_counts() == other.only_counts() => Some(Lifetime(a.union(b))),
        (Tiles { tile_ms, retain, cells }, Tiles { tile_ms: tile, retain: r, cells: c })
            if tile_ms == tile && one.only_counts() == other.only_counts() =>
        {
            Some(Tiles { tile_ms, retain: retain.max(r), cells: cells.union(c) })
        }
        (Sessions { gap_ms, cells }, Sessions { gap_ms: gap, cells: c })
            if gap_ms == gap && one.only_counts() == other.only_counts() =>
        {
            Some(Sessions { gap_ms, cells: cells.union(c) })
        }
        (Distinct { tile_ms, retain }, Distinct { tile_ms: tile, retain: r }) if tile_ms == tile => {
            Some(Distinct { tile_ms, retain: retain.max(r) })
        }
        (Newest { n }, Newest { n: m }) => Some(Newest { n: n.max(m) }),
        (First, First) => Some(First),
        _ => None,
    }
}

/// Calls `each` with every value at the dotted `path`, through lists; null is no value.
fn each_value<'a>(object: &'a Object, path: &str, each: &mut impl FnMut(&'a Value)) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    if let Some(value) = object.get(name) {
        each_inner(value, rest, each);
    }
}

fn each_inner<'a>(value: &'a Value, rest: Option<&str>, each: &mut impl FnMut(&'a Value)) {
    match (value, rest) {
        (Value::List(items), _) => items.iter().for_each(|item| each_inner(item, rest, each)),
        (Value::Object(object), Some(path)) => each_value(object, path, each),
        (Value::Null, _) | (_, Some(_)) => {}
        (value, None) => each(value),
    }
}

/// A hash by which values are told apart: 1 and 1.0 are one value, 1 and "1" are two.
fn value_hash(value: &Value) -> u32 {
    let hash = match value {
        Value::String(text) => stable_hash(std::iter::once(b's').chain(text.bytes())),
        Value::Bool(truth) => stable_hash([b'b', u8::from(*truth)]),
        Value::Int(_) | Value::Float(_) => {
            let bits = value.as_f64().unwrap_or(0.0).to_bits();
            stable_hash(std::iter::once(b'n').chain(bits.to_le_bytes()))
        }
        Value::Null => 0,
        Value::List(_) | Value::Object(_) => {
            let bytes = postcard::to_allocvec(value).expect("a value in memory encodes");
            stable_hash(std::iter::once(b'o').chain(bytes))
        }
    };
    // The high half is the better mixed one.
    (hash >> 32) as u32
}
