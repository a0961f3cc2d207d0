//! A mapping checked against an object: where each cell goes, by whom it may be set, and how records are found.

use super::{
    Mapping, Style, Target,
    addresses::Addresses,
    stages::{self, OUTCOME, STAGE, StageColumns},
};
use crate::{
    Access, RecordsError, Verb,
    schema::{Field, FieldKind, Object, Schema, Stored},
};

/// People, as a lookup's object.
pub(super) const PEOPLE: &str = "/person";

/// A checked mapping.
pub(super) struct Plan<'p> {
    pub(super) object: &'p Object,
    /// In the order of the file; none for columns that go nowhere.
    pub(super) places: Vec<Option<Place<'p>>>,
    pub(super) key: Option<Key<'p>>,
    pub(super) clear: bool,
    /// Where the others go if a cell for one e-mail address has several. Whether the caller may set that is asked of each row.
    pub(super) addresses: Option<Addresses<'p>>,
    pub(super) stages: Vec<StageColumns<'p>>,
}

/// Where a column's cells go.
pub(super) enum Place<'p> {
    Id,
    Field(&'p Field, Style),
    Part(&'p Field, &'p str, Style),
    /// A name, and by what it is found.
    Named(&'p str, Finding<'p>, bool),
    /// The outcome of the stage in which a matter ended: the field that names the stage, and the one with the outcomes.
    Outcome(&'p str, &'p Field),
}

/// How records or people are found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding<'p> {
    /// The object, or [`PEOPLE`].
    pub(super) object: &'p str,
    pub(super) by: &'p str,
    pub(super) create: bool,
}

/// By what records that are there are found.
#[derive(Clone, Copy)]
pub(super) enum Key<'p> {
    Id,
    Field(&'p Field),
}

impl<'p> Plan<'p> {
    /// Checks a mapping. Only what the caller may set can be a target.
    pub(super) fn new(
        object: &'p Object,
        schema: &'p Schema,
        access: &Access,
        mapping: &'p Mapping,
        header: &[String],
    ) -> Result<Self, RecordsError> {
        if mapping.columns.len() != header.len()
            || mapping.columns.iter().zip(header).any(|(column, name)| column.name != *name)
        {
            return Err(RecordsError::invalid("columns", "they must be those of the file, in its order"));
        }
        let mut places = Vec::with_capacity(mapping.columns.len());
        let mut taken: Vec<(&str, &str)> = Vec::new();
        for (at, column) in mapping.columns.iter().enumerate() {
            let place = place(object, schema, access, &column.target, column.style)
                .map_err(|what| RecordsError::invalid(format!("columns[{at}].target"), what))?;
            let name = place.as_ref().map(Place::name);
            if let Some(name) = name {
                let meets = |other: &(&str, &str)| {
                    other.0 == name.0 && (other.1 == name.1 || other.1.is_empty() || name.1.is_empty())
                };
                if taken.iter().any(meets) {
                    let what = format!("two columns go to \"{}\"", name.0);
                    return Err(RecordsError::invalid(format!("columns[{at}].target"), what));
                }
                taken.push(name);
            }
            places.push(place);
        }
        if taken.is_empty() {
            return Err(RecordsError::invalid("columns", "none of them goes anywhere"));
        }
        let key = key(object, access, mapping.key.as_deref(), &places)?;
        let addresses = Addresses::of(object, |field| taken.iter().any(|(name, _)| *name == field));
        let stages = stages::columns(&places);
        Ok(Self { object, places, key, clear: mapping.clear, addresses, stages })
    }
}

impl<'p> Place<'p> {
    fn name(&self) -> (&'p str, &'p str) {
        match self {
            Self::Id => ("id", ""),
            Self::Field(field, _) => (&field.name, ""),
            Self::Part(field, part, _) => (&field.name, part),
            // A stage may be named by one column and its outcome told by another.
            Self::Named(name, ..) => (name, "record"),
            Self::Outcome(name, _) => (name, OUTCOME),
        }
    }
}

fn place<'p>(
    object: &'p Object,
    schema: &'p Schema,
    access: &Access,
    target: &'p Target,
    style: Style,
) -> Result<Option<Place<'p>>, String> {
    let settable = |name: &str| {
        let field = object.field(name).filter(|_| access.may_see(&object.name, name));
        let field = field.ok_or_else(|| format!("{} has no field \"{name}\"", object.name))?;
        if !access.may_set(&object.name, name) {
            return Err(format!("your role may not change \"{name}\""));
        }
        if !field.kind.is_settable() {
            return Err(format!("\"{name}\" is written by Rapport alone"));
        }
        Ok(field)
    };
    Ok(Some(match target {
        Target::Skip => return Ok(None),
        Target::Id => Place::Id,
        Target::Field { field } => Place::Field(settable(field)?, style),
        Target::Part { field, part } => {
            let field = settable(field)?;
            let parts: &[&str] = match field.kind {
                FieldKind::Address => &crate::value::ADDRESS,
                FieldKind::Money => &["amount", "currency"],
                _ => &[],
            };
            if !parts.contains(&part.as_str()) {
                return Err(format!("\"{}\" has no part \"{part}\"", field.name));
            }
            Place::Part(field, part, style)
        }
        Target::Relation { field, by, create } => {
            let field = settable(field)?;
            let other = field.kind.target().and_then(|other| schema.object(other));
            let other = other.ok_or_else(|| format!("\"{}\" names no records", field.name))?;
            let many = matches!(field.kind, FieldKind::Relations { .. });
            let finding = finding(other, access, by, *create)?;
            match other.field(OUTCOME) {
                Some(outcome) if other.name == STAGE && by == OUTCOME && !many => Place::Outcome(&field.name, outcome),
                _ => Place::Named(&field.name, finding, many),
            }
        }
        Target::Person { field } => {
            let name = if field == "owner" {
                "owner"
            } else {
                let field = settable(field)?;
                if field.kind != FieldKind::User {
                    return Err(format!("\"{}\" holds no person", field.name));
                }
                &field.name
            };
            Place::Named(name, Finding { object: PEOPLE, by: "email", create: false }, false)
        }
    }))
}

fn finding<'p>(other: &'p Object, access: &Access, by: &'p str, create: bool) -> Result<Finding<'p>, String> {
    access.reach(Verb::Read, other).map_err(|error| error.to_string())?;
    let is_outcome = other.name == STAGE && by == OUTCOME;
    if by != "id" {
        let field = other.field(by).filter(|_| access.may_see(&other.name, by));
        if field.is_none_or(|field| field.kind.stored() != Stored::Text) {
            return Err(format!("{} cannot be found by \"{by}\"", other.plural.en.to_lowercase()));
        }
    }
    if create {
        access.reach(Verb::Create, other).map_err(|error| error.to_string())?;
        if by == "id" || is_outcome || [by, other.title.as_str()].iter().any(|name| !access.may_set(&other.name, name))
        {
            return Err(format!("{} cannot be made by \"{by}\"", other.plural.en.to_lowercase()));
        }
    }
    Ok(Finding { object: &other.name, by, create })
}

fn key<'p>(
    object: &'p Object,
    access: &Access,
    key: Option<&str>,
    places: &[Option<Place<'p>>],
) -> Result<Option<Key<'p>>, RecordsError> {
    let wrong = |what: String| Err(RecordsError::invalid("key", what));
    let has_id = places.iter().flatten().any(|place| matches!(place, Place::Id));
    match key {
        None if has_id => wrong("a column holds ids, so records must be found by \"id\"".to_owned()),
        None => Ok(None),
        Some("id") if has_id => Ok(Some(Key::Id)),
        Some("id") => wrong("no column holds ids".to_owned()),
        Some(_) if has_id => wrong("a column holds ids, so records must be found by \"id\"".to_owned()),
        Some(name) => {
            let field = object.field(name).filter(|field| field.kind.stored() == Stored::Text);
            let Some(field) = field.filter(|_| access.may_see(&object.name, name)) else {
                return wrong(format!("records cannot be found by \"{name}\""));
            };
            let is_mapped =
                places.iter().flatten().any(|place| matches!(place, Place::Field(other, _) if other.name == name));
            if !is_mapped {
                return wrong(format!("no column goes to \"{name}\""));
            }
            Ok(Some(Key::Field(field)))
        }
    }
}
