//! What of a record is compared with others, and the keys that lead to records that may be alike.
//!
//! A key is 48 bits, so that SQLite keeps it in six bytes: three say what it is of, 45 are of a BLAKE3 hash of the object and the
//! value. Two values can have one key by chance; whoever finds a record by a key compares it.
//!
//! A name has a key for each of its two longest words: 21 bits of how that word sounds and how the other one begins, 12 of how the
//! whole sounds, 12 of how it is spelled. So names of which one word is misspelled stand side by side under the other; among them,
//! side by side, those that sound the same, and among those the ones that are the same.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::forms;
use crate::{
    Access,
    edit::Stuffs,
    schema::{FieldKind, Object},
    value::Stuff,
};

/// Bits of a key below those that say what it is of.
const HASH_BITS: u32 = 45;
/// Bits of a name's key that tell spellings apart.
const SPELLING_BITS: u32 = 12;
/// Bits of a name's key that tell sounds of the whole apart.
const SOUND_BITS: u32 = 12;

/// What a key is of.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Email = 1,
    Phone,
    Domain,
    Name,
}

/// Who is meant by the names of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// People.
    Person,
    /// Companies.
    Company,
}

/// Which fields of an object are compared.
#[derive(Debug, Clone)]
pub(super) struct Plan<'o> {
    pub(super) object: &'o Object,
    emails: Vec<&'o str>,
    phones: Vec<&'o str>,
    domains: Vec<&'o str>,
    name: Option<&'o str>,
    /// Where a person works: a record or its name.
    employer: Option<&'o str>,
    pub(super) named: Option<Named>,
}

impl<'o> Plan<'o> {
    /// None where records are not compared: only people and companies are, and objects of the organisation's own that can be
    /// written or called to.
    pub(super) fn of(object: &'o Object) -> Option<Self> {
        let (named, domains, employer): (_, &[&str], _) = match object.name.as_str() {
            "contact" => (Some(Named::Person), &[], Some("company")),
            "lead" => (Some(Named::Person), &[], Some("company_name")),
            "company" => (Some(Named::Company), &["domain", "website"], None),
            _ if object.custom => (None, &[], None),
            _ => return None,
        };
        let fields = |wanted: &dyn Fn(&FieldKind, &str) -> bool| -> Vec<&'o str> {
            let live = object.live_fields().filter(|field| wanted(&field.kind, &field.name));
            live.map(|field| field.name.as_str()).collect()
        };
        let plan = Self {
            object,
            emails: fields(&|kind, _| matches!(kind, FieldKind::Email | FieldKind::Emails)),
            phones: fields(&|kind, _| matches!(kind, FieldKind::Phone | FieldKind::Phones)),
            domains: fields(&|_, name| domains.contains(&name)),
            name: named.map(|_| object.title.as_str()),
            employer: employer.and_then(|name| Some(object.field(name)?.name.as_str())),
            named,
        };
        (named.is_some() || !plan.emails.is_empty() || !plan.phones.is_empty()).then_some(plan)
    }

    /// Without the fields that somebody does not see: what they find must not tell of them.
    pub(super) fn seen_by(mut self, access: &Access) -> Self {
        let object = &self.object.name;
        for fields in [&mut self.emails, &mut self.phones, &mut self.domains] {
            fields.retain(|field| access.may_see(object, field));
        }
        self.name = self.name.filter(|field| access.may_see(object, field));
        self.employer = self.employer.filter(|field| access.may_see(object, field));
        self
    }

    /// The fields.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'o str> {
        let lists = [&self.emails, &self.phones, &self.domains];
        lists.into_iter().flatten().copied().chain(self.name).chain(self.employer)
    }
}

/// Values of a record, whatever form it is in.
pub(super) trait Values {
    /// The texts that a field holds.
    fn texts(&self, field: &str) -> Vec<&str>;
}

impl Values for Stuffs {
    fn texts(&self, field: &str) -> Vec<&str> {
        match self.get(field) {
            Some(Stuff::Text(text)) => vec![text],
            Some(Stuff::List(texts)) => texts.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

impl Values for Map<String, Value> {
    fn texts(&self, field: &str) -> Vec<&str> {
        match self.get(field) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// A record's values after a change.
pub(super) struct Changed<'c> {
    pub(super) before: &'c Map<String, Value>,
    pub(super) changes: &'c Stuffs,
}

impl Values for Changed<'_> {
    fn texts(&self, field: &str) -> Vec<&str> {
        if self.changes.contains_key(field) { self.changes.texts(field) } else { self.before.texts(field) }
    }
}

/// What of a record is compared, in one form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Traits {
    pub(super) emails: BTreeSet<String>,
    pub(super) phones: BTreeSet<String>,
    pub(super) domains: BTreeSet<String>,
    /// Empty if there is none.
    pub(super) name: String,
    /// Empty if there is none.
    pub(super) employer: String,
}

impl Traits {
    pub(super) fn of(plan: &Plan<'_>, values: &impl Values) -> Self {
        let all = |fields: &[&str], form: fn(&str) -> Option<String>| -> BTreeSet<String> {
            fields.iter().flat_map(|field| values.texts(field)).filter_map(form).collect()
        };
        let one = |field: Option<&str>, form: fn(&str) -> String| {
            field.and_then(|field| values.texts(field).first().copied()).map(form).unwrap_or_default()
        };
        let mut domains = all(&plan.domains, forms::domain);
        if plan.named == Some(Named::Company) {
            domains.extend(all(&plan.emails, forms::domain));
        }
        Self {
            emails: all(&plan.emails, forms::email),
            phones: all(&plan.phones, forms::phone),
            domains,
            name: one(plan.name, if plan.named == Some(Named::Company) { forms::company } else { forms::person }),
            employer: one(plan.employer, forms::company),
        }
    }

    /// The keys that the record has.
    pub(super) fn keys(&self, object: &Object) -> BTreeSet<i64> {
        let mut keys = self.exact(object);
        keys.extend(name_keys(object, &self.name));
        keys
    }

    /// The ranges of keys where records that may be alike are found.
    pub(super) fn probes(&self, object: &Object) -> Vec<Probe> {
        let mut probes: Vec<Probe> =
            self.exact(object).into_iter().map(|key| Probe { low: key, high: key, is_wide: false }).collect();
        let names = name_keys(object, &self.name);
        let range = |key: &i64, bits: u32, is_wide| {
            let free = (1 << bits) - 1;
            Probe { low: key & !free, high: key | free, is_wide }
        };
        if let Some(key) = names.first() {
            probes.extend([range(key, 0, false), range(key, SPELLING_BITS, false)]);
        }
        probes.extend(names.iter().map(|key| range(key, SPELLING_BITS + SOUND_BITS, true)));
        probes
    }

    fn exact(&self, object: &Object) -> BTreeSet<i64> {
        let lists = [(Kind::Email, &self.emails), (Kind::Phone, &self.phones), (Kind::Domain, &self.domains)];
        let keys = lists.into_iter().flat_map(|(kind, texts)| {
            texts.iter().map(move |text| key(kind, hash(object, text) & ((1 << HASH_BITS) - 1)))
        });
        keys.collect()
    }
}

/// A range of keys under which records that may be alike are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Probe {
    pub(super) low: i64,
    pub(super) high: i64,
    /// Whether it holds names that have only one word in common.
    pub(super) is_wide: bool,
}

fn name_keys(object: &Object, name: &str) -> Vec<i64> {
    let mut words: Vec<&str> = name.split(' ').filter(|word| !word.is_empty()).collect();
    // The sort is stable: words of one length stay in the order of the alphabet.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.truncate(2);
    let part = |text: &str, bits: u32| hash(object, text) & ((1 << bits) - 1);
    let whole = part(&forms::sound(name), SOUND_BITS) << SPELLING_BITS | part(name, SPELLING_BITS);
    let sounds: Vec<String> = words.into_iter().map(forms::sound).collect();
    let of_word = |place: usize| {
        let mut block = sounds[place].clone();
        let other = sounds.get(1 - place).and_then(|sound| sound.chars().next());
        block.extend(other.into_iter().flat_map(|initial| [' ', initial]));
        let low = SOUND_BITS + SPELLING_BITS;
        key(Kind::Name, part(&block, HASH_BITS - low) << low | whole)
    };
    (0..sounds.len()).map(of_word).collect()
}

fn key(kind: Kind, hash: i64) -> i64 {
    (kind as i64) << HASH_BITS | hash
}

fn hash(object: &Object, text: &str) -> i64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(object.name.as_bytes()).update(b"\0").update(text.as_bytes());
    let hash = hasher.finalize();
    i64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
}
