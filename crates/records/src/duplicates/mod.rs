//! Records that are one person or one company: found while somebody types, on import, and by a follower of the feed over all
//! data; put before people in a queue.
//!
//! Every record of a compared object has rows in `match_key`, written in the record's own transaction and taken away when it goes
//! to the trash; see [`traits`] for what keys are made of. Keys only lead to records; the records themselves are compared. What
//! somebody may not read, row or field, neither leads them to a record nor is a reason.
//!
//! Limits: a key that more than [`find::CROWD`] records share leads the follower nowhere (a switchboard, a name that thousands
//! have), unless a narrower key does; somebody who types gets the best [`find::MENTIONED`] of some hundreds. A name alone is found with
//! a typing error only if the error is in one word and not in its first sound.
//!
//! There is no scan of data that was there before: the follower begins at the beginning of the feed, which has it all.

mod compare;
mod find;
mod forms;
mod queue;
mod traits;

use std::collections::BTreeSet;

use sea_query::{Alias, Expr, ExprTrait as _, OnConflict, Query, Value as Bound};

use self::traits::{Changed, Plan, Probe, Traits};
use crate::{Backend, Id, RecordsError, Tx, edit::Stuffs, record::Record, schema::Object};

pub use self::{compare::Reason, find::Similar, queue::Pair};
pub(crate) use self::{find::similar, queue::settle_merged};

const COLUMNS: [&str; 2] = ["hash", "record"];

/// The keys of new records with the records, for [`add`]. They are spread over the whole table of keys; in their order each of its
/// pages is touched once.
pub(crate) fn keys_of<'s>(object: &Object, records: impl Iterator<Item = (Id, &'s Stuffs)>) -> Vec<(i64, Id)> {
    let Some(plan) = Plan::of(object) else { return Vec::new() };
    let mut keys = Vec::new();
    for (id, stuffs) in records {
        keys.extend(Traits::of(&plan, stuffs).keys(object).into_iter().map(|key| (key, id)));
    }
    keys.sort_unstable();
    keys
}

/// Writes the keys of new records.
pub(crate) fn add(tx: &mut Tx<'_>, keys: Vec<(i64, Id)>) -> Result<(), RecordsError> {
    tx.insert_rows("match_key", &COLUMNS, keys.into_iter().map(|(key, id)| [Bound::from(key), id.0.into()]))
}

/// Brings a record's keys to its changed fields.
pub(crate) fn change(tx: &mut Tx<'_>, object: &Object, record: &Record, changes: &Stuffs) -> Result<(), RecordsError> {
    let Some(plan) = Plan::of(object) else { return Ok(()) };
    if !plan.fields().any(|field| changes.contains_key(field)) {
        return Ok(());
    }
    let before = Traits::of(&plan, &record.fields).keys(object);
    let after = Traits::of(&plan, &Changed { before: &record.fields, changes }).keys(object);
    replace(tx, record.id, before.difference(&after).copied().collect(), after.difference(&before).copied().collect())
}

/// Takes a record's keys away as it goes to the trash, or brings them back.
pub(crate) fn mark(tx: &mut Tx<'_>, object: &Object, record: &Record, to_trash: bool) -> Result<(), RecordsError> {
    let Some(plan) = Plan::of(object) else { return Ok(()) };
    let keys = Traits::of(&plan, &record.fields).keys(object);
    if to_trash { replace(tx, record.id, keys, BTreeSet::new()) } else { replace(tx, record.id, BTreeSet::new(), keys) }
}

fn replace(tx: &mut Tx<'_>, id: Id, gone: BTreeSet<i64>, new: BTreeSet<i64>) -> Result<(), RecordsError> {
    let column = |name: &str| Expr::col(Alias::new(name));
    if !gone.is_empty() {
        let delete = Query::delete()
            .from_table(Alias::new("match_key"))
            .and_where(column("record").eq(id.0))
            .and_where(column("hash").is_in(gone))
            .take();
        tx.execute(&delete)?;
    }
    if !new.is_empty() {
        let mut insert = Query::insert();
        insert.into_table(Alias::new("match_key")).columns(COLUMNS.map(Alias::new));
        for key in new {
            insert.values_panic([key.into(), id.0.into()]);
        }
        // Keys of a field that was taken away for a while are still there.
        insert.on_conflict(OnConflict::columns(COLUMNS.map(Alias::new)).do_nothing().to_owned());
        tx.execute(&insert)?;
    }
    Ok(())
}

/// Records that have a key of a range, at most `limit`; of one key the newest.
fn holders(tx: &mut Tx<'_>, probe: Probe, limit: usize) -> Result<Vec<Id>, RecordsError> {
    let sql = match tx.backend() {
        Backend::Sqlite => {
            "SELECT record FROM match_key WHERE hash BETWEEN ? AND ? ORDER BY hash DESC, record DESC LIMIT ?"
        }
        Backend::Postgres => {
            "SELECT record FROM match_key WHERE hash BETWEEN $1 AND $2 ORDER BY hash DESC, record DESC LIMIT $3"
        }
    };
    let rows = tx.query_sql(sql, &[probe.low.into(), probe.high.into(), (limit as i64).into()])?;
    rows.iter().map(|row| Ok(Id(row.int(0)?))).collect()
}
