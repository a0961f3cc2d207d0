//! Making, changing and deleting records: checked first, then written with their lines in the feed, all of a request or none.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    Access, Id, RecordsError, RowError, Tx, Verb,
    database::among,
    desk::Moment,
    feed::{self, Line, Op},
    ground::Ground,
    read::not_found,
    record::Record,
    rules,
    schema::{Field, Object, Stored},
    value::{self, Stuff},
};

mod aside;
mod change;
mod each;
mod insert;
mod past;
mod targets;

use self::{
    aside::beside,
    insert::to_text,
    targets::{Done, system_field},
};
pub(crate) use self::{
    each::{Each, Given, Outcome},
    insert::{insert, replace_relations, to_json},
    past::Past,
};

/// The most records of one request.
pub const EDITS: usize = 10_000;
/// How many records are read at once on the way.
const CHUNK: usize = 500;

/// Values by the names of fields; `owner` and `team` are among them.
pub type Fields = Map<String, Value>;

/// [`Fields`] as a type of the document.
#[derive(Debug)]
pub enum Values {}

impl ToSchema for Values {}

impl utoipa::PartialSchema for Values {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let any = utoipa::openapi::schema::AdditionalProperties::FreeForm(true);
        let values = utoipa::openapi::schema::ObjectBuilder::new().additional_properties(Some(any));
        let what = "Values by the names of fields; `owner` and `team` are among them. Null takes a value away.";
        utoipa::openapi::Schema::from(values.description(Some(what))).into()
    }
}

/// What is done with one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// A new record.
    Create {
        /// Its fields.
        #[schema(value_type = Values)]
        fields: Fields,
    },
    /// Fields of a record are set; null takes a value away.
    Update {
        /// The record.
        id: Id,
        /// The fields that change.
        #[schema(value_type = Values)]
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
        #[schema(value_type = Values)]
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
    writes: Writes,
    /// Lines of the feed that are not written yet.
    lines: Vec<Line<'e>>,
    errors: Vec<RowError>,
    done: Done,
    /// The record into which another is merged by these edits.
    merge: Option<Id>,
    /// What Rapport itself sets in each record that is made or changed.
    own: Stuffs,
}

/// What is written of edits that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writes {
    /// All as long as nothing is wrong with any; the rest is only checked then, so that everything wrong is told.
    AllOrNone,
    /// Each, whatever is wrong with others.
    Each,
    /// Nothing; what would be is told.
    None,
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
        Ok(Self {
            moment,
            access,
            batch,
            ground,
            writes: Writes::AllOrNone,
            lines: Vec::new(),
            errors: Vec::new(),
            done: Done::default(),
            merge: None,
            own: Stuffs::new(),
        })
    }

    /// Tells of the edits as parts of a merge: an update is of the record that stays, a delete of the one that goes.
    pub(crate) fn merging_into(self, winner: Id) -> Self {
        Self { merge: Some(winner), ..self }
    }

    /// Sets these, too, which the caller itself may not.
    pub(crate) fn setting(self, own: Stuffs) -> Self {
        Self { own, ..self }
    }

    /// Does all edits or none; the ids, in their order.
    pub(crate) fn run(mut self, tx: &mut Tx<'_>, edits: &[Edit]) -> Result<Vec<Id>, RecordsError> {
        if edits.len() > EDITS {
            return Err(RecordsError::Limit(format!("a request changes up to {EDITS} records")));
        }
        let edits = self.settle_upserts(tx, edits)?;
        if edits.iter().any(|edit| matches!(edit, Each::Create(_))) {
            self.access.reach(Verb::Create, self.ground.object)?;
        }
        let outcomes = self.do_each(tx, edits)?;
        if !self.errors.is_empty() {
            return Err(RecordsError::Rows(self.errors));
        }
        Ok(outcomes.into_iter().filter_map(Outcome::id).collect())
    }

    /// Notes what is wrong with one of many; the mistake of a single one is the request's own.
    fn refuse(&mut self, index: usize, error: RecordsError) -> Result<(), RecordsError> {
        if self.batch.is_none() {
            return Err(error);
        }
        self.errors.push(error.of_row(index)?);
        Ok(())
    }

    /// Whether what can be done is written.
    fn is_writing(&self) -> bool {
        match self.writes {
            Writes::AllOrNone => self.errors.is_empty(),
            Writes::Each => true,
            Writes::None => false,
        }
    }

    /// Turns upserts into updates where the record is there, and into new records where it is not.
    fn settle_upserts<'g>(&mut self, tx: &mut Tx<'_>, edits: &'g [Edit]) -> Result<Vec<Each<'g>>, RecordsError> {
        let mut wanted: BTreeMap<&str, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
        for (index, edit) in edits.iter().enumerate() {
            let Edit::Upsert { key, fields } = edit else { continue };
            match self.key_value(key, fields) {
                Ok(text) => wanted.entry(key).or_default().entry(text).or_default().push(index),
                Err(error) => self.refuse(index, error)?,
            }
        }
        let mut there: BTreeMap<usize, Id> = BTreeMap::new();
        for (key, values) in wanted {
            for (text, id) in known(tx, &self.ground, self.access, key, values.keys().map(String::as_str))? {
                there.extend(values.get(&text).into_iter().flatten().map(|index| (*index, id)));
            }
            for (text, indexes) in values.iter().filter(|(_, indexes)| indexes.len() > 1) {
                for index in &indexes[1..] {
                    let what = format!("\"{text}\" stands in more than one record of the request");
                    self.refuse(*index, RecordsError::invalid(key, what))?;
                }
            }
        }
        Ok(edits.iter().enumerate().map(|(index, edit)| Each::of(edit, there.get(&index).copied())).collect())
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

    /// Writes new records with their lines in the feed.
    fn write_new(&mut self, tx: &mut Tx<'_>, made: &[(usize, Id, Stuffs)]) -> Result<(), RecordsError> {
        // Lines stand in the order of what was done, so that it can be taken back in the opposite one.
        self.write_lines(tx)?;
        let object = self.ground.object;
        let texts = || made.iter().map(|(_, id, stuffs)| Ok((*id, to_text(object, stuffs)?))).collect();
        let rows = || insert(tx, self.moment, self.access, object, made.iter().map(|(_, id, stuffs)| (*id, stuffs)));
        let (texts, inserted): (Result<Vec<_>, serde_json::Error>, _) = beside(made.len(), texts, rows);
        inserted?;
        let texts = texts.map_err(|error| RecordsError::Database(error.to_string()))?;
        feed::write_new(tx, self.access, self.batch, self.moment.now, &object.name, texts)
    }

    /// Writes the lines of records that were there.
    fn write_lines(&mut self, tx: &mut Tx<'_>) -> Result<(), RecordsError> {
        feed::write(tx, self.access, self.batch, self.moment.now, &std::mem::take(&mut self.lines))
    }

    /// Checks values that the caller wants to set.
    pub(crate) fn values(&self, fields: &Fields) -> Result<Stuffs, RecordsError> {
        fields.iter().map(|(name, value)| Ok((name.clone(), self.read(name, value)?))).collect()
    }

    /// Refuses values that are wrong, or name what the caller may not read.
    pub(crate) fn check_values(&mut self, tx: &mut Tx<'_>, fields: &Fields) -> Result<(), RecordsError> {
        let stuffs = self.values(fields)?;
        self.check_targets(tx, std::iter::once((0, &stuffs)), false)
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
            let by_content = crate::contents::comes_with_content(&object.name, name);
            let what =
                if by_content { "it is set when the file's content comes" } else { "your role may not change it" };
            return Err(RecordsError::invalid(name, what));
        }
        value::read(field, value)
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

/// The records that somebody reads and that have one of some values of a field of text; of several with one value the oldest.
pub(crate) fn known<'k>(
    tx: &mut Tx<'_>,
    ground: &Ground<'_>,
    access: &Access,
    field: &str,
    values: impl Iterator<Item = &'k str>,
) -> Result<BTreeMap<String, Id>, RecordsError> {
    let mut query = ground.select(access)?;
    query.expr(ground.column("id")).expr(ground.column(field)).and_where(among(
        tx.backend(),
        ground.column(field),
        values,
    ));
    let mut known = BTreeMap::new();
    for row in tx.query(&query)? {
        let id = Id(row.int(0)?);
        known.entry(row.text(1)?.to_owned()).and_modify(|known: &mut Id| *known = id.min(*known)).or_insert(id);
    }
    Ok(known)
}
