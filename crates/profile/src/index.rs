//! Where each id leads, without the ids: an id stands in what it leads to, so its place is all that is kept here.
//!
//! Of an id there are 32 bits of its hash. Whoever asks tells whether a place with these bits is the id's; until the end of an
//! entry that moves ids about, what is led somewhere may not stand there yet, and must not be asked for.

use std::hash::{Hash as _, Hasher as _};

use hashbrown::{HashTable, hash_table::Entry};
use rapport_types::CustomerId;
use rustc_hash::FxHasher;

/// Where an id leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A slot here.
    Local(u32),
    /// A row of the ids that moved to another partition.
    Remote(u32),
}

/// Says of a packed target that it is a row. Neither slots nor rows are ever as many.
const REMOTE: u32 = 1 << 31;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lead {
    hash: u32,
    packed: u32,
}

impl Lead {
    fn of(id: &CustomerId, target: Target) -> Self {
        let packed = match target {
            Target::Local(slot) => slot,
            Target::Remote(row) => row | REMOTE,
        };
        Self { hash: short_hash(id), packed }
    }

    fn target(self) -> Target {
        if self.packed & REMOTE == 0 { Target::Local(self.packed) } else { Target::Remote(self.packed & !REMOTE) }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Index(HashTable<Lead>);

impl Index {
    /// Where `id` leads; `is_its` says whether a target is this id's.
    pub(crate) fn get(&self, id: &CustomerId, is_its: impl Fn(Target) -> bool) -> Option<Target> {
        let hash = short_hash(id);
        let found = self.0.find(spread(hash), |lead| lead.hash == hash && is_its(lead.target()));
        found.map(|lead| lead.target())
    }

    /// Leads `id` to another target; where it led before. `is_its` is as in [`Self::get`].
    pub(crate) fn lead(&mut self, id: &CustomerId, to: Target, is_its: impl Fn(Target) -> bool) -> Option<Target> {
        let lead = Lead::of(id, to);
        let is_it = |known: &Lead| known.hash == lead.hash && is_its(known.target());
        match self.0.entry(spread(lead.hash), is_it, |known| spread(known.hash)) {
            Entry::Occupied(mut known) => Some(std::mem::replace(known.get_mut(), lead).target()),
            Entry::Vacant(place) => {
                place.insert(lead);
                None
            }
        }
    }

    /// Leads `id`, if it leads to `target`, nowhere.
    pub(crate) fn remove(&mut self, id: &CustomerId, target: Target) {
        let lead = Lead::of(id, target);
        if let Ok(known) = self.0.find_entry(spread(lead.hash), |known| *known == lead) {
            known.remove();
        }
    }

    /// Makes room for so many ids more.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.0.reserve(more, |known| spread(known.hash));
    }
}

fn short_hash(id: &CustomerId) -> u32 {
    let mut hasher = FxHasher::default();
    id.hash(&mut hasher);
    let hash = hasher.finish();
    (hash ^ (hash >> 32)) as u32
}

/// The table takes its places from the low bits and a first comparison from the high ones, which the short hash lacks.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> CustomerId {
        CustomerId::User(name.into())
    }

    #[test]
    fn ids_lead_where_they_were_led_last() {
        let mut index = Index::default();
        let ids: Vec<CustomerId> = (0..5_000).map(|number| id(&format!("c{number}"))).collect();
        let stands = |id: &CustomerId| {
            let number = id.as_str()[1..].parse::<u32>().unwrap();
            move |target| target == Target::Local(number) || target == Target::Remote(number)
        };
        for (number, id) in (0..).zip(&ids) {
            assert_eq!(index.lead(id, Target::Local(number), stands(id)), None);
        }
        for (number, id) in (0..).zip(&ids).filter(|(number, _)| number % 2 == 0) {
            assert_eq!(index.lead(id, Target::Remote(number), stands(id)), Some(Target::Local(number)));
        }
        for (number, id) in (0..).zip(&ids).filter(|(number, _)| number % 3 == 0) {
            index.remove(id, Target::Local(number));
        }
        for (number, id) in (0..).zip(&ids) {
            let expected = match (number % 2, number % 3) {
                (0, _) => Some(Target::Remote(number)),
                (_, 0) => None,
                _ => Some(Target::Local(number)),
            };
            assert_eq!(index.get(id, stands(id)), expected, "{number}");
        }
        assert_eq!(index.get(&id("c0"), |_| false), None, "the hash alone is not the id");
    }
}
