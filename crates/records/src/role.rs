//! What people and programs may do: by object, by field, by row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema::{Field, FieldKind, Schema};

/// What is done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// It is read.
    Read,
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is put into the trash.
    Delete,
}

impl Verb {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "change",
            Self::Delete => "delete",
        }
    }
}

/// Which records somebody reaches.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// None.
    #[default]
    None,
    /// Those that they own.
    Own,
    /// Those that they or one of their teams own.
    Team,
    /// All.
    All,
    /// Those of which a condition is true.
    Condition(String),
}

/// What a role may do with the records of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// Which it reads.
    pub read: Reach,
    /// Whether it makes new ones.
    pub create: bool,
    /// Which of those that it reads it changes.
    pub update: Reach,
    /// Which of those that it reads it deletes.
    pub delete: Reach,
    /// Fields that it does not see.
    pub hidden: Vec<String>,
    /// Fields that it sees and does not change.
    pub locked: Vec<String>,
}

/// A named set of permissions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Whether it may do everything, people and objects included.
    pub administrator: bool,
    /// Whether it may import files and export lists.
    pub transfer: bool,
    /// By object.
    pub objects: BTreeMap<String, Grant>,
    /// For objects that are not named.
    pub other: Grant,
}

static EVERYTHING: Grant = Grant {
    read: Reach::All,
    create: true,
    update: Reach::All,
    delete: Reach::All,
    hidden: Vec::new(),
    locked: Vec::new(),
};
static YES: Reach = Reach::All;
static NO: Reach = Reach::None;

/// Whether a word stands in an expression; be it in a text there, which hides too much rather than too little.
fn has_word(expression: &str, word: &str) -> bool {
    expression.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').any(|other| other == word)
}

impl Role {
    /// May do everything.
    pub fn administrator() -> Self {
        Self {
            name: "Administrator".to_owned(),
            administrator: true,
            transfer: true,
            other: EVERYTHING.clone(),
            ..Self::default()
        }
    }

    /// Reads and changes all records, and neither people nor objects.
    pub fn manager() -> Self {
        Self { name: "Manager".to_owned(), transfer: true, other: EVERYTHING.clone(), ..Self::default() }
    }

    /// Reads all records, changes those of their teams, deletes their own.
    pub fn member() -> Self {
        let other = Grant { update: Reach::Team, delete: Reach::Own, ..EVERYTHING.clone() };
        let mut role = Self { name: "Member".to_owned(), other, ..Self::default() };
        for object in ["pipeline", "stage", "product"] {
            role.objects.insert(object.to_owned(), Grant { read: Reach::All, ..Grant::default() });
        }
        role
    }

    /// Reads all records.
    pub fn reader() -> Self {
        Self { name: "Reader".to_owned(), other: Grant { read: Reach::All, ..Grant::default() }, ..Self::default() }
    }

    /// What of it is reading: the same records and fields, and nothing that changes any.
    pub(crate) fn reading_only(&self) -> Self {
        let reading =
            |grant: &Grant| Grant { create: false, update: Reach::None, delete: Reach::None, ..grant.clone() };
        // What an administrator's role says of single objects does not count, as in `grant`.
        let named = self.objects.iter().filter(|_| !self.administrator);
        Self {
            name: self.name.clone(),
            administrator: false,
            transfer: self.transfer,
            objects: named.map(|(object, grant)| (object.clone(), reading(grant))).collect(),
            other: reading(if self.administrator { &EVERYTHING } else { &self.other }),
        }
    }

    /// The same role, which does not see formulas over fields that it does not see: what they give would tell of those.
    pub(crate) fn hiding_formulas(&self, schema: &Schema) -> Self {
        let mut role = self.clone();
        for object in schema.objects() {
            let hidden = &self.grant(&object.name).hidden;
            let tells = |field: &&Field| match &field.kind {
                FieldKind::Formula { expression } => hidden.iter().any(|name| has_word(expression, name)),
                _ => false,
            };
            let formulas: Vec<String> = object.fields.iter().filter(tells).map(|field| field.name.clone()).collect();
            if !formulas.is_empty() {
                let grant = role.objects.entry(object.name.clone()).or_insert_with(|| self.other.clone());
                grant.hidden.extend(formulas);
            }
        }
        role
    }

    pub(crate) fn grant(&self, object: &str) -> &Grant {
        if self.administrator {
            return &EVERYTHING;
        }
        self.objects.get(object).unwrap_or(&self.other)
    }

    pub(crate) fn reach(&self, verb: Verb, object: &str) -> &Reach {
        let grant = self.grant(object);
        match verb {
            Verb::Read => &grant.read,
            Verb::Create if grant.create => &YES,
            Verb::Create => &NO,
            Verb::Update => &grant.update,
            Verb::Delete => &grant.delete,
        }
    }
}
