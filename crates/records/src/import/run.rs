//! Imports at work: checked, started, run to their end, stopped.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    hash::{BuildHasher as _, RandomState},
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
};

use super::{
    ALONE, BATCH, Check, Difference, Import, Mapping, Mistake, State, TOLD, Tally,
    errors::{self, Errors},
    lookup::{Lookups, Scene},
    plan::{Key, Plan},
    rows::{self, Read, Wrong},
    source::{Row, Source},
    store,
};
use crate::{
    Access, Actor, Desk, Id, RecordsError, Tx, batch,
    edit::{self, Each, Editor, Given, Outcome},
    feed::Op,
    people,
    schema::Schema,
    value::Stuff,
};

/// How often a batch is tried whose values another request took meanwhile, or that found the database gone or busy. It is less often
/// than the database itself begins a write anew: a batch has up to [`ALONE`] rows.
const BATCH_TRIES: usize = 3;

impl Desk {
    /// An import of the caller's; any for administrators.
    pub fn import(&self, access: &Access, id: Id) -> Result<Import, RecordsError> {
        self.read(|_, tx| store::find(tx, access, id))
    }

    /// The newest imports of the caller; of all for administrators.
    pub fn imports(&self, access: &Access, limit: u64) -> Result<Vec<Import>, RecordsError> {
        self.read(|_, tx| store::list(tx, access, limit))
    }

    /// The imports that were started and have not ended: after a start of Rapport each wants [`Desk::run_import`].
    pub fn unfinished_imports(&self) -> Result<Vec<Id>, RecordsError> {
        self.read(|_, tx| store::running(tx))
    }

    /// Says where the columns go.
    pub fn map_import(&self, access: &Access, id: Id, mapping: &Mapping) -> Result<Import, RecordsError> {
        access.must_transfer()?;
        self.write(|moment, tx| {
            let import = store::find(tx, access, id)?;
            planned(moment.schema, access, &import, mapping)?;
            store::set_mapping(tx, id, mapping)?;
            store::find(tx, access, id)
        })
    }

    /// What an import would come to; nothing is written. `watch` is told how many rows were looked at and can end it.
    pub fn check_import(
        &self,
        access: &Access,
        id: Id,
        watch: &dyn Fn(u64) -> ControlFlow<()>,
    ) -> Result<Check, RecordsError> {
        access.must_transfer()?;
        let import = self.import(access, id)?;
        if import.state != State::Uploaded {
            return Err(RecordsError::Conflict("the import was started already".to_owned()));
        }
        let mut source = Source::open(&self.import_file(id)?, import.format, &import.about)?;
        let mut check = Check::default();
        let mut work = Work::default();
        loop {
            let rows = source.take(BATCH)?;
            if rows.is_empty() {
                break;
            }
            let scene_access = access.as_import(id);
            self.read(|moment, tx| {
                let plan = planned(moment.schema, access, &import, &import.mapping)?;
                let scene = Scene { moment, access: &scene_access, batch: id, dry: true };
                let done = work.rows(tx, &scene, &plan, &rows, rows::read_all(&plan, &rows))?;
                check.add(&rows, done);
                Ok(())
            })?;
            check.related = work.lookups.made;
            if watch(check.rows).is_break() {
                break;
            }
        }
        Ok(check)
    }

    /// Starts an import: from now on it goes on after every start of Rapport until it has ended. [`Desk::run_import`] does the
    /// work.
    pub fn start_import(&self, access: &Access, id: Id) -> Result<Import, RecordsError> {
        access.must_transfer()?;
        self.write(|moment, tx| {
            let import = store::find(tx, access, id)?;
            planned(moment.schema, access, &import, &import.mapping)?;
            let batch = moment.ids.next(moment.now)?;
            store::start(tx, id, batch, access, moment.now)?;
            batch::begin(tx, access, batch, "import", &import.name, moment.now, 0)?;
            store::find(tx, access, id)
        })
    }

    /// Stops an import. What is in stays, and can be undone.
    pub fn cancel_import(&self, access: &Access, id: Id) -> Result<Import, RecordsError> {
        access.must_transfer()?;
        self.write(|moment, tx| {
            store::find(tx, access, id)?;
            store::end(tx, id, State::Cancelled, None, moment.now)?;
            store::find(tx, access, id)
        })
    }

    /// The file with the rows that are wrong; none if there are none.
    pub fn import_errors(&self, access: &Access, id: Id) -> Result<Option<File>, RecordsError> {
        access.must_transfer()?;
        let import = self.import(access, id)?;
        if import.error_bytes == 0 {
            return Ok(None);
        }
        let path = errors::path_of(&self.import_file(id)?);
        File::open(path).map(Some).map_err(|error| RecordsError::File(format!("the file of errors is gone: {error}")))
    }

    /// Does the work of a started import, in the name of whoever started it and with their rights as they are now. `watch` is
    /// told of every step and can interrupt it, to be gone on with later.
    ///
    /// A failure that can pass leaves it to be gone on with; any other ends it.
    pub fn run_import(&self, id: Id, watch: &dyn Fn(&Import) -> ControlFlow<()>) -> Result<Import, RecordsError> {
        self.run_import_by(id, &|| if self.database.was_awaited() { BATCH } else { ALONE }, watch)
    }

    /// The same with so many rows in each step.
    pub(crate) fn run_import_by(
        &self,
        id: Id,
        step: &(dyn Fn() -> usize + Sync),
        watch: &dyn Fn(&Import) -> ControlFlow<()>,
    ) -> Result<Import, RecordsError> {
        let load = || self.read(|_, tx| store::load(tx, id)?.ok_or_else(store::not_there));
        let mut import = load()?;
        let path = self.import_file(id)?;
        let ended = match self.run_rows(&mut import, &path, step, watch) {
            Ok(ControlFlow::Break(())) => return load(),
            Ok(ControlFlow::Continue(())) => self.write(|moment, tx| store::end(tx, id, State::Done, None, moment.now)),
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => {
                let now = load()?;
                if now.state.is_over() {
                    Ok(())
                } else if now.position != import.position {
                    return Err(RecordsError::Conflict("another process works on this import".to_owned()));
                } else {
                    self.write(|moment, tx| store::end(tx, id, State::Failed, Some(&error.to_string()), moment.now))
                }
            }
        };
        self.database.shrink()?;
        let import = load()?;
        if !import.state.is_over() {
            ended?;
        }
        // The rows are in; the rows that are wrong are in a file of their own.
        drop(fs::remove_file(path));
        watch(&import).is_break();
        Ok(import)
    }

    fn run_rows(
        &self,
        import: &mut Import,
        path: &Path,
        step: &(dyn Fn() -> usize + Sync),
        watch: &dyn Fn(&Import) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, RecordsError> {
        if import.state != State::Running {
            return Err(RecordsError::Conflict(format!("the import is {}", import.state)));
        }
        let mut errors = Errors::open(path, &import.about.header, import.error_bytes)?;
        let (begin, schema) = (import.clone(), self.schema());
        std::thread::scope(|scope| {
            // Rows are read and checked while those before are written. The reader ends when nobody takes its rows any more.
            let (sender, batches) = sync_channel(0);
            scope.spawn(move || read_batches(path, &begin, step, &schema, &sender));
            let mut work = Work::default();
            for batch in batches {
                self.run_batch_patiently(import, batch?, &mut work, &mut errors)?;
                if watch(import).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Writes some rows, and tries again after what can pass. The database does not begin them anew by itself
    /// ([`crate::Database::write_anew`]), since more than the transaction must go back: what was looked up and made in it, and the file
    /// of errors.
    fn run_batch_patiently(
        &self,
        import: &mut Import,
        mut batch: Batch,
        work: &mut Work,
        errors: &mut Errors,
    ) -> Result<(), RecordsError> {
        let mut tries = BATCH_TRIES;
        loop {
            tries -= 1;
            match self.run_batch(import, &mut batch, work, errors) {
                Err(error) if tries > 0 && (error.is_passing() || matches!(error, RecordsError::Taken { .. })) => {
                    // What was found or made in the transaction that failed may not be there.
                    *work = Work::default();
                    errors.back_to(import.error_bytes)?;
                }
                done => return done,
            }
        }
    }

    /// Writes some rows and how far the import is then, in one transaction.
    fn run_batch(
        &self,
        import: &mut Import,
        Batch { rows, read, schema }: &mut Batch,
        work: &mut Work,
        errors: &mut Errors,
    ) -> Result<(), RecordsError> {
        let next = self.write(|moment, tx| {
            let mut access = people::access_of(moment, tx, &import.actor)?;
            access.must_transfer()?;
            access.origin = store::origin(tx, import.id)?;
            let plan = planned(moment.schema, &access, import, &import.mapping)?;
            let is_current = std::ptr::eq(moment.schema, Arc::as_ptr(schema));
            let read = read.take().filter(|_| is_current).unwrap_or_else(|| rows::read_all(&plan, rows));
            let batch = import.batch.ok_or_else(|| RecordsError::Damaged { what: format!("import {}", import.id) })?;
            let access = access.as_import(import.id);
            let scene = Scene { moment, access: &access, batch, dry: false };
            let done = work.rows(tx, &scene, &plan, rows, read)?;
            let mut next = import.clone();
            next.position += rows.len() as u64;
            next.tally.add(done.tally);
            let wrong = done.wrong.iter().map(|(index, wrong)| {
                let row = &rows[*index];
                (row.number, row.cells.as_deref().unwrap_or_default(), wrong.as_slice())
            });
            next.error_bytes = errors.add(wrong)?;
            store::advance(tx, import.position, &next)?;
            batch::count(tx, batch, (next.tally.created + next.tally.updated) as i64)?;
            Ok(next)
        })?;
        *import = next;
        Ok(())
    }
}

/// Rows of a file.
struct Batch {
    rows: Vec<Row>,
    /// What they say; none once it was used.
    read: Option<Vec<Result<Read, Vec<Wrong>>>>,
    /// What they were read by. Where the objects are others when they are written, they are read again.
    schema: Arc<Schema>,
}

/// Reads a file from where an import is, and hands it on in steps, up to its end or to what is wrong with it.
fn read_batches(
    path: &Path,
    import: &Import,
    step: &(dyn Fn() -> usize + Sync),
    schema: &Arc<Schema>,
    sender: &SyncSender<Result<Batch, RecordsError>>,
) {
    let source = Source::open(path, import.format, &import.about).and_then(|mut source| {
        source.skip(import.position)?;
        Ok(source)
    });
    let mut source = match source {
        Ok(source) => source,
        Err(error) => return drop(sender.send(Err(error))),
    };
    // Rights change nothing of what rows say; they are looked at where the rows are written.
    let everything = Access::of_system(Actor::System);
    let plan = planned(schema, &everything, import, &import.mapping).ok();
    loop {
        let rows = match source.take(step()) {
            Ok(rows) if rows.is_empty() => return,
            Ok(rows) => rows,
            Err(error) => return drop(sender.send(Err(error))),
        };
        let read = plan.as_ref().map(|plan| rows::read_all(plan, &rows));
        if sender.send(Ok(Batch { rows, read, schema: Arc::clone(schema) })).is_err() {
            return;
        }
    }
}

fn planned<'p>(
    schema: &'p Schema,
    access: &Access,
    import: &Import,
    mapping: &'p Mapping,
) -> Result<Plan<'p>, RecordsError> {
    let object = schema.object(&import.object);
    let object = object.ok_or_else(|| RecordsError::NotFound("there is no such object any more".to_owned()))?;
    Plan::new(object, schema, access, mapping, &import.about.header)
}

/// What rows came to.
#[derive(Default)]
struct Done {
    tally: Tally,
    /// By the row's place in the batch.
    wrong: BTreeMap<usize, Vec<Wrong>>,
    differences: Vec<(usize, Difference)>,
}

/// A row that can be done.
struct Ready {
    /// Its place in the batch.
    index: usize,
    /// By what its record is found.
    key: Option<String>,
    /// A hash of the key.
    hash: Option<u64>,
    read: Read,
}

/// What an import knows while it is at work.
#[derive(Default)]
struct Work {
    lookups: Lookups,
    /// In a check, the keys of records that would have been made, as hashes: a later row with the same key would change them.
    would_be: HashSet<u64>,
    hasher: RandomState,
}

impl Work {
    /// Does some rows, or says what they would come to.
    fn rows(
        &mut self,
        tx: &mut Tx<'_>,
        scene: &Scene<'_, '_>,
        plan: &Plan<'_>,
        rows: &[Row],
        read: Vec<Result<Read, Vec<Wrong>>>,
    ) -> Result<Done, RecordsError> {
        self.lookups.resolve(tx, scene, plan, rows)?;
        let mut done = Done::default();
        let mut ready: Vec<Ready> = Vec::with_capacity(rows.len());
        for (index, (row, read)) in rows.iter().zip(read).enumerate() {
            let cells = row.cells.as_deref().unwrap_or_default();
            match rows::with_named(read, plan, &self.lookups, scene, cells) {
                Ok(read) => {
                    let key = key_of(plan, &read);
                    let hash = key.as_ref().map(|key| self.hasher.hash_one(key));
                    ready.push(Ready { index, key, hash, read });
                }
                Err(wrong) => {
                    done.wrong.insert(index, wrong);
                }
            }
        }
        // Rows with the same key are done one after the other, so that the later ones change what the first one made. Two keys
        // that have one hash by chance wait for one another for nothing.
        while !ready.is_empty() {
            let mut seen = HashSet::with_capacity(ready.len());
            let (now, later): (Vec<_>, Vec<_>) =
                ready.into_iter().partition(|row| row.hash.is_none_or(|hash| seen.insert(hash)));
            self.wave(tx, scene, plan, now, &mut done)?;
            ready = later;
        }
        done.tally.failed = done.wrong.len() as u64;
        Ok(done)
    }

    /// Does rows of which no two have the same key.
    fn wave(
        &mut self,
        tx: &mut Tx<'_>,
        scene: &Scene<'_, '_>,
        plan: &Plan<'_>,
        ready: Vec<Ready>,
        done: &mut Done,
    ) -> Result<(), RecordsError> {
        let known = match plan.key {
            Some(Key::Field(field)) => {
                let ground = scene.moment.ground(&plan.object.name, scene.access)?;
                let keys = ready.iter().filter_map(|row| row.key.as_deref());
                edit::known(tx, &ground, scene.access, &field.name, keys)?
            }
            _ => BTreeMap::new(),
        };
        let of_row = |row: &Ready| row.read.id.or_else(|| known.get(row.key.as_deref()?).copied());
        let with_more = ready.iter().filter(|row| !row.read.more_emails.is_empty()).filter_map(of_row).collect();
        let there = match plan.addresses {
            Some(addresses) => addresses.of_records(tx, scene, &with_more)?,
            None => BTreeMap::new(),
        };
        let mut places = Vec::with_capacity(ready.len());
        let mut edits = Vec::with_capacity(ready.len());
        for row in ready {
            let (id, index, hash, Read { mut stuffs, more_emails, .. }) = (of_row(&row), row.index, row.hash, row.read);
            if let Some(addresses) = plan.addresses.filter(|_| !more_emails.is_empty()) {
                let there = id.and_then(|id| there.get(&id)).map_or(&[][..], Vec::as_slice);
                if let Err(error) = addresses.put(&mut stuffs, there, more_emails) {
                    done.wrong.insert(index, vec![rows::told(error)]);
                    continue;
                }
            }
            match id {
                Some(id) => edits.push(Each::Update(id, Given::Stuffs(stuffs), None)),
                None if hash.is_some_and(|hash| self.would_be.contains(&hash)) => {
                    done.tally.updated += 1;
                    continue;
                }
                None => {
                    stuffs.retain(|_, stuff| *stuff != Stuff::Nothing);
                    edits.push(Each::Create(Given::Stuffs(stuffs)));
                }
            }
            places.push((index, hash));
        }
        let editor = Editor::new(scene.moment, scene.access, &plan.object.name, Some(scene.batch))?;
        let ran = editor.run_each(tx, edits, scene.dry)?;
        for ((index, hash), outcome) in places.iter().zip(&ran.outcomes) {
            match outcome {
                Outcome::Created(_) => {
                    done.tally.created += 1;
                    self.would_be.extend(hash.filter(|_| scene.dry));
                }
                Outcome::Changed(id) => {
                    done.tally.updated += 1;
                    if scene.dry
                        && done.differences.len() < TOLD
                        && let Some(line) = ran.lines.iter().find(|line| line.record == *id && line.op == Op::Update)
                    {
                        let (before, after) = (line.before.clone(), line.after.clone());
                        done.differences.push((*index, Difference { row: 0, record: *id, before, after }));
                    }
                }
                Outcome::Unchanged(_) => done.tally.unchanged += 1,
                Outcome::Refused => {}
            }
        }
        for error in ran.errors {
            done.wrong.entry(places[error.index].0).or_default().push((error.field, error.what));
        }
        Ok(())
    }
}

/// By what a row's record is found, as text.
fn key_of(plan: &Plan<'_>, read: &Read) -> Option<String> {
    match plan.key? {
        Key::Id => read.id.map(|id| id.to_string()),
        Key::Field(field) => match read.stuffs.get(&field.name) {
            Some(Stuff::Text(text)) => Some(text.clone()),
            _ => None,
        },
    }
}

impl Check {
    fn add(&mut self, rows: &[Row], done: Done) {
        self.rows += rows.len() as u64;
        self.tally.add(done.tally);
        let left = TOLD - self.differences.len();
        let differences = done.differences.into_iter().take(left);
        self.differences
            .extend(differences.map(|(index, difference)| Difference { row: rows[index].number, ..difference }));
        let left = TOLD - self.mistakes.len();
        let told = done.wrong.into_iter().flat_map(|(index, wrong)| {
            let row = rows[index].number;
            wrong.into_iter().map(move |(field, what)| Mistake { row, field, what })
        });
        self.mistakes.extend(told.take(left));
    }
}
