//! People and what they may do: accounts, sign-in, sign-on by a provider, sessions, keys, one-time links, roles, teams.
//!
//! It is not the check of a single record, which [`crate::Role`] and the statements of records do. It knows no HTTP: cookies,
//! headers and addresses of pages are the server's.
//!
//! Invariants:
//! - An [`Access`] is made by a credential alone: a session's secret or a key. Secrets are kept as hashes (passwords by
//!   argon2id), and each is shown once.
//! - There is always an active administrator, once there was one.
//! - Every change here is in the audit, in the transaction that makes it, with no secret in it. Objects of those lines are
//!   `AUDITED`; they are for administrators only.
//! - What a request is allowed is held in memory. A change of this process counts at once, one of another process on the same
//!   database within [`FRESH`].
//! - The secret of a second factor is needed to compute codes. It is sealed under a key that is not in the database: `seal`.

mod account;
mod book;
mod guard;
mod key;
mod link;
mod password;
mod role_book;
mod seal;
mod second_factor;
mod secret;
mod session;
mod sign_in;
mod sign_on;
mod sql;
mod stand_in;
mod starter;
mod team;
mod user;

use std::time::Duration;

use rapport_types::Timestamp;
use sea_query::{Expr, ExprTrait as _};
use serde_json::{Map, Value};

pub(crate) use self::{
    stand_in::{add_stand_ins, remove_stand_ins},
    starter::access_of,
};
use crate::{
    Access, Actor, Desk, Id, Op, RecordsError, Tx,
    desk::Moment,
    feed::{self, Line},
};

pub use self::{
    account::{Account, AccountChange, Colleague},
    key::{KeyFacts, NewKey},
    link::{Invitation, LinkFacts, LinkKind},
    role_book::RoleFacts,
    seal::SealingKey,
    second_factor::SecondFactorSetup,
    secret::Secret,
    session::{SESSION_MS, SESSIONS, SessionFacts, SignedIn},
    sign_in::{Answer, SignIn},
    sign_on::{SetUp, SignOn, SignOnAnswer, SignOnFacts, SignOnRefusal, SignOnTry},
    stand_in::StandIn,
    team::TeamFacts,
    user::{User, UserChange},
};

/// How old what is held in memory may be, where another process changed it.
pub const FRESH: Duration = Duration::from_secs(2);
/// The most people.
pub const MAX_PEOPLE: i64 = 10_000;
/// The most roles, and teams.
pub const MAX_ROLES: i64 = 500;
/// The most keys, and links that can be used.
pub const MAX_KEYS: i64 = 1_000;
/// The longest name of a person, role, team or key, in bytes.
const NAME: usize = 120;
/// What the audit calls the things of this module, and exports of everything. No object of records may be called so.
pub(crate) const AUDITED: [&str; 8] = ["person", "role", "team", "key", "session", "link", "sign_in", "workspace"];

/// What of people is held in memory.
#[derive(Debug, Default)]
pub(crate) struct People {
    books: book::Books,
    guard: guard::Guard,
    hashing: password::Hashing,
    seal: seal::Seal,
}

impl People {
    /// Has the next request look up anew what it is allowed.
    pub(crate) fn forget(&self) {
        self.books.forget();
    }
}

/// Where a request came from, for lists of sessions and the audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
}

/// A change of people at work: its lines of the audit are written at its end.
struct Ledger<'l> {
    access: Access,
    lines: Vec<Line<'l>>,
}

impl<'l> Ledger<'l> {
    fn note(&mut self, op: Op, object: &'l str, record: Id, before: Value, after: Value) {
        debug_assert!(AUDITED.contains(&object), "{object} is no object of the audit");
        let fields = |value| if let Value::Object(fields) = value { fields } else { Map::new() };
        let (before, after) = (fields(before), fields(after));
        self.lines.push(Line { object, record, version: 0, op, before, after });
    }

    fn write(self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), RecordsError> {
        feed::write(tx, &self.access, None, now, &self.lines)
    }
}

impl Desk {
    /// Changes people in one transaction with its lines of the audit. Such changes take turns, so what one of them has
    /// checked stays true until its end; when it is over this process sees it.
    fn change_people<T>(
        &self,
        access: &Access,
        change: impl FnOnce(&Moment<'_>, &mut Tx<'_>, &mut Ledger<'_>) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        let changed = self.write(|moment, tx| {
            grow_version(tx)?;
            let mut ledger = Ledger { access: access.clone(), lines: Vec::new() };
            let changed = change(moment, tx, &mut ledger)?;
            ledger.write(tx, moment.now)?;
            Ok(changed)
        });
        // Also after a failure: whether a commit whose answer was lost took place is known to the database only.
        self.people.books.forget();
        changed
    }

    /// The same for administrators.
    fn administer<T>(
        &self,
        access: &Access,
        change: impl FnOnce(&Moment<'_>, &mut Tx<'_>, &mut Ledger<'_>) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        access.must_be_administrator()?;
        self.change_people(access, change)
    }
}

/// Tells all processes that what they hold in memory is old; until the transaction ends nobody else changes people.
fn grow_version(tx: &mut Tx<'_>) -> Result<(), RecordsError> {
    let grown = sql::col("version").add(1);
    let version = sea_query::Query::update()
        .table(sea_query::Alias::new("people_version"))
        .value(sea_query::Alias::new("version"), grown)
        .take();
    tx.execute(&version).map(drop)
}

/// Rapport's own access, with where a request came from.
fn nobody(origin: &Origin) -> Access {
    Access { origin: origin.address.clone(), ..Access::of_system(Actor::System) }
}

/// The person who is signed in; programs have no account.
fn own(access: &Access) -> Result<Id, RecordsError> {
    match access.actor() {
        Actor::User(person) => Ok(*person),
        _ => Err(RecordsError::Forbidden("only a person who is signed in may do this".to_owned())),
    }
}

/// A name without blanks around it; refused if it is empty, too long or no line of text.
fn checked_name(name: &str) -> Result<String, RecordsError> {
    let name = name.trim();
    if name.is_empty() || name.len() > NAME || name.chars().any(char::is_control) {
        return Err(RecordsError::invalid("name", format!("a name is a line of 1 to {NAME} bytes")));
    }
    Ok(name.to_owned())
}

/// Refuses more than `most` rows of a table.
fn room_for_more(tx: &mut Tx<'_>, table: &str, most: i64, what: &str) -> Result<(), RecordsError> {
    if sql::count(tx, table, Expr::val(true))? < most {
        return Ok(());
    }
    Err(RecordsError::Limit(format!("there are {most} {what} already")))
}

/// A text of a request's head, cut to what is kept of it.
fn cut(text: Option<&String>, most: usize) -> Option<String> {
    text.map(|text| text.chars().filter(|letter| !letter.is_control()).take(most).collect())
}

fn later(now: Timestamp, milliseconds: i64) -> Timestamp {
    Timestamp(now.0 + milliseconds)
}
