//! Changes of records that are there: read and locked, checked, written.

use std::collections::{BTreeMap, BTreeSet};

use sea_query::{Alias, Expr, ExprTrait as _, LockType, Query};
use serde_json::{Map, json};

use super::{
    CHUNK, Edit, Editor, Right, Stuffs, Target,
    insert::{json_of, replace_relations, stuff_json},
};
use crate::{
    Access, Id, RecordsError, Tx, Verb,
    database::Backend,
    duplicates,
    feed::Op,
    read::not_found,
    record::{Record, Shape},
    rules,
    schema::{FieldKind, Stored, currency_column, table_of},
    value::Stuff,
};

impl Editor<'_, '_> {
    pub(super) fn change(
        &mut self,
        tx: &mut Tx<'_>,
        changes: Vec<(usize, Edit)>,
        ids: &mut [Option<Id>],
    ) -> Result<(), RecordsError> {
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            let chunk: Vec<(usize, Edit)> = changes.by_ref().take(CHUNK).collect();
            self.change_some(tx, chunk, ids)?;
        }
        Ok(())
    }

    pub(super) fn change_some(
        &mut self,
        tx: &mut Tx<'_>,
        changes: Vec<(usize, Edit)>,
        ids: &mut [Option<Id>],
    ) -> Result<(), RecordsError> {
        let wanted: Vec<Id> = changes.iter().filter_map(|(_, edit)| edit.id()).collect();
        let mut targets: BTreeMap<Right, BTreeMap<Id, Target>> = BTreeMap::new();
        for verb in [Right::Update, Right::Delete] {
            if changes.iter().any(|(_, edit)| edit.verb() == verb) {
                targets.insert(verb, self.load(tx, &wanted, verb, true)?);
            }
        }
        let mut seen = BTreeSet::new();
        let mut updates: Vec<(usize, Id, Stuffs)> = Vec::new();
        for (index, edit) in changes {
            let (Some(id), verb) = (edit.id(), edit.verb()) else { continue };
            ids[index] = Some(id);
            let target = targets.get(&verb).and_then(|targets| targets.get(&id));
            match self.checked(tx, target, &edit, id, seen.insert(id)) {
                Ok(Some(stuffs)) => updates.push((index, id, stuffs)),
                Ok(None) => {}
                Err(error) => self.refuse(index, error)?,
            }
        }
        self.check_targets(tx, updates.iter().map(|(index, _, stuffs)| (*index, stuffs)), true)?;
        self.check_unique(tx, updates.iter().map(|(index, id, stuffs)| (*index, *id, stuffs)))?;
        if !self.errors.is_empty() {
            return Ok(());
        }
        let loaded = targets.get(&Right::Update);
        for (_, id, stuffs) in updates {
            let Some(target) = loaded.and_then(|targets| targets.get(&id)) else { continue };
            self.update(tx, &target.record, &stuffs, false)?;
        }
        Ok(())
    }

    /// Checks one change; the new values of an update. Deletes and restores are done at once.
    pub(super) fn checked(
        &mut self,
        tx: &mut Tx<'_>,
        target: Option<&Target>,
        edit: &Edit,
        id: Id,
        first: bool,
    ) -> Result<Option<Stuffs>, RecordsError> {
        let object = self.ground.object;
        let in_trash = matches!(edit, Edit::Restore { .. });
        let target = target.filter(|target| target.record.deleted_at.is_some() == in_trash);
        let Some(Target { record, permitted }) = target else { return Err(not_found(&object.name, id)) };
        if !permitted {
            return Err(RecordsError::Forbidden(format!(
                "your role may not {} this {}",
                edit.verb().words(),
                object.label.en.to_lowercase()
            )));
        }
        if !first {
            return Err(RecordsError::Conflict("the request changes this record twice".to_owned()));
        }
        if edit.version().is_some_and(|version| version != record.version) {
            return Err(RecordsError::Stale { current: record.version });
        }
        match edit {
            Edit::Update { fields, .. } => {
                let stuffs = self.prepare(tx, Some(record), fields)?;
                let itself = |name: &str, stuff: &Stuff| {
                    *stuff == Stuff::Whole(id.0)
                        && object.field(name).is_some_and(|field| field.kind.target() == Some(&object.name))
                };
                match stuffs.iter().find(|(name, stuff)| itself(name, stuff)) {
                    Some((name, _)) => Err(RecordsError::invalid(name, "a record cannot name itself")),
                    None => Ok(Some(stuffs)),
                }
            }
            Edit::Delete { .. } => {
                rules::must_be_left(tx, self.moment.schema, object, id)?;
                self.mark(tx, record, Op::Delete, Some(self.moment.now.0)).map(|()| None)
            }
            _ => self.mark(tx, record, Op::Restore, None).map(|()| None),
        }
    }

    /// Reads records that are to be changed; with `lock` nobody else changes them until the transaction ends.
    pub(super) fn load(
        &self,
        tx: &mut Tx<'_>,
        ids: &[Id],
        verb: Right,
        lock: bool,
    ) -> Result<BTreeMap<Id, Target>, RecordsError> {
        let verb = if verb == Right::Update { Verb::Update } else { Verb::Delete };
        let mut query = self.ground.select_any(self.access)?;
        let everything = Access::of_system(self.access.actor.clone());
        let shape = Shape::select(&self.ground, &everything, None, &mut query)?;
        let permitted = self.ground.permitted(self.access, verb)?;
        query.expr(permitted.map_or_else(
            || Expr::Constant(true.into()),
            |permitted| Expr::from(sea_query::Func::coalesce([permitted, Expr::Constant(false.into())])),
        ));
        query.and_where(self.ground.column("id").is_in(ids.iter().map(|id| id.0)));
        query.order_by_expr(self.ground.column("id"), sea_query::Order::Asc);
        if lock && tx.backend() == Backend::Postgres {
            // As an update would: to name such a record waits for nobody.
            query.lock(LockType::NoKeyUpdate);
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

    pub(super) fn update(
        &mut self,
        tx: &mut Tx<'_>,
        record: &Record,
        stuffs: &Stuffs,
        dry: bool,
    ) -> Result<(), RecordsError> {
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
                if !dry {
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
        if !dry {
            self.finish(tx, record, statement)?;
            duplicates::change(tx, object, record, stuffs)?;
        }
        let op = if self.merge.is_some() { Op::Merge } else { Op::Update };
        self.push(record, op, before, after);
        Ok(())
    }

    /// Puts a record into the trash or takes it out.
    pub(super) fn mark(
        &mut self,
        tx: &mut Tx<'_>,
        record: &Record,
        op: Op,
        deleted_at: Option<i64>,
    ) -> Result<(), RecordsError> {
        let mut statement = Query::update();
        statement.table(Alias::new(table_of(&self.ground.object.name))).value(Alias::new("deleted_at"), deleted_at);
        self.finish(tx, record, statement)?;
        duplicates::mark(tx, self.ground.object, record, op == Op::Delete)?;
        let note = self.merge.map(|winner| ("merged_into".to_owned(), json!(winner)));
        self.push(record, op, Map::new(), note.into_iter().collect());
        Ok(())
    }

    pub(super) fn finish(
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
