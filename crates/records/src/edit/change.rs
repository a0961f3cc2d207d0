//! Changes of records that are there: read and locked, written.

use std::collections::{BTreeMap, BTreeSet};

use sea_query::{Alias, Expr, ExprTrait as _, LockType, Order, Query};
use serde_json::Map;

use super::{
    CHUNK, Editor, Stuffs, Target,
    insert::{json_of, replace_relations, stuff_json},
};
use crate::{
    Access, Id, RecordsError, Tx, Verb,
    database::{Backend, hold},
    duplicates,
    feed::Op,
    record::{Record, Shape},
    schema::{FieldKind, Stored, currency_column, table_of},
    value::Stuff,
};

impl Editor<'_, '_> {
    /// Reads records that are to be changed; if that will be written, nobody else changes them until the transaction ends.
    pub(super) fn load(&self, tx: &mut Tx<'_>, ids: &[Id], verb: Verb) -> Result<BTreeMap<Id, Target>, RecordsError> {
        let mut query = self.ground.select_any(self.access)?;
        let everything = Access::of_system(self.access.actor.clone());
        let shape = Shape::select(&self.ground, &everything, None, &mut query)?;
        let permitted = self.ground.permitted(self.access, verb)?;
        query.expr(permitted.map_or_else(
            || Expr::Constant(true.into()),
            |permitted| Expr::from(sea_query::Func::coalesce([permitted, Expr::Constant(false.into())])),
        ));
        query.and_where(self.ground.column("id").is_in(ids.iter().map(|id| id.0)));
        if self.is_writing() && tx.backend() == Backend::Postgres {
            // By the table's own column: what a formula selects can have that name, too.
            query.order_by_expr(self.ground.column("id"), Order::Asc).lock(lock_for(verb));
        }
        let rows = tx.query(&query)?;
        let mut records = rows.iter().map(|row| shape.record(row)).collect::<Result<Vec<_>, _>>()?;
        shape.complete(tx, &self.ground.object.name, &mut records)?;
        let place = shape.width();
        records
            .into_iter()
            .zip(&rows)
            .map(|(record, row)| Ok((record.id, Target { record, permitted: row.truth(place)? })))
            .collect()
    }

    /// Keeps everybody else from changing records that are not all loaded at once, all in one order: two requests that took them turn
    /// by turn could each wait for the other.
    pub(super) fn hold_all(&self, tx: &mut Tx<'_>, ids: &BTreeSet<Id>, verb: Verb) -> Result<(), RecordsError> {
        if tx.backend() == Backend::Sqlite || !self.is_writing() {
            return Ok(());
        }
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        for chunk in ids.chunks(CHUNK) {
            let mut query = self.ground.select_any(self.access)?;
            query.expr(self.ground.column("id"));
            query.and_where(self.ground.column("id").is_in(chunk.iter().copied()));
            hold(tx, &mut query, lock_for(verb));
            tx.query(&query)?;
        }
        Ok(())
    }

    pub(super) fn update(&mut self, tx: &mut Tx<'_>, record: &Record, stuffs: &Stuffs) -> Result<(), RecordsError> {
        let object = self.ground.object;
        let (mut before, mut after) = (Map::new(), Map::new());
        let mut statement = Query::update();
        statement.table(Alias::new(table_of(&object.name)));
        for (name, stuff) in stuffs {
            let (old, new) = (json_of(record, name), stuff_json(object, name, stuff));
            if old == new {
                continue;
            }
            if object.field(name).is_some_and(|field| field.kind.stored() == Stored::Elsewhere) {
                let ids: &[Id] = if let Stuff::Ids(ids) = stuff { ids } else { &[] };
                if self.is_writing() {
                    replace_relations(tx, &object.name, name, record.id, ids)?;
                }
            } else {
                statement.value(Alias::new(name), stuff.bound());
                if let Some(FieldKind::Money) = object.field(name).map(|field| &field.kind) {
                    let currency = if let Stuff::Money(_, currency) = stuff { Some(currency.clone()) } else { None };
                    statement.value(Alias::new(currency_column(name)), currency);
                }
            }
            before.insert(name.clone(), old);
            after.insert(name.clone(), new);
        }
        // A merge is told of also where the record had everything already.
        if after.is_empty() && self.merge.is_none() {
            return Ok(());
        }
        if self.is_writing() {
            self.finish(tx, record, statement)?;
            duplicates::change(tx, object, record, stuffs)?;
        }
        let op = if self.merge.is_some() { Op::Merge } else { Op::Update };
        self.push(record, op, before, after);
        Ok(())
    }

    fn finish(
        &self,
        tx: &mut Tx<'_>,
        record: &Record,
        mut statement: sea_query::UpdateStatement,
    ) -> Result<(), RecordsError> {
        statement
            .value(Alias::new("version"), record.version + 1)
            .value(Alias::new("updated_at"), self.moment.now.0)
            .value(Alias::new("updated_by"), self.access.actor.to_string())
            .and_where(Expr::col(Alias::new("id")).eq(record.id.0));
        tx.execute(&statement).map(drop)
    }
}

/// Who names a record waits for one that takes it away or brings it back, and for no other change.
fn lock_for(verb: Verb) -> LockType {
    if verb == Verb::Delete { LockType::Update } else { LockType::NoKeyUpdate }
}
