//! The feed shortened: what lies far back is removed, if the operator wants that.
//!
//! A line is kept, however old, while a reader of the feed has not come past it, while its batch is being taken back or imported, and
//! while it tells what is demo data. A batch that loses a line can no longer be undone, and is gone with it.
//!
//! Weak: who wrote a field last is read from the feed. Of a contact whose lines are gone the record's last writer stands for all
//! fields, so an event may overwrite what a person wrote that long ago.

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
    /// Removes lines of the feed that are older than so many days; how many.
    pub fn prune_feed(&self, days: u32) -> Result<u64, RecordsError> {
        let before = Timestamp(self.now().0 - i64::from(days) * DAY_MS);
        let searched = self.search_position();
        let (mut after, mut gone) = (0, 0);
        loop {
            let looked = self.database.write(|tx| step(tx, before, after, searched))?;
            gone += looked.gone;
            match looked.next {
                Some(next) => after = next,
                None => return Ok(gone),
            }
        }
    }
}

/// What came of a step.
struct Looked {
    gone: u64,
    /// Behind which line it goes on; none at the end.
    next: Option<i64>,
}

fn step(tx: &mut Tx<'_>, before: Timestamp, after: i64, searched: Option<i64>) -> Result<Looked, RecordsError> {
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
    let Some(last) = rows.last() else { return Ok(Looked { gone: 0, next: None }) };
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
    Ok(Looked { gone: old.len() as u64, next })
}

/// Which of some batches are still needed.
fn kept_of(tx: &mut Tx<'_>, batches: &BTreeSet<i64>) -> Result<BTreeSet<i64>, RecordsError> {
    let ids: Vec<i64> = batches.iter().copied().collect();
    let mut kept = BTreeSet::new();
    for chunk in ids.chunks(500) {
        let taken_back = Expr::col(Alias::new("undone_to")).is_not_null();
        let of_demo = column("kind").is_in([demo::KIND, demo::REMOVAL]);
        let in_use = Query::select()
            .column(Alias::new("id"))
            .from(Alias::new("batch"))
            .cond_where(Cond::any().add(taken_back).add(of_demo).add(column("id").in_subquery(importing())))
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
