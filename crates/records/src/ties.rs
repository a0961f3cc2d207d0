//! Which customers people made one by merging their contacts, as the log of events is told.
//!
//! A merge of two contacts who are both customers leaves a tie: the id that stays and the one that goes. It ends when the contact that was
//! merged away comes back, by whatever way, and holds again when that is taken back; it ends for good when no contact of the customer
//! is left. The log is told which ids are one customer whenever a tie changes, by what is true when it is told: to tell it twice
//! does no harm.
//!
//! Limits: [`JOINED`] ids of one customer. A contact whose customer id was changed, and whose history of that was removed since, leaves
//! its ties when it is purged: who comes with one of these ids is the same customer still.

use std::collections::{BTreeMap, BTreeSet};

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, LockType, OnConflict, Order, Query};

use crate::{Backend, Desk, Id, Op, RecordsError, Tx, database::among, feed::Line, schema::table_of};

/// How many customer ids can be one customer. Whatever happens to one of them is looked at with all others.
pub(crate) const JOINED: usize = 64;
/// Ids that are asked for at once.
const CHUNK: usize = 500;

const COLUMNS: [&str; 6] = ["loser", "stays", "goes", "at", "is_joined", "is_told"];

/// Customers who became one, or are two again, by a merge or by what took it back.
#[derive(Debug, Clone, PartialEq)]
pub struct Tie {
    /// The contact that was merged away, and the customer id that stayed.
    loser: Id,
    stays: String,
    is_joined: bool,
    /// When.
    pub at: Timestamp,
    /// Which customer ids are one customer, the one that names it first. Those of the tie are in one group or in two.
    pub groups: Vec<Vec<String>>,
}

impl Desk {
    /// The next ties of which the log was not told, at most `limit`.
    pub fn untold_ties(&self, limit: u64) -> Result<Vec<Tie>, RecordsError> {
        self.read(|_, tx| {
            let mut query = Query::select();
            query
                .columns(COLUMNS.map(Alias::new))
                .from(Alias::new("tie"))
                .and_where(column("is_told").eq(false))
                .order_by_columns([(Alias::new("at"), Order::Asc), (Alias::new("loser"), Order::Asc)])
                .limit(limit);
            let mut ties = Vec::new();
            for row in tx.query(&query)? {
                let goes = row.text(2)?;
                let mut groups = vec![group_of(tx, row.text(1)?)?];
                if !groups[0].iter().any(|id| id == goes) {
                    groups.push(group_of(tx, goes)?);
                }
                let (loser, at, is_joined) = (Id(row.int(0)?), Timestamp(row.int(3)?), row.truth(4)?);
                ties.push(Tie { loser, stays: row.text(1)?.to_owned(), is_joined, at, groups });
            }
            Ok(ties)
        })
    }

    /// Notes that the log was told of ties; those that are over are nothing any more. One that changed meanwhile is told again.
    pub fn told_of_ties(&self, ties: &[Tie]) -> Result<(), RecordsError> {
        self.note(|tx| {
            for tie in ties {
                let is_it = column("loser")
                    .eq(tie.loser.0)
                    .and(column("stays").eq(tie.stays.as_str()))
                    .and(column("at").eq(tie.at.0))
                    .and(column("is_joined").eq(tie.is_joined));
                if tie.is_joined {
                    let mut told = Query::update();
                    told.table(Alias::new("tie")).value(Alias::new("is_told"), true).and_where(is_it);
                    tx.execute(&told)?;
                } else {
                    tx.execute(&Query::delete().from_table(Alias::new("tie")).and_where(is_it).take())?;
                }
            }
            Ok(())
        })
    }
}

fn column(name: &str) -> Expr {
    Expr::col(Alias::new(name))
}

/// Makes two customers one: the contact `loser` was merged into one whose customer id stays.
pub(crate) fn join(
    tx: &mut Tx<'_>,
    loser: Id,
    (stays, goes): (&str, &str),
    now: Timestamp,
) -> Result<(), RecordsError> {
    let values = [loser.0.into(), stays.into(), goes.into(), now.0.into(), true.into(), false.into()];
    let changed = COLUMNS[2..].iter().map(|name| Alias::new(*name));
    // A contact that came back and is merged into another one has two ties: the log must hear of the end of the first, too.
    let tie = OnConflict::columns(["loser", "stays"].map(Alias::new)).update_columns(changed).to_owned();
    let insert = Query::insert()
        .into_table(Alias::new("tie"))
        .columns(COLUMNS.map(Alias::new))
        .values_panic(values)
        .on_conflict(tie)
        .take();
    tx.execute(&insert)?;
    if group_of(tx, stays)?.len() > JOINED {
        let what = format!("this customer has {JOINED} customer ids already, and one customer can have no more");
        return Err(RecordsError::Limit(what));
    }
    Ok(())
}

/// Takes customers apart whose contacts come back with these lines of the feed.
pub(crate) fn part_restored(tx: &mut Tx<'_>, lines: &[Line<'_>], now: Timestamp) -> Result<(), RecordsError> {
    let restored: Vec<i64> = lines
        .iter()
        .filter(|line| line.op == Op::Restore && line.object == "contact")
        .map(|line| line.record.0)
        .collect();
    for chunk in restored.chunks(CHUNK) {
        part(tx, column("loser").is_in(chunk.iter().copied()), now)?;
    }
    Ok(())
}

/// Ends ties, of which the log hears then.
fn part(tx: &mut Tx<'_>, which: Expr, now: Timestamp) -> Result<(), RecordsError> {
    let update = Query::update()
        .table(Alias::new("tie"))
        .values([(Alias::new("is_joined"), false.into()), (Alias::new("is_told"), false.into())])
        .value(Alias::new("at"), now.0)
        .and_where(which)
        .and_where(column("is_joined").eq(true))
        .take();
    tx.execute(&update).map(drop)
}

/// Takes customers apart of whom no contact is left, after those that have or had these customer ids were purged. As long as there is one,
/// in the trash or not, it is a contact of all of them: that the one merged into it cannot come back any more makes nobody two customers.
pub(crate) fn part_purged(tx: &mut Tx<'_>, customers: &[String], now: Timestamp) -> Result<(), RecordsError> {
    let mut tied: BTreeSet<String> = BTreeSet::new();
    for chunk in customers.chunks(CHUNK) {
        let query = Query::select()
            .columns([Alias::new("stays"), Alias::new("goes")])
            .from(Alias::new("tie"))
            .and_where(column("is_joined").eq(true))
            .and_where(column("stays").is_in(chunk).or(column("goes").is_in(chunk)))
            .take();
        for row in tx.query(&query)? {
            tied.extend([row.text(0)?.to_owned(), row.text(1)?.to_owned()]);
        }
    }
    hold_groups(tx, &tied)?;
    let mut groups: Vec<Vec<String>> = Vec::new();
    while let Some(id) = tied.pop_first() {
        let group = group_of(tx, &id)?;
        tied.retain(|other| !group.contains(other));
        groups.push(group);
    }
    // Contacts that are not in the trash have an index of these ids. Those in it are found by
    // reading all contacts, so it is asked for all groups at once.
    for is_in_trash in [false, true] {
        let ids: Vec<&str> = groups.iter().flatten().map(String::as_str).collect();
        let left = of_contacts(tx, &ids, is_in_trash)?;
        groups.retain(|group| group.iter().all(|id| !left.contains(id)));
    }
    for chunk in groups.concat().chunks(CHUNK) {
        part(tx, column("stays").is_in(chunk), now)?;
    }
    Ok(())
}

/// Has everybody wait who purges contacts of the same customers, however these are tied: of two who purge the last two at once,
/// neither would see that none is left.
fn hold_groups(tx: &mut Tx<'_>, tied: &BTreeSet<String>) -> Result<(), RecordsError> {
    if tied.is_empty() || tx.backend() == Backend::Sqlite {
        return Ok(());
    }
    let mut groups: BTreeSet<String> = BTreeSet::new();
    for id in tied {
        if !groups.contains(id) {
            groups.extend(group_of(tx, id)?);
        }
    }
    let is_of_them = |name| among(Backend::Postgres, column(name), groups.iter().map(String::as_str));
    let mut query = Query::select();
    query
        .column(Alias::new("loser"))
        .from(Alias::new("tie"))
        .and_where(column("is_joined").eq(true))
        .and_where(is_of_them("stays").or(is_of_them("goes")))
        .order_by_columns([(Alias::new("loser"), Order::Asc), (Alias::new("stays"), Order::Asc)])
        .lock(LockType::Update);
    tx.query(&query).map(drop)
}

/// Which of some customer ids contacts have that are in the trash, or are not.
fn of_contacts(tx: &mut Tx<'_>, ids: &[&str], is_in_trash: bool) -> Result<BTreeSet<String>, RecordsError> {
    let deleted_at = column("deleted_at");
    let is_there = if is_in_trash { deleted_at.is_not_null() } else { deleted_at.is_null() };
    let mut found = BTreeSet::new();
    for chunk in ids.chunks(CHUNK) {
        let query = Query::select()
            .column(Alias::new("customer_id"))
            .from(Alias::new(table_of("contact")))
            .and_where(column("customer_id").is_in(chunk.iter().copied()))
            .and_where(is_there.clone())
            .take();
        for row in tx.query(&query)? {
            found.insert(row.text(0)?.to_owned());
        }
    }
    Ok(found)
}

/// The ids that are one customer with `id`, the one that names it first: the same for each of them.
pub(crate) fn group_of(tx: &mut Tx<'_>, id: &str) -> Result<Vec<String>, RecordsError> {
    let mut found = BTreeSet::from([id.to_owned()]);
    let mut ties: BTreeSet<(i64, i64, String, String)> = BTreeSet::new();
    let mut look = vec![id.to_owned()];
    while !look.is_empty() && found.len() <= JOINED {
        let asked = std::mem::take(&mut look);
        let query = Query::select()
            .columns(["at", "loser", "stays", "goes"].map(Alias::new))
            .from(Alias::new("tie"))
            .and_where(column("is_joined").eq(true))
            .and_where(column("stays").is_in(&asked).or(column("goes").is_in(&asked)))
            .take();
        for row in tx.query(&query)? {
            let (stays, goes) = (row.text(2)?.to_owned(), row.text(3)?.to_owned());
            look.extend([&stays, &goes].into_iter().filter(|id| found.insert((*id).clone())).cloned());
            ties.insert((row.int(0)?, row.int(1)?, stays, goes));
        }
    }
    let first = first_of(id, ties.iter().map(|(.., stays, goes)| (stays.as_str(), goes.as_str())));
    let others = found.iter().filter(|other| *other != first).cloned();
    Ok(std::iter::once(first.to_owned()).chain(others).collect())
}

/// Which id names the customer that `id` is of after these ties, the oldest first. Where two groups become one it is the name of the
/// one whose id stays. A tie within a group is of contacts that were given ids anew which had been merged away: the id that stays then is the
/// one that is in use.
fn first_of<'t>(id: &'t str, ties: impl Iterator<Item = (&'t str, &'t str)>) -> &'t str {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let name_of = |names: &BTreeMap<&'t str, &'t str>, id: &'t str| names.get(id).copied().unwrap_or(id);
    for (stays, goes) in ties {
        let (name, other) = (name_of(&names, stays), name_of(&names, goes));
        let name = if name == other { stays } else { name };
        names.extend([(stays, name), (goes, name)]);
        names.values_mut().filter(|named| **named == other).for_each(|named| *named = name);
    }
    name_of(&names, id)
}

/// The ids by which customers are known who were made one with others; those who were not are left out.
pub(crate) fn names(tx: &mut Tx<'_>, ids: &[&str]) -> Result<BTreeMap<String, String>, RecordsError> {
    let mut names = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let query = Query::select()
            .distinct()
            .column(Alias::new("goes"))
            .from(Alias::new("tie"))
            .and_where(column("is_joined").eq(true))
            .and_where(column("goes").is_in(chunk.iter().copied()))
            .take();
        for row in tx.query(&query)? {
            let first = group_of(tx, row.text(0)?)?.swap_remove(0);
            names.insert(row.text(0)?.to_owned(), first);
        }
    }
    Ok(names)
}
