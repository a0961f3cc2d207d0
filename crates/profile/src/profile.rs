//! What is known of one customer.
//!
//! The facts of a profile (ids, attributes, series, counters) are a function of the set of its events, not of the order
//! in which they came; merging two profiles gives what their events together would have given. What follows from the
//! facts (segments, scores) is written by the crate `decide` and kept here because it is checkpointed with them.

use std::borrow::Cow;

use rapport_types::{CustomerId, Offset, PartitionId, Timestamp, Value};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    awaited::{self, Awaited},
    feature::FeatureSet,
    series::{Keeping, SeriesState},
};

/// How many positions in the log a profile remembers for its timeline.
pub const POSITIONS_MAX: usize = 128;
/// How many attributes a profile can have; an event that would add more becomes a dead letter.
pub const ATTRIBUTES_MAX: usize = 500;
/// How many ids a profile can have; an event that would add more becomes a dead letter.
pub const IDS_MAX: usize = 500;

/// The first byte of an encoded profile that has nothing to do with joined customers.
pub(crate) const VERSION: u8 = 3;
/// Behind the profile stands its [`Part`].
pub(crate) const VERSION_WITH_PART: u8 = 4;
/// Without what is awaited, which came to stand at the end.
pub(crate) const VERSION_WITHOUT_AWAITED: u8 = 2;
/// Its distinct sets are rows of 64-bit hashes; which of its series these are only the definitions tell.
const VERSION_WITH_LONG_HASHES: u8 = 1;

/// A property of a customer, with what decides which of two values is newer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub name: Box<str>,
    /// Its value; null means that it was taken away.
    pub value: Value,
    /// The time of the event that said so.
    pub at: Timestamp,
    /// Part of that event's message key: decides between events of one millisecond.
    pub(crate) tie: u64,
}

/// One feature's part in a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The feature.
    pub feature: Box<str>,
    /// Its value; none if it is missing.
    pub value: Option<f64>,
    /// What it adds to the score's log-odds against an average customer.
    pub contribution: f64,
}

/// The newest value of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Its name.
    pub name: Box<str>,
    /// A probability from 0 to 1.
    pub value: f64,
    /// The model's version in the registry.
    pub model_version: u32,
    /// The customer's time at which it was computed.
    pub computed_at: Timestamp,
    /// The message id of the event that it was computed for; none when time alone moved it.
    pub cause: Option<Box<str>>,
    /// What moved it most, strongest first.
    pub reasons: Vec<Reason>,
}

/// Where one of the profile's events is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The event's time.
    pub at: Timestamp,
    /// The partition.
    pub partition: PartitionId,
    /// The offset there.
    pub offset: Offset,
}

/// A joined id, and the customer that it is joined to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Tie {
    pub(crate) id: CustomerId,
    pub(crate) head: CustomerId,
}

/// What a profile is where people joined several into one customer. It is no fact of the customer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) enum Part {
    /// A customer by itself.
    #[default]
    Whole,
    /// A part of a joined customer, sorted by id; not seen by itself.
    Of(Vec<Tie>),
    /// The joined customer, made of its parts; no id leads to it in the fold.
    Joint,
}

/// What is known of one customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The id by which the API names it.
    pub primary: CustomerId,
    /// Every id that leads to it, sorted; the primary one among them.
    pub ids: Vec<CustomerId>,
    /// Sorted by name.
    attributes: Vec<Attribute>,
    /// The time of its first event.
    pub first_seen: Timestamp,
    /// The time of its newest event.
    pub last_seen: Timestamp,
    /// How many events were applied to it.
    pub events: u64,
    pub(crate) series: Vec<SeriesState>,
    /// The customer's time: the newest event or timer. Features are read as of this instant.
    pub at: Timestamp,
    /// The timer, if one is set: the instant at which time alone can change a decision.
    pub due: Option<Timestamp>,
    /// One bit for each segment of the definitions, in 64s.
    pub segments: SmallVec<[u64; 1]>,
    /// The newest value of each score.
    pub scores: Vec<Score>,
    /// Where its newest events are in the log, oldest first.
    positions: Vec<Position>,
    /// Moments whose outcome is not known yet, for models that learn in service.
    pub awaited: Vec<Awaited>,
    /// Stands behind the profile where it is encoded, and only if it says something.
    #[serde(skip)]
    pub(crate) part: Part,
}

impl Profile {
    /// A profile that has only an id.
    pub(crate) fn new(primary: CustomerId) -> Self {
        Self {
            ids: vec![primary.clone()],
            primary,
            attributes: Vec::new(),
            first_seen: Timestamp(i64::MAX),
            last_seen: Timestamp::MIN,
            events: 0,
            series: Vec::new(),
            at: Timestamp::MIN,
            due: None,
            segments: SmallVec::new(),
            scores: Vec::new(),
            positions: Vec::new(),
            awaited: Vec::new(),
            part: Part::Whole,
        }
    }

    /// The value of the attribute `name`.
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        let place = self.attributes.binary_search_by(|attribute| (*attribute.name).cmp(name)).ok()?;
        Some(&self.attributes[place].value).filter(|value| !value.is_null())
    }

    /// The attributes in the order of their names.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(|attribute| !attribute.value.is_null())
    }

    /// How a person would call the customer: the attribute `name`, the first and last name, or the e-mail address.
    pub fn name(&self) -> Option<Cow<'_, str>> {
        let text = |name: &str| self.attribute(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        if let Some(name) = text("name") {
            return Some(name.into());
        }
        let parts = [text("firstName").or_else(|| text("first_name")), text("lastName").or_else(|| text("last_name"))];
        let full = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if full.is_empty() { text("email").map(Cow::Borrowed) } else { Some(full.into()) }
    }

    /// The newest value of the score `name`.
    pub fn score(&self, name: &str) -> Option<&Score> {
        self.scores.iter().find(|score| &*score.name == name)
    }

    /// Whether the segment at `index` of the definitions holds it.
    pub fn in_segment(&self, index: usize) -> bool {
        self.segments.get(index / 64).is_some_and(|bits| bits >> (index % 64) & 1 == 1)
    }

    /// Puts it into the segment at `index`, or takes it out.
    pub fn set_segment(&mut self, index: usize, inside: bool) {
        if self.segments.len() <= index / 64 {
            self.segments.resize(index / 64 + 1, 0);
        }
        let bit = 1 << (index % 64);
        if inside { self.segments[index / 64] |= bit } else { self.segments[index / 64] &= !bit }
    }

    /// Where its newest events are in the log, oldest first.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    pub(crate) fn add_position(&mut self, position: Position) {
        // Positions come in the order of the log, which is nearly the order of time.
        let place = self.positions.partition_point(|other| *other <= position);
        self.positions.insert(place, position);
        if self.positions.len() > POSITIONS_MAX {
            self.positions.remove(0);
        }
    }

    pub(crate) fn add_id(&mut self, id: CustomerId) -> bool {
        match self.ids.binary_search(&id) {
            Ok(_) => false,
            Err(place) => {
                self.ids.insert(place, id);
                true
            }
        }
    }

    pub(crate) fn remove_id(&mut self, id: &CustomerId) {
        if let Ok(place) = self.ids.binary_search(id) {
            self.ids.remove(place);
        }
    }

    pub(crate) fn attribute_count(&self) -> usize {
        self.attributes.len()
    }

    pub(crate) fn has_slot_for(&self, name: &str) -> bool {
        self.attributes.binary_search_by(|attribute| (*attribute.name).cmp(name)).is_ok()
    }

    /// Sets an attribute unless a newer event has set it already.
    pub(crate) fn set_attribute(&mut self, name: &str, value: &Value, at: Timestamp, tie: u64) {
        match self.attributes.binary_search_by(|attribute| (*attribute.name).cmp(name)) {
            Ok(place) => {
                let known = &mut self.attributes[place];
                if (at, tie) >= (known.at, known.tie) {
                    *known = Attribute { name: known.name.clone(), value: value.clone(), at, tie };
                }
            }
            Err(place) => {
                self.attributes.insert(place, Attribute { name: name.into(), value: value.clone(), at, tie });
            }
        }
    }

    /// Takes everything that is known of `other` in but its part; `other`'s ids lead here from now on.
    pub(crate) fn merge(&mut self, other: Self, features: &FeatureSet) {
        for id in other.ids {
            self.add_id(id);
        }
        for attribute in other.attributes {
            self.set_attribute(&attribute.name, &attribute.value, attribute.at, attribute.tie);
        }
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.at = self.at.max(other.at);
        self.events += other.events;
        for position in other.positions {
            self.add_position(position);
        }
        merge_series(&mut self.series, other.series, features);
        awaited::merge(&mut self.awaited, other.awaited);
    }

    /// The same as another part.
    pub(crate) fn with_part(self, part: Part) -> Self {
        Self { part, ..self }
    }

    /// Takes over what was last said of `other`: segments and scores.
    pub(crate) fn take_decisions(&mut self, other: &Self) {
        self.segments.clone_from(&other.segments);
        self.scores.clone_from(&other.scores);
    }

    /// The bytes for a checkpoint.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        if self.part == Part::Whole {
            bytes.push(VERSION);
            return postcard::to_extend(self, bytes).expect("a profile in memory always encodes");
        }
        bytes.push(VERSION_WITH_PART);
        postcard::to_extend(&(self, &self.part), bytes).expect("a profile in memory always encodes")
    }

    /// The profile in `bytes`, which [`Self::encode`] of this or an older version made; none if they are something else.
    /// One of an older version must be merged into another profile before it is used.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [VERSION, rest @ ..] => postcard::from_bytes(rest).ok(),
            [VERSION_WITH_PART, rest @ ..] => {
                let (profile, part): (Self, Part) = postcard::from_bytes(rest).ok()?;
                Some(Self { part, ..profile })
            }
            // An empty list of what is awaited is one byte.
            [VERSION_WITHOUT_AWAITED | VERSION_WITH_LONG_HASHES, rest @ ..] => {
                postcard::from_bytes(&[rest, &[0]].concat()).ok()
            }
            _ => None,
        }
    }

    /// Adds the facts to a digest: what must be equal in two runs over the same events, however they were interrupted.
    ///
    /// Left out are positions in the log, which a repeated delivery shifts, what follows from the facts, and what is awaited.
    pub fn digest_facts(&self, hasher: &mut blake3::Hasher) {
        let facts = (&self.primary, &self.ids, &self.attributes, self.first_seen, self.last_seen, self.events);
        let bytes = postcard::to_allocvec(&(facts, &self.series)).expect("a profile in memory always encodes");
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(&bytes);
    }

    /// Gives back spare memory.
    pub(crate) fn shrink(&mut self) {
        self.ids.shrink_to_fit();
        self.attributes.shrink_to_fit();
        self.positions.shrink_to_fit();
        self.series.iter_mut().for_each(SeriesState::shrink);
    }
}

fn merge_series(into: &mut Vec<SeriesState>, from: Vec<SeriesState>, features: &FeatureSet) {
    for (index, (state, keeping)) in from.into_iter().zip(features.keepings()).enumerate() {
        match (into.get_mut(index), state.renewed(keeping), keeping) {
            (None, state, _) => into.push(state),
            (Some(known), SeriesState::Samples(samples), Keeping::Newest { n }) => {
                for sample in samples {
                    known.add_sample(n, sample);
                }
            }
            (Some(known), state, _) => known.merge(keeping, state),
        }
    }
}
