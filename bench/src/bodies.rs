//! The events of a load: 500 bytes each, a shop's mixture, built before the load begins. Only the message id, the customer
//! and the time are written into the bytes when they are sent, at fixed places.

use jiff::{SignedDuration, Timestamp};

/// The length of every event.
pub(crate) const EVENT_BYTES: usize = 500;
const ID_DIGITS: usize = 16;
const CUSTOMER_DIGITS: usize = 7;
const ID_PLACE: &str = "################";
const CUSTOMER_PLACE: &str = "@@@@@@@";
const TIME_PLACE: &str = "2000-01-01T00:00:00.000Z";

/// Where in an event its open parts are.
#[derive(Debug, Clone, Copy)]
struct Places {
    id: usize,
    customer: usize,
    time: usize,
}

impl Places {
    fn moved(self, by: usize) -> Self {
        Self { id: self.id + by, customer: self.customer + by, time: self.time + by }
    }
}

/// One event whose id, customer and time are still open.
#[derive(Debug, Clone)]
struct Template {
    text: Vec<u8>,
    places: Places,
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
            r#"{{{kind}"messageId":"b{ID_PLACE}","userId":"c{CUSTOMER_PLACE}","timestamp":"{TIME_PLACE}",{what},"url":""#
        );
        let tail = r#""},"context":{"library":{"name":"bench"}}}"#;
        let missing = EVENT_BYTES.saturating_sub(text.len() + tail.len());
        text.extend(std::iter::repeat_n('u', missing));
        text.push_str(tail);
        let place = |of: &str| text.find(of).expect("the place was just written");
        let places = Places { id: place(ID_PLACE), customer: place(CUSTOMER_PLACE), time: place(TIME_PLACE) };
        // The order's own id is as good as any: it need not be written anew with each sending.
        let text = text.replace(&format!("O-{ID_PLACE}"), "O-1234567890123456");
        Self { text: text.into_bytes(), places }
    }
}

/// A body whose events' ids and customers can be written anew.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    /// The whole body.
    pub(crate) bytes: Vec<u8>,
    places: Vec<Places>,
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
            places.push(template.places.moved(bytes.len()));
            bytes.extend_from_slice(&template.text);
        }
        bytes.extend_from_slice(b"]}");
        Self { bytes, places }
    }

    /// One event for `/v1/track`.
    pub(crate) fn single(index: usize) -> Self {
        // Pages have a door of their own.
        let template = Template::new(if index % 10 == 8 { index + 1 } else { index }, false);
        Self { bytes: template.text, places: vec![template.places] }
    }

    /// How many events it has.
    pub(crate) fn events(&self) -> usize {
        self.places.len()
    }

    /// Puts `extra` bytes, such as a request's head, before the body.
    pub(crate) fn behind(mut self, extra: &[u8]) -> Self {
        self.bytes.splice(0..0, extra.iter().copied());
        for places in &mut self.places {
            *places = places.moved(extra.len());
        }
        self
    }

    /// Writes ids from `first` on, the customers that go with them out of so many, and the time.
    pub(crate) fn number(&mut self, first: u64, customers: u64, now: Timestamp) {
        let time = format!("{now:.3}");
        for (number, places) in (first..).zip(&self.places) {
            write_hex(&mut self.bytes[places.id..][..ID_DIGITS], number);
            write_decimal(&mut self.bytes[places.customer..][..CUSTOMER_DIGITS], customer_of(number, customers));
            self.bytes[places.time..][..TIME_PLACE.len()].copy_from_slice(time.as_bytes());
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

/// A year of shopping until `now` for so many customers, in batches, from which a model can be trained: before each order
/// its customer looks at products and puts one into the cart, and some customers come often.
pub(crate) fn history(customers: u64, batch: usize, now: Timestamp) -> Vec<Vec<u8>> {
    const YEAR_HOURS: u64 = 365 * 24;
    let mut visits = Vec::new();
    for customer in 0..customers {
        // A multiplicative hash makes gaps between 4 and 123 days that do not depend on the neighbours'.
        let mut noise = (customer + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let gap_hours = 24 * (4 + (noise >> 40) % 120);
        let mut hour = (noise >> 20) % (90 * 24);
        while hour < YEAR_HOURS {
            visits.push((hour, customer));
            noise = noise.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
            hour += 1 + gap_hours / 2 + (noise >> 33) % gap_hours;
        }
    }
    visits.sort_unstable();
    let year_ago = now - SignedDuration::from_hours(YEAR_HOURS as i64);
    let events: Vec<String> = visits
        .iter()
        .enumerate()
        .flat_map(|(number, (hour, customer))| {
            let at = year_ago + SignedDuration::from_hours(*hour as i64);
            visit(number, *customer, at)
        })
        .collect();
    events.chunks(batch).map(|events| format!(r#"{{"batch":[{}]}}"#, events.join(",")).into_bytes()).collect()
}

/// One to three views, an addition to the cart, an order.
fn visit(number: usize, customer: u64, at: Timestamp) -> Vec<String> {
    let (product, total) = (number % 400, 10 + number * 7 % 190);
    let event = |step: usize, name: &str, properties: String| {
        let at = at + SignedDuration::from_secs(step as i64 * 20);
        format!(
            r#"{{"type":"track","messageId":"h{number:014}{step}","userId":"c{customer:07}","timestamp":"{at:.3}","event":"{name}","properties":{{{properties}}}}}"#
        )
    };
    let price = format!(r#""product_id":"P{product:03}","price":{total}"#);
    let views = 1 + number % 3;
    let mut events: Vec<String> = (0..views).map(|step| event(step, "Product Viewed", price.clone())).collect();
    events.push(event(views, "Product Added", format!(r#"{price},"quantity":1"#)));
    let order = format!(r#""order_id":"H{number}","total":{total},"products":[{{{price},"quantity":1}}]"#);
    events.push(event(views + 1, "Order Completed", order));
    events
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_event_has_its_size_and_its_own_id() {
        let mut body = Body::batch(100, 0);
        let now: Timestamp = "2026-02-03T04:05:06.5Z".parse().unwrap();
        body.number(0x1f, 40, now);
        let json: Value = serde_json::from_slice(&body.bytes).unwrap();
        let events = json["batch"].as_array().unwrap();
        assert_eq!(events.len(), 100);
        assert_eq!((&events[0]["messageId"], &events[0]["userId"]), (&"b000000000000001f".into(), &"c0000031".into()));
        assert_eq!(events[50]["timestamp"], "2026-02-03T04:05:06.500Z");
        assert_eq!(events[99]["messageId"], "b0000000000000082");
        let outside = r#"{"batch":[]}"#.len() + 99;
        assert_eq!(body.bytes.len() - outside, 100 * EVENT_BYTES);
        let single = Body::single(8).behind(b"HEAD");
        assert_eq!(single.bytes.len(), EVENT_BYTES + 4);
        assert!(serde_json::from_slice::<Value>(&single.bytes[4..]).unwrap()["event"].is_string());
    }

    #[test]
    fn history_is_a_year_of_shopping_until_now() {
        let batches = history(200, 100, "2026-02-03T04:05:06Z".parse().unwrap());
        let read = |bytes: &Vec<u8>| serde_json::from_slice::<Value>(bytes).unwrap();
        let events: Vec<Value> =
            batches.iter().flat_map(|batch| read(batch)["batch"].as_array().unwrap().clone()).collect();
        assert!(events.len() > 3_000, "{}", events.len());
        assert!(events[0]["timestamp"].as_str().unwrap().starts_with("2025-02-03"), "{}", events[0]);
        let orders = events.iter().filter(|event| event["event"] == "Order Completed").count();
        assert!(orders > 600, "{orders}");
        let ids: std::collections::HashSet<_> = events.iter().map(|event| event["messageId"].to_string()).collect();
        assert_eq!(ids.len(), events.len());
    }
}
