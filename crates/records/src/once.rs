//! Requests that may be sent again: with a key that the caller chose, a request is done once, and a repeat gets the first answer.
//!
//! Limits: the answer is kept for [`IDEMPOTENCY_MS`].

use rapport_types::{HOUR_MS, Timestamp};
use sea_query::{Alias, Expr, ExprTrait as _, OnConflict, Query};
use serde::{Deserialize, Serialize};

use crate::{Access, Id, RecordsError, Tx};

/// How long the answer to a request with an Idempotency-Key is kept.
const IDEMPOTENCY_MS: i64 = 24 * HOUR_MS;
/// The longest Idempotency-Key.
const KEY: usize = 255;

/// A key with which a request can be sent again without being done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// What the caller chose.
    pub key: String,
    /// A hash of the request.
    pub request: [u8; 32],
}

/// What is kept of a request that may be sent again: not the records, which the caller may see otherwise by then.
#[derive(Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) ids: Vec<Id>,
    pub(crate) batch: Option<Id>,
}

fn column(name: &str) -> Expr {
    Expr::col(Alias::new(name))
}

impl Once {
    /// A key for a request that is the same as another if all its parts are.
    pub fn of(key: &str, request: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in request {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        Self { key: key.to_owned(), request: *hasher.finalize().as_bytes() }
    }

    /// What was done, if the request was done before.
    pub(crate) fn begin(&self, tx: &mut Tx<'_>, access: &Access, now: Timestamp) -> Result<Option<Done>, RecordsError> {
        if self.key.is_empty() || self.key.len() > KEY {
            return Err(RecordsError::invalid("Idempotency-Key", format!("it must have 1 to {KEY} bytes")));
        }
        let table = Alias::new("idempotency");
        tx.execute(Query::delete().from_table(table.clone()).and_where(column("at").lt(now.0 - IDEMPOTENCY_MS)))?;
        let caller = access.actor.to_string();
        // Where another transaction has the same key and is still at work, PostgreSQL waits here for its end.
        let insert = Query::insert()
            .into_table(table.clone())
            .columns(["caller", "key", "request", "answer", "at"].map(Alias::new))
            .values_panic([
                caller.clone().into(),
                self.key.clone().into(),
                self.request.to_vec().into(),
                "".into(),
                now.0.into(),
            ])
            .on_conflict(OnConflict::columns([Alias::new("caller"), Alias::new("key")]).do_nothing().to_owned())
            .take();
        if tx.execute(&insert)? == 1 {
            return Ok(None);
        }
        let query = Query::select()
            .columns([Alias::new("request"), Alias::new("answer")])
            .from(table)
            .and_where(column("caller").eq(caller))
            .and_where(column("key").eq(&self.key))
            .take();
        let row = tx.first(&query)?.ok_or_else(|| RecordsError::Unavailable("the key is in use".to_owned()))?;
        if row.bytes(0)? != self.request {
            return Err(RecordsError::invalid("Idempotency-Key", "it was used for another request"));
        }
        serde_json::from_str(row.text(1)?).map(Some).map_err(|error| RecordsError::Database(error.to_string()))
    }

    /// Keeps what was done.
    pub(crate) fn end(&self, tx: &mut Tx<'_>, access: &Access, done: &Done) -> Result<(), RecordsError> {
        let answer = serde_json::to_string(done).map_err(|error| RecordsError::Database(error.to_string()))?;
        let update = Query::update()
            .table(Alias::new("idempotency"))
            .value(Alias::new("answer"), answer)
            .and_where(column("caller").eq(access.actor.to_string()))
            .and_where(column("key").eq(&self.key))
            .take();
        tx.execute(&update).map(drop)
    }
}
