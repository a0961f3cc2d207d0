//! What the bench needs and nobody else may have: people who are there without having been invited, and their access without
//! a credential.

use std::sync::Arc;

use crate::{Access, Actor, Desk, Id, RecordsError, Role};

impl Access {
    /// A person's access without a credential. For measurements only.
    #[doc(hidden)]
    pub fn for_measuring(person: Id, teams: Vec<Id>, role: Role) -> Self {
        Self::new(Actor::User(person), Some(person), teams, Arc::new(role))
    }
}

impl Desk {
    /// Makes people and teams known, so that records can belong to them. For measurements only.
    #[doc(hidden)]
    pub fn know_for_measuring(&self, people: &[Id], teams: &[Id]) -> Result<(), RecordsError> {
        self.write(|moment, tx| {
            let person = |id: &Id| {
                let (email, name) = (format!("{id}@example.com"), format!("Person {id}"));
                vec![id.0.into(), email.into(), name.into(), 0_i64.into(), true.into(), moment.now.0.into()]
            };
            let rows: Vec<_> = people.iter().map(person).collect();
            tx.insert_rows("person", &["id", "email", "name", "role", "active", "created_at"], &rows)?;
            let rows: Vec<_> = teams.iter().map(|id| vec![id.0.into(), format!("Team {id}").into()]).collect();
            tx.insert_rows("team", &["id", "name"], &rows)
        })
    }
}
