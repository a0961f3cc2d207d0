//! What the log holds. Whatever can change a decision is one of these.

use serde::{Deserialize, Serialize};

use crate::{CustomerId, Event, Offset, PartitionId, Timestamp};

/// The first byte of an encoded entry. Version 1 is followed by a flags byte and the postcard form of [`Entry`].
const VERSION: u8 = 1;
/// Flags: nothing is sealed. Bit 0 is kept for payloads sealed under a key per person.
const PLAIN: u8 = 0;

/// The place of the last variant of [`Entry`], which postcard writes first.
const NEWEST_KIND: u8 = 13;

/// Bytes that are not an entry of a version that this program reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Written by a newer program.
    #[error("entry format {version} with flags {flags:#04x} is not known to this version of Rapport")]
    Unknown {
        /// The version byte.
        version: u8,
        /// The flags byte.
        flags: u8,
    },
    /// Of a kind that only a newer program knows.
    #[error("entry kind {0} is not known to this version of Rapport")]
    UnknownKind(u8),
    /// The bytes do not decode.
    #[error("entry does not decode: {0}")]
    Malformed(String),
}

impl EntryError {
    /// Whether a newer program can read it.
    pub fn is_newer(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::UnknownKind(_))
    }
}

/// Where an entry that one partition made for another comes from.
///
/// Within one origin partition `(offset, index)` only grows, so a receiver tells a repeat by comparing with the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The partition whose fold made it.
    pub partition: PartitionId,
    /// The entry there that caused it.
    pub offset: Offset,
    /// Its place among what that entry caused.
    pub index: u32,
}

/// `id` now belongs to the profile of `to`, in another partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Where it comes from.
    pub origin: Origin,
    /// The id that is given up; its home is the receiving partition.
    pub id: CustomerId,
    /// The surviving profile.
    pub to: CustomerId,
    /// The time of the event that said so.
    pub at: Timestamp,
    /// How often it was passed on.
    pub hops: u8,
}

/// A profile that moves to the surviving profile's partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Absorb {
    /// Where it comes from.
    pub origin: Origin,
    /// The surviving profile.
    pub into: CustomerId,
    /// The encoded profile.
    pub profile: Box<[u8]>,
    /// The definitions under which `profile` was encoded.
    pub definitions: u32,
    /// The time of the event that caused it.
    pub at: Timestamp,
    /// How often it was passed on.
    pub hops: u8,
}

/// An event that was sent under an id whose profile lives in another partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forward {
    /// Where it comes from.
    pub origin: Origin,
    /// The profile that it belongs to.
    pub to: CustomerId,
    /// The event.
    pub event: Event,
    /// How often it was passed on.
    pub hops: u8,
}

/// `id`, an anonymous one, now belongs to somebody else than the profile of `from`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unlink {
    /// Where it comes from.
    pub origin: Origin,
    /// The id that was given to another profile.
    pub id: CustomerId,
    /// The profile that it belonged to; its home is the receiving partition.
    pub from: CustomerId,
    /// The profile that it belongs to now.
    pub to: CustomerId,
    /// The time of the event that said so.
    pub at: Timestamp,
    /// How often it was passed on.
    pub hops: u8,
}

/// These known ids are one customer from now on, and no others are; people said so, and may take it back.
///
/// It stands in the home of each of the ids, appended to all of them at once. Their profiles stay what they are: what is seen of the
/// customer is made of them, so that nothing has to be taken apart when an id is by itself again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    /// The first one names the customer. One alone is joined to nobody.
    pub ids: Box<[CustomerId]>,
    /// When.
    pub at: Timestamp,
}

/// The profile that `id` leads to is part of the joined customer `head`, or no longer of any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Where it comes from.
    pub origin: Origin,
    /// The joined id.
    pub id: CustomerId,
    /// The name of the joined customer; none if it is by itself.
    pub head: Option<CustomerId>,
    /// The profile that `id` leads to; its home is the receiving partition.
    pub to: CustomerId,
    /// How often it was passed on.
    pub hops: u8,
}

/// A part of a joined customer as it is, for the partition that puts the customer together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Where it comes from.
    pub origin: Origin,
    /// The joined customer; its home is the receiving partition.
    pub head: CustomerId,
    /// The joined ids that lead to the part.
    pub ids: Box<[CustomerId]>,
    /// The primary id of the part.
    pub part: CustomerId,
    /// The encoded profile.
    pub profile: Box<[u8]>,
    /// The definitions under which `profile` was encoded.
    pub definitions: u32,
    /// The time of the event that caused it.
    pub at: Timestamp,
}

/// An event that was applied to a part of a joined customer, for the partition that puts the customer together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relay {
    /// Where it comes from.
    pub origin: Origin,
    /// As in [`Share`].
    pub head: CustomerId,
    /// As in [`Share`].
    pub ids: Box<[CustomerId]>,
    /// As in [`Share`].
    pub part: CustomerId,
    /// The event.
    pub event: Event,
    /// Where the event itself stands.
    pub stands: (PartitionId, Offset),
}

/// New definitions of features and segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DefinitionsChanged {
    /// From 1, grows by one.
    pub version: u32,
    /// The JSON document.
    pub document: Box<str>,
    /// When.
    pub at: Timestamp,
}

/// A model becomes the champion of its score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activation {
    /// The score that it computes.
    pub score: Box<str>,
    /// The model's version in the registry; none takes the score out of service.
    pub version: Option<u32>,
    /// The artifact's bytes, so that a replay needs nothing but the log; empty when `version` is none.
    pub artifact: Box<[u8]>,
    /// When.
    pub at: Timestamp,
}

/// How a model is tried beside the champion of its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialMode {
    /// It scores every event, is pushed as such and decides nothing.
    Shadow,
    /// It is the score of some customers, always the same ones.
    Canary {
        /// Of 1,000 customers, how many; told by a hash of their id.
        permille: u16,
    },
}

/// A model begins to challenge the champion of its score, or ceases to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The score that it computes.
    pub score: Box<str>,
    /// The model's version in the registry; none ends the trial.
    pub version: Option<u32>,
    /// The artifact, as in [`Activation::artifact`].
    pub artifact: Box<[u8]>,
    /// How it is tried.
    pub mode: TrialMode,
    /// When.
    pub at: Timestamp,
}

/// An activation is taken back: the model that was in service before is so again, and what the activation had ended goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollback {
    /// The earlier model.
    pub activation: Activation,
    /// The trial that the activation had ended, with its begin; none if it had ended none.
    pub trial: Option<Trial>,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// A customer's event.
    Event(Event),
    /// From another partition: an id changes hands.
    Link(Link),
    /// From another partition: a profile arrives.
    Absorb(Absorb),
    /// From another partition: an event arrives.
    Forward(Forward),
    /// Features and segments changed.
    Definitions(DefinitionsChanged),
    /// A model went live or was taken out.
    Activation(Activation),
    /// Time went on without an event.
    Tick(Timestamp),
    /// A model is tried beside the champion.
    Trial(Trial),
    /// From another partition: an id was given to somebody else.
    Unlink(Unlink),
    /// People said which ids are one customer.
    Joined(Joined),
    /// From another partition: a profile becomes part of a joined customer, or ceases to be.
    Mark(Mark),
    /// From another partition: a part of a joined customer.
    Share(Box<Share>),
    /// From another partition: an event of a part of a joined customer.
    Relay(Box<Relay>),
    /// A model that went live was taken back.
    Rollback(Rollback),
}

impl Entry {
    /// The bytes for the log.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&[VERSION, PLAIN]);
        postcard::to_extend(self, bytes).expect("an entry in memory always encodes")
    }

    /// The event in it, whether it was sent here or passed on.
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Forward(forward) => Some(&forward.event),
            Self::Relay(relay) => Some(&relay.event),
            _ => None,
        }
    }

    /// Where an entry that one partition made for another comes from; none for other entries.
    pub fn origin(&self) -> Option<Origin> {
        match self {
            Self::Link(link) => Some(link.origin),
            Self::Absorb(absorb) => Some(absorb.origin),
            Self::Forward(forward) => Some(forward.origin),
            Self::Unlink(unlink) => Some(unlink.origin),
            Self::Mark(mark) => Some(mark.origin),
            Self::Share(share) => Some(share.origin),
            Self::Relay(relay) => Some(relay.origin),
            Self::Event(_)
            | Self::Joined(_)
            | Self::Definitions(_)
            | Self::Activation(_)
            | Self::Trial(_)
            | Self::Rollback(_)
            | Self::Tick(_) => None,
        }
    }

    /// Whether `bytes` are definitions, an activation, a trial or a rollback, told without decoding; false for bytes of other
    /// versions.
    pub fn is_control(bytes: &[u8]) -> bool {
        // postcard writes the place of the variant first; the test below holds the numbers to the enum.
        matches!(bytes, [VERSION, PLAIN, 4 | 5 | 7 | 13, ..])
    }

    /// Whether `bytes` are an identify event as a sender sent it, told without decoding; false for bytes of other versions.
    pub fn is_identify(bytes: &[u8]) -> bool {
        // The place of the variant, then of the event's kind, which is its first field.
        matches!(bytes, [VERSION, PLAIN, 0, 0, ..])
    }

    /// The entry in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        match bytes {
            // One byte as long as there are fewer than 128 kinds.
            [VERSION, PLAIN, kind, ..] if *kind > NEWEST_KIND => Err(EntryError::UnknownKind(*kind)),
            [VERSION, PLAIN, rest @ ..] => {
                postcard::from_bytes(rest).map_err(|error| EntryError::Malformed(error.to_string()))
            }
            [version, flags, ..] => Err(EntryError::Unknown { version: *version, flags: *flags }),
            _ => Err(EntryError::Malformed("shorter than two bytes".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn an_event(kind: crate::EventKind) -> Event {
        Event {
            kind,
            message_id: "m".into(),
            user_id: Some("u".into()),
            anonymous_id: None,
            previous_id: None,
            group_id: None,
            name: None,
            properties: crate::Object::default(),
            context: crate::Object::default(),
            integrations: crate::Object::default(),
            timestamp: Timestamp(0),
            original_timestamp: None,
            sent_at: None,
            received_at: Timestamp(0),
            source: crate::SourceId(1),
        }
    }

    #[test]
    fn control_entries_are_told_by_their_first_bytes() {
        let at = Timestamp(5);
        let definitions = DefinitionsChanged { version: 1, document: "{}".into(), at };
        let activation = Activation { score: "s".into(), version: None, artifact: Box::default(), at };
        assert!(Entry::is_control(&Entry::Definitions(definitions).encode()));
        assert!(Entry::is_control(&Entry::Activation(activation).encode()));
        let trial = Trial { score: "s".into(), version: None, artifact: Box::default(), mode: TrialMode::Shadow, at };
        assert!(Entry::is_control(&Entry::Trial(trial).encode()));
        assert!(!Entry::is_control(&Entry::Tick(at).encode()));
        let origin = Origin { partition: PartitionId(0), offset: Offset(0), index: 0 };
        let (id, from, to) =
            (CustomerId::Anonymous("d".into()), CustomerId::User("u".into()), CustomerId::User("v".into()));
        let event = an_event(crate::EventKind::Track);
        let relay = Relay {
            origin,
            head: to.clone(),
            ids: [id.clone()].into(),
            part: from.clone(),
            event,
            stands: (origin.partition, Offset(0)),
        };
        assert!(!Entry::is_control(&Entry::Relay(Box::new(relay)).encode()));
        assert!(!Entry::is_control(&Entry::Unlink(Unlink { origin, id, from, to, at, hops: 0 }).encode()));
        let activation = Activation { score: "s".into(), version: Some(1), artifact: Box::default(), at };
        let newest = Entry::Rollback(Rollback { activation, trial: None }).encode();
        assert!(Entry::is_control(&newest));
        assert_eq!(newest[2], NEWEST_KIND);
        assert!(!Entry::is_control(&[]));
    }

    #[test]
    fn identify_events_are_told_by_their_first_bytes() {
        assert!(Entry::is_identify(&Entry::Event(an_event(crate::EventKind::Identify)).encode()));
        assert!(!Entry::is_identify(&Entry::Event(an_event(crate::EventKind::Track)).encode()));
        assert!(!Entry::is_identify(&Entry::Tick(Timestamp(0)).encode()));
    }

    #[test]
    fn entries_survive_encoding_and_newer_ones_are_named() {
        let entry = Entry::Tick(Timestamp(5));
        assert_eq!(Entry::decode(&entry.encode()), Ok(entry.clone()));
        assert_eq!(Entry::decode(&[9, 0, 1]), Err(EntryError::Unknown { version: 9, flags: 0 }));
        assert!(Entry::decode(&[1]).is_err());
        assert_eq!(Entry::decode(&[1, 0, 14, 1]), Err(EntryError::UnknownKind(14)));
        assert!(matches!(Entry::decode(&[1, 0, 7]), Err(EntryError::Malformed(_))));
    }
}
