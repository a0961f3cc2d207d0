//! The queue: pairs of records that seem to be one, until somebody merges them or says that they are two.

use std::collections::{BTreeMap, BTreeSet};

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, OnConflict, Order, Query, SelectStatement};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    compare::{Likeness, REVIEW, Reason, compare},
    traits::{Plan, Traits},
};
use crate::{
    Access, Desk, Id, ListQuery, RecordsError, Tx, Verb,
    desk::Moment,
    id::Ids,
    read::{self, PAGE},
    record::Record,
};

/// Pairs that are read at once: each is two records of a page.
const STEP: usize = PAGE / 2;
/// Pairs that are looked at for one answer; somebody who may read few records gets those among the best of them.
const LOOKED_AT: usize = 20 * STEP;
/// Ids of one statement.
const CHUNK: usize = 500;

/// Two records that seem to be one.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Pair {
    /// The pair's id.
    pub id: Id,
    /// The object.
    pub object: String,
    /// The older record.
    pub one: Record,
    /// The newer one.
    pub other: Record,
    /// What is alike, as far as the caller sees it.
    pub reasons: Vec<Reason>,
    /// How much, 0 to 100.
    pub score: i64,
}

/// What the follower saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Records whose pairs are all known now.
    pub(super) looked_at: BTreeSet<Id>,
    /// Their pairs with the object, the smaller id first.
    pub(super) pairs: BTreeMap<(Id, Id), (String, Likeness)>,
}

fn column(name: &str) -> Expr {
    Expr::col(Alias::new(name))
}

fn select() -> SelectStatement {
    Query::select()
        .columns(["id", "one", "other"].map(Alias::new))
        .from(Alias::new("duplicate_pair"))
        .and_where(column("state").eq("open"))
        .take()
}

/// Brings the queue to what was seen. A pair that somebody dismissed stays dismissed.
pub(super) fn keep(tx: &mut Tx<'_>, ids: &Ids, now: Timestamp, seen: &Seen) -> Result<(), RecordsError> {
    let looked_at: Vec<i64> = seen.looked_at.iter().map(|id| id.0).collect();
    let mut stale = Vec::new();
    for chunk in looked_at.chunks(CHUNK) {
        for end in ["one", "other"] {
            for row in tx.query(select().and_where(column(end).is_in(chunk.iter().copied())))? {
                if !seen.pairs.contains_key(&(Id(row.int(1)?), Id(row.int(2)?))) {
                    stale.push(row.int(0)?);
                }
            }
        }
    }
    for chunk in stale.chunks(CHUNK) {
        let mut delete = Query::delete();
        delete.from_table(Alias::new("duplicate_pair")).and_where(column("id").is_in(chunk.iter().copied()));
        tx.execute(&delete)?;
    }
    for ((one, other), (object, likeness)) in &seen.pairs {
        let reasons =
            serde_json::to_string(&likeness.reasons).map_err(|error| RecordsError::Database(error.to_string()))?;
        let conflict = OnConflict::columns(["one", "other"].map(Alias::new))
            .update_columns(["score", "reasons"].map(Alias::new))
            // Both are there, so a merge of them was taken back.
            .value(
                Alias::new("state"),
                Expr::cust("CASE WHEN duplicate_pair.state = 'dismissed' THEN 'dismissed' ELSE 'open' END"),
            )
            .to_owned();
        let insert = Query::insert()
            .into_table(Alias::new("duplicate_pair"))
            .columns(["id", "object", "one", "other", "score", "reasons", "state"].map(Alias::new))
            .values_panic([
                ids.next(now)?.0.into(),
                object.into(),
                one.0.into(),
                other.0.into(),
                likeness.score.into(),
                reasons.into(),
                "open".into(),
            ])
            .on_conflict(conflict)
            .take();
        tx.execute(&insert)?;
    }
    Ok(())
}

/// Notes that two records were merged.
pub(crate) fn settle_merged(tx: &mut Tx<'_>, winner: Id, loser: Id) -> Result<(), RecordsError> {
    let update = Query::update()
        .table(Alias::new("duplicate_pair"))
        .value(Alias::new("state"), "merged")
        .and_where(column("one").eq(winner.min(loser).0))
        .and_where(column("other").eq(winner.max(loser).0))
        .take();
    tx.execute(&update).map(drop)
}

impl Desk {
    /// Pairs of an object's records that wait for a decision, the most alike first; only those of which the caller may read
    /// both, and whose likeness they can see.
    pub fn duplicates(&self, access: &Access, object: &str, limit: usize) -> Result<Vec<Pair>, RecordsError> {
        self.read(|moment, tx| {
            let ground = moment.ground(object, access)?;
            access.reach(Verb::Read, ground.object)?;
            let Some(plan) = Plan::of(ground.object).map(|plan| plan.seen_by(access)) else { return Ok(Vec::new()) };
            let mut pairs = Vec::new();
            for step in 0..LOOKED_AT / STEP {
                let mut query = select();
                query
                    .and_where(column("object").eq(object))
                    .order_by(Alias::new("score"), Order::Desc)
                    .order_by(Alias::new("id"), Order::Desc)
                    .limit(STEP as u64)
                    .offset((step * STEP) as u64);
                let rows = tx.query(&query)?;
                let open = rows.iter().map(|row| Ok((Id(row.int(0)?), Id(row.int(1)?), Id(row.int(2)?))));
                let open = open.collect::<Result<Vec<_>, RecordsError>>()?;
                pairs.extend(readable(moment, tx, access, &plan, &open)?);
                if pairs.len() >= limit || open.len() < STEP {
                    break;
                }
            }
            pairs.sort_by_key(|pair| (-pair.score, std::cmp::Reverse(pair.id)));
            pairs.truncate(limit);
            Ok(pairs)
        })
    }

    /// Notes that the records of a pair are two. Needs that the caller may read both and change records of the object.
    pub fn dismiss_duplicate(&self, access: &Access, pair: Id) -> Result<(), RecordsError> {
        self.judge(access, pair, ("open", "dismissed"))
    }

    /// Takes that back. Needs the same.
    pub fn reopen_duplicate(&self, access: &Access, pair: Id) -> Result<(), RecordsError> {
        self.judge(access, pair, ("dismissed", "open"))
    }

    fn judge(&self, access: &Access, pair: Id, (from, to): (&str, &str)) -> Result<(), RecordsError> {
        self.write(|moment, tx| {
            let not_there = || RecordsError::NotFound(format!("there is no pair {pair}"));
            let query = Query::select()
                .columns(["id", "one", "other", "object"].map(Alias::new))
                .from(Alias::new("duplicate_pair"))
                .and_where(column("id").eq(pair.0))
                .and_where(column("state").eq(from))
                .take();
            let row = tx.first(&query)?.ok_or_else(not_there)?;
            let ground = moment.ground(row.text(3)?, access)?;
            access.reach(Verb::Update, ground.object)?;
            let plan = Plan::of(ground.object).ok_or_else(not_there)?.seen_by(access);
            let ends = [(pair, Id(row.int(1)?), Id(row.int(2)?))];
            if readable(moment, tx, access, &plan, &ends)?.is_empty() {
                return Err(not_there());
            }
            let update = Query::update()
                .table(Alias::new("duplicate_pair"))
                .value(Alias::new("state"), to)
                .and_where(column("id").eq(pair.0))
                .take();
            tx.execute(&update).map(drop)
        })
    }
}

/// The pairs of which somebody may read both, compared anew by what they see: a reason that they do not see is none.
fn readable(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    plan: &Plan<'_>,
    open: &[(Id, Id, Id)],
) -> Result<Vec<Pair>, RecordsError> {
    let ids: BTreeSet<Id> = open.iter().flat_map(|(_, one, other)| [*one, *other]).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = ListQuery { ids: Some(ids.into_iter().collect()), limit: PAGE, ..ListQuery::default() };
    let records = read::list(moment, tx, access, &plan.object.name, &query)?.records;
    let records: BTreeMap<Id, Record> = records.into_iter().map(|record| (record.id, record)).collect();
    let pair = |(id, one, other): &(Id, Id, Id)| {
        let (one, other) = (records.get(one)?, records.get(other)?);
        let traits = |record: &Record| Traits::of(plan, &record.fields);
        let Likeness { score, reasons } = compare(&traits(one), &traits(other), plan.named);
        let object = plan.object.name.clone();
        (score >= REVIEW).then(|| Pair { id: *id, object, one: one.clone(), other: other.clone(), reasons, score })
    };
    Ok(open.iter().filter_map(pair).collect())
}
