//! API keys: how programs ask. A key has a role of its own, and may stand for a person where it matters whose records are
//! meant.

use rapport_types::Timestamp;
use sea_query::{Alias, ExprTrait as _, Order, Value as Bound};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Ledger, MAX_KEYS, Secret, book, checked_name, room_for_more,
    secret::hash,
    sql::{col, delete, insert_new, is_there, select},
};
use crate::{Access, Actor, Desk, Id, Op, RecordsError, Row, Tx, desk::Moment};

/// What a key begins with, for scanners of leaked secrets.
const PREFIX: &str = "rk_";

/// A key that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Id,
    /// For whom it stands: whose records "own" and "team" are.
    #[serde(default)]
    pub person: Option<Id>,
    /// Whether it reads only, whatever the role may do.
    #[serde(default)]
    pub read_only: bool,
    /// Until when it can be used; without end if it is not given.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeyFacts {
    /// Its id.
    pub id: Id,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Id,
    /// For whom it stands.
    pub person: Option<Id>,
    /// Whether it reads only.
    pub read_only: bool,
    /// Since when it is there.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Until when it can be used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
    /// When it was last in use, to about a minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub used_at: Option<Timestamp>,
}

const COLUMNS: [&str; 8] = ["id", "name", "role", "person", "read_only", "created_at", "ends_at", "used_at"];

fn facts_of(row: &Row) -> Result<KeyFacts, RecordsError> {
    Ok(KeyFacts {
        id: Id(row.int(0)?),
        name: row.text(1)?.to_owned(),
        role: Id(row.int(2)?),
        person: row.int_or_none(3)?.map(Id),
        read_only: row.truth(4)?,
        created_at: Timestamp(row.int(5)?),
        ends_at: row.int_or_none(6)?.map(Timestamp),
        used_at: row.int_or_none(7)?.map(Timestamp),
    })
}

/// Keeps a key; false if it is known already.
fn keep(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    key: &str,
    wanted: &NewKey,
) -> Result<Option<KeyFacts>, RecordsError> {
    room_for_more(tx, "api_key", MAX_KEYS, "keys")?;
    let facts = KeyFacts {
        id: moment.ids.next(moment.now)?,
        name: checked_name(&wanted.name)?,
        role: wanted.role,
        person: wanted.person,
        read_only: wanted.read_only,
        created_at: moment.now,
        ends_at: wanted.ends_at,
        used_at: None,
    };
    let row: Vec<(&str, Bound)> = vec![
        ("id", facts.id.0.into()),
        ("key_hash", hash(key).to_vec().into()),
        ("name", facts.name.clone().into()),
        ("person", facts.person.map(|person| person.0).into()),
        ("role", facts.role.0.into()),
        ("read_only", facts.read_only.into()),
        ("created_at", facts.created_at.0.into()),
        ("ends_at", facts.ends_at.map(|at| at.0).into()),
    ];
    if !insert_new(tx, "api_key", "key_hash", row)? {
        return Ok(None);
    }
    let after = json!({ "name": facts.name, "role": facts.role, "person": facts.person, "read_only": facts.read_only,
        "ends_at": facts.ends_at });
    ledger.note(Op::Create, "key", facts.id, json!({}), after);
    Ok(Some(facts))
}

/// Takes away the keys of which a condition is true; how many there were.
pub(super) fn revoke(tx: &mut Tx<'_>, ledger: &mut Ledger<'_>, which: sea_query::Expr) -> Result<usize, RecordsError> {
    let gone = tx.query(&select("api_key", &["id", "name"]).and_where(which.clone()).take())?;
    tx.execute(&delete("api_key").and_where(which).take())?;
    for row in &gone {
        ledger.note(Op::Delete, "key", Id(row.int(0)?), json!({ "name": row.text(1)? }), json!({}));
    }
    Ok(gone.len())
}

impl Desk {
    /// All keys, the newest first. For administrators.
    pub fn keys(&self, access: &Access) -> Result<Vec<KeyFacts>, RecordsError> {
        access.must_be_administrator()?;
        self.read(|_, tx| {
            let query = select("api_key", &COLUMNS).order_by(Alias::new("id"), Order::Desc).take();
            tx.query(&query)?.iter().map(facts_of).collect()
        })
    }

    /// Makes a key, which is shown this once. For administrators.
    pub fn add_key(&self, access: &Access, wanted: &NewKey) -> Result<(KeyFacts, Secret), RecordsError> {
        let key = Secret::random(PREFIX)?;
        let facts = self.administer(access, |moment, tx, ledger| {
            if !is_there(tx, "role", wanted.role)? {
                return Err(RecordsError::invalid("role", "there is no such role"));
            }
            if let Some(person) = wanted.person
                && !is_there(tx, "person", person)?
            {
                return Err(RecordsError::invalid("person", "there is no such person"));
            }
            if wanted.ends_at.is_some_and(|at| at <= moment.now) {
                return Err(RecordsError::invalid("ends_at", "it must be later than now"));
            }
            keep(moment, tx, ledger, key.reveal(), wanted)
        })?;
        let facts = facts.ok_or_else(|| RecordsError::Database("a new key was there already".to_owned()))?;
        Ok((facts, key))
    }

    /// Takes a key away; what asks by it is refused from now on. For administrators.
    pub fn revoke_key(&self, access: &Access, key: Id) -> Result<(), RecordsError> {
        self.administer(access, |_, tx, ledger| match revoke(tx, ledger, col("id").eq(key.0))? {
            0 => Err(RecordsError::NotFound("there is no such key".to_owned())),
            _ => Ok(()),
        })
    }

    /// Lets a key in that the installation made before, as an administrator; nothing happens if it is known. Who calls this
    /// holds the installation's files, which is the credential.
    pub fn adopt_key(&self, name: &str, key: &str) -> Result<(), RecordsError> {
        let known = self.database.read(|tx| {
            let known = select("api_key", &["id"]).and_where(col("key_hash").eq(hash(key).to_vec())).take();
            Ok(tx.first(&known)?.is_some())
        })?;
        if known {
            return Ok(());
        }
        self.change_people(&Access::of_system(Actor::System), |moment, tx, ledger| {
            let role = administrator(tx)?;
            let wanted = NewKey { name: name.to_owned(), role, person: None, read_only: false, ends_at: None };
            keep(moment, tx, ledger, key, &wanted).map(drop)
        })
    }
}

/// The role that may do everything.
pub(super) fn administrator(tx: &mut Tx<'_>) -> Result<Id, RecordsError> {
    let found = book::roles(tx)?.into_iter().find(|(_, role)| role.administrator);
    found.map(|(id, _)| id).ok_or_else(|| RecordsError::Damaged { what: "the list of roles".to_owned() })
}
