//! Roles: listed, made, changed, taken away. What a role says of single records is [`crate::Role`].

use std::collections::BTreeMap;

use sea_query::{Alias, ExprTrait as _, Order, Query, Value as Bound};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    MAX_ROLES, book, checked_name, room_for_more,
    sql::{col, count, delete, insert, update},
};
use crate::{
    Access, Actor, Desk, Grant, Id, Op, Reach, RecordsError, Role, Tx,
    desk::Moment,
    schema::{Object, is_system},
};

/// The longest definition of a role, in bytes of JSON.
const DEFINITION: usize = 256 << 10;

/// A role and who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RoleFacts {
    /// Its id.
    pub id: Id,
    /// What it may do.
    #[serde(flatten)]
    pub role: Role,
    /// How many people have it.
    pub people: u64,
}

fn in_json(role: &Role) -> Result<String, RecordsError> {
    serde_json::to_string(role).map_err(|error| RecordsError::Database(error.to_string()))
}

/// Refuses a role that cannot be; its name without blanks around it.
fn checked(moment: &Moment<'_>, role: &Role) -> Result<Role, RecordsError> {
    if role.administrator {
        let what = "there is one role that may do everything; give people that one";
        return Err(RecordsError::invalid("administrator", what));
    }
    let role = Role { name: checked_name(&role.name)?, ..role.clone() };
    for (name, grant) in &role.objects {
        let path = format!("objects.{name}");
        let Some(object) = moment.schema.object(name) else {
            return Err(RecordsError::invalid(path, "there is no such object"));
        };
        check_grant(moment, &path, grant, &[object])?;
    }
    let others: Vec<&Object> =
        moment.schema.objects().filter(|object| !role.objects.contains_key(&object.name)).collect();
    check_grant(moment, "other", &role.other, &others)?;
    if in_json(&role)?.len() > DEFINITION {
        return Err(RecordsError::Limit(format!("a role has up to {DEFINITION} bytes")));
    }
    Ok(role)
}

/// Refuses fields that none of the objects has, and conditions that cannot be asked of each of them.
fn check_grant(moment: &Moment<'_>, path: &str, grant: &Grant, objects: &[&Object]) -> Result<(), RecordsError> {
    for (part, names) in [("hidden", &grant.hidden), ("locked", &grant.locked)] {
        for name in names {
            if is_system(name) || !objects.iter().any(|object| object.field(name).is_some()) {
                let what = format!("there is no field \"{name}\" that can be {part}");
                return Err(RecordsError::invalid(format!("{path}.{part}"), what));
            }
        }
    }
    let access = Access::of_system(Actor::System);
    for (part, reach) in [("read", &grant.read), ("update", &grant.update), ("delete", &grant.delete)] {
        let Reach::Condition(source) = reach else { continue };
        for object in objects {
            let asked = moment.ground(&object.name, &access)?.filter(source);
            asked.map_err(|error| {
                RecordsError::invalid(
                    format!("{path}.{part}"),
                    format!("it cannot be asked of {}: {error}", object.name),
                )
            })?;
        }
    }
    Ok(())
}

/// The role of an id that is not the administrators'.
fn changeable(tx: &mut Tx<'_>, id: Id) -> Result<Role, RecordsError> {
    let role = book::roles(tx)?.remove(&id);
    let role = role.ok_or_else(|| RecordsError::NotFound("there is no such role".to_owned()))?;
    if role.administrator {
        return Err(RecordsError::Conflict("the administrators' role stays as it is".to_owned()));
    }
    Ok(role)
}

fn name_is_free(tx: &mut Tx<'_>, name: &str, but: Option<Id>) -> Result<(), RecordsError> {
    let same = col("name").eq(name).and(col("id").ne(but.map_or(-1, |id| id.0)));
    if count(tx, "role", same)? == 0 { Ok(()) } else { Err(RecordsError::Taken { field: "name".to_owned() }) }
}

impl Desk {
    /// All roles by name, with how many people have each. For administrators.
    pub fn roles(&self, access: &Access) -> Result<Vec<RoleFacts>, RecordsError> {
        access.must_be_administrator()?;
        self.read(|_, tx| {
            let held = Query::select()
                .column(Alias::new("role"))
                .expr(sea_query::Expr::cust("count(*)"))
                .from(Alias::new("person"))
                .group_by_col(Alias::new("role"))
                .order_by(Alias::new("role"), Order::Asc)
                .take();
            let mut people = BTreeMap::new();
            for row in tx.query(&held)? {
                people.insert(Id(row.int(0)?), row.int(1)?.unsigned_abs());
            }
            let fact = |(id, role)| RoleFacts { id, role, people: people.get(&id).copied().unwrap_or(0) };
            let mut facts: Vec<RoleFacts> = book::roles(tx)?.into_iter().map(fact).collect();
            facts.sort_by(|one, other| one.role.name.cmp(&other.role.name));
            Ok(facts)
        })
    }

    /// Makes a role. For administrators.
    pub fn add_role(&self, access: &Access, role: &Role) -> Result<Id, RecordsError> {
        self.administer(access, |moment, tx, ledger| {
            room_for_more(tx, "role", MAX_ROLES, "roles")?;
            let role = checked(moment, role)?;
            name_is_free(tx, &role.name, None)?;
            let id = moment.ids.next(moment.now)?;
            let row: Vec<(&str, Bound)> =
                vec![("id", id.0.into()), ("name", role.name.clone().into()), ("definition", in_json(&role)?.into())];
            insert(tx, "role", row)?;
            ledger.note(Op::Create, "role", id, json!({}), json!(role));
            Ok(id)
        })
    }

    /// Changes a role, at once for everybody who has it. For administrators.
    pub fn change_role(&self, access: &Access, id: Id, role: &Role) -> Result<(), RecordsError> {
        self.administer(access, |moment, tx, ledger| {
            let before = changeable(tx, id)?;
            let role = checked(moment, role)?;
            name_is_free(tx, &role.name, Some(id))?;
            let values: Vec<(&str, Bound)> =
                vec![("name", role.name.clone().into()), ("definition", in_json(&role)?.into())];
            tx.execute(&update("role", values).and_where(col("id").eq(id.0)).take())?;
            ledger.note(Op::Update, "role", id, json!(before), json!(role));
            Ok(())
        })
    }

    /// Takes a role away that no person, key or waiting link has. For administrators.
    pub fn delete_role(&self, access: &Access, id: Id) -> Result<(), RecordsError> {
        self.administer(access, |moment, tx, ledger| {
            let before = changeable(tx, id)?;
            let has = || col("role").eq(id.0);
            let waiting = has().and(col("used_at").is_null()).and(col("ends_at").gt(moment.now.0));
            let uses = [("person", has(), "people"), ("api_key", has(), "keys"), ("link", waiting, "invitations")];
            for (table, condition, what) in uses {
                let uses = count(tx, table, condition)?;
                if uses > 0 {
                    return Err(RecordsError::Conflict(format!(
                        "{uses} {what} have this role; give them another first"
                    )));
                }
            }
            tx.execute(&delete("role").and_where(col("id").eq(id.0)).take())?;
            ledger.note(Op::Delete, "role", id, json!(before), json!({}));
            Ok(())
        })
    }
}
