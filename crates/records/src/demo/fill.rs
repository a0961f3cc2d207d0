//! Filling: a script's records with their past, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Query};

use super::{About, Demo, DemoState, KIND, Script, Tale, access, in_order, keep_about, newest};
use crate::{
    Access, Desk, Id, RecordsError, Tx, batch,
    desk::Moment,
    edit::{Editor, Past},
    feed::{self, Line},
    people,
    schema::table_of,
};

/// Records that are made at once.
const CHUNK: usize = 500;

impl Desk {
    /// Fills in a script, all of it or nothing. `watch` is told of how many records are made as it goes. For administrators.
    ///
    /// Refused while demo data is there.
    pub fn fill_demo(&self, access: &Access, script: &Script, watch: &dyn Fn(u64)) -> Result<Demo, RecordsError> {
        access.must_be_administrator()?;
        self.write(|moment, tx| fill(moment, tx, access, script, watch))
    }

    /// The customers that have a contact already, with the contact: a demo makes no second one.
    pub fn customers_with_contacts(&self, access: &Access) -> Result<BTreeMap<String, Id>, RecordsError> {
        access.must_be_administrator()?;
        self.read(|_, tx| {
            let customer = Expr::col(Alias::new("customer_id"));
            let query = Query::select()
                .columns(["customer_id", "id"].map(Alias::new))
                .from(Alias::new(table_of("contact")))
                .and_where(customer.is_not_null())
                .and_where(Expr::col(Alias::new("deleted_at")).is_null())
                .take();
            tx.query(&query)?.iter().map(|row| Ok((row.text(0)?.to_owned(), Id(row.int(1)?)))).collect()
        })
    }
}

fn fill(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    who: &Access,
    script: &Script,
    watch: &dyn Fn(u64),
) -> Result<Demo, RecordsError> {
    if newest(tx)?.is_some_and(|found| found.demo.state != DemoState::Removed) {
        return Err(RecordsError::Conflict("there is demo data already; remove it first".to_owned()));
    }
    let mut by_object: BTreeMap<&str, Vec<&Tale>> = BTreeMap::new();
    for tale in &script.tales {
        by_object.entry(&tale.object).or_default().push(tale);
    }
    let batch = moment.ids.next(moment.now)?;
    let access = Access { origin: who.origin.clone(), ..access() };
    let people = people::add_stand_ins(tx, &access, &script.people, moment.now)?;
    let mut lines: Vec<(Timestamp, Line<'_>)> = Vec::new();
    let mut made = 0;
    for object in in_order(moment.schema) {
        let tales = by_object.remove(object).unwrap_or_default();
        for chunk in tales.chunks(CHUNK) {
            let there = known(tx, object, chunk)?;
            let fresh = chunk.iter().filter(|tale| !there.contains(&tale.id));
            let pasts: Vec<Past<'_>> =
                fresh.map(|tale| Past { id: tale.id, at: tale.at, fields: &tale.fields, later: &tale.later }).collect();
            lines.extend(Editor::new(moment, &access, object, Some(batch))?.tell(tx, &pasts)?);
            made += pasts.len() as u64;
            watch(made);
        }
    }
    if let Some(object) = by_object.keys().next() {
        return Err(RecordsError::NotFound(format!("there is no object {object}")));
    }
    // Read forwards, the feed tells the company's years in their order.
    lines.sort_by_key(|(at, _)| *at);
    feed::write_dated(tx, &access, Some(batch), lines.iter().map(|(at, line)| (*at, line)))?;
    batch::begin(tx, &access, batch, KIND, &script.title, moment.now, made as i64)?;
    keep_about(tx, batch, &About { seed: script.seed, people, kept: 0 })?;
    let demo = newest(tx)?.map(|found| found.demo);
    demo.ok_or_else(|| RecordsError::Database("the demo was not kept".to_owned()))
}

/// Which of some records are there.
fn known(tx: &mut Tx<'_>, object: &str, tales: &[&Tale]) -> Result<BTreeSet<Id>, RecordsError> {
    let id = Expr::col(Alias::new("id"));
    let query = Query::select()
        .expr(id.clone())
        .from(Alias::new(table_of(object)))
        .and_where(id.is_in(tales.iter().map(|tale| tale.id.0)))
        .take();
    tx.query(&query)?.iter().map(|row| row.int(0).map(Id)).collect()
}
