//! The search in the same contacts, fed as the feed would feed it.

use std::{borrow::Cow, path::Path, time::Instant};

use rapport_records::search::{Change, Document, Query, Reach, SearchIndex};

use super::{
    ask::timed,
    synthetic::{self, Chance, Contact, PEOPLE},
};
use crate::{
    error::BenchError,
    limits::{at, histogram},
    report::{Better, Row, say},
};

/// Contacts that are fed at once.
const BATCH: usize = 20_000;
/// Searches of each kind.
const SEARCHES: usize = 100;
const HITS: usize = 20;
const MOST_MS: f64 = 50.0;

/// What people type who look for a contact.
type Kind = (&'static str, fn(&Contact, &mut Chance) -> String);

const KINDS: [Kind; 8] = [
    ("name", |contact, _| contact.name.clone()),
    ("beginning", |contact, chance| contact.name.chars().take(1 + chance.below(5)).collect()),
    ("name and beginning", |contact, _| {
        format!("{} {}", contact.first, contact.last.chars().take(3).collect::<String>())
    }),
    ("typing error", |contact, chance| swapped(&contact.name, chance)),
    ("e-mail", |contact, _| contact.email.clone()),
    ("e-mail, typing error", |contact, chance| swapped(&contact.email, chance)),
    ("phone", |contact, _| contact.phone.clone()),
    ("common word", |_, chance| ["smith", "james", "example", "王"][chance.below(4)].to_owned()),
];

pub(super) fn measure(folder: &Path, contacts: usize) -> Result<Vec<Row>, BenchError> {
    say("search: feeding");
    let index = SearchIndex::open(folder)?;
    let begun = Instant::now();
    for first in (0..contacts).step_by(BATCH) {
        let numbers = first..contacts.min(first + BATCH);
        let made: Vec<(usize, Contact)> = numbers.map(|number| (number, synthetic::contact(number))).collect();
        let changes: Vec<Change<'_>> =
            made.iter().map(|(number, contact)| Change::Put(document(*number, contact))).collect();
        index.apply(&changes, first as i64)?;
    }
    index.rest()?;
    let rate = contacts as f64 / begun.elapsed().as_secs_f64();
    say("search: asking");
    let (mut rows, mut all, mut chance) = (Vec::new(), histogram(), Chance(5));
    for (kind, make) in &KINDS {
        let mut times = histogram();
        for _ in 0..SEARCHES {
            let person = 1 + chance.below(PEOPLE as usize) as i64;
            let reach = Reach::Team { user: person, teams: synthetic::teams_of(person).to_vec() };
            let text = make(&synthetic::contact(chance.below(contacts)), &mut chance);
            let query = Query { text: &text, objects: &[("contact", reach)], limit: HITS, offset: 0 };
            timed(&mut times, || {
                std::hint::black_box(index.search(&query)?);
                Ok(())
            })?;
        }
        let row = Row::new("search", &format!("search by {kind}, p95"), Better::Less, MOST_MS, at(&times, 0.95), "ms");
        rows.push(row.note(format!("p50 {:.2} ms", at(&times, 0.5))));
        all += &times;
    }
    let row = Row::new("search", "search by all of these, p95", Better::Less, MOST_MS, at(&all, 0.95), "ms");
    rows.push(row.note(format!(
        "p50 {:.2}, p99 {:.2} ms; {rate:.0} contacts a second were fed",
        at(&all, 0.5),
        at(&all, 0.99)
    )));
    Ok(rows)
}

fn document(number: usize, contact: &Contact) -> Document<'_> {
    let texts = [&contact.email, &contact.phone].map(|text| Cow::Borrowed(text.as_str()));
    Document {
        object: "contact",
        id: number as i64,
        title: &contact.name,
        texts: texts.to_vec(),
        owner: Some(contact.owner),
        team: Some(contact.team),
    }
}

/// `text` with two neighbouring letters swapped somewhere behind its first letter.
fn swapped(text: &str, chance: &mut Chance) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() > 3 {
        let place = 1 + chance.below(letters.len() - 2);
        letters.swap(place, place + 1);
    }
    letters.into_iter().collect()
}
