//! Makes an event of a message: checks what must be there, gives it an id, and corrects its time.

use rapport_types::{DAY_MS, Event, EventKind, Object, SECOND_MS, SourceId, Timestamp, Value};

use super::message::{Field, Message, Wrong};

/// The longest id of a person or group, in bytes.
const ID_BYTES: usize = 512;
/// The longest name of an event or page, in bytes.
const NAME_BYTES: usize = 1_024;
/// A sender's clock that is off by no more than this is left alone: the difference is the way to us.
const SKEW_TOLERATED_MS: i64 = 5 * SECOND_MS;
/// Nothing happens later than so long after we heard of it.
const FUTURE_MS: i64 = DAY_MS;

/// What the events of a request share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) source: SourceId,
    pub(crate) received_at: Timestamp,
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) context: Option<&'a Object>,
    pub(crate) integrations: Option<&'a Object>,
}

/// The event that a message is.
pub(crate) fn make(mut message: Message<'_>, kind: EventKind, frame: &Frame<'_>) -> Result<Event, Wrong> {
    for field in [Field::UserId, Field::AnonymousId, Field::PreviousId, Field::GroupId, Field::MessageId] {
        fits(&message, field, ID_BYTES)?;
    }
    fits(&message, Field::Event, NAME_BYTES)?;
    fits(&message, Field::Name, NAME_BYTES)?;
    check_ids(&message, kind)?;
    let sent_at = time(&message, Field::SentAt)?.or(frame.sent_at);
    let original = time(&message, Field::OriginalTimestamp)?;
    let claimed = time(&message, Field::Timestamp)?.or(original);
    let name = match kind {
        EventKind::Track => message.take(Field::Event),
        EventKind::Page | EventKind::Screen => message.take(Field::Name),
        _ => None,
    };
    let message_id = match message.take(Field::MessageId) {
        Some(id) => id.into(),
        None => random_id()?,
    };
    let attributes = matches!(kind, EventKind::Identify | EventKind::Group);
    let mut properties = if attributes { message.traits.take() } else { message.properties.take() }.unwrap_or_default();
    if let Some(category) = message.take(Field::Category)
        && matches!(kind, EventKind::Page | EventKind::Screen)
        && properties.get("category").is_none()
    {
        properties.set("category", Value::from(&*category));
    }
    let text = |text: Option<std::borrow::Cow<'_, str>>| text.map(Into::into);
    Ok(Event {
        kind,
        message_id,
        previous_id: text(message.take(Field::PreviousId)).filter(|_| kind == EventKind::Alias),
        group_id: text(message.take(Field::GroupId)).filter(|_| kind == EventKind::Group),
        user_id: text(message.take(Field::UserId)),
        anonymous_id: text(message.take(Field::AnonymousId)),
        name: text(name),
        properties,
        context: merged(message.context.take(), frame.context),
        integrations: merged(message.integrations.take(), frame.integrations),
        timestamp: claimed.map_or(frame.received_at, |claimed| correct(claimed, sent_at, frame.received_at)),
        original_timestamp: original.or(claimed),
        sent_at,
        received_at: frame.received_at,
        source: frame.source,
    })
}

fn check_ids(message: &Message<'_>, kind: EventKind) -> Result<(), Wrong> {
    let missing = |field: Field| message.text(field).is_none();
    let need = |field: Field| Wrong::field(field.name(), format!("{} needs it", kind.as_str()));
    match kind {
        EventKind::Track if missing(Field::Event) => return Err(need(Field::Event)),
        EventKind::Group if missing(Field::GroupId) => return Err(need(Field::GroupId)),
        EventKind::Alias if missing(Field::PreviousId) => return Err(need(Field::PreviousId)),
        EventKind::Alias if missing(Field::UserId) => return Err(need(Field::UserId)),
        _ => {}
    }
    if missing(Field::UserId) && missing(Field::AnonymousId) {
        return Err(Wrong::field("userId", "userId or anonymousId must be a text that is not empty"));
    }
    Ok(())
}

/// Ids and names become keys, in other systems too, and some of these end a text at the character U+0000.
fn fits(message: &Message<'_>, field: Field, bytes: usize) -> Result<(), Wrong> {
    match message.text(field) {
        Some(text) if text.contains('\0') => Err(Wrong::field(field.name(), "it may not have the character U+0000")),
        Some(text) if text.len() > bytes => Err(Wrong::field(field.name(), format!("it may have {bytes} bytes"))),
        _ => Ok(()),
    }
}

fn time(message: &Message<'_>, field: Field) -> Result<Option<Timestamp>, Wrong> {
    let parse = |text| Timestamp::parse(text).map_err(|error| Wrong::field(field.name(), error.to_string()));
    message.text(field).map(parse).transpose()
}

/// When it happened by our clock: shifted by what the sender's clock is off, if that is more than the way to us explains.
/// An instant that is more than a day ahead of us cannot be true and becomes the time at which we had it.
fn correct(claimed: Timestamp, sent_at: Option<Timestamp>, received_at: Timestamp) -> Timestamp {
    let skew = sent_at.map_or(0, |sent_at| received_at.0.saturating_sub(sent_at.0));
    let shift = if skew.abs() > SKEW_TOLERATED_MS { skew } else { 0 };
    let corrected = claimed.0.saturating_add(shift);
    if corrected > received_at.0.saturating_add(FUTURE_MS) { received_at } else { Timestamp(corrected.max(0)) }
}

fn merged(own: Option<Object>, shared: Option<&Object>) -> Object {
    let mut own = own.unwrap_or_default();
    for (name, value) in shared.into_iter().flat_map(Object::iter) {
        if own.get(name).is_none() {
            own.set(name, value.clone());
        }
    }
    own
}

/// 128 random bits in hexadecimal digits.
pub(crate) fn random_id() -> Result<Box<str>, Wrong> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Wrong {
        status: axum::http::StatusCode::SERVICE_UNAVAILABLE,
        code: "random",
        field: None,
        what: format!("no messageId could be made: {error}"),
    })?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::message::read;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn frame() -> Frame<'static> {
        Frame { source: SourceId(3), received_at: NOW, sent_at: None, context: None, integrations: None }
    }

    fn made(kind: EventKind, body: &str) -> Result<Event, Wrong> {
        make(read(body).unwrap(), kind, &frame())
    }

    #[test]
    fn what_must_be_there_is_named() {
        for (kind, body, field) in [
            (EventKind::Track, r#"{"userId":"a"}"#, "event"),
            (EventKind::Track, r#"{"event":"x"}"#, "userId"),
            (EventKind::Page, r#"{"userId":"","anonymousId":null}"#, "userId"),
            (EventKind::Group, r#"{"userId":"a"}"#, "groupId"),
            (EventKind::Alias, r#"{"userId":"a"}"#, "previousId"),
            (EventKind::Alias, r#"{"previousId":"a","anonymousId":"b"}"#, "userId"),
            (EventKind::Page, r#"{"userId":"a","timestamp":"soon"}"#, "timestamp"),
            (EventKind::Page, r#"{"userId":"a","sentAt":"soon"}"#, "sentAt"),
        ] {
            assert_eq!(made(kind, body).unwrap_err().field, Some(field), "{body}");
        }
        let long = format!(r#"{{"userId":"{}"}}"#, "a".repeat(ID_BYTES + 1));
        assert_eq!(made(EventKind::Identify, &long).unwrap_err().field, Some("userId"));
    }

    #[test]
    fn clocks_are_corrected_only_when_they_are_off() {
        let at = |ms: i64| Timestamp(NOW.0 + ms);
        for (claimed, sent, expected) in [
            (at(-10_000), None, at(-10_000)),
            (at(-10_000), Some(at(-4_000)), at(-10_000)),
            (at(-3_610_000), Some(at(-3_600_000)), at(-10_000)),
            (at(3_590_000), Some(at(3_600_000)), at(-10_000)),
            (at(2 * DAY_MS), None, NOW),
            (at(DAY_MS / 2), None, at(DAY_MS / 2)),
            (Timestamp(-5), None, Timestamp(0)),
        ] {
            assert_eq!(correct(claimed, sent, NOW), expected, "{claimed} {sent:?}");
        }
    }

    #[test]
    fn an_event_without_id_gets_one_of_its_own() {
        let body = r#"{"userId":"a","event":"x"}"#;
        let (first, second) = (made(EventKind::Track, body).unwrap(), made(EventKind::Track, body).unwrap());
        assert_eq!(first.message_id.len(), 32);
        assert_ne!(first.message_id, second.message_id);
        assert_eq!((first.timestamp, first.source), (NOW, SourceId(3)));
    }

    #[test]
    fn a_batch_lends_its_context_to_events_without() {
        let shared = serde_json::from_str(r#"{"ip":"1","app":"a"}"#).unwrap();
        let frame = Frame { context: Some(&shared), ..frame() };
        let message = read(r#"{"userId":"a","context":{"ip":"2"},"category":"shoes"}"#).unwrap();
        let event = make(message, EventKind::Page, &frame).unwrap();
        assert_eq!(serde_json::to_string(&event.context).unwrap(), r#"{"ip":"2","app":"a"}"#);
        assert_eq!(event.properties.get("category"), Some(&Value::from("shoes")));
    }
}
