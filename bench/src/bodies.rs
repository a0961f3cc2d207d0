//! The events of a load: 500 bytes each, a shop's mixture, built before the load begins. Only the message id and the
//! customer are written into the bytes when they are sent, at fixed places.

use std::fmt::Write as _;

/// The length of every event.
pub(crate) const EVENT_BYTES: usize = 500;
const ID_DIGITS: usize = 16;
const CUSTOMER_DIGITS: usize = 7;
const ID_PLACE: &str = "################";
const CUSTOMER_PLACE: &str = "@@@@@@@";

/// One event whose id and customer are still open.
#[derive(Debug, Clone)]
struct Template {
    text: Vec<u8>,
    id_at: usize,
    customer_at: usize,
}

impl Template {
    /// Event number `index` of the mixture: of ten events six views, two additions to the cart, one page, one order.
    fn new(index: usize, with_type: bool) -> Self {
        let price = 5 + index * 13 % 190;
        let what = match index % 10 {
            0..6 => format!(
                r#""event":"Product Viewed","properties":{{"product_id":"P{:03}","price":{price}.5"#,
                index % 400
            ),
            6 | 7 => format!(
                r#""event":"Product Added","properties":{{"product_id":"P{:03}","quantity":2,"price":{price}.5"#,
                index % 400
            ),
            8 => r#""name":"Home","properties":{"path":"/home","title":"Home""#.to_owned(),
            _ => format!(
                r#""event":"Order Completed","properties":{{"order_id":"O-{ID_PLACE}","total":{price}.5,"revenue":{price}.5,"currency":"GBP","products":[{{"product_id":"P{:03}","quantity":1,"price":{price}.5}}]"#,
                index % 400
            ),
        };
        let kind = match (with_type, index % 10) {
            (false, _) => "",
            (true, 8) => r#""type":"page","#,
            (true, _) => r#""type":"track","#,
        };
        let mut text = format!(
            r#"{{{kind}"messageId":"b{ID_PLACE}","userId":"c{CUSTOMER_PLACE}","timestamp":"2026-01-05T10:00:00.000Z",{what},"url":""#
        );
        let tail = r#""},"context":{"library":{"name":"bench"}}}"#;
        let missing = EVENT_BYTES.saturating_sub(text.len() + tail.len());
        text.extend(std::iter::repeat_n('u', missing));
        text.push_str(tail);
        let id_at = text.find(ID_PLACE).expect("the place was just written");
        let customer_at = text.find(CUSTOMER_PLACE).expect("the place was just written");
        // The order's own id is as good as any: it need not be written anew with each sending.
        let text = text.replace(&format!("O-{ID_PLACE}"), "O-1234567890123456");
        Self { text: text.into_bytes(), id_at, customer_at }
    }
}

/// A body whose events' ids and customers can be written anew.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    /// The whole body.
    pub(crate) bytes: Vec<u8>,
    places: Vec<(usize, usize)>,
}

impl Body {
    /// A batch of so many events; `first` chooses where in the mixture it begins.
    pub(crate) fn batch(events: usize, first: usize) -> Self {
        let mut bytes = br#"{"batch":["#.to_vec();
        let mut places = Vec::with_capacity(events);
        for index in 0..events {
            if index > 0 {
                bytes.push(b',');
            }
            let template = Template::new(first + index, true);
            places.push((bytes.len() + template.id_at, bytes.len() + template.customer_at));
            bytes.extend_from_slice(&template.text);
        }
        bytes.extend_from_slice(b"]}");
        Self { bytes, places }
    }

    /// One event for `/v1/track`.
    pub(crate) fn single(index: usize) -> Self {
        // Pages have a door of their own.
        let template = Template::new(if index % 10 == 8 { index + 1 } else { index }, false);
        Self { bytes: template.text, places: vec![(template.id_at, template.customer_at)] }
    }

    /// How many events it has.
    pub(crate) fn events(&self) -> usize {
        self.places.len()
    }

    /// Puts `extra` bytes, such as a request's head, before the body.
    pub(crate) fn behind(mut self, extra: &[u8]) -> Self {
        self.bytes.splice(0..0, extra.iter().copied());
        for (id, customer) in &mut self.places {
            *id += extra.len();
            *customer += extra.len();
        }
        self
    }

    /// Writes ids from `first` on, and the customers that go with them out of so many.
    pub(crate) fn number(&mut self, first: u64, customers: u64) {
        for (number, (id, customer)) in (first..).zip(&self.places) {
            write_hex(&mut self.bytes[*id..*id + ID_DIGITS], number);
            write_decimal(&mut self.bytes[*customer..*customer + CUSTOMER_DIGITS], customer_of(number, customers));
        }
    }
}

/// Neighbouring events are of different customers, and every customer has its turn.
fn customer_of(number: u64, customers: u64) -> u64 {
    number % customers.max(1)
}

fn write_hex(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

fn write_decimal(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Orders of a year for so many customers, in batches, from which a model can be trained: some customers come often.
pub(crate) fn history(customers: u64, batch: usize) -> Vec<Vec<u8>> {
    const YEAR_HOURS: u64 = 365 * 24;
    let mut orders = Vec::new();
    for customer in 0..customers {
        // A multiplicative hash makes gaps between 4 and 123 days that do not depend on the neighbours'.
        let mut noise = (customer + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let gap_hours = 24 * (4 + (noise >> 40) % 120);
        let mut hour = (noise >> 20) % (90 * 24);
        while hour < YEAR_HOURS {
            orders.push((hour, customer));
            noise = noise.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
            hour += gap_hours / 2 + (noise >> 33) % gap_hours.max(1);
        }
    }
    orders.sort_unstable();
    orders.chunks(batch).enumerate().map(|(chunk, orders)| history_batch(chunk * batch, orders)).collect()
}

fn history_batch(first: usize, orders: &[(u64, u64)]) -> Vec<u8> {
    let mut text = String::from(r#"{"batch":["#);
    for (place, (hour, customer)) in orders.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        let (month, day) = (1 + hour / 24 / 31, 1 + hour / 24 % 31 % 28);
        let (number, total, hour) = (first + place, 10 + (hour * 7 + customer) % 190, hour % 24);
        write!(
            text,
            r#"{comma}{{"type":"track","messageId":"h{number:015}","userId":"c{customer:07}","timestamp":"2025-{month:02}-{day:02}T{hour:02}:00:00Z","event":"Order Completed","properties":{{"order_id":"H{number}","total":{total},"products":[{{"product_id":"P{:03}","price":{total},"quantity":1}}]}}}}"#,
            number % 400
        )
        .expect("a text takes everything");
    }
    text.push_str("]}");
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_event_has_its_size_and_its_own_id() {
        let mut body = Body::batch(100, 0);
        body.number(0x1f, 40);
        let json: Value = serde_json::from_slice(&body.bytes).unwrap();
        let events = json["batch"].as_array().unwrap();
        assert_eq!(events.len(), 100);
        assert_eq!((&events[0]["messageId"], &events[0]["userId"]), (&"b000000000000001f".into(), &"c0000031".into()));
        assert_eq!(events[99]["messageId"], "b0000000000000082");
        let outside = r#"{"batch":[]}"#.len() + 99;
        assert_eq!(body.bytes.len() - outside, 100 * EVENT_BYTES);
        let single = Body::single(8).behind(b"HEAD");
        assert_eq!(single.bytes.len(), EVENT_BYTES + 4);
        assert!(serde_json::from_slice::<Value>(&single.bytes[4..]).unwrap()["event"].is_string());
    }

    #[test]
    fn history_is_a_year_of_orders_in_time_order() {
        let batches = history(200, 100);
        let read = |bytes: &Vec<u8>| serde_json::from_slice::<Value>(bytes).unwrap();
        let events: Vec<Value> =
            batches.iter().flat_map(|batch| read(batch)["batch"].as_array().unwrap().clone()).collect();
        assert!(events.len() > 600, "{}", events.len());
        let ids: std::collections::HashSet<_> = events.iter().map(|event| event["messageId"].to_string()).collect();
        assert_eq!(ids.len(), events.len());
    }
}
