//! Objects and fields as data: what kinds of records there are and what they hold.
//!
//! An object is a table, a field a column; those that Rapport brings stand in `builtin`, those that an organisation adds
//! are kept in the database. Neither is treated differently anywhere else.
//!
//! Limits: [`MAX_OBJECTS`] objects, [`MAX_FIELDS`] fields of an object, [`MAX_OPTIONS`] options of a choice.

mod builtin;
mod check;
mod kind;
mod table;
pub(crate) mod teams;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::RecordsError;

pub use self::kind::{Choice, FieldKind, Options};
pub(crate) use self::{
    check::check_object,
    kind::Stored,
    table::{SYSTEM, columns, currency_column, ensure, ensure_fields, has_index, is_system, table_of},
};

/// The most objects.
pub const MAX_OBJECTS: usize = 200;
/// The most fields of an object, retired ones included.
pub const MAX_FIELDS: usize = 200;
/// The most options of a choice.
pub const MAX_OPTIONS: usize = 500;

/// A name for people, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Label {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Label {
    fn of((en, zh): (&str, &str)) -> Self {
        Self { en: en.to_owned(), zh: zh.to_owned() }
    }
}

/// A kind of records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Its name in the API: small letters, digits and `_`.
    pub name: String,
    /// What one of them is called.
    pub label: Label,
    /// What many of them are called.
    pub plural: Label,
    /// The field that tells a record apart for people.
    pub title: String,
    /// Its fields, in the order of the page.
    pub fields: Vec<Field>,
    /// Whether the organisation made it.
    #[serde(default)]
    pub custom: bool,
}

/// What a record holds under one name.
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the definition that stands for itself")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in the API and in conditions.
    pub name: String,
    /// What it is called.
    pub label: Label,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether every record must have it.
    #[serde(default)]
    pub required: bool,
    /// Whether no two records may have the same.
    #[serde(default)]
    pub unique: bool,
    /// Whether lists are often sorted or filtered by it: it gets an index.
    #[serde(default)]
    pub indexed: bool,
    /// Whether the search looks at it.
    #[serde(default)]
    pub searchable: bool,
    /// Whether the organisation made it.
    #[serde(default)]
    pub custom: bool,
    /// Whether it was taken away: its values stay, for when it is brought back.
    #[serde(default)]
    pub retired: bool,
}

impl Object {
    /// The field of this name, unless it was taken away.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name && !field.retired)
    }

    /// Whether a new record is refused without the field.
    pub fn must_be_given(&self, field: &Field) -> bool {
        field.required && !crate::rules::makes(&self.name, &field.name)
    }

    /// The fields that were not taken away.
    pub fn live_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.retired)
    }
}

/// All objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    objects: BTreeMap<String, Object>,
}

impl Schema {
    /// The objects that Rapport brings.
    pub(crate) fn builtin() -> Self {
        Self { objects: builtin::objects().into_iter().map(|object| (object.name.clone(), object)).collect() }
    }

    /// The object of this name.
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.objects.get(name)
    }

    /// All objects by name.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// Adds an object or replaces the one of its name.
    pub(crate) fn put(&mut self, object: Object) {
        self.objects.insert(object.name.clone(), object);
    }

    /// Adds what an organisation keeps: objects of its own whole, of the others the fields that it added.
    pub(crate) fn merge(&mut self, stored: Object) {
        match self.objects.get_mut(&stored.name) {
            Some(known) if !stored.custom => {
                let added = stored.fields.into_iter().filter(|field| field.custom);
                let known_names: Vec<String> = known.fields.iter().map(|field| field.name.clone()).collect();
                known.fields.extend(added.filter(|field| !known_names.contains(&field.name)));
            }
            _ => self.put(stored),
        }
    }
}

/// A definition as it will be: fields that are there keep their kind, and are taken away only by being retired.
pub(crate) fn changed(known: Option<&Object>, wanted: Object) -> Result<Object, RecordsError> {
    let Some(known) = known else {
        let fields = wanted.fields.into_iter().map(|field| Field { custom: true, ..field }).collect();
        return Ok(Object { custom: true, fields, ..wanted });
    };
    let mut fields = Vec::with_capacity(wanted.fields.len());
    for field in &wanted.fields {
        let Some(before) = known.fields.iter().find(|before| before.name == field.name) else {
            if field.required {
                let what = "a field that is added cannot be required: the records that are there do not have it";
                return Err(RecordsError::invalid(&field.name, what));
            }
            fields.push(Field { custom: true, ..field.clone() });
            continue;
        };
        let is_same_kind = std::mem::discriminant(&before.kind) == std::mem::discriminant(&field.kind)
            && before.kind.target() == field.kind.target();
        if !is_same_kind {
            return Err(RecordsError::invalid(&field.name, "a field keeps its type; add another one and retire this"));
        }
        if !before.custom && *before != *field {
            return Err(RecordsError::invalid(&field.name, "Rapport's own fields stay as they are"));
        }
        fields.push(Field { custom: before.custom, ..field.clone() });
    }
    if let Some(missing) = known.fields.iter().find(|before| !fields.iter().any(|field| field.name == before.name)) {
        return Err(RecordsError::invalid(
            "fields",
            format!("\"{}\" is missing; a field is taken away by retiring it", missing.name),
        ));
    }
    if !known.custom && (known.label != wanted.label || known.plural != wanted.plural || known.title != wanted.title) {
        return Err(RecordsError::invalid("label", "Rapport's own objects keep their names"));
    }
    Ok(Object { custom: known.custom, fields, ..wanted })
}
