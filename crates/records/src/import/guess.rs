//! Where columns probably go: by the system that exported the file, by what columns are called, then by what is in them.

use super::{
    Column, Mapping, Style, Target,
    headers::normal,
    known::{self, System},
    stages::OUTCOME,
    style,
    synonyms::SYNONYMS,
};
use crate::{
    Access, Id,
    schema::{Field, FieldKind, Object, Schema},
};

/// A mapping, and the system that the file is from.
pub(super) fn guess(
    object: &Object,
    schema: &Schema,
    access: &Access,
    header: &[String],
    sample: &[Vec<String>],
) -> (Mapping, Option<&'static str>) {
    let scene = Scene { object, schema, access };
    let names: Vec<String> = header.iter().map(|name| normal(name)).collect();
    let system = known::system_of(header);
    let mut targets: Vec<Option<Target>> = vec![None; header.len()];
    if let Some(system) = system {
        scene.by_system(system, &names, sample, &mut targets);
    }
    // The surest way goes first over all columns, so that a guess does not take a field from a column that is named like it.
    let ways: [&dyn Fn(usize) -> Vec<Target>; 3] =
        [&|place| scene.by_name(&names[place]), &|place| scene.by_synonym(&names[place]), &|place| {
            scene.by_values(&column(sample, place).collect::<Vec<_>>())
        }];
    for way in ways {
        for place in 0..header.len() {
            if targets[place].is_none() {
                targets[place] = way(place).into_iter().find(|target| is_free(&targets, target));
            }
        }
    }
    let mut targets: Vec<Target> = targets.into_iter().map(Option::unwrap_or_default).collect();
    for (place, target) in targets.iter_mut().enumerate() {
        let all = |is: fn(&str) -> bool| {
            let mut values = column(sample, place).peekable();
            values.peek().is_some() && values.all(is)
        };
        // Ids of other systems are none of ours, even if they look like them.
        let are_ids = system.is_none() && all(|value| value.parse::<Id>().is_ok());
        match target {
            Target::Id if !are_ids => *target = Target::Skip,
            Target::Relation { .. } | Target::Person { .. } if system.is_some() && all(is_foreign_id) => {
                *target = Target::Skip;
            }
            Target::Relation { by, create, .. } if are_ids => {
                "id".clone_into(by);
                *create = false;
            }
            _ => {}
        }
    }
    let key = key(object, &targets);
    let columns = header.iter().zip(targets).enumerate().map(|(place, (name, target))| {
        let style = scene.kind(&target).map_or_else(Style::default, |kind| style::guess(kind, column(sample, place)));
        Column { name: name.clone(), target, style }
    });
    (Mapping { columns: columns.collect(), key, clear: false }, system.map(|system| system.name))
}

/// An earlier mapping for a file with the same columns, whose order may be another; none if it does not fit any more.
pub(super) fn again(mapping: Mapping, header: &[String], object: &Object, access: &Access) -> Option<Mapping> {
    let columns = header
        .iter()
        .map(|name| {
            let known = mapping.columns.iter().find(|column| normal(&column.name) == normal(name))?;
            Some(Column { name: name.clone(), ..known.clone() })
        })
        .collect::<Option<Vec<Column>>>()?;
    let there = |name: &str| name == "owner" || object.field(name).is_some() && access.may_set(&object.name, name);
    let fits = columns.iter().all(|column| field_of(&column.target).is_none_or(there));
    fits.then_some(Mapping { columns, ..mapping })
}

fn column(sample: &[Vec<String>], place: usize) -> impl Iterator<Item = &str> + Clone {
    sample.iter().filter_map(move |row| row.get(place)).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
}

fn field_of(target: &Target) -> Option<&str> {
    match target {
        Target::Skip | Target::Id => None,
        Target::Field { field }
        | Target::Part { field, .. }
        | Target::Relation { field, .. }
        | Target::Person { field } => Some(field),
    }
}

/// Whether a column's value is how another system numbers its records: a number, or 32 hexadecimal digits in groups.
fn is_foreign_id(value: &str) -> bool {
    let is_uuid = value.len() == 36 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_uuid || value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a cell has several names.
fn is_list(value: &str) -> bool {
    value.contains(';')
}

/// Whether no column goes where a target does.
fn is_free(targets: &[Option<Target>], target: &Target) -> bool {
    !targets.iter().flatten().any(|other| meets(other, target))
}

/// Whether two columns would go to the same place.
fn meets(one: &Target, other: &Target) -> bool {
    match (one, other) {
        (Target::Part { field, part }, Target::Part { field: other, part: another }) => {
            field == other && part == another
        }
        (Target::Id, Target::Id) => true,
        // A stage and how the matter ended are two columns.
        (Target::Relation { field, by, .. }, Target::Relation { field: other, by: another, .. }) => {
            field == other && (by == OUTCOME) == (another == OUTCOME)
        }
        _ => field_of(one).is_some() && field_of(one) == field_of(other),
    }
}

/// What rows are found by: an id, else a field that tells records apart.
fn key(object: &Object, targets: &[Target]) -> Option<String> {
    if targets.contains(&Target::Id) {
        return Some("id".to_owned());
    }
    let is_mapped =
        |name: &str| targets.iter().any(|target| matches!(target, Target::Field { field } if field == name));
    let by_kind =
        |wanted: fn(&Field) -> bool| object.live_fields().find(|field| wanted(field) && is_mapped(&field.name));
    let found = by_kind(|field| field.kind == FieldKind::Email && field.indexed)
        .or_else(|| by_kind(|field| field.unique && field.kind == FieldKind::Text))
        .or_else(|| object.field("domain").filter(|_| is_mapped("domain")))
        .or_else(|| {
            object.field("name").filter(|_| matches!(object.name.as_str(), "company" | "product") && is_mapped("name"))
        });
    found.map(|field| field.name.clone())
}

struct Scene<'s> {
    object: &'s Object,
    schema: &'s Schema,
    access: &'s Access,
}

impl Scene<'_> {
    /// A target as text, if the object has it and the caller may set it.
    fn target(&self, text: &str) -> Option<Target> {
        let (text, by) = text.split_once(':').map_or((text, None), |(text, by)| (text, Some(by)));
        let (name, part) = text.split_once('.').map_or((text, None), |(name, part)| (name, Some(part)));
        if name == "id" {
            return Some(Target::Id);
        }
        if name == "owner" {
            return Some(Target::Person { field: "owner".to_owned() });
        }
        let field = self.object.field(name).filter(|_| self.access.may_set(&self.object.name, name))?;
        match (&field.kind, part, by) {
            (FieldKind::Formula { .. } | FieldKind::Actor | FieldKind::File, ..) => None,
            (FieldKind::Address | FieldKind::Money, Some(part), _) => {
                Some(Target::Part { field: field.name.clone(), part: part.to_owned() })
            }
            (FieldKind::User, ..) => Some(Target::Person { field: field.name.clone() }),
            (FieldKind::Relation { object } | FieldKind::Relations { object }, None, by) => {
                let by = by.or_else(|| self.schema.object(object).map(|other| other.title.as_str()))?;
                // A company is often only a name in the file of its people; other records are more than a name.
                let create = object == "company" && by == "name" && self.may_create(object);
                Some(Target::Relation { field: field.name.clone(), by: by.to_owned(), create })
            }
            (_, None, None) => Some(Target::Field { field: field.name.clone() }),
            _ => None,
        }
    }

    fn may_create(&self, object: &str) -> bool {
        let other = self.schema.object(object);
        other.is_some_and(|other| {
            self.access.reach(crate::Verb::Create, other).is_ok() && self.access.may_set(object, &other.title)
        })
    }

    /// By what the system calls its columns, in the order of its preference. Columns with values go before those that are empty:
    /// exports of everything have all columns.
    fn by_system(&self, system: &System, names: &[String], sample: &[Vec<String>], targets: &mut [Option<Target>]) {
        for filled in [true, false] {
            for (called, goes) in system.columns(&self.object.name) {
                let places = (0..names.len()).filter(|place| known::is_called(&names[*place], called));
                for place in places {
                    if targets[place].is_some() || column(sample, place).next().is_some() != filled {
                        continue;
                    }
                    if goes.is_empty() {
                        targets[place] = Some(Target::Skip);
                        continue;
                    }
                    // A cell that names several records has no place in a field for one.
                    let fits = |target: &Target| !self.is_to_one(target) || !column(sample, place).any(is_list);
                    targets[place] = self.target(goes).filter(|target| is_free(targets, target) && fits(target));
                }
            }
        }
    }

    fn is_to_one(&self, target: &Target) -> bool {
        matches!(target, Target::Relation { field, .. }
            if self.object.field(field).is_some_and(|field| matches!(field.kind, FieldKind::Relation { .. })))
    }

    /// By a field's name or what it is called; exports of this program have names.
    fn by_name(&self, name: &str) -> Vec<Target> {
        let named =
            |field: &&Field| [&field.name, &field.label.en, &field.label.zh].iter().any(|known| normal(known) == name);
        let fields = self.object.live_fields().filter(named);
        fields.filter_map(|field| self.target(&field.name)).collect()
    }

    fn by_synonym(&self, name: &str) -> Vec<Target> {
        let known = SYNONYMS.iter().filter(|(_, names)| names.iter().any(|known| normal(known) == name));
        known.filter_map(|(target, _)| self.target(target)).collect()
    }

    /// By values: only those that cannot be much else.
    fn by_values(&self, values: &[&str]) -> Vec<Target> {
        if values.is_empty() {
            return Vec::new();
        }
        let mostly = |is: fn(&str) -> bool| values.iter().filter(|value| is(value)).count() * 10 >= values.len() * 9;
        let kind = if mostly(|value| value.contains('@') && value.contains('.') && !value.contains(' ')) {
            FieldKind::Email
        } else if mostly(|value| value.starts_with("http://") || value.starts_with("https://")) {
            FieldKind::Url
        } else {
            return Vec::new();
        };
        let fields = self.object.live_fields().filter(|field| field.kind == kind);
        fields.filter_map(|field| self.target(&field.name)).collect()
    }

    /// What kind of value a target takes.
    fn kind(&self, target: &Target) -> Option<&FieldKind> {
        match target {
            Target::Field { field } => self.object.field(field).map(|field| &field.kind),
            Target::Part { part, .. } if part == "amount" => Some(&FieldKind::Number),
            _ => None,
        }
    }
}
