//! Sessions: begun by a sign-in, listed and ended by their person.

use rapport_types::{DAY_MS, Timestamp};
use sea_query::{Alias, ExprTrait as _, Order, Value as Bound};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Ledger, Origin, Secret, cut, later, own,
    secret::hash,
    sql::{col, delete, insert, select},
};
use crate::{Access, Actor, Desk, Id, Op, RecordsError, Row, Tx, desk::Moment};

/// How long a session lasts.
pub const SESSION_MS: i64 = 30 * DAY_MS;
/// The most sessions of a person; the oldest ends when another one begins.
pub const SESSIONS: u64 = 50;
/// How much of an address and of a browser's name is kept.
const ADDRESS: usize = 64;
const AGENT: usize = 200;

/// What is known of a session, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionFacts {
    /// Its id, by which it can be ended.
    pub id: Id,
    /// Whose it is.
    #[serde(skip)]
    pub person: Id,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Until when, if it is not ended before.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// When it was last in use, to about a minute.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Timestamp,
    /// From which network address it was begun.
    pub address: Option<String>,
    /// What the browser called itself.
    pub agent: Option<String>,
    /// Whether the caller asks by it.
    pub current: bool,
}

/// Somebody who has just signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The session's secret, for the browser's cookie.
    pub secret: Secret,
    /// The session.
    pub session: SessionFacts,
}

const COLUMNS: [&str; 7] = ["id", "person", "since", "ends_at", "seen_at", "address", "agent"];

/// The facts in a row whose columns from `at` on are the id, person, since, ends_at, seen_at, address and agent.
pub(super) fn facts_of(row: &Row, at: usize) -> Result<SessionFacts, RecordsError> {
    Ok(SessionFacts {
        id: Id(row.int(at)?),
        person: Id(row.int(at + 1)?),
        since: Timestamp(row.int(at + 2)?),
        ends_at: Timestamp(row.int(at + 3)?),
        seen_at: Timestamp(row.int(at + 4)?),
        address: row.text_or_none(at + 5)?.map(str::to_owned),
        agent: row.text_or_none(at + 6)?.map(str::to_owned),
        current: true,
    })
}

/// Begins a session. Whoever calls this has checked the person's credential in the same transaction.
pub(super) fn begin(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    person: Id,
    origin: &Origin,
    how: &str,
) -> Result<SignedIn, RecordsError> {
    let secret = Secret::random("")?;
    let session = SessionFacts {
        id: moment.ids.next(moment.now)?,
        person,
        since: moment.now,
        ends_at: later(moment.now, SESSION_MS),
        seen_at: moment.now,
        address: cut(origin.address.as_ref(), ADDRESS),
        agent: cut(origin.agent.as_ref(), AGENT),
        current: true,
    };
    tx.execute(&delete("session").and_where(col("ends_at").lte(moment.now.0)).take())?;
    let beyond = select("session", &["id"])
        .and_where(col("person").eq(person.0))
        .order_by(Alias::new("id"), Order::Desc)
        .limit(1)
        .offset(SESSIONS - 1)
        .take();
    ledger.access.actor = Actor::User(person);
    if let Some(row) = tx.first(&beyond)? {
        end(tx, ledger, col("person").eq(person.0).and(col("id").lte(row.int(0)?)))?;
    }
    let row: Vec<(&str, Bound)> = vec![
        ("secret_hash", secret.hash().to_vec().into()),
        ("id", session.id.0.into()),
        ("person", person.0.into()),
        ("since", session.since.0.into()),
        ("ends_at", session.ends_at.0.into()),
        ("seen_at", session.seen_at.0.into()),
        ("address", session.address.clone().into()),
        ("agent", session.agent.clone().into()),
    ];
    insert(tx, "session", row)?;
    let after = json!({ "person": person, "by": how, "agent": session.agent });
    ledger.note(Op::Create, "session", session.id, json!({}), after);
    Ok(SignedIn { secret, session })
}

/// Ends sessions of a person: all, or all but one.
pub(super) fn end_all(
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    person: Id,
    but: Option<Id>,
) -> Result<(), RecordsError> {
    let but = col("id").ne(but.map_or(-1, |id| id.0));
    end(tx, ledger, col("person").eq(person.0).and(but)).map(drop)
}

/// Ends the sessions of which a condition is true; how many there were.
fn end(tx: &mut Tx<'_>, ledger: &mut Ledger<'_>, which: sea_query::Expr) -> Result<usize, RecordsError> {
    let ended = tx.query(&select("session", &["id", "person"]).and_where(which.clone()).take())?;
    tx.execute(&delete("session").and_where(which).take())?;
    for row in &ended {
        ledger.note(Op::Delete, "session", Id(row.int(0)?), json!({ "person": Id(row.int(1)?) }), json!({}));
    }
    Ok(ended.len())
}

impl Desk {
    /// The caller's sessions, the newest first; `current` is the one that the caller asks by.
    pub fn sessions(&self, access: &Access, current: Option<Id>) -> Result<Vec<SessionFacts>, RecordsError> {
        let person = own(access)?;
        self.read(|moment, tx| {
            let query = select("session", &COLUMNS)
                .and_where(col("person").eq(person.0))
                .and_where(col("ends_at").gt(moment.now.0))
                .order_by(Alias::new("id"), Order::Desc)
                .take();
            let facts = |row: &Row| {
                let facts = facts_of(row, 0)?;
                Ok(SessionFacts { current: Some(facts.id) == current, ..facts })
            };
            tx.query(&query)?.iter().map(facts).collect()
        })
    }

    /// Ends one of the caller's sessions.
    pub fn end_session(&self, access: &Access, session: Id) -> Result<(), RecordsError> {
        let person = own(access)?;
        self.change_people(access, |_, tx, ledger| {
            match end(tx, ledger, col("id").eq(session.0).and(col("person").eq(person.0)))? {
                0 => Err(RecordsError::NotFound("there is no such session of yours".to_owned())),
                _ => Ok(()),
            }
        })
    }

    /// Ends all of the caller's sessions but one.
    pub fn end_other_sessions(&self, access: &Access, current: Id) -> Result<(), RecordsError> {
        let person = own(access)?;
        self.change_people(access, |_, tx, ledger| end_all(tx, ledger, person, Some(current)))
    }

    /// Signs out: ends the session with this secret, if there is one.
    pub fn sign_out(&self, access: &Access, secret: &str) -> Result<(), RecordsError> {
        self.change_people(access, |_, tx, ledger| {
            end(tx, ledger, col("secret_hash").eq(hash(secret).to_vec())).map(drop)
        })
    }
}
