//! Reads a batch: many messages and what they share.
//!
//! The outer object is walked by hand. That gives each event's length and lets one wrong event be told from a wrong
//! body, without a second pass over what is right.

use std::borrow::Cow;

use axum::http::StatusCode;
use rapport_types::Object;
use serde::{
    Deserialize,
    de::{self, IgnoredAny},
};

use super::{
    BATCH_EVENTS, EVENT_BYTES,
    message::{Message, Text, Wrong, wrong},
};
use crate::problem::Problem;

/// A batch as sent.
#[derive(Debug, Default)]
pub(crate) struct Batch<'a> {
    pub(crate) write_key: Option<Cow<'a, str>>,
    pub(crate) sent_at: Option<Cow<'a, str>>,
    pub(crate) context: Option<Object>,
    pub(crate) integrations: Option<Object>,
    pub(crate) messages: Vec<Result<Message<'a>, Wrong>>,
}

/// The batch that is a whole body. An error is one of the body; a wrong event is an item of the answer.
pub(crate) fn read_batch(body: &str) -> Result<Batch<'_>, Problem> {
    let mut scanner = Scanner { text: body, at: 0 };
    let mut batch = Batch::default();
    let mut seen = [false; 5];
    scanner.expect(b'{')?;
    let mut more = !scanner.eat(b'}');
    while more {
        let name = scanner.value::<Text<'_>>("")?.0.ok_or_else(|| scanner.broken("a name"))?;
        scanner.expect(b':')?;
        let known = ["batch", "writeKey", "sentAt", "context", "integrations"].iter().position(|known| *known == name);
        if known.is_some_and(|index| std::mem::replace(&mut seen[index], true)) {
            return Err(Problem::invalid(name.into_owned(), "it is there twice"));
        }
        match known {
            Some(0) => batch.messages = scanner.messages()?,
            Some(1) => batch.write_key = scanner.value::<Text<'_>>("writeKey")?.0,
            Some(2) => batch.sent_at = scanner.value::<Text<'_>>("sentAt")?.0,
            Some(3) => batch.context = scanner.value("context")?,
            Some(_) => batch.integrations = scanner.value("integrations")?,
            None => {
                scanner.value::<IgnoredAny>("")?;
            }
        }
        more = scanner.goes_on(b'}')?;
    }
    scanner.end()?;
    if batch.messages.is_empty() {
        return Err(Problem::invalid("batch", "it must be a list of at least one event"));
    }
    Ok(batch)
}

/// A place in the body between two values.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn messages(&mut self) -> Result<Vec<Result<Message<'a>, Wrong>>, Problem> {
        if self.peek() != Some(b'[') {
            self.value::<IgnoredAny>("batch")?;
            return Err(Problem::invalid("batch", "it must be a list of events"));
        }
        self.expect(b'[')?;
        let mut messages = Vec::new();
        let mut more = !self.eat(b']');
        while more {
            if messages.len() == BATCH_EVENTS {
                let problem = Problem::too_large(format!("a batch may have {BATCH_EVENTS} events"));
                return Err(problem.field("batch"));
            }
            messages.push(self.message(messages.len())?);
            more = self.goes_on(b']')?;
        }
        Ok(messages)
    }

    fn message(&mut self, index: usize) -> Result<Result<Message<'a>, Wrong>, Problem> {
        self.skip();
        let from = self.at;
        let message = match self.next::<Message<'a>>() {
            Ok(message) => Ok(message),
            Err(error) => {
                self.next::<IgnoredAny>().map_err(|error| Problem::not_json(format!("batch[{index}]: {error}")))?;
                Err(wrong(&error))
            }
        };
        let length = self.at - from;
        if length > EVENT_BYTES {
            return Ok(Err(too_large(length)));
        }
        Ok(message)
    }

    /// The next value; the error names `field`, or is one of the body if there is none.
    fn value<T: Deserialize<'a>>(&mut self, field: &'static str) -> Result<T, Problem> {
        self.skip();
        self.next().map_err(|error| match self.next::<IgnoredAny>() {
            Ok(_) if !field.is_empty() => Problem::invalid(field, error.to_string()),
            Ok(_) => self.broken("a name"),
            Err(error) => Problem::not_json(format!("byte {}: {error}", self.at)),
        })
    }

    /// The next value; the place moves behind it only if it is right.
    fn next<T: Deserialize<'a>>(&mut self) -> Result<T, serde_json::Error> {
        let mut values = serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter();
        let value = values.next().unwrap_or_else(|| Err(de::Error::custom("the body ends too early")))?;
        self.at += values.byte_offset();
        Ok(value)
    }

    /// Whether a comma follows, and not `end`.
    fn goes_on(&mut self, end: u8) -> Result<bool, Problem> {
        if self.eat(end) {
            return Ok(false);
        }
        self.expect(b',').map(|()| true)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Problem> {
        if self.eat(byte) { Ok(()) } else { Err(self.broken(&format!("\"{}\"", char::from(byte)))) }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&mut self) -> Option<u8> {
        self.skip();
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
    }

    fn end(&mut self) -> Result<(), Problem> {
        if self.peek().is_none() { Ok(()) } else { Err(self.broken("the end")) }
    }

    fn broken(&self, expected: &str) -> Problem {
        Problem::not_json(format!("expected {expected} at byte {}", self.at))
    }
}

/// An event over the limit.
fn too_large(length: usize) -> Wrong {
    Wrong {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: "too_large",
        field: None,
        what: format!("an event may have {EVENT_BYTES} bytes, this one has {length}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::message::Field;

    #[test]
    fn a_batch_is_read_around_its_wrong_events() {
        let body = r#" { "sentAt" : "t" , "x":[1], "batch" : [ {"userId":"a"} , {"userId":7}, 5 , {"userId":"b"}] } "#;
        let batch = read_batch(body).unwrap();
        assert_eq!(batch.sent_at.as_deref(), Some("t"));
        let users = batch.messages.iter().map(|message| match message {
            Ok(message) => message.text(Field::UserId).unwrap_or_default(),
            Err(wrong) => wrong.field.unwrap_or("whole"),
        });
        assert_eq!(users.collect::<Vec<_>>(), ["a", "userId", "whole", "b"]);
    }

    #[test]
    fn a_broken_batch_is_refused_whole() {
        for body in [
            r#"{"batch":[{"userId":"a"},]}"#,
            r#"{"batch":[{"userId":"a"}"#,
            r#"{"batch":[{"userId":"a"}]} x"#,
            r#"{"batch":[{"userId":"a" "b"}]}"#,
            r#"{"batch":[{"userId":"a"}],}"#,
            "{5:[]}",
            r#"{"batch"}"#,
            "{",
            "",
        ] {
            assert_eq!(read_batch(body).unwrap_err().code, "invalid_json", "{body}");
        }
        for body in [r#"{"batch":[]}"#, r#"{"batch":{}}"#, "{}", r#"{"batch":[{}],"batch":[{}]}"#] {
            assert_eq!(read_batch(body).unwrap_err().field.as_deref(), Some("batch"), "{body}");
        }
    }
}
