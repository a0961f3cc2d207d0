//! Finding: what is like a record that somebody types, and what is like the records that changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    compare::{Likeness, MENTION, REVIEW, Reason, compare},
    holders,
    queue::{self, Seen},
    traits::{Plan, Probe, Traits},
};
use crate::{
    Access, Change, Desk, Fields, Id, ListQuery, Op, RecordsError, Tx, Verb,
    access::Actor,
    desk::Moment,
    feed,
    read::{self, PAGE},
    record::Record,
};

/// Records that share a key, up to which the key tells something.
pub(super) const CROWD: usize = 20;
/// Records of a key that are looked at for somebody who types.
const LOOKED_AT: usize = 50;
/// The same of a key of one word of a name, which more have.
const LOOKED_AT_WIDELY: usize = 200;
/// Records named to somebody who types.
pub(super) const MENTIONED: usize = 10;
/// Lines of the feed that the follower takes at once.
const LINES: u64 = 500;
/// The follower's name.
pub(crate) const READER: &str = "duplicates";

/// A record that is like what was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Similar {
    /// The record.
    pub id: Id,
    /// What it is called.
    pub title: String,
    /// What is alike.
    pub reasons: Vec<Reason>,
    /// How much, 0 to 100.
    pub score: i64,
}

impl Desk {
    /// The records most like what somebody types, the best first, as far as they may be read. `except` is the record that is
    /// being changed.
    pub fn similar(
        &self,
        access: &Access,
        object: &str,
        fields: &Fields,
        except: Option<Id>,
    ) -> Result<Vec<Similar>, RecordsError> {
        self.read(|moment, tx| similar(moment, tx, access, object, fields, except))
    }

    /// Compares the records of the next lines of the feed with all others and brings the queue up to date. How many lines there
    /// were; at most `limit`, and some hundreds at once. None are left when it is 0.
    pub fn find_duplicates(&self, limit: u64) -> Result<usize, RecordsError> {
        let (seen, lines, end) = self.read(|moment, tx| {
            let position = feed::position(tx, READER)?;
            let changes = feed::follow(tx, position, limit.clamp(1, LINES))?;
            let end = changes.last().map_or(position, |change| change.seq);
            Ok((look(moment, tx, &changes)?, changes.len(), end))
        })?;
        if lines > 0 {
            // What changed since it was read has a line further on. The feed's bell does not ring: no record changes.
            self.database.write(|tx| {
                queue::keep(tx, &self.ids, self.now(), &seen)?;
                feed::set_position(tx, READER, end)
            })?;
        }
        Ok(lines)
    }
}

/// See [`Desk::similar`].
pub(crate) fn similar(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &str,
    fields: &Fields,
    except: Option<Id>,
) -> Result<Vec<Similar>, RecordsError> {
    let ground = moment.ground(object, access)?;
    access.reach(Verb::Read, ground.object)?;
    let Some(plan) = Plan::of(ground.object).map(|plan| plan.seen_by(access)) else { return Ok(Vec::new()) };
    let wanted = Traits::of(&plan, fields);
    let mut found = BTreeSet::new();
    for probe in wanted.probes(ground.object) {
        let limit = if probe.is_wide { LOOKED_AT_WIDELY } else { LOOKED_AT };
        found.extend(holders(tx, probe, limit)?);
    }
    found.retain(|id| Some(*id) != except);
    let records = load(moment, tx, access, &plan, &Vec::from_iter(found))?;
    let mut similar: Vec<Similar> = records
        .iter()
        .filter_map(|(id, (record, traits))| {
            let Likeness { score, reasons } = compare(&wanted, traits, plan.named);
            let title = record.fields.get(&ground.object.title).and_then(|title| title.as_str()).unwrap_or_default();
            (score >= MENTION).then(|| Similar { id: *id, title: title.to_owned(), reasons, score })
        })
        .collect();
    similar.sort_by_key(|record| (-record.score, std::cmp::Reverse(record.id)));
    similar.truncate(MENTIONED);
    Ok(similar)
}

/// Records with what of them is compared.
pub(super) type Loaded = BTreeMap<Id, (Record, Traits)>;

/// Reads what of some records somebody may compare. Those in the trash and those that they may not read are left out.
pub(super) fn load(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    plan: &Plan<'_>,
    ids: &[Id],
) -> Result<Loaded, RecordsError> {
    let object = plan.object;
    let mut fields: Vec<String> = plan.fields().map(str::to_owned).collect();
    if !fields.contains(&object.title) && access.may_see(&object.name, &object.title) {
        fields.push(object.title.clone());
    }
    let mut loaded = Loaded::new();
    for chunk in ids.chunks(PAGE) {
        let query =
            ListQuery { ids: Some(chunk.to_vec()), fields: Some(fields.clone()), limit: PAGE, ..ListQuery::default() };
        for record in read::list(moment, tx, access, &object.name, &query)?.records {
            let traits = Traits::of(plan, &record.fields);
            loaded.insert(record.id, (record, traits));
        }
    }
    Ok(loaded)
}

/// Compares the records of some changes with all that share a key with them.
fn look(moment: &Moment<'_>, tx: &mut Tx<'_>, changes: &[Change]) -> Result<Seen, RecordsError> {
    let access = Access::of_system(Actor::System);
    let mut seen = Seen::default();
    let mut touched: BTreeMap<&str, BTreeSet<Id>> = BTreeMap::new();
    for change in changes {
        touched.entry(&change.object).or_default().insert(change.record);
    }
    for (name, ids) in touched {
        let Some(plan) = moment.schema.object(name).and_then(Plan::of) else { continue };
        let of_interest = |change: &&Change| {
            change.object == name
                && (!matches!(change.op, Op::Update | Op::Merge)
                    || plan.fields().any(|field| change.after.contains_key(field)))
        };
        let moved: BTreeSet<Id> = changes.iter().filter(of_interest).map(|change| change.record).collect();
        let ids: Vec<Id> = ids.intersection(&moved).copied().collect();
        let records = load(moment, tx, &access, &plan, &ids)?;
        seen.looked_at.extend(ids);
        let pairs = neighbours(tx, &plan, &records)?;
        let strangers = pairs.iter().flat_map(|(one, other)| [*one, *other]).filter(|id| !records.contains_key(id));
        let strangers: BTreeSet<Id> = strangers.collect();
        let others = load(moment, tx, &access, &plan, &Vec::from_iter(strangers))?;
        let traits = |id: &Id| records.get(id).or_else(|| others.get(id)).map(|(_, traits)| traits);
        for (one, other) in pairs {
            let (Some(first), Some(second)) = (traits(&one), traits(&other)) else { continue };
            let likeness = compare(first, second, plan.named);
            if likeness.score >= REVIEW {
                seen.pairs.insert((one, other), (name.to_owned(), likeness));
            }
        }
    }
    Ok(seen)
}

/// The pairs that some records make with all that share a key with them, the smaller id first.
fn neighbours(tx: &mut Tx<'_>, plan: &Plan<'_>, records: &Loaded) -> Result<BTreeSet<(Id, Id)>, RecordsError> {
    let mut asked: BTreeMap<Probe, Vec<Id>> = BTreeMap::new();
    for (id, (_, traits)) in records {
        for probe in traits.probes(plan.object) {
            asked.entry(probe).or_default().push(*id);
        }
    }
    let mut pairs = BTreeSet::new();
    for (probe, ids) in asked {
        let holders = holders(tx, probe, CROWD + 1)?;
        if holders.len() > CROWD {
            continue;
        }
        for id in &ids {
            pairs.extend(holders.iter().filter(|other| *other != id).map(|other| (*id.min(other), *id.max(other))));
        }
    }
    Ok(pairs)
}
