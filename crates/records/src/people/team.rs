//! Teams: whose records are a team's, people of the team reach together.

use std::collections::BTreeMap;

use sea_query::{Alias, ExprTrait as _, Order, Value as Bound};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    MAX_ROLES, book, checked_name, room_for_more,
    sql::{col, count, delete, insert, select, update},
};
use crate::{Access, Desk, Id, Op, RecordsError, Row, Tx, schema::table_of};

/// A team and who is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TeamFacts {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The people in it.
    pub people: Vec<Id>,
}

fn name_of(tx: &mut Tx<'_>, id: Id) -> Result<String, RecordsError> {
    let row = tx.first(&select("team", &["name"]).and_where(col("id").eq(id.0)).take())?;
    let row = row.ok_or_else(|| RecordsError::NotFound("there is no such team".to_owned()))?;
    row.text(0).map(str::to_owned)
}

fn name_is_free(tx: &mut Tx<'_>, name: &str, but: Option<Id>) -> Result<(), RecordsError> {
    let same = col("name").eq(name).and(col("id").ne(but.map_or(-1, |id| id.0)));
    if count(tx, "team", same)? == 0 { Ok(()) } else { Err(RecordsError::Taken { field: "name".to_owned() }) }
}

impl Desk {
    /// All teams by name, with who is in them. Everybody who is let in may know them, as owners of records.
    pub fn teams(&self, _: &Access) -> Result<Vec<TeamFacts>, RecordsError> {
        self.read(|_, tx| {
            let mut people: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
            for (person, teams) in book::memberships(tx)? {
                for team in teams {
                    people.entry(team).or_default().push(person);
                }
            }
            let query = select("team", &["id", "name"]).order_by(Alias::new("name"), Order::Asc).take();
            let facts = |row: &Row| {
                let id = Id(row.int(0)?);
                Ok(TeamFacts { id, name: row.text(1)?.to_owned(), people: people.remove(&id).unwrap_or_default() })
            };
            tx.query(&query)?.iter().map(facts).collect()
        })
    }

    /// Makes a team. For administrators.
    pub fn add_team(&self, access: &Access, name: &str) -> Result<Id, RecordsError> {
        self.administer(access, |moment, tx, ledger| {
            room_for_more(tx, "team", MAX_ROLES, "teams")?;
            let name = checked_name(name)?;
            name_is_free(tx, &name, None)?;
            let id = moment.ids.next(moment.now)?;
            let row: Vec<(&str, Bound)> = vec![("id", id.0.into()), ("name", name.clone().into())];
            insert(tx, "team", row)?;
            ledger.note(Op::Create, "team", id, json!({}), json!({ "name": name }));
            Ok(id)
        })
    }

    /// Calls a team something else. For administrators.
    pub fn rename_team(&self, access: &Access, id: Id, name: &str) -> Result<(), RecordsError> {
        self.administer(access, |_, tx, ledger| {
            let before = name_of(tx, id)?;
            let name = checked_name(name)?;
            name_is_free(tx, &name, Some(id))?;
            let values: Vec<(&str, Bound)> = vec![("name", name.clone().into())];
            tx.execute(&update("team", values).and_where(col("id").eq(id.0)).take())?;
            ledger.note(Op::Update, "team", id, json!({ "name": before }), json!({ "name": name }));
            Ok(())
        })
    }

    /// Takes a team away that has no people, records or views. For administrators.
    pub fn delete_team(&self, access: &Access, id: Id) -> Result<(), RecordsError> {
        self.administer(access, |moment, tx, ledger| {
            let name = name_of(tx, id)?;
            let used = |what: &str| {
                Err(RecordsError::Conflict(format!("there are {what} of this team; give them to another one first")))
            };
            if count(tx, "membership", col("team").eq(id.0))? > 0 {
                return used("people");
            }
            if count(tx, "view", col("team").eq(id.0))? > 0 {
                return used("views");
            }
            for object in moment.schema.objects() {
                let owned = select(&table_of(&object.name), &["id"]).and_where(col("team").eq(id.0)).limit(1).take();
                if tx.first(&owned)?.is_some() {
                    return used(&object.plural.en.to_lowercase());
                }
            }
            tx.execute(&delete("team").and_where(col("id").eq(id.0)).take())?;
            ledger.note(Op::Delete, "team", id, json!({ "name": name }), json!({}));
            Ok(())
        })
    }
}
