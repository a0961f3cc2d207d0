//! What a customer did, as a source told it.

use serde::{Deserialize, Serialize};

use crate::{CustomerId, Object, SourceId, Timestamp};

/// The six calls of the Segment tracking API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// Who somebody is, with attributes.
    Identify,
    /// Something somebody did.
    Track,
    /// A web page was seen.
    Page,
    /// A screen of an app was seen.
    Screen,
    /// Somebody belongs to a group.
    Group,
    /// Two ids are one person.
    Alias,
}

impl EventKind {
    /// The word for it in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Track => "track",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }
}

/// One accepted event, validated and with its times corrected.
///
/// Invariant, kept by the collector: `user_id` or `anonymous_id` is there, and no id is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Which call it came by.
    pub kind: EventKind,
    /// The sender's id of the message, or one that the collector made; repeats within 7 days are the same event.
    pub message_id: Box<str>,
    /// The known id.
    pub user_id: Option<Box<str>>,
    /// The anonymous id.
    pub anonymous_id: Option<Box<str>>,
    /// `alias` only: the id that `user_id` replaces.
    pub previous_id: Option<Box<str>>,
    /// `group` only: the group.
    pub group_id: Option<Box<str>>,
    /// The event of a `track`, the name of a `page` or `screen`.
    pub name: Option<Box<str>>,
    /// `properties` of track, page and screen; `traits` of identify and group.
    pub properties: Object,
    /// The sender's `context`.
    pub context: Object,
    /// The sender's `integrations`, kept as sent.
    pub integrations: Object,
    /// When it happened, corrected for the sender's clock.
    pub timestamp: Timestamp,
    /// When it happened by the sender's clock, if it said so.
    pub original_timestamp: Option<Timestamp>,
    /// When it was sent by the sender's clock, if it said so.
    pub sent_at: Option<Timestamp>,
    /// When the collector had it.
    pub received_at: Timestamp,
    /// Which source sent it.
    pub source: SourceId,
}

impl Event {
    /// The id that decides which partition the event goes to: the known one, else the anonymous one.
    pub fn routing_id(&self) -> CustomerId {
        match (&self.user_id, &self.anonymous_id) {
            (Some(id), _) => CustomerId::User(id.clone()),
            (None, Some(id)) => CustomerId::Anonymous(id.clone()),
            (None, None) => unreachable!("the collector refuses an event without userId and anonymousId"),
        }
    }

    /// The name under which features count it: the track event, else the call (`page`, `identify`, ...).
    pub fn feature_name(&self) -> &str {
        match (self.kind, &self.name) {
            (EventKind::Track, Some(name)) => name,
            _ => self.kind.as_str(),
        }
    }

    /// 128 bits of the source and message id: the key of de-duplication, and a stable tie-break.
    pub fn message_key(&self) -> u128 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.source.0.to_le_bytes());
        hasher.update(self.message_id.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        u128::from_le_bytes(key)
    }
}
