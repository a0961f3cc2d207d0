//! `credentials.json`: the keys made at the first start, for the person who runs the installation.
//!
//! The store keeps hashes only, so this file, readable by its owner alone, is the one place where the keys stand. It can be
//! deleted; new ones are then made beside the old.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use rapport_records::{Desk, RecordsError};
use rapport_store::{SqliteStore, StoreError};
use serde::{Deserialize, Serialize};

use crate::{cli::Failure, config::Config};

/// What the API key is called.
const LOCAL: &str = "local";

/// The file's content.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) write_key: String,
    pub(crate) api_key: String,
    pub(crate) admin_link_token: String,
}

pub(crate) fn path(data: &Path) -> PathBuf {
    data.join("credentials.json")
}

impl Credentials {
    /// Reads the file of a data folder.
    pub(crate) fn read(data: &Path) -> Result<Self, Failure> {
        let path = path(data);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let wrong =
            |error| format!("{} is damaged ({error}); remove it, and the next start makes new keys", path.display());
        serde_json::from_str(&text).map_err(|error| wrong(error).into())
    }

    /// The keys of the installation with a new one-time token; keys are made where there is no file.
    pub(crate) fn renew(data: &Path, store: &SqliteStore, desk: &Desk) -> Result<Self, Failure> {
        let admin_link_token = link_token(desk)?;
        let renewed = if path(data).exists() {
            let known = Self::read(data)?;
            known.adopt(store)?;
            Self { admin_link_token, ..known }
        } else {
            let write_key = new_source(store)?;
            let api_key = rapport_store::Secret::random("rk_")?.reveal().to_owned();
            Self { write_key, api_key, admin_link_token }
        };
        // Also for records that do not know it, as those that were made anew.
        desk.adopt_key(LOCAL, &renewed.api_key)?;
        renewed.write(data)?;
        Ok(renewed)
    }

    /// Makes the keys known to a store that does not know them, as one that was made anew.
    pub(crate) fn adopt(&self, store: &SqliteStore) -> Result<(), Failure> {
        if !store.sources()?.iter().any(|source| source.has_key(&self.write_key)) {
            for name in source_names() {
                if store.adopt_source(&name, &self.write_key)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Writes the file whole or not at all.
    fn write(&self, data: &Path) -> Result<(), Failure> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let temporary = data.join("credentials.json.new");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path(data))?;
        Ok(())
    }
}

/// What the source for the web shop can be called; the name gets a number if an earlier one has it.
fn source_names() -> impl Iterator<Item = String> {
    std::iter::once("web".to_owned()).chain((2..).map(|n| format!("web-{n}")))
}

/// A source for the web shop.
fn new_source(store: &SqliteStore) -> Result<String, StoreError> {
    for name in source_names() {
        if let Some((_, key)) = store.add_source(&name)? {
            return Ok(key.reveal().to_owned());
        }
    }
    unreachable!("names are counted up until one is free")
}

fn link_token(desk: &Desk) -> Result<String, RecordsError> {
    Ok(desk.administrator_link()?.reveal().to_owned())
}

/// The address of a one-time link.
pub(crate) fn link(base: &str, token: &str) -> String {
    format!("{base}/signin?token={token}")
}

/// `rapport link`: a new one-time link, also while the server runs.
pub(crate) fn new_link(config: &Config) -> Result<String, Failure> {
    if !config.data.join("state.db").exists() {
        let folder = config.data.display();
        return Err(
            format!("there is no installation in {folder}; `rapport serve` makes one, --data names another").into()
        );
    }
    let token = link_token(&crate::data::open_records(config)?)?;
    Ok(link(&address(config), &token))
}

/// Where the server of a data folder listens, or last did; else where it will.
pub(crate) fn address(config: &Config) -> String {
    let told = std::fs::read_to_string(config.data.join("address")).ok();
    told.map_or_else(|| format!("http://{}", config.listen), |address| address.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_stay_and_links_are_new_with_each_start() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        let desk = Desk::open_file(&folder.path().join("records.db"), rapport_server::system_time).unwrap();
        let first = Credentials::renew(folder.path(), &store, &desk).unwrap();
        let second = Credentials::renew(folder.path(), &store, &desk).unwrap();
        assert_eq!((&first.write_key, &first.api_key), (&second.write_key, &second.api_key));
        assert_ne!(first.admin_link_token, second.admin_link_token);
        assert!(store.sources().unwrap()[1].has_key(&first.write_key));
        assert!(desk.access_of_key(&first.api_key).unwrap().unwrap().is_administrator());
        let mode = std::fs::metadata(path(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_file(path(folder.path())).unwrap();
        let third = Credentials::renew(folder.path(), &store, &desk).unwrap();
        assert_ne!(third.write_key, first.write_key);
        assert_eq!(store.sources().unwrap()[2].name, "web-2");
    }
}
