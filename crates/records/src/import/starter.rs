//! Who started an import, with what they may do now: an import outlives the request that started it, and the process.

use std::sync::Arc;

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Query, SelectStatement};

use crate::{Access, Id, RecordsError, Role, Tx, access::Actor};

fn column(name: &str) -> Expr {
    Expr::col(Alias::new(name))
}

fn select(columns: &[&'static str], table: &'static str, id: Id) -> SelectStatement {
    Query::select()
        .columns(columns.iter().map(|name| Alias::new(*name)))
        .from(Alias::new(table))
        .and_where(column("id").eq(id.0))
        .take()
}

/// The access of an actor as it stands in the table, with today's rights.
pub(super) fn access(tx: &mut Tx<'_>, actor: &str, now: Timestamp) -> Result<Access, RecordsError> {
    let gone = || RecordsError::Forbidden("whoever started the import may not do it any more".to_owned());
    match actor.split_once(':') {
        None if actor == "system" => Ok(Access::of_system(Actor::System)),
        Some(("user", id)) => {
            let id: Id = id.parse()?;
            let role = role_of(tx, id)?.ok_or_else(gone)?;
            Ok(Access::new(Actor::User(id), Some(id), teams(tx, id)?, Arc::new(role)))
        }
        Some(("key", id)) => {
            let id: Id = id.parse()?;
            let row =
                tx.first(&select(&["role", "person", "read_only", "ends_at"], "api_key", id))?.ok_or_else(gone)?;
            let person = row.int_or_none(1)?.map(Id);
            // A key lets nobody in whose person was deactivated.
            let is_gone = match person {
                Some(person) => role_of(tx, person)?.is_none(),
                None => false,
            };
            if is_gone || row.truth(2)? || row.int_or_none(3)?.is_some_and(|end| end <= now.0) {
                return Err(gone());
            }
            let role = role(tx, Id(row.int(0)?))?.ok_or_else(gone)?;
            let teams = person.map_or(Ok(Vec::new()), |person| teams(tx, person))?;
            Ok(Access::new(Actor::Key(id), person, teams, Arc::new(role)))
        }
        _ => Err(gone()),
    }
}

/// The role of an active person.
fn role_of(tx: &mut Tx<'_>, person: Id) -> Result<Option<Role>, RecordsError> {
    match tx.first(&select(&["role", "active"], "person", person))? {
        Some(row) if row.truth(1)? => role(tx, Id(row.int(0)?)),
        _ => Ok(None),
    }
}

fn role(tx: &mut Tx<'_>, id: Id) -> Result<Option<Role>, RecordsError> {
    let Some(row) = tx.first(&select(&["definition"], "role", id))? else { return Ok(None) };
    let role = serde_json::from_str(row.text(0)?);
    role.map(Some).map_err(|_| RecordsError::Damaged { what: format!("role {id}") })
}

fn teams(tx: &mut Tx<'_>, person: Id) -> Result<Vec<Id>, RecordsError> {
    let query = Query::select()
        .column(Alias::new("team"))
        .from(Alias::new("membership"))
        .and_where(column("person").eq(person.0))
        .take();
    tx.query(&query)?.iter().map(|row| Ok(Id(row.int(0)?))).collect()
}
