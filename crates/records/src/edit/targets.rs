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

    /// Refuses values of unique fields that another record has. The index is the last word where two requests race.
    pub(super) fn check_unique<'s>(
        &mut self,
        tx: &mut Tx<'_>,
        rows: impl Iterator<Item = (usize, Id, &'s Stuffs)>,
    ) -> Result<(), RecordsError> {
        let object = self.ground.object;
        let unique: Vec<&Field> = object.live_fields().filter(|field| field.unique).collect();
        if unique.is_empty() {
            return Ok(());
        }
        let rows: Vec<(usize, Id, &Stuffs)> = rows.collect();
        for field in unique {
            let given = rows.iter().filter_map(|(index, id, stuffs)| {
                let stuff = stuffs.get(&field.name).filter(|stuff| **stuff != Stuff::Nothing)?;
                Some((*index, *id, stuff.to_json(&field.kind).to_string(), stuff.bound()))
            });
            let given: Vec<(usize, Id, String, Bound)> = given.collect();
            let mut taken = BTreeMap::new();
            for chunk in given.chunks(CHUNK) {
                let column = Expr::col(Alias::new(&field.name));
                let query = Query::select()
                    .columns([Alias::new("id"), Alias::new(&field.name)])
                    .from(Alias::new(table_of(&object.name)))
                    .and_where(Expr::col(Alias::new("deleted_at")).is_null())
                    .and_where(column.is_in(chunk.iter().map(|(.., bound)| bound.clone())))
                    .take();
                for row in tx.query(&query)? {
                    let holder = Id(row.int(0)?);
                    if self.done.has_still(&field.name, holder) {
                        taken.insert(Stuff::of_column(field, &row, 1)?.to_json(&field.kind).to_string(), holder);
                    }
                }
            }
            let refused = self.refused();
            let mut held = self.done.given.remove(&field.name).unwrap_or_default();
            for (index, id, text, _) in given {
                if held.get(&text).or(taken.get(&text)).is_some_and(|holder| *holder != id) {
                    self.refuse(index, RecordsError::Taken { field: field.name.clone() })?;
                } else if !refused.contains(&index) {
                    held.insert(text, id);
                }
            }
            self.done.given.insert(field.name.clone(), held);
        }
        Ok(())
    }
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
