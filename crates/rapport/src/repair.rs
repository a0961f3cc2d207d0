//! `rapport repair`: a new `state.db` from the log, with what can still be read of the old one.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rapport_store::{Checkpoint as _, Salvaged, SqliteStore};

use crate::{
    cli::Failure,
    config::Config,
    credentials::Credentials,
    data::{self, Data},
    state,
};

/// The database, and what SQLite keeps beside it.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// How many databases that were put aside may lie there.
const OLD_ONES: u32 = 99;

/// Repairs; what was done, as text.
pub(crate) fn run(config: &Config) -> Result<String, Failure> {
    if !config.data.join("log.db").exists() {
        let folder = config.data.display();
        return Err(format!("there is no log in {folder} to make a state from; --data names the folder").into());
    }
    // Opening the log checks its ends, and keeps every other process away.
    let log = data::open_log(config)?;
    let aside = put_aside(&config.data)?;
    let store = Arc::new(SqliteStore::open(&config.data)?);
    let salvaged = aside.as_deref().map(|file| store.salvage(file)).transpose()?;
    if data_has_credentials(&config.data) {
        Credentials::read(&config.data)?.adopt(&store)?;
    }
    store.bind(log.id().0)?;
    let told = state::describe(Data { log, store }, state::Options { digest: false, rebuild: false, json: false })?;
    Ok(format!("{}\nstate.db is made anew from the log:\n{told}", tell(aside.as_deref(), salvaged)))
}

fn data_has_credentials(data: &Path) -> bool {
    crate::credentials::path(data).exists()
}

fn tell(aside: Option<&Path>, salvaged: Option<Salvaged>) -> String {
    let (Some(aside), Some(salvaged)) = (aside, salvaged) else {
        return "there was no state.db; keys of credentials.json stay, models must be trained again".to_owned();
    };
    let Salvaged { sources, models, is_incomplete } = salvaged;
    let rest = if is_incomplete { "; not everything in it could be read" } else { "" };
    format!("the old file is {}: {sources} sources and {models} models were taken over{rest}", aside.display())
}

/// Renames the old database to the first free `state.db.old-N`; none if there is no old one.
fn put_aside(data: &Path) -> Result<Option<PathBuf>, Failure> {
    let old = data.join("state.db");
    if !old.exists() {
        return Ok(None);
    }
    let named = |n: u32| data.join(format!("state.db.old-{n}"));
    let new = (1..=OLD_ONES).map(named).find(|path| !path.exists());
    let new = new.ok_or_else(|| format!("there are {OLD_ONES} old ones of {} already; remove some", old.display()))?;
    for suffix in SUFFIXES {
        let with = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        match std::fs::rename(with(&old), with(&new)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            other => other.map_err(|error| format!("{} cannot be put aside: {error}", old.display()))?,
        }
    }
    Ok(Some(new))
}
