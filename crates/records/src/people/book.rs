//! What a request is allowed, held in memory: roles, teams, sessions and keys as they were when last read.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use parking_lot::RwLock;
use rapport_types::{MINUTE_MS, Timestamp};
use sea_query::{ExprTrait as _, Value as Bound};

use super::{
    FRESH, SessionFacts,
    secret::hash,
    sql::{col, select, update},
};
use crate::{Access, Actor, Desk, Id, RecordsError, Role, Tx, schema::Schema};

/// How often it is noted that a session or key is in use.
const NOTED_EVERY_MS: i64 = MINUTE_MS;

/// Everything that credentials lead to.
#[derive(Debug)]
struct Book {
    version: i64,
    sessions: HashMap<[u8; 32], Held<SessionFacts>>,
    keys: HashMap<[u8; 32], Held<Option<Timestamp>>>,
}

/// What one credential leads to.
#[derive(Debug)]
struct Held<F> {
    access: Access,
    facts: F,
    id: Id,
    /// When its use was last noted.
    noted: AtomicI64,
}

impl<F> Held<F> {
    /// Whether its use was not noted for so long that it should be.
    fn is_due(&self, now: Timestamp) -> bool {
        now.0 - self.noted.load(Ordering::Relaxed) >= NOTED_EVERY_MS
    }

    /// Whether its use is to be noted now; true for one of those who ask at once.
    fn is_to_be_noted(&self, now: Timestamp) -> bool {
        let noted = self.noted.load(Ordering::Relaxed);
        self.is_due(now) && self.noted.compare_exchange(noted, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Held<SessionFacts> {
    fn let_in(&self) -> (Access, SessionFacts) {
        let seen_at = Timestamp(self.noted.load(Ordering::Relaxed));
        (self.access.clone(), SessionFacts { seen_at, ..self.facts.clone() })
    }
}

/// The book of this process, and when it was last compared with the database.
#[derive(Debug, Default)]
pub(super) struct Books(RwLock<Option<(Instant, Arc<Book>)>>);

impl Books {
    /// Has the next request read it anew.
    pub(super) fn forget(&self) {
        *self.0.write() = None;
    }

    /// The book, if it need not be compared with the database. Waits for nobody: while it is read anew there is none.
    fn known(&self) -> Option<Arc<Book>> {
        let held = self.0.try_read()?;
        held.as_ref().filter(|(compared, _)| compared.elapsed() < FRESH).map(|(_, book)| Arc::clone(book))
    }

    /// The book as it is now.
    ///
    /// It is read under the lock, so whoever changes something and then calls [`Books::forget`] cannot be overtaken by one
    /// who read before the change.
    fn now(&self, desk: &Desk) -> Result<Arc<Book>, RecordsError> {
        if let Some((compared, book)) = &*self.0.read()
            && compared.elapsed() < FRESH
        {
            return Ok(Arc::clone(book));
        }
        let mut held = self.0.write();
        let known = match &*held {
            Some((compared, book)) if compared.elapsed() < FRESH => return Ok(Arc::clone(book)),
            Some((_, book)) => Some(Arc::clone(book)),
            None => None,
        };
        let (now, schema) = (desk.now(), desk.schema());
        let started = Instant::now();
        let book = desk.database.read(|tx| {
            let version = version(tx)?;
            match known.filter(|book| book.version == version) {
                Some(book) => Ok(book),
                None => Book::read(tx, version, now, &schema).map(Arc::new),
            }
        })?;
        *held = Some((started, Arc::clone(&book)));
        Ok(book)
    }
}

fn version(tx: &mut Tx<'_>) -> Result<i64, RecordsError> {
    tx.first(&select("people_version", &["version"]))?.map_or(Ok(0), |row| row.int(0))
}

/// Roles by id.
pub(super) fn roles(tx: &mut Tx<'_>) -> Result<BTreeMap<Id, Role>, RecordsError> {
    let rows = tx.query(&select("role", &["id", "definition"]))?;
    let role = |row: &crate::Row| {
        let id = Id(row.int(0)?);
        let damaged = |_| RecordsError::Damaged { what: format!("role {id}") };
        Ok((id, serde_json::from_str(row.text(1)?).map_err(damaged)?))
    };
    rows.iter().map(role).collect()
}

/// The teams of each person.
pub(super) fn memberships(tx: &mut Tx<'_>) -> Result<BTreeMap<Id, Vec<Id>>, RecordsError> {
    let mut teams: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
    for row in tx.query(&select("membership", &["person", "team"]))? {
        teams.entry(Id(row.int(0)?)).or_default().push(Id(row.int(1)?));
    }
    teams.values_mut().for_each(|teams| teams.sort_unstable());
    Ok(teams)
}

impl Book {
    fn read(tx: &mut Tx<'_>, version: i64, now: Timestamp, schema: &Schema) -> Result<Self, RecordsError> {
        let roles = roles(tx)?.into_iter().map(|(id, role)| (id, Arc::new(role.hiding_formulas(schema))));
        let roles: BTreeMap<Id, Arc<Role>> = roles.collect();
        let teams = memberships(tx)?;
        let teams_of = |person: Id| teams.get(&person).cloned().unwrap_or_default();
        let (mut role_of, mut names) = (BTreeMap::new(), BTreeMap::new());
        let active = select("person", &["id", "role", "name"]).and_where(col("active").eq(true)).take();
        for row in tx.query(&active)? {
            role_of.insert(Id(row.int(0)?), Id(row.int(1)?));
            names.insert(Id(row.int(0)?), row.text(2)?.to_owned());
        }
        let mut sessions = HashMap::new();
        let columns = ["secret_hash", "id", "person", "since", "ends_at", "seen_at", "address", "agent"];
        let live = select("session", &columns).and_where(col("ends_at").gt(now.0)).take();
        for row in &tx.query(&live)? {
            let (id, person) = (Id(row.int(1)?), Id(row.int(2)?));
            // A session of somebody who was deactivated, or whose role is gone, leads nowhere.
            let Some(role) = role_of.get(&person).and_then(|role| roles.get(role)) else { continue };
            let access = Access::new(Actor::User(person), Some(person), teams_of(person), Arc::clone(role));
            let access = access.called(names.get(&person).map_or("", String::as_str));
            let facts = super::session::facts_of(row, 1)?;
            let noted = AtomicI64::new(facts.seen_at.0);
            sessions.insert(hash_of(row.bytes(0)?)?, Held { access, facts, id, noted });
        }
        let mut keys = HashMap::new();
        let columns = ["key_hash", "id", "person", "role", "read_only", "ends_at", "used_at", "name"];
        for row in tx.query(&select("api_key", &columns))? {
            let (id, person) = (Id(row.int(1)?), row.int_or_none(2)?.map(Id));
            let Some(role) = roles.get(&Id(row.int(3)?)) else { continue };
            if person.is_some_and(|person| !role_of.contains_key(&person)) {
                continue;
            }
            let teams = person.map(teams_of).unwrap_or_default();
            let access = Access::new(Actor::Key(id), person, teams, Arc::clone(role)).called(row.text(7)?);
            let access = if row.truth(4)? { access.reading_only() } else { access };
            let noted = AtomicI64::new(row.int_or_none(6)?.unwrap_or(i64::MIN / 2));
            let facts = row.int_or_none(5)?.map(Timestamp);
            keys.insert(hash_of(row.bytes(0)?)?, Held { access, facts, id, noted });
        }
        Ok(Self { version, sessions, keys })
    }

    fn session(&self, secret: &str, now: Timestamp) -> Option<&Held<SessionFacts>> {
        self.sessions.get(&hash(secret)).filter(|held| held.facts.ends_at > now)
    }

    fn key(&self, key: &str, now: Timestamp) -> Option<&Held<Option<Timestamp>>> {
        self.keys.get(&hash(key)).filter(|held| held.facts.is_none_or(|ends_at| ends_at > now))
    }
}

fn hash_of(bytes: &[u8]) -> Result<[u8; 32], RecordsError> {
    bytes.try_into().map_err(|_| RecordsError::Damaged { what: "the hash of a credential".to_owned() })
}

impl Desk {
    /// What a session's secret lets in; none if there is no such session, it has ended, or its person was deactivated.
    pub fn access_of_session(&self, secret: &str) -> Result<Option<(Access, SessionFacts)>, RecordsError> {
        let (book, now) = (self.people.books.now(self)?, self.now());
        let Some(held) = book.session(secret, now) else { return Ok(None) };
        if held.is_to_be_noted(now) {
            self.note_use("session", "seen_at", held.id, now, held.access.user());
        }
        Ok(Some(held.let_in()))
    }

    /// The same from memory: none also where the database must be asked, or told that the session is in use.
    pub fn known_session(&self, secret: &str) -> Option<(Access, SessionFacts)> {
        let (book, now) = (self.people.books.known()?, self.now());
        book.session(secret, now).filter(|held| !held.is_due(now)).map(Held::let_in)
    }

    /// What a key lets in; none if there is no such key, its time is over, or its person was deactivated.
    pub fn access_of_key(&self, key: &str) -> Result<Option<Access>, RecordsError> {
        let (book, now) = (self.people.books.now(self)?, self.now());
        let Some(held) = book.key(key, now) else { return Ok(None) };
        if held.is_to_be_noted(now) {
            self.note_use("api_key", "used_at", held.id, now, None);
        }
        Ok(Some(held.access.clone()))
    }

    /// The same from memory: none also where the database must be asked, or told that the key is in use.
    pub fn known_key(&self, key: &str) -> Option<Access> {
        let (book, now) = (self.people.books.known()?, self.now());
        book.key(key, now).filter(|held| !held.is_due(now)).map(|held| held.access.clone())
    }

    /// Writes when a session or key was last in use. The request goes on without it where the database takes no writes.
    fn note_use(&self, table: &str, column: &str, id: Id, now: Timestamp, person: Option<Id>) {
        let noted = self.database.write(|tx| {
            let at = |column| vec![(column, Bound::from(now.0))];
            tx.execute(&update(table, at(column)).and_where(col("id").eq(id.0)).take())?;
            if let Some(person) = person {
                tx.execute(&update("person", at("last_seen")).and_where(col("id").eq(person.0)).take())?;
            }
            Ok(())
        });
        if let Err(error) = noted {
            tracing::warn!(%error, table, "the use of a credential was not noted");
        }
    }
    /// As if what is held in memory had last been compared with the database [`FRESH`] ago.
    #[cfg(test)]
    pub(crate) fn grow_old(&self) {
        if let Some((compared, _)) = &mut *self.people.books.0.write() {
            *compared -= FRESH;
        }
    }
}
