//! The data folder: the log and the store, opened together and bound to each other.

use std::{path::Path, sync::Arc};

use rapport_records::{Database, Desk};
use rapport_store::{Checkpoint as _, SqliteStore};
use rapport_stream::{Append, Log, SqliteLog, SqliteLogOptions};
use rapport_types::{DefinitionsChanged, Entry, PartitionId};

use crate::{backup, cli::Failure, config::Config, sealing};

/// The file of the records in the data folder.
pub(crate) const RECORDS: &str = "records.db";

/// The folder of contents of files, and of files that are imported.
pub(crate) const FILES: &str = "files";

/// What a data folder holds.
pub(crate) struct Data {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) store: Arc<SqliteStore>,
}

impl Data {
    /// Opens the folder, or makes one.
    pub(crate) fn open(config: &Config) -> Result<Self, Failure> {
        let log = open_log(config)?;
        if !is_new(&*log) && !config.data.join("state.db").exists() {
            return Err(format!(
                "{} has a log but no state.db; put it back, for the keys and models in it, or `rapport repair` makes it anew \
                 from the log",
                config.data.display()
            )
            .into());
        }
        let store = Arc::new(SqliteStore::open(&config.data)?);
        store.bind(log.id().0)?;
        Ok(Self { log, store })
    }
}

/// Opens the log of the data folder, or makes one.
pub(crate) fn open_log(config: &Config) -> Result<Arc<dyn Log>, Failure> {
    // A new installation in the place of the one that is being restored would stand in the way of it.
    if let Some(partial) = backup::unfinished(&config.data).filter(|_| !config.data.join("log.db").exists()) {
        return Err(format!(
            "a restore into {} did not end; run `rapport restore` again, or remove {} to begin without it",
            config.data.display(),
            partial.display()
        )
        .into());
    }
    private_folder(&config.data)?;
    let options = SqliteLogOptions { partitions: config.partitions, ..SqliteLogOptions::default() };
    Ok(Arc::new(SqliteLog::open(&config.data, options)?))
}

/// Opens the records: in the data folder, or in PostgreSQL where the settings say so.
pub(crate) fn open_records(config: &Config) -> Result<Desk, Failure> {
    private_folder(&config.data)?;
    let database = if config.records.is_empty() {
        Database::sqlite(&config.data.join(RECORDS))?
    } else {
        Database::postgres(&config.records)?
    };
    let desk = Desk::open(database, rapport_server::system_time)?;
    sealing::give_key(&config.data, &desk)?;
    Ok(desk)
}

/// Whether nothing was ever appended.
fn is_new(log: &dyn Log) -> bool {
    (0..log.partitions()).all(|partition| log.end(PartitionId(partition)).0 == 0)
}

/// Makes the folder for its owner alone: it holds customers' data.
pub(crate) fn private_folder(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| format!("the data folder {} cannot be made: {error}", folder.display()).into())
}

/// Appends an entry to every partition, as definitions and activations are, and waits until it is durable.
pub(crate) fn append_to_all(log: &dyn Log, entry: &Entry) -> Result<(), rapport_stream::LogError> {
    let bytes = entry.encode();
    let entries = (0..log.partitions()).map(|partition| (PartitionId(partition), bytes.clone())).collect();
    log.append(Append { entries })?.wait()?;
    Ok(())
}

/// Puts the first definitions into a new log.
pub(crate) fn define_first(log: &dyn Log) -> Result<(), rapport_stream::LogError> {
    if !is_new(log) {
        return Ok(());
    }
    let document = rapport_decide::Definitions::retail().to_json().into();
    let at = rapport_server::system_time();
    append_to_all(log, &Entry::Definitions(DefinitionsChanged { version: 1, document, at }))
}
