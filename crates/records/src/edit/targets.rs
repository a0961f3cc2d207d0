//! What values name must be there and may be named; what only one record may have must be free.

use std::collections::{BTreeMap, BTreeSet};

use sea_query::{Alias, Expr, ExprTrait as _, LockType, Query, Value as Bound};

use super::{CHUNK, Editor, Stuffs};
use crate::{
    Id, RecordsError, Tx, Verb,
    database::hold,
    record::Record,
    schema::{Field, FieldKind, Label, Object, table_of},
    value::Stuff,
};

/// Records that are named: by which edits, in which fields.
type Named<'s> = BTreeMap<Id, Vec<(usize, &'s str)>>;

/// What the edits before have made of what others go by, whether it is written or not.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Records that went to the trash.
    gone: BTreeSet<Id>,
    /// Records of which a unique field was changed.
    left: BTreeSet<(String, Id)>,
    /// Which record was given a value of a unique field: by field, then by value.
    given: BTreeMap<String, BTreeMap<String, Id>>,
}

impl Done {
    pub(super) fn note_gone(&mut self, record: Id) {
        self.gone.insert(record);
    }

    pub(super) fn note_change(&mut self, object: &Object, record: &Record, stuffs: &Stuffs) {
        let unique = object.live_fields().filter(|field| field.unique && stuffs.contains_key(&field.name));
        self.left.extend(unique.map(|field| (field.name.clone(), record.id)));
    }

    /// Whether a record that has a value of a unique field in the database has it still.
    fn has_still(&self, field: &str, record: Id) -> bool {
        !self.gone.contains(&record) && !self.left.contains(&(field.to_owned(), record))
    }
}

impl Editor<'_, '_> {
    /// Refuses values that name records, people or teams that are not there, or that the caller may not read. With `lock` what is named
    /// stays until the transaction ends, as by a foreign key: who takes it away for good waits, and then sees what names it.
    pub(super) fn check_targets<'s>(
        &mut self,
        tx: &mut Tx<'_>,
        rows: impl Iterator<Item = (usize, &'s Stuffs)>,
        lock: bool,
    ) -> Result<(), RecordsError> {
        let mut named: BTreeMap<&str, Named<'_>> = BTreeMap::new();
        for (index, stuffs) in rows {
            for (name, stuff) in stuffs {
                let one;
                let ids: &[Id] = match stuff {
                    Stuff::Whole(id) => {
                        one = [Id(*id)];
                        &one
                    }
                    Stuff::Ids(ids) => ids,
                    _ => continue,
                };
                let Some(target) = target_of(self.ground.object, name) else { continue };
                for id in ids {
                    named.entry(target).or_default().entry(*id).or_default().push((index, name));
                }
            }
        }
        for (target, ids) in named {
            let wanted: Vec<Id> = ids.keys().copied().collect();
            let mut found = self.readable(tx, target, &wanted, lock)?;
            if target == self.ground.object.name {
                found.retain(|id| !self.done.gone.contains(id));
            }
            for (id, places) in ids.into_iter().filter(|(id, _)| !found.contains(id)) {
                for (index, name) in places {
                    let what = format!("there is no {} {id}", target.trim_start_matches('/'));
                    self.refuse(index, RecordsError::invalid(name, what))?;
                }
            }
        }
        Ok(())
    }

    /// Which of some records the caller may name.
    fn readable(&self, tx: &mut Tx<'_>, target: &str, ids: &[Id], lock: bool) -> Result<BTreeSet<Id>, RecordsError> {
        let mut found = BTreeSet::new();
        for chunk in ids.chunks(CHUNK) {
            let mut query = match target {
                "/person" | "/team" => Query::select().column(Alias::new("id")).from(Alias::new(&target[1..])).take(),
                object => {
                    let ground = self.moment.ground(object, self.access)?;
                    if self.access.reach(Verb::Read, ground.object).is_err() {
                        return Ok(found);
                    }
                    let mut query = ground.select(self.access)?;
                    query.expr(ground.column("id"));
                    query
                }
            };
            query.and_where(Expr::col(Alias::new("id")).is_in(chunk.iter().map(|id| id.0)));
            if lock {
                hold(tx, &mut query, LockType::KeyShare);
            }
            for row in tx.query(&query)? {
                found.insert(Id(row.int(0)?));
            }
        }
        Ok(found)
    }

    /// Refuses values of unique fields that another record has. A record is given its values only if all of them are free: those of
    /// one that is refused are there for the next. The index is the last word where two requests race.
    pub(super) fn check_unique<'s>(
        &mut self,
        tx: &mut Tx<'_>,
        rows: impl Iterator<Item = (usize, Id, &'s Stuffs)>,
    ) -> Result<(), RecordsError> {
        let object = self.ground.object;
        let rows: Vec<(usize, Id, &Stuffs)> = rows.collect();
        let mut unique: Vec<Unique<'_>> = Vec::new();
        for field in object.live_fields().filter(|field| field.unique) {
            let values = rows.iter().filter_map(|(.., stuffs)| value_of(field, stuffs)).map(Stuff::bound);
            let taken = self.taken(tx, field, &values.collect::<Vec<_>>())?;
            unique.push(Unique { field, taken, given: self.done.given.remove(&field.name).unwrap_or_default() });
        }
        let refused = self.refused();
        for (index, id, stuffs) in rows {
            let values = unique.iter().enumerate().filter_map(|(place, Unique { field, .. })| {
                Some((place, value_of(field, stuffs)?.to_json(&field.kind).to_string()))
            });
            let values: Vec<(usize, String)> = values.collect();
            let is_lost = |place: usize, value: &str| unique[place].holder(value).is_some_and(|holder| holder != id);
            let lost = values.iter().filter(|(place, value)| is_lost(*place, value));
            let lost: Vec<&Field> = lost.map(|(place, _)| unique[*place].field).collect();
            if lost.is_empty() && !refused.contains(&index) {
                for (place, value) in values {
                    unique[place].given.insert(value, id);
                }
            }
            for field in lost {
                self.refuse(index, RecordsError::Taken { field: field.name.clone() })?;
            }
        }
        self.done.given.extend(unique.into_iter().map(|unique| (unique.field.name.clone(), unique.given)));
        Ok(())
    }

    /// Which records have some values of a unique field in the database, and still do after the edits so far.
    fn taken(&self, tx: &mut Tx<'_>, field: &Field, values: &[Bound]) -> Result<BTreeMap<String, Id>, RecordsError> {
        let mut taken = BTreeMap::new();
        for chunk in values.chunks(CHUNK) {
            let query = Query::select()
                .columns([Alias::new("id"), Alias::new(&field.name)])
                .from(Alias::new(table_of(&self.ground.object.name)))
                .and_where(Expr::col(Alias::new("deleted_at")).is_null())
                .and_where(Expr::col(Alias::new(&field.name)).is_in(chunk.iter().cloned()))
                .take();
            for row in tx.query(&query)? {
                let holder = Id(row.int(0)?);
                if self.done.has_still(&field.name, holder) {
                    taken.insert(Stuff::of_column(field, &row, 1)?.to_json(&field.kind).to_string(), holder);
                }
            }
        }
        Ok(taken)
    }
}

/// A unique field, and which records have values of it.
struct Unique<'o> {
    field: &'o Field,
    /// In the database.
    taken: BTreeMap<String, Id>,
    /// By the edits so far.
    given: BTreeMap<String, Id>,
}

impl Unique<'_> {
    fn holder(&self, value: &str) -> Option<Id> {
        self.given.get(value).or(self.taken.get(value)).copied()
    }
}

/// The value that an edit gives to a field.
fn value_of<'s>(field: &Field, stuffs: &'s Stuffs) -> Option<&'s Stuff> {
    stuffs.get(&field.name).filter(|stuff| **stuff != Stuff::Nothing)
}

/// `owner` and `team` as fields.
pub(super) fn system_field(name: &str) -> Field {
    let label = Label { en: name.to_owned(), zh: name.to_owned() };
    Field {
        name: name.to_owned(),
        label,
        kind: FieldKind::User,
        required: false,
        unique: false,
        indexed: false,
        searchable: false,
        custom: false,
        retired: false,
    }
}

/// What a field's ids are of: an object, or `/person` or `/team`.
pub(super) fn target_of<'o>(object: &'o Object, name: &str) -> Option<&'o str> {
    match name {
        "owner" => Some("/person"),
        "team" => Some("/team"),
        name => {
            let field = object.field(name)?;
            if field.kind == FieldKind::User { Some("/person") } else { field.kind.target() }
        }
    }
}
