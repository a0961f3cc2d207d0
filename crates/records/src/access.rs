//! Who asks, and what they may do. A value of [`Access`] is the proof without which no record is read or written; outside
//! this crate only a credential makes one.

use std::{fmt, sync::Arc};

use crate::{
    Id, RecordsError,
    role::{Reach, Role, Verb},
    schema::Object,
};

/// Who or what did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    User(Id),
    /// A program with an API key.
    Key(Id),
    /// An import that a person started.
    Import(Id),
    /// Customers' events.
    Events,
    /// What made the records of a demo.
    Demo,
    /// Rapport itself.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Import(id) => write!(f, "import:{id}"),
            Self::Events => f.write_str("events"),
            Self::Demo => f.write_str("demo"),
            Self::System => f.write_str("system"),
        }
    }
}

/// The proof that somebody was let in, with what they may do.
#[derive(Debug, Clone)]
pub struct Access {
    pub(crate) actor: Actor,
    pub(crate) user: Option<Id>,
    pub(crate) teams: Vec<Id>,
    pub(crate) role: Arc<Role>,
    pub(crate) origin: Option<String>,
    pub(crate) read_only: bool,
    /// What the person or program is called.
    pub(crate) name: Arc<str>,
}

impl Access {
    pub(crate) fn new(actor: Actor, user: Option<Id>, teams: Vec<Id>, role: Arc<Role>) -> Self {
        Self { actor, user, teams, role, origin: None, read_only: false, name: Arc::default() }
    }

    /// Rapport itself, for what no person asked for.
    pub(crate) fn of_system(actor: Actor) -> Self {
        Self::new(actor, None, Vec::new(), Arc::new(Role::administrator()))
    }

    /// The same access of somebody who is called so.
    #[must_use]
    pub(crate) fn called(self, name: &str) -> Self {
        Self { name: name.into(), ..self }
    }

    /// What the person or program is called; empty for Rapport itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same access, with where the request came from for the audit.
    #[must_use]
    pub fn from_address(mut self, address: impl Into<String>) -> Self {
        self.origin = Some(address.into());
        self
    }

    /// The same rights, used by an import that they started.
    #[must_use]
    pub(crate) fn as_import(&self, import: Id) -> Self {
        Self { actor: Actor::Import(import), ..self.clone() }
    }

    /// The same person, reading only.
    #[must_use]
    pub(crate) fn reading_only(self) -> Self {
        Self { role: Arc::new(self.role.reading_only()), read_only: true, ..self }
    }

    /// Whether everything that changes something is refused, as for a key that was made for reading.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The same person with every right, for what follows from something that they may do.
    pub(crate) fn with_every_right(&self) -> Self {
        Self { role: Arc::new(Role::administrator()), ..self.clone() }
    }

    /// Who it is.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The person; none for programs.
    pub fn user(&self) -> Option<Id> {
        self.user
    }

    /// The role.
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// Whether it may change people, roles and objects.
    pub fn is_administrator(&self) -> bool {
        self.role.administrator
    }

    /// Refuses everybody but administrators.
    pub fn must_be_administrator(&self) -> Result<(), RecordsError> {
        if self.is_administrator() {
            return Ok(());
        }
        Err(RecordsError::Forbidden("only administrators may do this".to_owned()))
    }

    /// Refuses those whose role may not move records in and out in bulk.
    pub fn must_transfer(&self) -> Result<(), RecordsError> {
        if self.is_administrator() || self.role.transfer {
            return Ok(());
        }
        Err(RecordsError::Forbidden("your role may not import or export".to_owned()))
    }

    /// Which records of an object it may do something with; refused if none.
    pub(crate) fn reach(&self, verb: Verb, object: &Object) -> Result<&Reach, RecordsError> {
        match self.role.reach(verb, &object.name) {
            // Whether an object exists at all is no secret; its name is in the address of the request.
            Reach::None => Err(RecordsError::Forbidden(format!(
                "your role may not {} {}",
                verb.words(),
                object.plural.en.to_lowercase()
            ))),
            reach => Ok(reach),
        }
    }

    /// Whether it may do something with at least some records of an object.
    pub fn may(&self, verb: Verb, object: &str) -> bool {
        *self.role.reach(verb, object) != Reach::None
    }

    /// Whether it may do something with all records of an object.
    pub fn may_all(&self, verb: Verb, object: &str) -> bool {
        *self.role.reach(verb, object) == Reach::All
    }

    /// Whether it may read every field of every record. Profiles and timelines of customers hold what happened to records
    /// of any object, without their permissions.
    pub fn reads_everything(&self) -> bool {
        let grants = self.role.objects.values().chain([&self.role.other]);
        self.role.administrator || grants.into_iter().all(|grant| grant.read == Reach::All && grant.hidden.is_empty())
    }

    /// Whether it may see a field.
    pub fn may_see(&self, object: &str, field: &str) -> bool {
        !self.role.grant(object).hidden.iter().any(|hidden| hidden == field)
    }

    /// Whether it may change a field that it sees. What says of a file what is in it nobody changes by hand.
    pub fn may_set(&self, object: &str, field: &str) -> bool {
        let is_locked = self.role.grant(object).locked.iter().any(|locked| locked == field);
        self.may_see(object, field) && !is_locked && !crate::contents::comes_with_content(object, field)
    }
}
