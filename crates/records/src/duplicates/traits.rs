//! What of a record is compared with others, and the keys that lead to records that may be alike.
//!
//! A key is 48 bits, so that SQLite keeps it in six bytes: three say what it is of, 45 are of a BLAKE3 hash of the object and the
//! value. The 45 bits of a name are 31 of how it sounds and 14 of how it is spelled: the names that sound the same stand side by
//! side, and among them those that are the same. Two values can have one key by chance; whoever finds a record by a key
//! compares it.

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
const SPELLING_BITS: u32 = 14;

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
        if !self.name.is_empty() {
            keys.insert(name_key(object, &self.name, &forms::sound(&self.name)));
        }
        keys
    }

    /// The ranges of keys where records that may be alike are found, the narrow ones first.
    pub(super) fn probes(&self, object: &Object) -> Vec<(i64, i64)> {
        let mut probes: Vec<(i64, i64)> = self.keys(object).into_iter().map(|key| (key, key)).collect();
        if !self.name.is_empty() {
            let key = name_key(object, &self.name, &forms::sound(&self.name));
            let spellings = (1 << SPELLING_BITS) - 1;
            probes.push((key & !spellings, key | spellings));
        }
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

fn name_key(object: &Object, name: &str, sound: &str) -> i64 {
    let sound = hash(object, sound) & ((1 << (HASH_BITS - SPELLING_BITS)) - 1);
    key(Kind::Name, sound << SPELLING_BITS | hash(object, name) & ((1 << SPELLING_BITS) - 1))
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
