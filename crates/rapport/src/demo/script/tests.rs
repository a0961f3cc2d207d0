//! The script holds together, is believable, and is the same for the same seed.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::LazyLock,
};

use super::*;
use crate::replay;

fn end() -> Timestamp {
    Timestamp::parse("2026-11-26T09:30:00Z").unwrap()
}

fn written(seed: u64, known: &BTreeMap<String, Id>) -> (Script, Vec<Customer>) {
    let (traffic, customers) = replay::customers(None, seed, 200).unwrap();
    let wanted = Wanted { seed, end: end(), traffic: &traffic, customers: &customers, known, pipeline: None };
    (write(&wanted), customers)
}

/// What most cases look at, written once.
static FIRST: LazyLock<(Script, Vec<Customer>)> = LazyLock::new(|| written(5, &BTreeMap::new()));

fn of<'s>(script: &'s Script, object: &str) -> Vec<&'s Tale> {
    script.tales.iter().filter(|tale| tale.object == object).collect()
}

/// A record's fields as they are at the end.
fn now(tale: &Tale) -> Fields {
    let mut fields = tale.fields.clone();
    for (_, change) in &tale.later {
        fields.extend(change.clone());
    }
    fields
}

#[test]
fn the_same_seed_and_day_give_the_same_company() {
    assert_eq!(FIRST.0, written(5, &BTreeMap::new()).0);
    assert_ne!(FIRST.0.tales, written(6, &BTreeMap::new()).0.tales);
}

#[test]
fn there_is_as_much_of_everything_as_was_promised() {
    let script = &FIRST.0;
    let counts: Vec<usize> = ["contact", "company", "deal", "ticket", "lead", "product", "pipeline"]
        .map(|object| of(script, object).len())
        .to_vec();
    assert_eq!((counts[0], counts[2], counts[3]), (5_000, 800, 2_000), "{counts:?}");
    assert!(counts[1] == 320 && counts[4] > 240 && counts[5] == 24 && counts[6] == 2, "{counts:?}");
    for object in ["note", "task", "call", "meeting"] {
        assert!(of(script, object).len() > 300, "{object}");
    }
}

#[test]
fn the_customers_are_those_of_the_traffic() {
    let (script, customers) = &*FIRST;
    let contacts = of(script, "contact");
    let linked: HashMap<&str, &Fields> =
        contacts.iter().filter_map(|tale| Some((tale.fields.get("customer_id")?.as_str()?, &tale.fields))).collect();
    assert!(customers.len() > 100 && linked.len() == customers.len());
    for customer in customers {
        let fields = linked[customer.id.as_str()];
        assert_eq!(fields["email"].as_str(), customer.email.as_deref());
        assert_eq!(fields["name"].as_str(), customer.name.as_deref());
        assert_eq!(fields["country"].as_str(), customer.country.as_deref());
    }
}

#[test]
fn a_customer_with_a_contact_gets_no_second_one() {
    let known = BTreeMap::from([("shopper-3".to_owned(), Id(77)), ("shopper-9".to_owned(), Id(78))]);
    let (script, customers) = written(5, &known);
    let there = customers.iter().filter(|customer| known.contains_key(&customer.id)).count();
    assert!(there > 0);
    let contacts = of(&script, "contact");
    assert_eq!(contacts.len(), 5_000 - there);
    assert!(contacts.iter().all(|tale| tale.fields.get("customer_id") != Some(&"shopper-3".into())));
}

#[test]
fn what_is_named_is_there_before_and_nothing_has_happened_yet_that_is_to_come() {
    let script = &FIRST.0;
    let today = Timestamp(end().0 - end().0.rem_euclid(DAY_MS));
    let mut born: HashMap<String, Timestamp> =
        script.people.iter().map(|person| (person.id.to_string(), person.since)).collect();
    let told = born.len();
    for tale in &script.tales {
        assert!(born.insert(tale.id.to_string(), tale.at).is_none(), "two of {}", tale.id);
    }
    assert_eq!(born.len(), told + script.tales.len());
    for tale in &script.tales {
        assert!(Timestamp(today.0 - DAYS * DAY_MS - DAY_MS) <= tale.at && tale.at < today, "{tale:?}");
        let steps = std::iter::once((tale.at, &tale.fields)).chain(tale.later.iter().map(|(at, fields)| (*at, fields)));
        let steps: Vec<(Timestamp, &Fields)> = steps.collect();
        assert!(steps.is_sorted_by_key(|(at, _)| *at) && steps.iter().all(|(at, _)| *at < today), "{tale:?}");
        for (at, fields) in steps {
            for name in ["company", "contact", "deal", "ticket", "stage", "pipeline", "product", "owner"] {
                let Some(named) = fields.get(name) else { continue };
                let since = born.get(named.as_str().unwrap()).copied();
                assert!(since.is_some_and(|since| since <= at), "{}'s {name} comes later: {tale:?}", tale.object);
            }
        }
    }
}

#[test]
fn deals_and_tickets_go_as_they_do_in_companies() {
    let script = &FIRST.0;
    let outcomes: HashMap<String, String> = of(script, "stage")
        .iter()
        .map(|stage| (stage.id.to_string(), stage.fields["outcome"].as_str().unwrap().to_owned()))
        .collect();
    let deals: Vec<Fields> = of(script, "deal").into_iter().map(now).collect();
    let with = |outcome: &str| deals.iter().filter(|deal| outcomes[deal["stage"].as_str().unwrap()] == outcome).count();
    let (open, won, lost) = (with("open"), with("won"), with("lost"));
    assert!((90..200).contains(&open), "{open} open deals");
    assert!((0.38..0.52).contains(&(won as f64 / (won + lost) as f64)), "{won} won, {lost} lost");
    for deal in &deals {
        let is_open = outcomes[deal["stage"].as_str().unwrap()] == "open";
        assert_eq!(deal.contains_key("closed_at"), !is_open, "{deal:?}");
        assert!(is_open || deal.get("next_step").is_none_or(Value::is_null), "{deal:?}");
    }
    let tickets: Vec<Fields> = of(script, "ticket").into_iter().map(now).collect();
    let closed = tickets.iter().filter(|ticket| ticket["status"] == "closed").count();
    let fresh = tickets.iter().filter(|ticket| ticket["status"] == "new").count();
    assert!(closed > 1_800 && fresh > 0 && closed + fresh < 2_000, "{closed} closed, {fresh} new");
    let said: Vec<f64> = tickets.iter().filter_map(|ticket| ticket.get("satisfaction")?.as_f64()).collect();
    let mean = said.iter().sum::<f64>() / said.len() as f64;
    assert!(said.len() > 700 && (3.4..4.4).contains(&mean), "{} say {mean}", said.len());
}

#[test]
fn names_are_of_many_languages_and_addresses_of_nobody() {
    let script = &FIRST.0;
    let is_han = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    let contacts = of(script, "contact");
    let names: HashSet<&str> = contacts.iter().filter_map(|tale| tale.fields["name"].as_str()).collect();
    assert!(names.len() > 4_700, "{} names", names.len());
    let han = contacts.iter().filter(|tale| tale.fields["name"].as_str().is_some_and(is_han)).count();
    let accents =
        names.iter().filter(|name| name.chars().any(|letter| ('\u{c0}'..'\u{250}').contains(&letter))).count();
    assert!(han > 60 && accents > 200, "{han} {accents}");
    for tale in &script.tales {
        for (name, value) in &tale.fields {
            if name == "email" || name == "domain" {
                assert!(value.as_str().unwrap().ends_with(".example"), "{tale:?}");
            }
        }
    }
    assert!(script.people.iter().all(|person| person.email.ends_with("@demo.example")));
}
