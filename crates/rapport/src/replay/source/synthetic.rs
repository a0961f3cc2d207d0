//! Synthetic shoppers: a seeded generator for machines that do not have a real file. Its customers do not exist.
//!
//! Each shopper visits a shop, looks at products, puts some into the cart and at times orders. How often somebody comes
//! and how readily they buy is drawn once for each, so that the past tells something of the future; at each visit some
//! leave for good. A shopper is a device first and gets a name with the first order.
//!
//! The same plan gives the same messages on every machine. Memory grows with the shoppers, not with the messages.

use std::{cmp::Reverse, collections::BinaryHeap};

use rapport_types::{CustomerId, DAY_MS, MINUTE_MS, SECOND_MS, Timestamp};
use serde_json::json;

use super::{Actor, Body, Message, Money, ORDER, Product, Source, encode};
use crate::{names::Name, random::Random, replay::error::ReplayError};

/// 2024-01-01T00:00:00Z, the first day of every synthetic year.
const FIRST_DAY: i64 = 1_704_067_200_000;
const COUNTRIES: [&str; 5] = ["United Kingdom", "Germany", "France", "Spain", "Netherlands"];
const PRODUCTS: u64 = 400;
/// The first of the streams that names are drawn from.
const NAMES: u64 = 1 << 32;

/// What to generate.
#[derive(Debug, Clone, Copy)]
pub(in crate::replay) struct SyntheticPlan {
    pub(in crate::replay) seed: u64,
    pub(in crate::replay) shoppers: u32,
    pub(in crate::replay) days: u32,
}

/// What a shopper does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Arrive,
    Look,
    Add,
    Introduce,
    Order,
}

#[derive(Debug)]
struct Shopper {
    seed: u64,
    number: u32,
    name: String,
    device: String,
    random: Random,
    country: &'static str,
    /// Mean time between visits.
    pause_ms: f64,
    /// How likely a visit leads to an order.
    keenness: f64,
    /// How likely a visit is the last.
    fickleness: f64,
    known: bool,
    step: Step,
    looks_left: u64,
    cart: Vec<Product>,
    sent: u32,
}

impl Shopper {
    fn new(plan: &SyntheticPlan, number: u32) -> Self {
        let mut random = Random::new(plan.seed, u64::from(number) + 1);
        // Cubing makes a few very frequent visitors among many rare ones.
        let pause_days = 3.0 + 50.0 * random.unit().powi(3) + 6.0 * random.unit();
        Self {
            seed: plan.seed,
            number,
            name: format!("shopper-{number}"),
            device: format!("device-{number}"),
            country: *random.pick(&COUNTRIES),
            pause_ms: pause_days * DAY_MS as f64,
            keenness: 0.1 + 0.6 * random.unit(),
            fickleness: 0.01 + 0.06 * random.unit(),
            random,
            known: false,
            step: Step::Arrive,
            looks_left: 0,
            cart: Vec::new(),
            sent: 0,
        }
    }

    /// What the shopper is called, and an address. It has a stream of random numbers of its own.
    fn called(&self) -> (String, String) {
        let name = Name::of(self.country, &mut Random::new(self.seed, NAMES + u64::from(self.number)));
        let email = format!("{}.{}@mail.example", name.address, self.number);
        (name.whole, email)
    }

    fn product(&mut self) -> Product {
        // The square prefers low numbers: some products are popular.
        let number = (self.random.unit().powi(2) * PRODUCTS as f64) as u64;
        let price = Money(500 + (number as i64 * 7_919) % 60_000);
        let quantity = 1 + self.random.below(3) as i64;
        Product { id: format!("P{number:03}").into(), name: format!("Product {number}").into(), quantity, price }
    }

    /// Says what is done at `at`, and moves to the next step; the second value is when that is, if it ever is.
    fn act(&mut self, at: Timestamp) -> (Message, Option<Timestamp>) {
        let step = self.step;
        let (json_of, is_order): (Vec<u8>, bool);
        self.sent += 1;
        let id = format!("{}-{}", self.name, self.sent);
        let known = self.known;
        let (user, device) = (self.name.clone(), self.device.clone());
        let actor = Actor { user: known.then_some(&*user), anonymous: Some(&device) };
        match step {
            Step::Arrive => {
                self.cart.clear();
                self.looks_left = 1 + self.random.below(5);
                let page = json!({"path": "/", "title": "Home"});
                json_of = encode(&id, actor, at, Body::Page { name: "Home", properties: page });
            }
            Step::Look => {
                self.looks_left -= 1;
                let product = self.product();
                json_of = encode(&id, actor, at, Body::Track { event: "Product Viewed", properties: &product });
            }
            Step::Add => {
                let product = self.product();
                json_of = encode(&id, actor, at, Body::Track { event: "Product Added", properties: &product });
                self.cart.push(product);
            }
            Step::Introduce => {
                self.known = true;
                let both = Actor { user: Some(&user), anonymous: Some(&device) };
                let (called, email) = self.called();
                let traits = json!({"name": called, "email": email, "country": self.country, "synthetic": true});
                json_of = encode(&id, both, at, Body::Identify::<serde_json::Value> { traits });
            }
            Step::Order => {
                let total: Money = self.cart.iter().map(|product| product.price.times(product.quantity)).sum();
                let order = json!({"order_id": id, "total": total, "revenue": total, "currency": "GBP",
                    "country": self.country, "products": self.cart});
                json_of = encode(&id, actor, at, Body::Track { event: ORDER, properties: order });
            }
        }
        is_order = step == Step::Order;
        let next = self.go_on(step, at);
        let message =
            Message { at, lane: CustomerId::User(user.into()), id: id.into(), lines: 1, is_order, json: json_of };
        (message, next)
    }

    /// Chooses the step after `step`; none if the shopper never comes back.
    fn go_on(&mut self, step: Step, at: Timestamp) -> Option<Timestamp> {
        let buys = !self.cart.is_empty();
        self.step = match step {
            Step::Arrive => Step::Look,
            Step::Look if self.looks_left > 0 => Step::Look,
            Step::Look if self.random.chance(self.keenness) => Step::Add,
            Step::Add if self.random.chance(0.4) && self.cart.len() < 8 => Step::Add,
            Step::Add if self.random.chance(0.3 + 0.6 * self.keenness) => {
                if self.known {
                    Step::Order
                } else {
                    Step::Introduce
                }
            }
            Step::Introduce if buys => Step::Order,
            _ => Step::Arrive,
        };
        if self.step != Step::Arrive {
            return Some(Timestamp(at.0 + 5 * SECOND_MS + self.random.below(MINUTE_MS as u64) as i64));
        }
        if self.random.chance(self.fickleness) {
            return None;
        }
        let pause = self.random.wait(self.pause_ms) as i64;
        Some(Timestamp(at.0 + pause.max(30 * MINUTE_MS)))
    }
}

/// The generator as a source.
pub(in crate::replay) struct Synthetic {
    plan: SyntheticPlan,
    end: Timestamp,
    now: Timestamp,
    shoppers: Vec<Shopper>,
    due: BinaryHeap<Reverse<(Timestamp, u32)>>,
    customers: u64,
}

impl Synthetic {
    /// Shoppers arrive for the first time at any moment of the first two thirds of the year.
    pub(in crate::replay) fn new(plan: SyntheticPlan) -> Self {
        let span = i64::from(plan.days) * DAY_MS;
        let mut begin = Random::new(plan.seed, 0);
        let first = |number| Reverse((Timestamp(FIRST_DAY + begin.below(span as u64 * 2 / 3) as i64), number));
        let due = (0..plan.shoppers).map(first).collect();
        Self {
            plan,
            end: Timestamp(FIRST_DAY + span),
            now: Timestamp(FIRST_DAY),
            shoppers: (0..plan.shoppers).map(|number| Shopper::new(&plan, number)).collect(),
            due,
            customers: 0,
        }
    }
}

impl Iterator for Synthetic {
    type Item = Result<Message, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((at, number)) = self.due.pop().filter(|Reverse((at, _))| *at < self.end)?;
        let shopper = &mut self.shoppers[number as usize];
        let was_known = shopper.known;
        let (message, next) = shopper.act(at);
        self.customers += u64::from(shopper.known && !was_known);
        self.due.extend(next.map(|next| Reverse((next, number))));
        self.now = at;
        Some(Ok(message))
    }
}

impl Source for Synthetic {
    fn title(&self) -> String {
        format!("Synthetic shoppers (they do not exist), seed {}", self.plan.seed)
    }

    fn progress(&self) -> f64 {
        (self.now.0 - FIRST_DAY) as f64 / (self.end.0 - FIRST_DAY).max(1) as f64
    }

    fn customers(&self) -> u64 {
        self.customers
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    const PLAN: SyntheticPlan = SyntheticPlan { seed: 7, shoppers: 200, days: 365 };

    fn all(plan: SyntheticPlan) -> Vec<Message> {
        Synthetic::new(plan).map(Result::unwrap).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_traffic_in_time_order() {
        let (first, second) = (all(PLAN), all(PLAN));
        assert!(first.iter().map(|message| &message.json).eq(second.iter().map(|message| &message.json)));
        assert!(first.is_sorted_by_key(|message| message.at));
        let ids: HashSet<_> = first.iter().map(|message| &message.id).collect();
        assert_eq!(ids.len(), first.len());
        let other = all(SyntheticPlan { seed: 8, ..PLAN });
        assert!(!first.iter().map(|message| &message.json).eq(other.iter().map(|message| &message.json)));
    }

    #[test]
    fn orders_are_of_known_customers_and_some_come_back() {
        let messages = all(PLAN);
        let mut orders: HashMap<String, u32> = HashMap::new();
        let mut introduced = HashSet::new();
        for message in &messages {
            let json: serde_json::Value = serde_json::from_slice(&message.json).unwrap();
            if json["type"] == "identify" {
                introduced.insert(json["userId"].as_str().unwrap().to_owned());
            }
            assert_eq!(message.is_order, json["event"] == ORDER);
            if message.is_order {
                let user = json["userId"].as_str().unwrap();
                assert!(introduced.contains(user), "{user} orders without a name");
                assert!(json["properties"]["total"].as_f64().unwrap() > 0.0);
                *orders.entry(user.to_owned()).or_default() += 1;
            }
        }
        assert!(orders.len() > 100, "{} buyers", orders.len());
        let again = orders.values().filter(|count| **count > 1).count();
        assert!(again > orders.len() / 4 && again < orders.len(), "{again} of {} came back", orders.len());
    }
}
