//! Reads messages of the Segment tracking API out of a body, in one pass and with texts borrowed from the body.
//!
//! Unknown fields of a message are left out. A known field that is there twice is refused, because two programs may
//! take different ones; names inside `properties`, `traits` and `context` keep the last value, like everywhere.

use std::{borrow::Cow, fmt};

use axum::http::StatusCode;
use rapport_types::{EventKind, Object};
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
};

use crate::problem::Problem;

/// What is wrong with one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) field: Option<&'static str>,
    pub(crate) what: String,
}

impl Wrong {
    pub(crate) fn field(field: &'static str, what: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "invalid_field", field: Some(field), what: what.into() }
    }

    /// The problem, with the field under its place in the batch.
    pub(crate) fn problem(self, place: Option<usize>) -> Problem {
        let field = match (place, self.field) {
            (Some(index), Some(field)) => format!("batch[{index}].{field}"),
            (Some(index), None) => format!("batch[{index}]"),
            (None, field) => field.unwrap_or_default().to_owned(),
        };
        let title = if self.code == "too_large" { "An event is too large" } else { "An event is wrong" };
        let problem = Problem::new(self.status, self.code, title).detail(self.what);
        if field.is_empty() { problem } else { problem.field(field) }
    }
}

/// A message as sent; nothing but its shape is checked.
#[derive(Debug, Default)]
pub(crate) struct Message<'a> {
    pub(crate) texts: [Option<Cow<'a, str>>; TEXTS],
    pub(crate) properties: Option<Object>,
    pub(crate) traits: Option<Object>,
    pub(crate) context: Option<Object>,
    pub(crate) integrations: Option<Object>,
}

/// The fields that hold a text, by their place in [`Message::texts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Type,
    MessageId,
    UserId,
    AnonymousId,
    PreviousId,
    GroupId,
    Event,
    Name,
    Category,
    Timestamp,
    OriginalTimestamp,
    SentAt,
    WriteKey,
    Properties,
    Traits,
    Context,
    Integrations,
}

/// How many of the fields hold a text.
const TEXTS: usize = Field::Properties as usize;

const FIELDS: [(&str, Field); 17] = [
    ("type", Field::Type),
    ("messageId", Field::MessageId),
    ("userId", Field::UserId),
    ("anonymousId", Field::AnonymousId),
    ("previousId", Field::PreviousId),
    ("groupId", Field::GroupId),
    ("event", Field::Event),
    ("name", Field::Name),
    ("category", Field::Category),
    ("timestamp", Field::Timestamp),
    ("originalTimestamp", Field::OriginalTimestamp),
    ("sentAt", Field::SentAt),
    ("writeKey", Field::WriteKey),
    ("properties", Field::Properties),
    ("traits", Field::Traits),
    ("context", Field::Context),
    ("integrations", Field::Integrations),
];

impl Field {
    pub(crate) fn name(self) -> &'static str {
        FIELDS[self as usize].0
    }
}

impl<'a> Message<'a> {
    /// A text; an empty one counts as missing, as in Segment's own SDKs.
    pub(crate) fn text(&self, field: Field) -> Option<&str> {
        self.texts[field as usize].as_deref().filter(|text| !text.is_empty())
    }

    /// Takes a text out.
    pub(crate) fn take(&mut self, field: Field) -> Option<Cow<'a, str>> {
        self.texts[field as usize].take().filter(|text| !text.is_empty())
    }
}

/// The name of a field, or none for an unknown one.
struct Key(Option<Field>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                Ok(Key(FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)))
            }
        }
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// A text, borrowed where it has no escapes; null is none.
pub(crate) struct Text<'a>(pub(crate) Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Message<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MessageVisitor;
        impl<'de> Visitor<'de> for MessageVisitor {
            type Value = Message<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Message<'de>, A::Error> {
                let mut message = Message::default();
                let mut seen = 0_u32;
                while let Some(Key(key)) = map.next_key()? {
                    let Some(field) = key else {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    if seen & (1 << field as u32) != 0 {
                        return Err(named::<A::Error>(field, &"it is there twice"));
                    }
                    seen |= 1 << field as u32;
                    fill(&mut message, field, &mut map).map_err(|error| named(field, &error))?;
                }
                Ok(message)
            }
        }
        deserializer.deserialize_map(MessageVisitor)
    }
}

fn fill<'de, A: MapAccess<'de>>(message: &mut Message<'de>, field: Field, map: &mut A) -> Result<(), A::Error> {
    match field {
        Field::Properties => message.properties = map.next_value()?,
        Field::Traits => message.traits = map.next_value()?,
        Field::Context => message.context = map.next_value()?,
        Field::Integrations => message.integrations = map.next_value()?,
        text => message.texts[text as usize] = map.next_value::<Text<'_>>()?.0,
    }
    Ok(())
}

/// An error that carries the field's name to [`wrong`].
fn named<E: de::Error>(field: Field, what: &dyn fmt::Display) -> E {
    E::custom(format_args!("{}: {what}", field.name()))
}

/// What was wrong with a message whose text is JSON.
pub(crate) fn wrong(error: &serde_json::Error) -> Wrong {
    let text = error.to_string();
    let found = text.split_once(": ").and_then(|(name, what)| {
        FIELDS.iter().find(|(known, _)| *known == name).map(|(known, _)| Wrong::field(known, what))
    });
    found.unwrap_or(Wrong { status: StatusCode::BAD_REQUEST, code: "invalid_field", field: None, what: text })
}

/// The one message that is a whole body.
pub(crate) fn read(body: &str) -> Result<Message<'_>, Problem> {
    serde_json::from_str(body).map_err(|error| match serde_json::from_str::<IgnoredAny>(body) {
        Ok(_) => wrong(&error).problem(None),
        Err(error) => Problem::not_json(error.to_string()),
    })
}

/// The call that a message of a batch names.
pub(crate) fn kind_of(message: &Message<'_>) -> Result<EventKind, Wrong> {
    let what = "it must be identify, track, page, screen, group or alias";
    match message.text(Field::Type) {
        Some("track") => Ok(EventKind::Track),
        Some("identify") => Ok(EventKind::Identify),
        Some("page") => Ok(EventKind::Page),
        Some("screen") => Ok(EventKind::Screen),
        Some("group") => Ok(EventKind::Group),
        Some("alias") => Ok(EventKind::Alias),
        _ => Err(Wrong::field("type", what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_fields_is_in_the_order_of_their_places() {
        for (place, (name, field)) in FIELDS.iter().enumerate() {
            assert_eq!((*field as usize, field.name()), (place, *name));
        }
    }

    #[test]
    fn texts_without_escapes_are_borrowed() {
        let message = read(r#"{"userId":"u-1","event":"a\"b","other":[{}],"name":null}"#).unwrap();
        assert!(matches!(message.texts[Field::UserId as usize], Some(Cow::Borrowed("u-1"))));
        assert_eq!(message.text(Field::Event), Some("a\"b"));
        assert_eq!(message.text(Field::Name), None);
    }

    #[test]
    fn a_wrong_field_is_named_and_broken_json_is_not_a_field() {
        for (body, field, code) in [
            (r#"{"userId":5}"#, Some("userId"), "invalid_field"),
            (r#"{"userId":"a","userId":"b"}"#, Some("userId"), "invalid_field"),
            (r#"{"properties":[1]}"#, Some("properties"), "invalid_field"),
            ("[]", None, "invalid_field"),
            (r#"{"userId":"a""#, None, "invalid_json"),
            (r#"{"properties":{"a":}}"#, None, "invalid_json"),
            (r#"{"userId":"a"} x"#, None, "invalid_json"),
            ("", None, "invalid_json"),
        ] {
            let problem = read(body).unwrap_err();
            assert_eq!((problem.field.as_deref(), problem.code), (field, code), "{body}");
        }
    }
}
