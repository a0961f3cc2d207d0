//! The feed shortened: what lies far back is removed, if the operator wants that.
//!
//! A line is kept, however old, while a reader of the feed has not come past it, and while its batch is being taken back or imported.
//! While there is demo data nothing is removed: by the feed it is known what is demo data, and who has changed it. A batch that
//! loses a line can no longer be undone, and is gone with it.
//!
//! Weak: who wrote a field last is read from the feed. For a field whose line is gone the record's last writer stands, so an event
//! may overwrite what a person wrote that long ago. The search index of another server that was away for so long misses what was
//! removed meanwhile.

use std::collections::BTreeSet;

use rapport_types::{DAY_MS, Timestamp};
use sea_query::{Alias, Cond, Expr, ExprTrait as _, Order, Query, SelectStatement};

use crate::{
    Desk, Id, RecordsError, Tx, demo, duplicates,
    feed::{self, column},
    identities,
};

/// Lines that are looked at in one transaction.
const STEP: u64 = 5_000;

impl Desk {
    /// A step of removing lines of the feed that are older than so many days: looks at some thousand lines behind `after`, which is
    /// 0 at first.
    pub fn prune_feed(&self, days: u32, after: i64) -> Result<Pruned, RecordsError> {
        let before = Timestamp(self.now().0 - i64::from(days) * DAY_MS);
        let searched = self.search_position();
        self.database.write(|tx| step(tx, before, after, searched))
    }
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// How many lines were removed.
    pub gone: u64,
    /// Behind which line it goes on; none at the end.
    pub next: Option<i64>,
}

fn step(tx: &mut Tx<'_>, before: Timestamp, after: i64, searched: Option<i64>) -> Result<Pruned, RecordsError> {
    if demo::is_there(tx)? {
        return Ok(Pruned { gone: 0, next: None });
    }
    let readers = [feed::position(tx, identities::READER)?, feed::position(tx, duplicates::READER)?];
    let read = readers.into_iter().chain(searched).min().unwrap_or(0);
    let query = Query::select()
        .columns(["seq", "at", "batch"].map(Alias::new))
        .from(Alias::new("change"))
        .and_where(column("seq").gt(after))
        .and_where(column("seq").lte(read))
        .order_by(Alias::new("seq"), Order::Asc)
        .limit(STEP)
        .take();
    let rows = tx.query(&query)?;
    let Some(last) = rows.last() else { return Ok(Pruned { gone: 0, next: None }) };
    let mut old = Vec::new();
    for row in &rows {
        if row.int(1)? < before.0 {
            old.push((row.int(0)?, row.int_or_none(2)?.map(Id)));
        }
    }
    // Lines stand in the order of their time, but for those that came with a past of their own.
    let next = if old.is_empty() || (rows.len() as u64) < STEP { None } else { Some(last.int(0)?) };
    let batches: BTreeSet<i64> = old.iter().filter_map(|(_, batch)| batch.map(|batch| batch.0)).collect();
    let kept = kept_of(tx, &batches)?;
    old.retain(|(_, batch)| batch.is_none_or(|batch| !kept.contains(&batch.0)));
    for chunk in old.chunks(500) {
        let seqs = chunk.iter().map(|(seq, _)| *seq);
        tx.execute(&Query::delete().from_table(Alias::new("change")).and_where(column("seq").is_in(seqs)).take())?;
    }
    let ended: Vec<i64> = batches.difference(&kept).copied().collect();
    for chunk in ended.chunks(500) {
        let ids = chunk.iter().copied();
        tx.execute(&Query::delete().from_table(Alias::new("batch")).and_where(column("id").is_in(ids)).take())?;
    }
    Ok(Pruned { gone: old.len() as u64, next })
}

/// Which of some batches are still needed.
fn kept_of(tx: &mut Tx<'_>, batches: &BTreeSet<i64>) -> Result<BTreeSet<i64>, RecordsError> {
    let ids: Vec<i64> = batches.iter().copied().collect();
    let mut kept = BTreeSet::new();
    for chunk in ids.chunks(500) {
        let taken_back = Expr::col(Alias::new("undone_to")).is_not_null();
        let in_use = Query::select()
            .column(Alias::new("id"))
            .from(Alias::new("batch"))
            .cond_where(Cond::any().add(taken_back).add(column("id").in_subquery(importing())))
            .and_where(column("id").is_in(chunk.iter().copied()))
            .take();
        for row in tx.query(&in_use)? {
            kept.insert(row.int(0)?);
        }
    }
    Ok(kept)
}

/// The batches of imports that have not ended.
fn importing() -> SelectStatement {
    Query::select()
        .column(Alias::new("batch"))
        .from(Alias::new("import"))
        .and_where(column("ended_at").is_null())
        .and_where(column("batch").is_not_null())
        .take()
}
