//! Making, changing and deleting records: checked first, then written with their lines in the feed, all of a request or none.

use std::collections::{BTreeMap, BTreeSet};

use sea_query::{Alias, Expr, ExprTrait as _, LockType, Query, Value as Bound};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    Access, Id, RecordsError, RowError, Tx, Verb,
    database::Backend,
    desk::Moment,
    duplicates,
    feed::{self, Line, Op},
    ground::Ground,
    read::not_found,
    record::{Record, Shape},
    rules,
    schema::{Field, FieldKind, Object, SYSTEM, Stored, currency_column, table_of},
    value::{self, Stuff},
};

mod each;

pub(crate) use each::{Each, Outcome};

/// The most records of one request.
pub const EDITS: usize = 10_000;
/// How many records are read at once on the way.
const CHUNK: usize = 500;

/// Values by the names of fields; `owner` and `team` are among them.
pub type Fields = Map<String, Value>;

/// What is done with one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// A new record.
    Create {
        /// Its fields.
        #[schema(value_type = std::collections::HashMap<String, Value>)]
        fields: Fields,
    },
    /// Fields of a record are set; null takes a value away.
    Update {
        /// The record.
        id: Id,
        /// The fields that change.
        #[schema(value_type = std::collections::HashMap<String, Value>)]
        fields: Fields,
        /// The version that the caller read; refused if it is another one now.
        #[serde(default)]
        version: Option<i64>,
    },
    /// The record that has the same value of a field is changed, or a new one is made.
    Upsert {
        /// The field.
        key: String,
        /// The fields, the key among them.
        #[schema(value_type = std::collections::HashMap<String, Value>)]
        fields: Fields,
    },
    /// It is put into the trash.
    Delete {
        /// The record.
        id: Id,
        /// The version that the caller read.
        #[serde(default)]
        version: Option<i64>,
    },
    /// It is taken out of the trash.
    Restore {
        /// The record.
        id: Id,
    },
}

/// Values as they will be stored, by field.
pub(crate) type Stuffs = BTreeMap<String, Stuff>;

/// A request's edits, at work in a transaction.
pub(crate) struct Editor<'e, 'm> {
    moment: &'e Moment<'m>,
    access: &'e Access,
    batch: Option<Id>,
    ground: Ground<'e>,
    lines: Vec<Line<'e>>,
    errors: Vec<RowError>,
    /// The record into which another is merged by these edits.
    merge: Option<Id>,
}

/// A record that is to be changed: as it is, and whether the caller may.
struct Target {
    record: Record,
    permitted: bool,
}

impl<'e, 'm> Editor<'e, 'm> {
    pub(crate) fn new(
        moment: &'e Moment<'m>,
        access: &'e Access,
        object: &str,
        batch: Option<Id>,
    ) -> Result<Self, RecordsError> {
        let ground = moment.ground(object, access)?;
        Ok(Self { moment, access, batch, ground, lines: Vec::new(), errors: Vec::new(), merge: None })
    }

    /// Tells of the edits as parts of a merge: an update is of the record that stays, a delete of the one that goes.
    pub(crate) fn merging_into(self, winner: Id) -> Self {
        Self { merge: Some(winner), ..self }
    }

    /// Does all edits or none; the ids, in their order.
    pub(crate) fn run(mut self, tx: &mut Tx<'_>, edits: Vec<Edit>) -> Result<Vec<Id>, RecordsError> {
        if edits.len() > EDITS {
            return Err(RecordsError::Limit(format!("a request changes up to {EDITS} records")));
        }
        let mut ids = vec![None; edits.len()];
        let edits = self.settle_upserts(tx, edits)?;
        let mut creates = Vec::new();
        let mut changes = Vec::new();
        for (index, edit) in edits.into_iter().enumerate() {
            match edit {
                Edit::Create { fields } | Edit::Upsert { fields, .. } => creates.push((index, fields)),
                change => changes.push((index, change)),
            }
        }
        self.create(tx, creates, &mut ids)?;
        self.change(tx, changes, &mut ids)?;
        if !self.errors.is_empty() {
            self.errors.sort_by_key(|error| error.index);
            return Err(RecordsError::Rows(self.errors));
        }
        feed::write(tx, self.access, self.batch, self.moment.now, &self.lines)?;
        Ok(ids.into_iter().flatten().collect())
    }

    /// Notes what is wrong with one of many; the mistake of a single one is the request's own.
    fn refuse(&mut self, index: usize, error: RecordsError) -> Result<(), RecordsError> {
        if self.batch.is_none() {
            return Err(error);
        }
        self.errors.push(error.of_row(index)?);
        Ok(())
    }

    /// Turns upserts into updates where the record is there.
    fn settle_upserts(&mut self, tx: &mut Tx<'_>, mut edits: Vec<Edit>) -> Result<Vec<Edit>, RecordsError> {
        let mut wanted: BTreeMap<String, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
        for (index, edit) in edits.iter().enumerate() {
            let Edit::Upsert { key, fields } = edit else { continue };
            match self.key_value(key, fields) {
                Ok(text) => wanted.entry(key.clone()).or_default().entry(text).or_default().push(index),
                Err(error) => self.refuse(index, error)?,
            }
        }
        for (key, values) in wanted {
            let keys: Vec<&String> = values.keys().collect();
            for chunk in keys.chunks(CHUNK) {
                let mut query = self.ground.select(self.access)?;
                query
                    .expr(self.ground.column("id"))
                    .expr(self.ground.column(&key))
                    .and_where(self.ground.column(&key).is_in(chunk.iter().map(|text| text.as_str())))
                    .order_by_expr(self.ground.column("id"), sea_query::Order::Desc);
                for row in tx.query(&query)? {
                    let id = Id(row.int(0)?);
                    for index in values.get(row.text(1)?).into_iter().flatten() {
                        let Edit::Upsert { fields, .. } = &edits[*index] else { continue };
                        edits[*index] = Edit::Update { id, fields: fields.clone(), version: None };
                    }
                }
            }
            for (text, indexes) in values.iter().filter(|(_, indexes)| indexes.len() > 1) {
                for index in &indexes[1..] {
                    let what = format!("\"{text}\" stands in more than one record of the request");
                    self.refuse(*index, RecordsError::invalid(&key, what))?;
                }
            }
        }
        Ok(edits)
    }

    /// The value by which an upsert finds its record.
    fn key_value(&self, key: &str, fields: &Fields) -> Result<String, RecordsError> {
        let object = self.ground.object;
        let field = object
            .field(key)
            .filter(|field| field.kind.stored() == Stored::Text && self.access.may_see(&object.name, key));
        let field =
            field.ok_or_else(|| RecordsError::invalid("key", format!("records cannot be found by \"{key}\"")))?;
        match value::read(field, fields.get(key).unwrap_or(&Value::Null))? {
            Stuff::Text(text) => Ok(text),
            _ => Err(RecordsError::invalid(key, "it must be given, since the record is found by it")),
        }
    }

    fn create(
        &mut self,
        tx: &mut Tx<'_>,
        creates: Vec<(usize, Fields)>,
        ids: &mut [Option<Id>],
    ) -> Result<(), RecordsError> {
        if creates.is_empty() {
            return Ok(());
        }
        self.access.reach(Verb::Create, self.ground.object)?;
        let mut made: Vec<(usize, Id, Stuffs)> = Vec::with_capacity(creates.len());
        for (index, fields) in creates {
            match self.prepare(tx, None, &fields) {
                Ok(stuffs) => made.push((index, self.moment.ids.next(self.moment.now)?, stuffs)),
                Err(error) => self.refuse(index, error)?,
            }
        }
        self.check_targets(tx, made.iter().map(|(index, _, stuffs)| (*index, stuffs)))?;
        self.check_unique(tx, made.iter().map(|(index, id, stuffs)| (*index, *id, stuffs)))?;
        if !self.errors.is_empty() {
            return Ok(());
        }
        insert(tx, self.moment, self.access, self.ground.object, made.iter().map(|(_, id, stuffs)| (*id, stuffs)))?;
        for (index, id, stuffs) in made {
            ids[index] = Some(id);
            let after = to_json(self.ground.object, &stuffs);
            self.lines.push(Line {
                object: &self.ground.object.name,
                record: id,
                version: 1,
                op: Op::Create,
                before: Map::new(),
                after,
            });
        }
        Ok(())
    }

    /// Checks the fields of a new record, or the changed ones of one that is there.
    fn prepare(&self, tx: &mut Tx<'_>, current: Option<&Record>, fields: &Fields) -> Result<Stuffs, RecordsError> {
        let mut stuffs = self.values(fields)?;
        self.complete(tx, current, &mut stuffs)?;
        Ok(stuffs)
    }

    /// Checks values that the caller wants to set.
    pub(crate) fn values(&self, fields: &Fields) -> Result<Stuffs, RecordsError> {
        fields.iter().map(|(name, value)| Ok((name.clone(), self.read(name, value)?))).collect()
    }

    /// Adds what follows from checked values, and refuses a new record without what it must have.
    fn complete(&self, tx: &mut Tx<'_>, current: Option<&Record>, stuffs: &mut Stuffs) -> Result<(), RecordsError> {
        let object = self.ground.object;
        if current.is_none()
            && !stuffs.contains_key("owner")
            && let Some(user) = self.access.user
        {
            stuffs.insert("owner".to_owned(), Stuff::Whole(user.0));
        }
        if current.is_none()
            && !stuffs.contains_key("team")
            && let [team] = self.access.teams[..]
        {
            stuffs.insert("team".to_owned(), Stuff::Whole(team.0));
        }
        rules::apply(tx, object, current, self.moment.now, stuffs)?;
        let is_given = |field: &Field| matches!(stuffs.get(&field.name), Some(stuff) if *stuff != Stuff::Nothing);
        let missing = object.live_fields().find(|field| field.required && !is_given(field));
        match missing.filter(|_| current.is_none()) {
            Some(field) => Err(RecordsError::invalid(&field.name, "it must be given")),
            None => Ok(()),
        }
    }

    fn read(&self, name: &str, value: &Value) -> Result<Stuff, RecordsError> {
        let object = self.ground.object;
        if name == "owner" || name == "team" {
            let field = system_field(name);
            return value::read(&field, value);
        }
        let field = object.field(name).filter(|_| self.access.may_see(&object.name, name));
        let field = field.ok_or_else(|| RecordsError::invalid(name, format!("{} has no such field", object.name)))?;
        if !self.access.may_set(&object.name, name) {
            return Err(RecordsError::invalid(name, "your role may not change it"));
        }
        value::read(field, value)
    }

    /// Refuses values that name records, people or teams that are not there, or that the caller may not read.
    fn check_targets<'s>(
        &mut self,
        tx: &mut Tx<'_>,
        rows: impl Iterator<Item = (usize, &'s Stuffs)>,
    ) -> Result<(), RecordsError> {
        let mut named: BTreeMap<String, BTreeMap<Id, Vec<(usize, String)>>> = BTreeMap::new();
        for (index, stuffs) in rows {
            for (name, stuff) in stuffs {
                let Some(target) = target_of(self.ground.object, name) else { continue };
                let ids = match stuff {
                    Stuff::Whole(id) => vec![Id(*id)],
                    Stuff::Ids(ids) => ids.clone(),
                    _ => continue,
                };
                for id in ids {
                    named.entry(target.clone()).or_default().entry(id).or_default().push((index, name.clone()));
                }
            }
        }
        for (target, ids) in named {
            let wanted: Vec<Id> = ids.keys().copied().collect();
            let found = self.readable(tx, &target, &wanted)?;
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
    fn readable(&self, tx: &mut Tx<'_>, target: &str, ids: &[Id]) -> Result<BTreeSet<Id>, RecordsError> {
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
            for row in tx.query(&query)? {
                found.insert(Id(row.int(0)?));
            }
        }
        Ok(found)
    }

    /// Refuses values of unique fields that another record has. The index is the last word where two requests race.
    fn check_unique<'s>(
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
            let mut values: BTreeMap<String, (usize, Id)> = BTreeMap::new();
            for (index, id, stuffs) in &rows {
                let Some(stuff) = stuffs.get(&field.name).filter(|stuff| **stuff != Stuff::Nothing) else { continue };
                let text = stuff.to_json(&field.kind).to_string();
                if values.insert(text, (*index, *id)).is_some() {
                    self.refuse(*index, RecordsError::Taken { field: field.name.clone() })?;
                }
            }
            let places: Vec<(usize, Id, Bound)> = rows
                .iter()
                .filter_map(|(index, id, stuffs)| {
                    Some((*index, *id, stuffs.get(&field.name).filter(|stuff| **stuff != Stuff::Nothing)?.bound()))
                })
                .collect();
            for chunk in places.chunks(CHUNK) {
                let column = Expr::col(Alias::new(&field.name));
                let query = Query::select()
                    .columns([Alias::new("id"), Alias::new(&field.name)])
                    .from(Alias::new(table_of(&object.name)))
                    .and_where(Expr::col(Alias::new("deleted_at")).is_null())
                    .and_where(column.is_in(chunk.iter().map(|(_, _, bound)| bound.clone())))
                    .take();
                for row in tx.query(&query)? {
                    let taken = Stuff::of_column(field, &row, 1)?.to_json(&field.kind).to_string();
                    if let Some((index, id)) = values.get(&taken)
                        && id.0 != row.int(0)?
                    {
                        self.refuse(*index, RecordsError::Taken { field: field.name.clone() })?;
                    }
                }
            }
        }
        Ok(())
    }

    fn change(
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

    fn change_some(
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
        self.check_targets(tx, updates.iter().map(|(index, _, stuffs)| (*index, stuffs)))?;
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
    fn checked(
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
            Edit::Update { fields, .. } => self.prepare(tx, Some(record), fields).map(Some),
            Edit::Delete { .. } => self.mark(tx, record, Op::Delete, Some(self.moment.now.0)).map(|()| None),
            _ => self.mark(tx, record, Op::Restore, None).map(|()| None),
        }
    }

    /// Reads records that are to be changed; with `lock` nobody else changes them until the transaction ends.
    fn load(&self, tx: &mut Tx<'_>, ids: &[Id], verb: Right, lock: bool) -> Result<BTreeMap<Id, Target>, RecordsError> {
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
            query.lock(LockType::Update);
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

    fn update(&mut self, tx: &mut Tx<'_>, record: &Record, stuffs: &Stuffs, dry: bool) -> Result<(), RecordsError> {
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
    fn mark(&mut self, tx: &mut Tx<'_>, record: &Record, op: Op, deleted_at: Option<i64>) -> Result<(), RecordsError> {
        let mut statement = Query::update();
        statement.table(Alias::new(table_of(&self.ground.object.name))).value(Alias::new("deleted_at"), deleted_at);
        self.finish(tx, record, statement)?;
        duplicates::mark(tx, self.ground.object, record, op == Op::Delete)?;
        let note = self.merge.map(|winner| ("merged_into".to_owned(), json!(winner)));
        self.push(record, op, Map::new(), note.into_iter().collect());
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

    fn push(&mut self, record: &Record, op: Op, before: Map<String, Value>, after: Map<String, Value>) {
        let object: &'e Object = self.ground.object;
        self.lines.push(Line {
            object: &object.name,
            record: record.id,
            version: record.version + 1,
            op,
            before,
            after,
        });
    }
}

/// Which permission an edit of a record that is there needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    Update,
    Delete,
}

impl Right {
    fn words(self) -> &'static str {
        if self == Self::Update { "change" } else { "delete" }
    }
}

impl Edit {
    fn id(&self) -> Option<Id> {
        match self {
            Self::Update { id, .. } | Self::Delete { id, .. } | Self::Restore { id } => Some(*id),
            Self::Create { .. } | Self::Upsert { .. } => None,
        }
    }

    fn version(&self) -> Option<i64> {
        match self {
            Self::Update { version, .. } | Self::Delete { version, .. } => *version,
            _ => None,
        }
    }

    fn verb(&self) -> Right {
        if matches!(self, Self::Delete { .. } | Self::Restore { .. }) { Right::Delete } else { Right::Update }
    }
}

/// `owner` and `team` as fields.
fn system_field(name: &str) -> Field {
    let label = crate::schema::Label { en: name.to_owned(), zh: name.to_owned() };
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
fn target_of(object: &Object, name: &str) -> Option<String> {
    match name {
        "owner" => Some("/person".to_owned()),
        "team" => Some("/team".to_owned()),
        name => {
            let field = object.field(name)?;
            if field.kind == FieldKind::User {
                Some("/person".to_owned())
            } else {
                field.kind.target().map(str::to_owned)
            }
        }
    }
}

/// What a record has under a name, as in the feed.
fn json_of(record: &Record, name: &str) -> Value {
    match name {
        "owner" => json!(record.owner),
        "team" => json!(record.team),
        name => record.fields.get(name).cloned().unwrap_or(Value::Null),
    }
}

fn stuff_json(object: &Object, name: &str, stuff: &Stuff) -> Value {
    match (stuff, object.field(name)) {
        (Stuff::Nothing, _) => Value::Null,
        (stuff, Some(field)) => stuff.to_json(&field.kind),
        (stuff, None) => stuff.to_json(&FieldKind::User),
    }
}

pub(crate) fn to_json(object: &Object, stuffs: &Stuffs) -> Map<String, Value> {
    let given = stuffs.iter().filter(|(_, stuff)| **stuff != Stuff::Nothing);
    given.map(|(name, stuff)| (name.clone(), stuff_json(object, name, stuff))).collect()
}

/// Inserts new records of an object.
pub(crate) fn insert<'s>(
    tx: &mut Tx<'_>,
    moment: &Moment<'_>,
    access: &Access,
    object: &Object,
    records: impl Iterator<Item = (Id, &'s Stuffs)>,
) -> Result<(), RecordsError> {
    let stored: Vec<&Field> = object
        .live_fields()
        .filter(|field| !matches!(field.kind.stored(), Stored::Elsewhere | Stored::Computed))
        .collect();
    let mut columns: Vec<String> = SYSTEM[..8].iter().map(|name| (*name).to_owned()).collect();
    for field in &stored {
        columns.push(field.name.clone());
        if field.kind == FieldKind::Money {
            columns.push(currency_column(&field.name));
        }
    }
    let actor = access.actor.to_string();
    let mut rows = Vec::new();
    let mut relations: Vec<Vec<Bound>> = Vec::new();
    let records: Vec<(Id, &Stuffs)> = records.collect();
    duplicates::add(tx, object, records.iter().copied())?;
    for (id, stuffs) in records {
        let whole = |name: &str| stuffs.get(name).map_or(Bound::BigInt(None), Stuff::bound);
        let mut row: Vec<Bound> = vec![
            id.0.into(),
            1_i64.into(),
            moment.now.0.into(),
            actor.clone().into(),
            moment.now.0.into(),
            actor.clone().into(),
            whole("owner"),
            whole("team"),
        ];
        for field in &stored {
            let stuff = stuffs.get(&field.name).unwrap_or(&Stuff::Nothing);
            row.push(stuff.bound());
            if field.kind == FieldKind::Money {
                row.push(if let Stuff::Money(_, currency) = stuff {
                    currency.clone().into()
                } else {
                    Bound::String(None)
                });
            }
        }
        rows.push(row);
        for (name, stuff) in stuffs {
            if let Stuff::Ids(ids) = stuff {
                relations.extend(ids.iter().map(|target| relation(&object.name, name, id, *target)));
            }
        }
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    tx.insert_rows(&table_of(&object.name), &columns, &rows)?;
    tx.insert_rows("relation", &["object", "field", "record", "target"], &relations)
}

fn relation(object: &str, field: &str, record: Id, target: Id) -> Vec<Bound> {
    vec![object.into(), field.into(), record.0.into(), target.0.into()]
}

pub(crate) fn replace_relations(
    tx: &mut Tx<'_>,
    object: &str,
    field: &str,
    record: Id,
    targets: &[Id],
) -> Result<(), RecordsError> {
    let column = |name: &str| Expr::col(Alias::new(name));
    let delete = Query::delete()
        .from_table(Alias::new("relation"))
        .and_where(column("object").eq(object))
        .and_where(column("field").eq(field))
        .and_where(column("record").eq(record.0))
        .take();
    tx.execute(&delete)?;
    let rows: Vec<Vec<Bound>> = targets.iter().map(|target| relation(object, field, record, *target)).collect();
    tx.insert_rows("relation", &["object", "field", "record", "target"], &rows)
}
