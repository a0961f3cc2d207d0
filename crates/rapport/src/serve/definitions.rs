//! Definitions: what is in force from the engine, a new document through the log.

use std::sync::Arc;

use parking_lot::Mutex;
use rapport_decide::Decider;
use rapport_engine::Reader;
use rapport_server::{
    api::Mistake,
    ports::{DefinitionsPort, Refusal},
    system_time,
};
use rapport_stream::Log;
use rapport_types::{DefinitionsChanged, Entry};

use super::training::log_refusal;
use crate::data::append_to_all;

/// Implements the server's port.
pub(super) struct DefinitionsDesk {
    log: Arc<dyn Log>,
    reader: Reader,
    /// The newest version that was appended; held while another is.
    newest: Mutex<u32>,
}

impl DefinitionsDesk {
    pub(super) fn new(log: Arc<dyn Log>, reader: Reader) -> Self {
        let newest = Mutex::new(reader.definitions().map_or(0, |(version, _)| version));
        Self { log, reader, newest }
    }
}

impl DefinitionsPort for DefinitionsDesk {
    fn get(&self) -> (u32, String) {
        self.reader.definitions().map_or_else(|| (0, "{}".to_owned()), |(version, document)| (version, document.into()))
    }

    fn put(&self, document: &str, expected: Option<u32>) -> Result<u32, Refusal> {
        let mut newest = self.newest.lock();
        let current = (*newest).max(self.get().0);
        if expected.is_some_and(|expected| expected != current) {
            return Err(Refusal::Conflict(format!("version {current} is in force; read it and change that one")));
        }
        let version = current + 1;
        Decider::compile(version, document).map_err(|mistakes| {
            let mistake = |mistake: rapport_decide::Mistake| Mistake { path: mistake.path, what: mistake.what };
            Refusal::Mistakes(mistakes.into_iter().map(mistake).collect())
        })?;
        let entry = DefinitionsChanged { version, document: document.into(), at: system_time() };
        append_to_all(&*self.log, &Entry::Definitions(entry)).map_err(|error| log_refusal(&error))?;
        *newest = version;
        Ok(version)
    }
}
