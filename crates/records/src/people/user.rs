//! People as administrators see them: listed, changed, deactivated.

use std::collections::BTreeMap;

use rapport_types::Timestamp;
use sea_query::{Alias, ExprTrait as _, Order, Value as Bound};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    Ledger, MAX_PEOPLE,
    account::checked_language,
    book, checked_name, key, room_for_more, session,
    sql::{col, count, delete, ids, insert, is_there, select, update},
};
use crate::{Access, Desk, Id, Op, RecordsError, Row, Tx, desk::Moment};

/// The longest e-mail address (RFC 5321, section 4.5.3.1.3, less the brackets).
const EMAIL: usize = 254;

/// A person who uses Rapport.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct User {
    /// Their id.
    pub id: Id,
    /// The e-mail address that they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they may do.
    pub role: Id,
    /// The teams that they are in.
    pub teams: Vec<Id>,
    /// Whether they may sign in.
    pub active: bool,
    /// The language of their pages: `en` or `zh`; that of the browser if none.
    pub language: Option<String>,
    /// Whether they have a password.
    pub password: bool,
    /// Whether they sign in with a second factor.
    pub second_factor: bool,
    /// Since when they are there.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When they last asked for something, to about a minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
}

/// What is to be changed of a person; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UserChange {
    /// The e-mail address. Given by an administrator, also if it is the one that is there, it is one that a first sign-on by a
    /// provider may go by.
    pub email: Option<String>,
    /// What they are called.
    pub name: Option<String>,
    /// What they may do.
    pub role: Option<Id>,
    /// The teams that they are in, all of them.
    pub teams: Option<Vec<Id>>,
    /// Whether they may sign in. Who may not loses sessions and keys.
    pub active: Option<bool>,
    /// The language of their pages.
    pub language: Option<String>,
}

const COLUMNS: [&str; 10] =
    ["id", "email", "name", "role", "active", "language", "password", "totp", "created_at", "last_seen"];

fn user_of(row: &Row, teams: &BTreeMap<Id, Vec<Id>>) -> Result<User, RecordsError> {
    let id = Id(row.int(0)?);
    Ok(User {
        id,
        email: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        role: Id(row.int(3)?),
        teams: teams.get(&id).cloned().unwrap_or_default(),
        active: row.truth(4)?,
        language: row.text_or_none(5)?.map(str::to_owned),
        password: row.text_or_none(6)?.is_some(),
        second_factor: row.bytes_or_none(7)?.is_some(),
        created_at: Timestamp(row.int(8)?),
        last_seen: row.int_or_none(9)?.map(Timestamp),
    })
}

/// All people by name.
pub(super) fn all(tx: &mut Tx<'_>) -> Result<Vec<User>, RecordsError> {
    let teams = book::memberships(tx)?;
    let query = select("person", &COLUMNS)
        .order_by(Alias::new("name"), Order::Asc)
        .order_by(Alias::new("id"), Order::Asc)
        .take();
    tx.query(&query)?.iter().map(|row| user_of(row, &teams)).collect()
}

/// One person.
pub(super) fn one(tx: &mut Tx<'_>, id: Id) -> Result<User, RecordsError> {
    let teams = ids(tx, "membership", "team", col("person").eq(id.0))?;
    let row = tx.first(&select("person", &COLUMNS).and_where(col("id").eq(id.0)).take())?;
    let row = row.ok_or_else(|| RecordsError::NotFound("there is no such person".to_owned()))?;
    user_of(&row, &BTreeMap::from([(id, teams)]))
}

/// An e-mail address as it is kept: in small letters, so that nobody has two accounts by writing theirs differently.
pub(super) fn checked_email(email: &str) -> Result<String, RecordsError> {
    let email = email.trim().to_lowercase();
    let is_address = email.len() <= EMAIL
        && email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && email.matches('@').count() == 1
        && !email.chars().any(|letter| letter.is_whitespace() || letter.is_control() || letter == ':');
    if is_address { Ok(email) } else { Err(RecordsError::invalid("email", "it is no e-mail address")) }
}

/// Makes a person. The e-mail address is refused if somebody has it.
pub(super) fn add(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    person: (&str, &str, Id, &[Id]),
    password: Option<String>,
) -> Result<Id, RecordsError> {
    let (email, name, role, teams) = person;
    room_for_more(tx, "person", MAX_PEOPLE, "people")?;
    if count(tx, "person", col("email").eq(email))? > 0 {
        return Err(RecordsError::Taken { field: "email".to_owned() });
    }
    let id = moment.ids.next(moment.now)?;
    let row: Vec<(&str, Bound)> = vec![
        ("id", id.0.into()),
        ("email", email.into()),
        ("name", name.into()),
        ("role", role.0.into()),
        ("password", password.into()),
        ("active", true.into()),
        ("created_at", moment.now.0.into()),
    ];
    insert(tx, "person", row)?;
    put_in_teams(tx, id, teams)?;
    let after = json!({ "email": email, "name": name, "role": role, "teams": teams, "active": true });
    ledger.note(Op::Create, "person", id, json!({}), after);
    Ok(id)
}

fn put_in_teams(tx: &mut Tx<'_>, person: Id, teams: &[Id]) -> Result<(), RecordsError> {
    tx.execute(&delete("membership").and_where(col("person").eq(person.0)).take())?;
    let rows: Vec<Vec<Bound>> = teams.iter().map(|team| vec![person.0.into(), team.0.into()]).collect();
    tx.insert_rows("membership", &["person", "team"], &rows)
}

/// Refuses a role that is not there.
pub(super) fn check_role(tx: &mut Tx<'_>, role: Id) -> Result<(), RecordsError> {
    if is_there(tx, "role", role)? { Ok(()) } else { Err(RecordsError::invalid("role", "there is no such role")) }
}

/// Teams in their order, each once; refused if one is not there.
pub(super) fn check_teams(tx: &mut Tx<'_>, teams: &[Id]) -> Result<Vec<Id>, RecordsError> {
    let mut teams = teams.to_vec();
    teams.sort_unstable();
    teams.dedup();
    for team in &teams {
        if !is_there(tx, "team", *team)? {
            return Err(RecordsError::invalid("teams", format!("there is no team {team}")));
        }
    }
    Ok(teams)
}

/// Refuses to be left without anybody who may do everything.
fn an_administrator_stays(tx: &mut Tx<'_>) -> Result<(), RecordsError> {
    let role = key::administrator(tx)?;
    if count(tx, "person", col("role").eq(role.0).and(col("active").eq(true)))? > 0 {
        return Ok(());
    }
    let what = "this is the last administrator; make somebody else one before";
    Err(RecordsError::Conflict(what.to_owned()))
}

/// What of two states of a person differs, as lines of the audit tell it.
fn difference(before: &User, after: &User) -> (Value, Value) {
    let told = |user: &User| {
        json!({ "email": user.email, "name": user.name, "role": user.role, "teams": user.teams, "active": user.active,
            "language": user.language })
    };
    let (before, after) = (told(before), told(after));
    let changed = |state: &Value| {
        let fields = state.as_object().into_iter().flatten();
        let changed = fields.filter(|(name, _)| before[name.as_str()] != after[name.as_str()]);
        Value::Object(changed.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
    };
    (changed(&before), changed(&after))
}

/// Writes what of a person has changed.
pub(super) fn store(tx: &mut Tx<'_>, ledger: &mut Ledger<'_>, before: &User, after: &User) -> Result<(), RecordsError> {
    if before == after {
        return Ok(());
    }
    if before.email != after.email && count(tx, "person", col("email").eq(&after.email))? > 0 {
        return Err(RecordsError::Taken { field: "email".to_owned() });
    }
    let values: Vec<(&str, Bound)> = vec![
        ("email", after.email.clone().into()),
        ("name", after.name.clone().into()),
        ("role", after.role.0.into()),
        ("active", after.active.into()),
        ("language", after.language.clone().into()),
    ];
    tx.execute(&update("person", values).and_where(col("id").eq(after.id.0)).take())?;
    if before.teams != after.teams {
        put_in_teams(tx, after.id, &after.teams)?;
    }
    let (was, is) = difference(before, after);
    ledger.note(Op::Update, "person", after.id, was, is);
    Ok(())
}

/// Notes whether somebody has set their e-mail address themselves: then no first sign-on goes by it.
pub(super) fn note_own_email(tx: &mut Tx<'_>, person: Id, own: bool) -> Result<(), RecordsError> {
    tx.execute(&update("person", vec![("own_email", own.into())]).and_where(col("id").eq(person.0)).take()).map(drop)
}

impl Desk {
    /// All people by name. For administrators.
    pub fn users(&self, access: &Access) -> Result<Vec<User>, RecordsError> {
        access.must_be_administrator()?;
        self.read(|_, tx| all(tx))
    }

    /// One person. For administrators.
    pub fn user(&self, access: &Access, person: Id) -> Result<User, RecordsError> {
        access.must_be_administrator()?;
        self.read(|_, tx| one(tx, person))
    }

    /// Changes a person. Who is deactivated loses sessions, keys and links; the last administrator stays one. For
    /// administrators.
    pub fn change_user(&self, access: &Access, person: Id, change: &UserChange) -> Result<User, RecordsError> {
        self.administer(access, |_, tx, ledger| {
            let before = one(tx, person)?;
            let mut after = before.clone();
            if let Some(email) = &change.email {
                after.email = checked_email(email)?;
            }
            if let Some(name) = &change.name {
                after.name = checked_name(name)?;
            }
            if let Some(role) = change.role {
                check_role(tx, role)?;
                after.role = role;
            }
            if let Some(teams) = &change.teams {
                after.teams = check_teams(tx, teams)?;
            }
            if let Some(language) = &change.language {
                after.language = Some(checked_language(language)?);
            }
            after.active = change.active.unwrap_or(before.active);
            store(tx, ledger, &before, &after)?;
            if change.email.is_some() {
                note_own_email(tx, person, false)?;
            }
            if before.active && (!after.active || before.role != after.role) {
                an_administrator_stays(tx)?;
            }
            if before.active && !after.active {
                session::end_all(tx, ledger, person, None)?;
                key::revoke(tx, ledger, col("person").eq(person.0))?;
                tx.execute(&delete("link").and_where(col("person").eq(person.0)).take())?;
            }
            Ok(after)
        })
    }

    /// Takes away the second factor of somebody who has lost it, with the recovery codes. For administrators.
    pub fn clear_second_factor(&self, access: &Access, person: Id) -> Result<(), RecordsError> {
        self.administer(access, |_, tx, ledger| {
            one(tx, person)?;
            super::second_factor::remove(tx, ledger, person)
        })
    }
}
