//! Where the traffic comes from: messages of the Segment tracking API with their times, in time order.
//!
//! A source is read as it is sent, so the memory that it needs does not grow with its length.

mod retail;
mod synthetic;

use rapport_types::{CustomerId, Timestamp};
use serde::Serialize;

pub(super) use retail::Retail;
pub(super) use synthetic::{Synthetic, SyntheticPlan};

use super::error::ReplayError;

/// The name of the event that counts as an order.
pub(super) const ORDER: &str = "Order Completed";

/// The most bytes that one event may have at the door (32 KB), less some room for what wraps the products.
const PRODUCT_BYTES: usize = 30_000;

/// One message, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// The event's own time.
    pub(super) at: Timestamp,
    /// Whose it is. Messages with the same lane key are sent one after the other.
    pub(super) lane: CustomerId,
    pub(super) id: Box<str>,
    /// How many lines of the file it stands for; a generated message is one.
    pub(super) lines: u32,
    /// Whether it is an order of a known customer, the moment for which the live score is judged.
    pub(super) is_order: bool,
    /// The JSON of the message.
    pub(super) json: Vec<u8>,
}

/// Timed traffic.
pub(super) trait Source: Iterator<Item = Result<Message, ReplayError>> + Send {
    /// What it is, for people.
    fn title(&self) -> String;
    /// How much was read, from 0 to 1.
    fn progress(&self) -> f64;
    /// Known customers seen so far.
    fn customers(&self) -> u64;
}

/// The JSON of a Segment message. Exactly one of the two ids is given, or both where a device becomes known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a, B: Serialize> {
    r#type: &'static str,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anonymous_id: Option<&'a str>,
    timestamp: Timestamp,
    #[serde(flatten)]
    body: B,
}

/// The part of a message that its kind decides.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase", untagged)]
enum Body<'a, P: Serialize> {
    Track { event: &'a str, properties: P },
    Page { name: &'a str, properties: P },
    Identify { traits: P },
}

impl<P: Serialize> Body<'_, P> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Track { .. } => "track",
            Self::Page { .. } => "page",
            Self::Identify { .. } => "identify",
        }
    }
}

/// Who acts, as the wire says it.
#[derive(Debug, Clone, Copy)]
struct Actor<'a> {
    user: Option<&'a str>,
    anonymous: Option<&'a str>,
}

fn encode<P: Serialize>(id: &str, actor: Actor<'_>, at: Timestamp, body: Body<'_, P>) -> Vec<u8> {
    let r#type = body.kind();
    let wire = Wire { r#type, message_id: id, user_id: actor.user, anonymous_id: actor.anonymous, timestamp: at, body };
    serde_json::to_vec(&wire).expect("a message of texts and numbers always has a JSON form")
}

/// An amount of money in thousandths, in which all prices of the file are whole; JSON shows the decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Money(i64);

impl Money {
    fn read(text: &str) -> Option<Self> {
        let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite() && value.abs() < 1e12)?;
        Some(Self((value * 1e3).round() as i64))
    }

    fn times(self, quantity: i64) -> Self {
        Self(self.0.saturating_mul(quantity))
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1e3)
    }
}

/// A product of an order, in the words of Segment's e-commerce events.
#[derive(Debug, Clone, Serialize)]
struct Product {
    #[serde(rename = "product_id")]
    id: Box<str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: Box<str>,
    quantity: i64,
    price: Money,
}

/// Cuts `products` into runs whose JSON stays within the door's limit for one event; at least one run.
fn parts(products: &[Product]) -> Vec<&[Product]> {
    let mut parts = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, product) in products.iter().enumerate() {
        let size = serde_json::to_vec(product).map_or(0, |json| json.len() + 1);
        if bytes + size > PRODUCT_BYTES && index > start {
            parts.push(&products[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += size;
    }
    parts.push(&products[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_and_shown_as_people_write_it() {
        assert_eq!(Money::read("2.55"), Some(Money(2_550)));
        assert_eq!(Money::read("-11062.06"), Some(Money(-11_062_060)));
        assert_eq!(Money::read("x"), None);
        assert_eq!(serde_json::to_string(&Money(2_550).times(6)).unwrap(), "15.3");
    }

    #[test]
    fn products_are_cut_without_losing_one() {
        let product = Product { id: "85123A".into(), name: "N".repeat(35).into(), quantity: 6, price: Money(1) };
        let products = vec![product; 1_200];
        let parts = parts(&products);
        assert_eq!(parts.iter().map(|part| part.len()).sum::<usize>(), 1_200);
        assert!(parts.len() > 3);
        for part in parts {
            assert!(serde_json::to_vec(part).unwrap().len() <= PRODUCT_BYTES + 2);
        }
        assert_eq!(super::parts(&[]).len(), 1);
    }
}
