//! Edits of which each stands for itself: what can be done is done, and the others are told of. Imports go this way, and what
//! takes them back.
//!
//! The checks are those of any edit. Several records are looked at and written at once, so that a record costs no journey of
//! its own to the database, except for updates.

use std::collections::{BTreeMap, BTreeSet};

use sea_query::{Alias, Expr, ExprTrait as _, Query};
use serde_json::Map;

use super::{
    CHUNK, Editor, Id, Line, Object, Op, Record, RecordsError, Right, RowError, Stuffs, Target, Tx, Verb, not_found,
    value,
};
use crate::feed;
use crate::{duplicates, schema::table_of};

/// An edit whose values are checked already.
#[derive(Debug)]
pub(crate) enum Each {
    Create(Stuffs),
    /// With the version that the record must have, if any.
    Update(Id, Stuffs, Option<i64>),
    Delete(Id, Option<i64>),
    Restore(Id),
}

/// What became of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Created(Id),
    Changed(Id),
    /// It was like that already.
    Unchanged(Id),
    Refused,
}

impl Each {
    fn id(&self) -> Option<Id> {
        match self {
            Self::Create(_) => None,
            Self::Update(id, ..) | Self::Delete(id, _) | Self::Restore(id) => Some(*id),
        }
    }

    fn right(&self) -> Right {
        if matches!(self, Self::Delete(..) | Self::Restore(_)) { Right::Delete } else { Right::Update }
    }
}

/// What edits came to.
#[derive(Debug)]
pub(crate) struct Ran<'e> {
    /// In the order of the edits.
    pub(crate) outcomes: Vec<Outcome>,
    /// What is wrong with those that were refused.
    pub(crate) errors: Vec<RowError>,
    /// What changed of records that were there, as it stands in the feed.
    pub(crate) lines: Vec<Line<'e>>,
}

impl<'e> Editor<'e, '_> {
    /// Does each edit that can be done. A record may be among them once. With `dry` nothing is written; what would be is told.
    pub(crate) fn run_each(mut self, tx: &mut Tx<'_>, edits: Vec<Each>, dry: bool) -> Result<Ran<'e>, RecordsError> {
        let mut outcomes = vec![Outcome::Refused; edits.len()];
        let mut creates = Vec::new();
        let mut changes: BTreeMap<Right, Vec<(usize, Id, Each)>> = BTreeMap::new();
        for (index, edit) in edits.into_iter().enumerate() {
            match (edit.id(), edit) {
                (None, Each::Create(stuffs)) => creates.push((index, stuffs)),
                (Some(id), edit) => changes.entry(edit.right()).or_default().push((index, id, edit)),
                _ => {}
            }
        }
        self.create_each(tx, creates, dry, &mut outcomes)?;
        for (right, changes) in changes {
            let mut changes = changes.into_iter().peekable();
            while changes.peek().is_some() {
                let chunk: Vec<(usize, Id, Each)> = changes.by_ref().take(CHUNK).collect();
                self.change_each(tx, right, chunk, dry, &mut outcomes)?;
            }
        }
        self.errors.sort_by_key(|error| error.index);
        // A row is told of its first mistake of each field only.
        self.errors.dedup_by(|later, earlier| later.index == earlier.index && later.field == earlier.field);
        let Self { moment, access, batch, lines, errors, .. } = self;
        if !dry {
            feed::write(tx, access, batch, moment.now, &lines)?;
        }
        Ok(Ran { outcomes, errors, lines })
    }

    fn refused(&self) -> BTreeSet<usize> {
        self.errors.iter().map(|error| error.index).collect()
    }

    fn create_each(
        &mut self,
        tx: &mut Tx<'_>,
        creates: Vec<(usize, Stuffs)>,
        dry: bool,
        outcomes: &mut [Outcome],
    ) -> Result<(), RecordsError> {
        if creates.is_empty() {
            return Ok(());
        }
        let object = self.ground.object;
        if let Err(error) = self.access.reach(Verb::Create, object) {
            let what = error.to_string();
            return creates
                .into_iter()
                .try_for_each(|(index, _)| self.refuse(index, RecordsError::Forbidden(what.clone())));
        }
        let mut made: Vec<(usize, Id, Stuffs)> = Vec::with_capacity(creates.len());
        let ids = self.moment.ids.several(self.moment.now, creates.len())?;
        for ((index, mut stuffs), id) in creates.into_iter().zip(ids) {
            match self.complete(tx, None, &mut stuffs) {
                Ok(()) => made.push((index, id, stuffs)),
                Err(error) => self.refuse(index, error)?,
            }
        }
        self.check_targets(tx, made.iter().map(|(index, _, stuffs)| (*index, stuffs)), !dry)?;
        self.check_unique(tx, made.iter().map(|(index, id, stuffs)| (*index, *id, stuffs)))?;
        let refused = self.refused();
        made.retain(|(index, ..)| !refused.contains(index));
        for (index, id, _) in &made {
            outcomes[*index] = Outcome::Created(*id);
        }
        if dry { Ok(()) } else { self.write_new(tx, &made) }
    }

    fn change_each(
        &mut self,
        tx: &mut Tx<'_>,
        right: Right,
        changes: Vec<(usize, Id, Each)>,
        dry: bool,
        outcomes: &mut [Outcome],
    ) -> Result<(), RecordsError> {
        let object = self.ground.object;
        let wanted: Vec<Id> = changes.iter().map(|(_, id, _)| *id).collect();
        let targets = self.load(tx, &wanted, right, !dry)?;
        let mut updates: Vec<(usize, Id, Stuffs)> = Vec::new();
        let (mut deletes, mut restores) = (Vec::new(), Vec::new());
        for (index, id, edit) in changes {
            let record = match self.permitted(targets.get(&id), id, &edit) {
                Ok(record) => record,
                Err(error) => {
                    self.refuse(index, error)?;
                    continue;
                }
            };
            match edit {
                Each::Update(_, mut stuffs, _) => match self.complete(tx, Some(record), &mut stuffs) {
                    Ok(()) => updates.push((index, id, stuffs)),
                    Err(error) => self.refuse(index, error)?,
                },
                Each::Delete(..) => deletes.push((index, record)),
                Each::Restore(_) => restores.push((index, record)),
                Each::Create(_) => {}
            }
        }
        self.check_targets(tx, updates.iter().map(|(index, _, stuffs)| (*index, stuffs)), !dry)?;
        self.check_unique(tx, updates.iter().map(|(index, id, stuffs)| (*index, *id, stuffs)))?;
        let refused = self.refused();
        for (index, id, stuffs) in updates.into_iter().filter(|(index, ..)| !refused.contains(index)) {
            let Some(target) = targets.get(&id) else { continue };
            let lines = self.lines.len();
            self.update(tx, &target.record, &stuffs, dry)?;
            let is_changed = self.lines.len() > lines;
            outcomes[index] = if is_changed { Outcome::Changed(id) } else { Outcome::Unchanged(id) };
        }
        self.mark_all(tx, &deletes, Op::Delete, dry, outcomes)?;
        let back = restores.iter().map(|(index, record)| Ok((*index, record.id, unique_values(object, record)?)));
        let back = back.collect::<Result<Vec<_>, RecordsError>>()?;
        self.check_unique(tx, back.iter().map(|(index, id, stuffs)| (*index, *id, stuffs)))?;
        let refused = self.refused();
        restores.retain(|(index, _)| !refused.contains(index));
        self.mark_all(tx, &restores, Op::Restore, dry, outcomes)
    }

    /// A record that may be changed in this way.
    fn permitted<'t>(&self, target: Option<&'t Target>, id: Id, edit: &Each) -> Result<&'t Record, RecordsError> {
        let object = self.ground.object;
        let in_trash = matches!(edit, Each::Restore(_));
        let target = target.filter(|target| target.record.deleted_at.is_some() == in_trash);
        let Some(Target { record, permitted }) = target else { return Err(not_found(&object.name, id)) };
        if !permitted {
            return Err(RecordsError::Forbidden(format!(
                "your role may not {} this {}",
                edit.right().words(),
                object.label.en.to_lowercase()
            )));
        }
        let version = if let Each::Update(_, _, version) | Each::Delete(_, version) = edit { *version } else { None };
        if version.is_some_and(|version| version != record.version) {
            return Err(RecordsError::Stale { current: record.version });
        }
        Ok(record)
    }

    /// Puts records into the trash or takes them out, by one statement.
    fn mark_all(
        &mut self,
        tx: &mut Tx<'_>,
        records: &[(usize, &Record)],
        op: Op,
        dry: bool,
        outcomes: &mut [Outcome],
    ) -> Result<(), RecordsError> {
        if records.is_empty() {
            return Ok(());
        }
        let now = self.moment.now.0;
        let version = Alias::new("version");
        let mut statement = Query::update();
        statement
            .table(Alias::new(table_of(&self.ground.object.name)))
            .value(Alias::new("deleted_at"), (op == Op::Delete).then_some(now))
            .value(version.clone(), Expr::col(version).add(1))
            .value(Alias::new("updated_at"), now)
            .value(Alias::new("updated_by"), self.access.actor.to_string())
            .and_where(Expr::col(Alias::new("id")).is_in(records.iter().map(|(_, record)| record.id.0)));
        if !dry {
            tx.execute(&statement)?;
        }
        for (index, record) in records {
            if !dry {
                duplicates::mark(tx, self.ground.object, record, op == Op::Delete)?;
            }
            outcomes[*index] = Outcome::Changed(record.id);
            self.push(record, op, Map::new(), Map::new());
        }
        Ok(())
    }
}

/// What of a record may be there once.
fn unique_values(object: &Object, record: &Record) -> Result<Stuffs, RecordsError> {
    let unique = object.live_fields().filter(|field| field.unique);
    let given = unique.filter_map(|field| Some((field, record.fields.get(&field.name)?)));
    given.map(|(field, value)| Ok((field.name.clone(), value::read(field, value)?))).collect()
}
