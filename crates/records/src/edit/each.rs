//! Edits carried out: each that can be is done, and what is wrong with the others is noted. A request takes all of it or nothing;
//! imports, and what takes changes back, go on with what could be done.
//!
//! Several records are looked at and written at once, so that a record costs no journey of its own to the database, except for
//! updates.

use std::collections::{BTreeMap, BTreeSet};

use sea_query::{Alias, Expr, ExprTrait as _, Query};
use serde_json::{Map, json};

use super::{
    CHUNK, Edit, Editor, Fields, Id, Line, Object, Op, Record, RecordsError, RowError, Stuff, Stuffs, Target, Tx, Verb,
    Writes, not_found, rules, value,
};
use crate::{duplicates, schema::table_of};

/// One edit of several.
#[derive(Debug)]
pub(crate) enum Each<'g> {
    Create(Given<'g>),
    /// With the version that the record must have, if any.
    Update(Id, Given<'g>, Option<i64>),
    Delete(Id, Option<i64>),
    Restore(Id),
}

/// Values of an edit.
#[derive(Debug)]
pub(crate) enum Given<'g> {
    /// As they came.
    Fields(&'g Fields),
    /// Checked already.
    Stuffs(Stuffs),
}

impl<'g> Each<'g> {
    /// An edit of a request; `there` is the record that an upsert found.
    pub(super) fn of(edit: &'g Edit, there: Option<Id>) -> Self {
        match (edit, there) {
            (Edit::Upsert { fields, .. }, Some(id)) => Self::Update(id, Given::Fields(fields), None),
            (Edit::Create { fields } | Edit::Upsert { fields, .. }, _) => Self::Create(Given::Fields(fields)),
            (Edit::Update { id, fields, version }, _) => Self::Update(*id, Given::Fields(fields), *version),
            (Edit::Delete { id, version }, _) => Self::Delete(*id, *version),
            (Edit::Restore { id }, _) => Self::Restore(*id),
        }
    }
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

impl Outcome {
    /// The record; none of an edit that was refused.
    pub(super) fn id(self) -> Option<Id> {
        match self {
            Self::Created(id) | Self::Changed(id) | Self::Unchanged(id) => Some(id),
            Self::Refused => None,
        }
    }
}

/// Which edits are done together, in their order, new records between updates and what comes back: what a record has that is deleted
/// is free for all others, what one has that is changed for those that are new or come back, and nothing that is deleted is named.
/// That an edit goes by what another one of its own turn leaves is not promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Delete,
    Update,
    Restore,
}

impl Turn {
    fn verb(self) -> Verb {
        if self == Self::Update { Verb::Update } else { Verb::Delete }
    }
}

/// An edit of a record that is there.
struct Change<'g> {
    /// Its place among the edits.
    index: usize,
    id: Id,
    given: Given<'g>,
    /// The version that the record must have, if any.
    version: Option<i64>,
}

/// What edits came to.
#[derive(Debug)]
pub(crate) struct Ran<'e> {
    /// In the order of the edits.
    pub(crate) outcomes: Vec<Outcome>,
    /// What is wrong with those that were refused.
    pub(crate) errors: Vec<RowError>,
    /// With `dry` what would change of records that are there, as it would stand in the feed.
    pub(crate) lines: Vec<Line<'e>>,
}

impl<'e> Editor<'e, '_> {
    /// Does each edit that can be done. A record may be among them once. With `dry` nothing is written; what would be is told.
    pub(crate) fn run_each(
        mut self,
        tx: &mut Tx<'_>,
        edits: Vec<Each<'_>>,
        dry: bool,
    ) -> Result<Ran<'e>, RecordsError> {
        self.writes = if dry { Writes::None } else { Writes::Each };
        let outcomes = self.do_each(tx, edits)?;
        // A row is told of its first mistake of each field only.
        self.errors.dedup_by(|later, earlier| later.index == earlier.index && later.field == earlier.field);
        Ok(Ran { outcomes, errors: self.errors, lines: self.lines })
    }

    /// Does each edit that can be done; what became of them. What is wrong with the others is in the order of the edits then.
    pub(super) fn do_each(&mut self, tx: &mut Tx<'_>, edits: Vec<Each<'_>>) -> Result<Vec<Outcome>, RecordsError> {
        let mut outcomes = vec![Outcome::Refused; edits.len()];
        let mut creates = Vec::new();
        let mut changes: BTreeMap<Turn, Vec<Change<'_>>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (index, edit) in edits.into_iter().enumerate() {
            let (turn, id, given, version) = match edit {
                Each::Create(given) => {
                    creates.push((index, given));
                    continue;
                }
                Each::Update(id, given, version) => (Turn::Update, id, given, version),
                Each::Delete(id, version) => (Turn::Delete, id, Given::Stuffs(Stuffs::new()), version),
                Each::Restore(id) => (Turn::Restore, id, Given::Stuffs(Stuffs::new()), None),
            };
            if seen.insert(id) {
                changes.entry(turn).or_default().push(Change { index, id, given, version });
            } else {
                let twice = RecordsError::Conflict("the request changes this record twice".to_owned());
                self.refuse(index, twice)?;
            }
        }
        if changes.len() > 1 || seen.len() > CHUNK {
            let is_update_only = changes.keys().all(|turn| *turn == Turn::Update);
            self.hold_all(tx, &seen, if is_update_only { Verb::Update } else { Verb::Delete })?;
        }
        let restores = changes.split_off(&Turn::Restore);
        self.change_all(tx, changes, &mut outcomes)?;
        self.create_each(tx, creates, &mut outcomes)?;
        self.change_all(tx, restores, &mut outcomes)?;
        if self.is_writing() {
            self.write_lines(tx)?;
        }
        self.errors.sort_by_key(|error| error.index);
        Ok(outcomes)
    }

    pub(super) fn refused(&self) -> BTreeSet<usize> {
        self.errors.iter().map(|error| error.index).collect()
    }

    fn create_each(
        &mut self,
        tx: &mut Tx<'_>,
        creates: Vec<(usize, Given<'_>)>,
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
        for ((index, given), id) in creates.into_iter().zip(ids) {
            match self.settled(tx, None, given) {
                Ok(stuffs) => made.push((index, id, stuffs)),
                Err(error) => self.refuse(index, error)?,
            }
        }
        self.check_targets(tx, made.iter().map(|(index, _, stuffs)| (*index, stuffs)), self.is_writing())?;
        self.check_unique(tx, made.iter().map(|(index, id, stuffs)| (*index, *id, stuffs)))?;
        let refused = self.refused();
        made.retain(|(index, ..)| !refused.contains(index));
        for (index, id, _) in &made {
            outcomes[*index] = Outcome::Created(*id);
        }
        if self.is_writing() { self.write_new(tx, &made) } else { Ok(()) }
    }

    fn change_all(
        &mut self,
        tx: &mut Tx<'_>,
        changes: BTreeMap<Turn, Vec<Change<'_>>>,
        outcomes: &mut [Outcome],
    ) -> Result<(), RecordsError> {
        for (turn, changes) in changes {
            let mut changes = changes.into_iter().peekable();
            while changes.peek().is_some() {
                let chunk: Vec<Change<'_>> = changes.by_ref().take(CHUNK).collect();
                self.change_each(tx, turn, chunk, outcomes)?;
            }
        }
        Ok(())
    }

    fn change_each(
        &mut self,
        tx: &mut Tx<'_>,
        turn: Turn,
        changes: Vec<Change<'_>>,
        outcomes: &mut [Outcome],
    ) -> Result<(), RecordsError> {
        let wanted: Vec<Id> = changes.iter().map(|change| change.id).collect();
        let targets = self.load(tx, &wanted, turn.verb())?;
        let mut able: Vec<(usize, &Record, Stuffs)> = Vec::with_capacity(changes.len());
        for change in changes {
            let index = change.index;
            match self.checked(tx, targets.get(&change.id), turn, change) {
                Ok((record, stuffs)) => able.push((index, record, stuffs)),
                Err(error) => self.refuse(index, error)?,
            }
        }
        if turn == Turn::Update {
            self.check_targets(tx, able.iter().map(|(index, _, stuffs)| (*index, stuffs)), self.is_writing())?;
        }
        self.check_unique(tx, able.iter().map(|(index, record, stuffs)| (*index, record.id, stuffs)))?;
        let refused = self.refused();
        able.retain(|(index, ..)| !refused.contains(index));
        let op = match turn {
            Turn::Delete => Op::Delete,
            Turn::Restore => Op::Restore,
            Turn::Update => {
                for (index, record, stuffs) in able {
                    let lines = self.lines.len();
                    self.update(tx, record, &stuffs)?;
                    self.done.note_change(self.ground.object, record, &stuffs);
                    let is_changed = self.lines.len() > lines;
                    outcomes[index] =
                        if is_changed { Outcome::Changed(record.id) } else { Outcome::Unchanged(record.id) };
                }
                return Ok(());
            }
        };
        let marked: Vec<(usize, &Record)> = able.into_iter().map(|(index, record, _)| (index, record)).collect();
        self.mark_all(tx, &marked, op, outcomes)
    }

    /// A record that may be changed in this way, and its new values; of one that comes back, those that may be there once.
    fn checked<'t>(
        &self,
        tx: &mut Tx<'_>,
        target: Option<&'t Target>,
        turn: Turn,
        Change { id, given, version, .. }: Change<'_>,
    ) -> Result<(&'t Record, Stuffs), RecordsError> {
        let object = self.ground.object;
        let target = target.filter(|target| target.record.deleted_at.is_some() == (turn == Turn::Restore));
        let Some(Target { record, permitted }) = target else { return Err(not_found(&object.name, id)) };
        if !permitted {
            let (verb, label) = (turn.verb().words(), object.label.en.to_lowercase());
            return Err(RecordsError::Forbidden(format!("your role may not {verb} this {label}")));
        }
        if version.is_some_and(|version| version != record.version) {
            return Err(RecordsError::Stale { current: record.version });
        }
        let stuffs = match turn {
            Turn::Delete => {
                rules::must_be_left(tx, self.moment.schema, object, id)?;
                Stuffs::new()
            }
            Turn::Restore => unique_values(object, record)?,
            Turn::Update => self.settled(tx, Some(record), given)?,
        };
        let itself = |name: &str, stuff: &Stuff| {
            *stuff == Stuff::Whole(id.0)
                && object.field(name).is_some_and(|field| field.kind.target() == Some(&object.name))
        };
        match stuffs.iter().find(|(name, stuff)| itself(name, stuff)) {
            Some((name, _)) => Err(RecordsError::invalid(name, "a record cannot name itself")),
            None => Ok((record, stuffs)),
        }
    }

    /// The values of a new record, or the changed ones of one that is there, checked and with what follows from them.
    fn settled(&self, tx: &mut Tx<'_>, current: Option<&Record>, given: Given<'_>) -> Result<Stuffs, RecordsError> {
        let mut stuffs = match given {
            Given::Fields(fields) => self.values(fields)?,
            Given::Stuffs(stuffs) => stuffs,
        };
        stuffs.extend(self.own.clone());
        self.complete(tx, current, &mut stuffs)?;
        Ok(stuffs)
    }

    /// Puts records into the trash or takes them out, by one statement.
    fn mark_all(
        &mut self,
        tx: &mut Tx<'_>,
        records: &[(usize, &Record)],
        op: Op,
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
        if self.is_writing() {
            tx.execute(&statement)?;
        }
        for (index, record) in records {
            if self.is_writing() {
                duplicates::mark(tx, self.ground.object, record, op == Op::Delete)?;
            }
            if op == Op::Delete {
                self.done.note_gone(record.id);
            }
            outcomes[*index] = Outcome::Changed(record.id);
            let note = self.merge.map(|winner| ("merged_into".to_owned(), json!(winner)));
            self.push(record, op, Map::new(), note.into_iter().collect());
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
