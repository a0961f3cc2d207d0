//! One's own account, and what one may know of one's colleagues.

use sea_query::{ExprTrait as _, Value as Bound};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Ledger, checked_name, own, password, session,
    sql::{col, count, delete, select, update},
    user,
};
use crate::{Access, Desk, Id, Op, RecordsError, Tx};

/// The languages of the pages.
const LANGUAGES: [&str; 2] = ["en", "zh"];

/// The caller's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Account {
    /// The person.
    pub id: Id,
    /// What they are called.
    pub name: String,
    /// The e-mail address that they sign in with.
    pub email: String,
    /// The role's name.
    pub role: String,
    /// Whether they may change people, roles and objects.
    pub administrator: bool,
    /// The teams that they are in.
    pub teams: Vec<Id>,
    /// The language of their pages.
    pub language: Option<String>,
    /// Whether they have a password.
    pub password: bool,
    /// Whether they sign in with a second factor.
    pub second_factor: bool,
    /// How many recovery codes are left.
    pub recovery_codes: u64,
}

/// What somebody changes of their own account; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccountChange {
    /// What they are called.
    pub name: Option<String>,
    /// The language of their pages.
    pub language: Option<String>,
    /// The e-mail address that they sign in with; needs the password where there is one.
    pub email: Option<String>,
    /// The password.
    pub password: Option<String>,
}

/// A person as everybody who is let in may know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Colleague {
    /// Their id.
    pub id: Id,
    /// What they are called.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// The teams that they are in.
    pub teams: Vec<Id>,
    /// Whether they may sign in.
    pub active: bool,
}

pub(super) fn checked_language(language: &str) -> Result<String, RecordsError> {
    if LANGUAGES.contains(&language) {
        return Ok(language.to_owned());
    }
    Err(RecordsError::invalid("language", "the languages are en and zh"))
}

/// What is kept of a person's password.
pub(super) fn kept_password(tx: &mut Tx<'_>, person: Id) -> Result<Option<String>, RecordsError> {
    let row = tx.first(&select("person", &["password"]).and_where(col("id").eq(person.0)).take())?;
    row.map_or(Ok(None), |row| Ok(row.text_or_none(0)?.map(str::to_owned)))
}

/// Sets a password, ends the person's sessions, all or all but one, and takes away links that would set another one.
pub(super) fn store_password(
    tx: &mut Tx<'_>,
    ledger: &mut Ledger<'_>,
    person: Id,
    hash: String,
    keep: Option<Id>,
) -> Result<(), RecordsError> {
    let values: Vec<(&str, Bound)> = vec![("password", hash.into())];
    tx.execute(&update("person", values).and_where(col("id").eq(person.0)).take())?;
    ledger.note(Op::Update, "person", person, json!({}), json!({ "password": "changed" }));
    let waiting = col("person").eq(person.0).and(col("used_at").is_null());
    tx.execute(&delete("link").and_where(waiting).take())?;
    session::end_all(tx, ledger, person, keep)
}

impl Desk {
    /// The caller's own account.
    pub fn account(&self, access: &Access) -> Result<Account, RecordsError> {
        let person = own(access)?;
        self.read(|_, tx| {
            let user = user::one(tx, person)?;
            Ok(Account {
                id: person,
                name: user.name,
                email: user.email,
                role: access.role().name.clone(),
                administrator: access.is_administrator(),
                teams: user.teams,
                language: user.language,
                password: user.password,
                second_factor: user.second_factor,
                recovery_codes: count(tx, "recovery_code", col("person").eq(person.0))?.unsigned_abs(),
            })
        })
    }

    /// Changes the caller's own account.
    pub fn change_account(&self, access: &Access, change: &AccountChange) -> Result<(), RecordsError> {
        let person = own(access)?;
        let proof = match &change.email {
            Some(_) => self.proven_password(access, person, change.password.as_deref(), "password")?,
            None => None,
        };
        self.change_people(access, |_, tx, ledger| {
            let before = user::one(tx, person)?;
            let mut after = before.clone();
            if let Some(name) = &change.name {
                after.name = checked_name(name)?;
            }
            if let Some(language) = &change.language {
                after.language = Some(checked_language(language)?);
            }
            if let Some(email) = &change.email {
                still_the_password(tx, person, proof.as_ref())?;
                after.email = user::checked_email(email)?;
            }
            user::store(tx, ledger, &before, &after)?;
            if before.email != after.email {
                user::note_own_email(tx, person, true)?;
            }
            Ok(())
        })
    }

    /// Changes the caller's own password and ends all other sessions. `old` must be given where there is one; `session` is the
    /// one that the caller asks by.
    pub fn change_password(
        &self,
        access: &Access,
        session: Id,
        old: Option<&str>,
        new: &str,
    ) -> Result<(), RecordsError> {
        let person = own(access)?;
        let proof = self.proven_password(access, person, old, "old")?;
        let user = self.read(|_, tx| user::one(tx, person))?;
        password::check(new, &user.email, &user.name)?;
        let hash = self.people.hashing.hash(new)?;
        self.change_people(access, |_, tx, ledger| {
            still_the_password(tx, person, proof.as_ref())?;
            store_password(tx, ledger, person, hash, Some(session))
        })
    }

    /// Everybody who uses Rapport, by name, as owners of records are chosen from.
    pub fn colleagues(&self, _: &Access) -> Result<Vec<Colleague>, RecordsError> {
        self.read(|_, tx| {
            let colleague = |user: user::User| Colleague {
                id: user.id,
                name: user.name,
                email: user.email,
                teams: user.teams,
                active: user.active,
            };
            Ok(user::all(tx)?.into_iter().map(colleague).collect())
        })
    }

    /// What is kept of the person's password, if the given one is it; wrong ones are counted like failed sign-ins.
    fn proven_password(
        &self,
        access: &Access,
        person: Id,
        given: Option<&str>,
        field: &str,
    ) -> Result<Option<String>, RecordsError> {
        let Some(kept) = self.read(|_, tx| kept_password(tx, person))? else { return Ok(None) };
        let attempt = super::guard::Try::new(&person.to_string(), access.origin.as_deref());
        if let Err(wait) = self.people.guard.count(&attempt, self.now()) {
            return Err(RecordsError::Limit(format!("too many wrong passwords; try again in {wait} seconds")));
        }
        if !self.people.hashing.verify(given.unwrap_or_default(), Some(&kept))? {
            return Err(RecordsError::invalid(field, "this is not your password"));
        }
        self.people.guard.succeed(&attempt);
        Ok(Some(kept))
    }
}

/// Refuses if the password was changed since it was proven.
fn still_the_password(tx: &mut Tx<'_>, person: Id, proof: Option<&String>) -> Result<(), RecordsError> {
    if kept_password(tx, person)?.as_ref() == proof {
        return Ok(());
    }
    Err(RecordsError::Conflict("the password was changed meanwhile".to_owned()))
}
