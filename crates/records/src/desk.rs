//! The desk: everything that can be asked of records, each in one transaction.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use parking_lot::RwLock;
use rapport_types::Timestamp;
use sea_query::{Alias, ExprTrait as _, Order};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Access, AggregateQuery, Backend, Change, Database, Edit, Group, Id, ListQuery, Once, Page, RecordsError, Tx,
    contents,
    edit::Editor,
    feed::{self, Bell},
    ground::Ground,
    id::Ids,
    migrate,
    once::Done,
    people::People,
    read,
    record::Record,
    schema::{MAX_OBJECTS, Object, Schema, check_object, ensure_fields, teams},
    search::SearchIndex,
};

/// The records of an installation.
#[derive(Debug)]
pub struct Desk {
    pub(crate) database: Database,
    schema: RwLock<Arc<Schema>>,
    pub(crate) ids: Ids,
    bell: Bell,
    pub(crate) people: People,
    clock: fn() -> Timestamp,
    pub(crate) index: OnceLock<SearchIndex>,
    /// Where files lie: contents, and those of imports.
    files: OnceLock<PathBuf>,
    /// Held by whoever places a content until its record is written, and by the sweep alone.
    pub(crate) placing: RwLock<()>,
}

/// What a request stands on: the objects and the time, the same throughout.
pub(crate) struct Moment<'m> {
    pub(crate) schema: &'m Schema,
    pub(crate) ids: &'m Ids,
    pub(crate) now: Timestamp,
    pub(crate) backend: Backend,
}

impl Moment<'_> {
    /// An object as somebody sees it; refused if there is none.
    pub(crate) fn ground<'g>(&'g self, object: &str, access: &'g Access) -> Result<Ground<'g>, RecordsError> {
        let object = self.schema.object(object);
        let object = object.ok_or_else(|| RecordsError::NotFound("there is no such object".to_owned()))?;
        Ok(Ground::new(self.schema, object, access, self.now, self.backend))
    }
}

/// What edits came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Edited {
    /// The records after them, in the order of the edits.
    pub records: Vec<Record>,
    /// With what they can be undone together; none if there were no edits, or the one of a record.
    #[schema(required)]
    pub batch: Option<Id>,
}

impl Desk {
    /// Opens the records, brings the database to the newest format and makes what is missing.
    pub fn open(database: Database, clock: fn() -> Timestamp) -> Result<Self, RecordsError> {
        Self::open_by(database, clock, migrate::MIGRATIONS)
    }

    /// The same with the steps from format to format.
    pub(crate) fn open_by(database: Database, clock: fn() -> Timestamp, steps: &[&str]) -> Result<Self, RecordsError> {
        let (ids, now) = (Ids::new(), clock());
        let found = database.read(migrate::format_of)?;
        if (1..steps.len() as i64).contains(&found) {
            crate::backup::snapshot(&database, found, now)?;
        }
        let schema = database.write(|tx| {
            let found = migrate::migrate_by(tx, steps)?;
            let schema = migrate::read_schema(tx)?;
            migrate::ensure_all(tx, &schema)?;
            if found == 0 {
                let moment = Moment { schema: &schema, ids: &ids, now, backend: tx.backend() };
                crate::first::fill(&moment, tx)?;
            }
            Ok(schema)
        })?;
        Ok(Self {
            database,
            schema: RwLock::new(Arc::new(schema)),
            ids,
            bell: Bell::default(),
            people: People::default(),
            clock,
            index: OnceLock::new(),
            files: OnceLock::new(),
            placing: RwLock::new(()),
        })
    }

    /// Opens the records in a SQLite file, or makes it.
    pub fn open_file(path: &Path, clock: fn() -> Timestamp) -> Result<Self, RecordsError> {
        Self::open(Database::sqlite(path)?, clock)
    }

    /// Says where files lie: contents, and those of imports. Without it there are neither. The first call counts.
    pub fn set_files(&self, folder: &Path) -> Result<(), RecordsError> {
        std::fs::create_dir_all(folder)
            .map_err(|error| RecordsError::File(format!("{} cannot be made: {error}", folder.display())))?;
        let folder = self.files.get_or_init(|| folder.to_owned());
        contents::owner::claim(folder, &self.database.read(contents::owner::id_of)?)
    }

    /// Where files lie.
    pub(crate) fn files(&self) -> Result<&Path, RecordsError> {
        let folder = self.files.get().map(PathBuf::as_path);
        folder.ok_or_else(|| RecordsError::File("no folder for files was set".to_owned()))
    }

    /// The objects.
    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema.read())
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// What a request that begins now stands on.
    fn moment<'m>(&'m self, schema: &'m Schema) -> Moment<'m> {
        Moment { schema, ids: &self.ids, now: self.now(), backend: self.database.backend() }
    }

    /// Reads in one moment.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Moment<'_>, &mut Tx<'_>) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        let schema = self.schema();
        let moment = self.moment(&schema);
        self.database.read(|tx| read(&moment, tx))
    }

    /// Writes in one transaction, and wakes those who follow the feed.
    pub(crate) fn write<T>(
        &self,
        write: impl FnOnce(&Moment<'_>, &mut Tx<'_>) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        let schema = self.schema();
        let moment = self.moment(&schema);
        let written = self.database.write(|tx| write(&moment, tx))?;
        self.bell.ring();
        Ok(written)
    }

    /// The same for what can be done anew: see [`Database::write_anew`].
    pub(crate) fn write_anew<T>(
        &self,
        write: impl Fn(&Moment<'_>, &mut Tx<'_>) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        let schema = self.schema();
        let moment = self.moment(&schema);
        let written = self.database.write_anew(|tx| write(&moment, tx))?;
        self.bell.ring();
        Ok(written)
    }

    /// Writes what is no change of a record, and wakes nobody.
    pub(crate) fn note(&self, write: impl FnOnce(&mut Tx<'_>) -> Result<(), RecordsError>) -> Result<(), RecordsError> {
        self.database.write(write)
    }

    /// A page of a list.
    pub fn list(&self, access: &Access, object: &str, query: &ListQuery) -> Result<Page, RecordsError> {
        self.read(|moment, tx| read::list(moment, tx, access, object, query))
    }

    /// How many records a filter lets through.
    pub fn count(&self, access: &Access, object: &str, filter: Option<&str>) -> Result<u64, RecordsError> {
        self.read(|moment, tx| read::count(moment, tx, access, object, filter, false))
    }

    /// How many records there are on all pages of a list.
    pub fn count_listed(&self, access: &Access, object: &str, list: &ListQuery) -> Result<u64, RecordsError> {
        self.read(|moment, tx| read::count(moment, tx, access, object, list.filter.as_deref(), list.trash))
    }

    /// One record, also from the trash.
    pub fn get(&self, access: &Access, object: &str, id: Id) -> Result<Record, RecordsError> {
        self.read(|moment, tx| read::get(moment, tx, access, object, id))
    }

    /// Counts and sums by the values of a field.
    pub fn aggregate(&self, access: &Access, object: &str, query: &AggregateQuery) -> Result<Vec<Group>, RecordsError> {
        self.read(|moment, tx| read::aggregate(moment, tx, access, object, query))
    }

    /// Does edits, all or none. With `once`, a repeat gets the first answer and changes nothing.
    pub fn edit(
        &self,
        access: &Access,
        object: &str,
        edits: &[Edit],
        once: Option<&Once>,
    ) -> Result<Edited, RecordsError> {
        let is_batch = edits.len() > 1;
        self.edit_all(access, object, edits, once, is_batch)
    }

    /// The same as a batch, also if it is a single edit.
    pub fn edit_together(
        &self,
        access: &Access,
        object: &str,
        edits: &[Edit],
        once: Option<&Once>,
    ) -> Result<Edited, RecordsError> {
        let is_batch = !edits.is_empty();
        self.edit_all(access, object, edits, once, is_batch)
    }

    fn edit_all(
        &self,
        access: &Access,
        object: &str,
        edits: &[Edit],
        once: Option<&Once>,
        is_batch: bool,
    ) -> Result<Edited, RecordsError> {
        self.write_anew(|moment, tx| {
            if let Some(once) = once
                && let Some(done) = once.begin(tx, access, moment.now)?
            {
                // The records as the caller may read them now.
                let records = records_of(moment, tx, access, object, &done.ids)?;
                return Ok(Edited { records, batch: done.batch });
            }
            let batch = if is_batch { Some(moment.ids.next(moment.now)?) } else { None };
            let ids = Editor::new(moment, access, object, batch)?.run(tx, edits)?;
            if let Some(batch) = batch {
                let title = format!("{} x {object}", edits.len());
                crate::batch::begin(tx, access, batch, "edit", &title, moment.now, edits.len() as i64)?;
            }
            let records = records_of(moment, tx, access, object, &ids)?;
            let done = Done { ids, batch };
            if let Some(once) = once {
                once.end(tx, access, &done)?;
            }
            Ok(Edited { records, batch })
        })
    }

    /// A record's history, the newest first: who changed what, from what to what.
    pub fn history(
        &self,
        access: &Access,
        object: &str,
        id: Id,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Change>, RecordsError> {
        self.read(|moment, tx| {
            read::get(moment, tx, access, object, id)?;
            let mut query = feed::select();
            query
                .and_where(feed::column("record").eq(id.0))
                .order_by(Alias::new("seq"), Order::Desc)
                .limit(limit.clamp(1, 500));
            if let Some(before) = before {
                query.and_where(feed::column("seq").lt(before));
            }
            let changes = tx.query(&query)?;
            changes.iter().map(|row| Ok(without_hidden(feed::change_of(row)?, access))).collect()
        })
    }

    /// The changes of all records, the newest first. For administrators.
    pub fn audit(&self, access: &Access, query: &AuditQuery) -> Result<Vec<Change>, RecordsError> {
        access.must_be_administrator()?;
        self.read(|_, tx| {
            let mut select = feed::select();
            select.order_by(Alias::new("seq"), Order::Desc).limit(query.limit.clamp(1, 500));
            if let Some(before) = query.before {
                select.and_where(feed::column("seq").lt(before));
            }
            let same = [("actor", &query.actor), ("object", &query.object)];
            for (name, wanted) in same {
                if let Some(wanted) = wanted {
                    select.and_where(feed::column(name).eq(wanted));
                }
            }
            if let Some(batch) = query.batch {
                select.and_where(feed::column("batch").eq(batch.0));
            }
            tx.query(&select)?.iter().map(feed::change_of).collect()
        })
    }

    /// Changes behind a place in the feed that somebody may see; how far the feed was read.
    pub fn changes(&self, access: &Access, after: i64, limit: u64) -> Result<(Vec<Change>, i64), RecordsError> {
        self.read(|moment, tx| {
            let changes = feed::follow(tx, after, limit)?;
            let end = changes.last().map_or(after, |change| change.seq);
            Ok((crate::visible::visible(moment, tx, access, changes)?, end))
        })
    }

    /// The newest place in the feed.
    pub fn newest_change(&self) -> Result<i64, RecordsError> {
        self.read(|_, tx| feed::newest(tx))
    }

    /// Waits until a record changed since `seen`, or until the time is over; to be given as `seen` the next time.
    pub fn wait_for_change(&self, seen: u64, at_most: Duration) -> u64 {
        self.bell.wait(seen, at_most)
    }

    /// What to begin [`Desk::wait_for_change`] with.
    pub fn changes_seen(&self) -> u64 {
        self.bell.rings()
    }

    /// Adds an object, or changes one: fields can be added, changed in what they are called, or taken away.
    pub fn define(&self, access: &Access, object: Object) -> Result<Arc<Schema>, RecordsError> {
        access.must_be_administrator()?;
        let name = object.name.clone();
        let schema = self.write(|moment, tx| {
            let mut schema = moment.schema.clone();
            let known = schema.object(&object.name);
            if known.is_none() && schema.objects().count() >= MAX_OBJECTS {
                return Err(RecordsError::Limit(format!("there are {MAX_OBJECTS} objects already")));
            }
            let object = crate::schema::changed(known, object)?;
            check_object(&object, &schema)?;
            schema.put(object.clone());
            let check = Access::of_system(access.actor.clone());
            let next = Moment { schema: &schema, ids: moment.ids, now: moment.now, backend: moment.backend };
            next.ground(&object.name, &check)?.check_formulas()?;
            migrate::store_definition(tx, &object, moment.now)?;
            ensure_fields(tx, &object)?;
            Ok(schema)
        })?;
        let schema = Arc::new(schema);
        *self.schema.write() = Arc::clone(&schema);
        // What a role does not see goes by what formulas are over.
        self.people.forget();
        // Each by itself: PostgreSQL lets nobody read a table that got a column, or lost an index, until the transaction's end.
        for step in [teams::make, teams::clear] {
            let done = self.note(|tx| {
                migrate::lock(tx)?;
                // As it is now: another process may define it, too.
                migrate::read_schema(tx)?.object(&name).map_or(Ok(()), |object| step(tx, object))
            });
            // The definition is in force; lists of it are slower for now.
            if let Err(error) = done {
                tracing::warn!(object = name, %error, "an index was not made; the next start makes it");
                break;
            }
        }
        Ok(schema)
    }

    /// Reads the objects again: another process may have changed them.
    pub fn reload(&self) -> Result<(), RecordsError> {
        let schema = self.database.read(migrate::read_schema)?;
        *self.schema.write() = Arc::new(schema);
        self.people.forget();
        Ok(())
    }
}

/// Which changes are wanted.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// By whom.
    pub actor: Option<String>,
    /// Of which object.
    pub object: Option<String>,
    /// Done together.
    pub batch: Option<Id>,
    /// Before this place of the feed.
    pub before: Option<i64>,
    /// At most so many, up to 500.
    pub limit: u64,
}

/// The records that were just edited, in the order of the ids; one that the caller cannot read any more is left out.
pub(crate) fn records_of(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &str,
    ids: &[Id],
) -> Result<Vec<Record>, RecordsError> {
    let mut records = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(read::PAGE) {
        let begin = records.len();
        for trash in [false, true] {
            let wanted = ListQuery { ids: Some(chunk.to_vec()), limit: read::PAGE, trash, ..ListQuery::default() };
            records.extend(read::list(moment, tx, access, object, &wanted)?.records);
        }
        records[begin..].sort_by_key(|record| chunk.iter().position(|id| *id == record.id));
    }
    Ok(records)
}

/// A change without the fields that somebody does not see.
pub(crate) fn without_hidden(mut change: Change, access: &Access) -> Change {
    for fields in [&mut change.before, &mut change.after] {
        fields.retain(|name, _| access.may_see(&change.object, name));
    }
    change
}
