//! A row becomes values of fields.

use std::str::FromStr as _;

use serde_json::{Map, Value, json};

use super::{
    lookup::{Found, Lookups, Scene, names},
    plan::{Finding, PEOPLE, Place, Plan},
    source::{Row, is_empty, plain},
    stages,
    style::{self, Style},
    synonyms,
};
use crate::{
    Id, RecordsError,
    desk::Moment,
    edit::Stuffs,
    schema::{Field, FieldKind},
    value::{self, Stuff},
};

/// What a row says: the record's own id, if a column holds it, its values, and what its cell for one e-mail address has more.
#[derive(Default)]
pub(super) struct Read {
    pub(super) id: Option<Id>,
    pub(super) stuffs: Stuffs,
    pub(super) more_emails: Vec<String>,
}

/// What is wrong with a field of a row.
pub(super) type Wrong = (String, String);

/// Reads rows, but for the names of records and people.
pub(super) fn read_all(plan: &Plan<'_>, rows: &[Row]) -> Vec<Result<Read, Vec<Wrong>>> {
    let of_row = |row: &Row| match &row.cells {
        Ok(cells) => read(plan, cells),
        Err(what) => Err(vec![(String::new(), what.clone())]),
    };
    rows.iter().map(of_row).collect()
}

/// Reads a row, but for the names of records and people; else all that is wrong with it.
fn read(plan: &Plan<'_>, cells: &[Value]) -> Result<Read, Vec<Wrong>> {
    let mut read = Read::default();
    let mut wrong: Vec<Wrong> = Vec::new();
    let mut parts: Vec<(&Field, Map<String, Value>)> = Vec::new();
    for (place, cell) in plan.places.iter().zip(cells) {
        let Some(place) = place else { continue };
        let done = match place {
            Place::Id if is_empty(cell) => Ok(()),
            Place::Id => id(cell).map(|id| read.id = Some(id)),
            Place::Field(field, style) => match plan.addresses.and_then(|addresses| addresses.read(field, cell)) {
                Some(several) => several.map(|(first, others)| {
                    put(&mut read.stuffs, &field.name, Some(first));
                    read.more_emails = others;
                }),
                None => field_of(plan, field, *style, cell).map(|stuff| put(&mut read.stuffs, &field.name, stuff)),
            },
            Place::Part(field, part, style) => {
                if !is_empty(cell) {
                    let value = part_of(part, *style, cell);
                    match parts.iter_mut().find(|(other, _)| other.name == field.name) {
                        Some((_, known)) => {
                            known.insert((*part).to_owned(), value);
                        }
                        None => parts.push((field, Map::from_iter([((*part).to_owned(), value)]))),
                    }
                }
                Ok(())
            }
            Place::Named(..) | Place::Outcome(..) => Ok(()),
        };
        if let Err(error) = done {
            wrong.push(told(error));
        }
    }
    for (field, parts) in parts {
        // A currency without an amount is no amount.
        if field.kind == FieldKind::Money && !parts.contains_key("amount") {
            continue;
        }
        match value::read(field, &Value::Object(parts)) {
            Ok(stuff) => put(&mut read.stuffs, &field.name, Some(stuff)),
            Err(error) => wrong.push(told(error)),
        }
    }
    if wrong.is_empty() { Ok(read) } else { Err(wrong) }
}

/// A row with what its names of records and people lead to; else all that is wrong with it. Rows may have been read in the name of
/// Rapport itself: what only some may set, and no column is mapped to, is refused here.
pub(super) fn with_named(
    read: Result<Read, Vec<Wrong>>,
    plan: &Plan<'_>,
    lookups: &Lookups,
    scene: &Scene<'_, '_>,
    cells: &[Value],
) -> Result<Read, Vec<Wrong>> {
    let (mut read, mut wrong) = match read {
        Ok(read) => (Some(read), Vec::new()),
        Err(wrong) => (None, wrong),
    };
    for (place, cell) in plan.places.iter().zip(cells) {
        let Some(Place::Named(name, finding, many)) = place else { continue };
        match (named(*finding, *many, lookups, scene.moment, cell, plan.clear), &mut read) {
            (Ok(stuff), Some(read)) => put(&mut read.stuffs, name, stuff),
            (Ok(_), None) => {}
            (Err(what), _) => wrong.push(((*name).to_owned(), what)),
        }
    }
    if let Some(read) = &mut read {
        wrong.extend(stages::settle(&plan.stages, lookups, scene, cells, &mut read.stuffs).err());
        if let Some(addresses) = plan.addresses.filter(|_| !read.more_emails.is_empty()) {
            wrong.extend(addresses.must_be_settable(scene).err().map(told));
        }
    }
    read.filter(|_| wrong.is_empty()).ok_or(wrong)
}

fn put(stuffs: &mut Stuffs, name: &str, stuff: Option<Stuff>) {
    if let Some(stuff) = stuff {
        stuffs.insert(name.to_owned(), stuff);
    }
}

pub(super) fn told(error: RecordsError) -> Wrong {
    match error {
        RecordsError::Invalid { field, what } => (field, what),
        other => (String::new(), other.to_string()),
    }
}

fn id(cell: &Value) -> Result<Id, RecordsError> {
    Id::from_str(plain(cell).trim())
}

/// A cell's value; none where it is empty and what is there stays.
fn field_of(plan: &Plan<'_>, field: &Field, style: Style, cell: &Value) -> Result<Option<Stuff>, RecordsError> {
    if is_empty(cell) {
        return Ok(plan.clear.then_some(Stuff::Nothing));
    }
    let value = match &field.kind {
        FieldKind::Number | FieldKind::Money | FieldKind::Date | FieldKind::DateTime => {
            style.apply(&field.kind, structured(cell))
        }
        FieldKind::Boolean | FieldKind::Choice(_) => {
            let text = text_cell(cell);
            let meant = text.as_str().and_then(|text| synonyms::option(&plan.object.name, field, text));
            meant.map_or(text, Value::String)
        }
        FieldKind::Address => match structured(cell) {
            Value::String(text) => json!(one_line(&text)),
            other => other,
        },
        FieldKind::Json | FieldKind::MultiChoice(_) | FieldKind::Emails | FieldKind::Phones => structured(cell),
        FieldKind::Relations { .. } => match structured(cell) {
            Value::String(text) => json!(text.split(';').map(str::trim).collect::<Vec<_>>()),
            other => other,
        },
        _ => text_cell(cell),
    };
    value::read(field, &value).map(Some)
}

/// A part of an amount or an address.
fn part_of(part: &str, style: Style, cell: &Value) -> Value {
    let text = text_cell(cell);
    match (part, text.as_str()) {
        ("amount", _) => style.apply(&FieldKind::Number, text),
        ("currency", Some(sign)) => json!(style::currency(sign.trim())),
        (_, Some(lines)) => json!(one_line(lines)),
        _ => text,
    }
}

/// The lines of an address as one: other systems keep a street in several.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(", ")
}

/// A cell as text: spreadsheets hold telephone numbers and names of options as numbers.
fn text_cell(cell: &Value) -> Value {
    match cell {
        Value::String(text) => json!(unescaped(text)),
        other => json!(plain(other)),
    }
}

/// A cell that may hold JSON, as exports of this program do.
fn structured(cell: &Value) -> Value {
    let Value::String(text) = cell else { return cell.clone() };
    let text = unescaped(text.trim());
    if text.starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str(text)
    {
        return value;
    }
    json!(text)
}

/// Exports put `'` before what a spreadsheet would take for a formula, and some a zero-width joiner; here it goes away again.
pub(super) fn unescaped(text: &str) -> &str {
    match text.strip_prefix(['\'', '\u{200d}']) {
        Some(rest) if rest.starts_with(crate::export::FORMULA) => rest,
        _ => text,
    }
}

/// What a cell names.
fn named(
    finding: Finding<'_>,
    many: bool,
    lookups: &Lookups,
    moment: &Moment<'_>,
    cell: &Value,
    clear: bool,
) -> Result<Option<Stuff>, String> {
    if is_empty(cell) {
        return Ok(clear.then_some(Stuff::Nothing));
    }
    let mut ids = Vec::new();
    for name in names(cell, many, moment, finding) {
        if finding.by == "id" {
            ids.push(Id::from_str(&name).map_err(|error| error.to_string())?);
            continue;
        }
        let what = if finding.object == PEOPLE { "person" } else { finding.object };
        match lookups.get(finding, &name) {
            Found::One(id) => ids.push(*id),
            // What a stage means is looked at when the row's pipeline is known.
            Found::Ending(_) if !many => {}
            Found::Later => {}
            Found::None | Found::Ending(_) => return Err(format!("there is no {what} \"{name}\"")),
            Found::Several => return Err(format!("there are several of {what} \"{name}\"")),
            Found::Refused(what) => return Err(what.clone()),
        }
    }
    if many {
        ids.sort_unstable();
        ids.dedup();
        return Ok(Some(if ids.is_empty() { Stuff::Nothing } else { Stuff::Ids(ids) }));
    }
    Ok(ids.first().map(|id| Stuff::Whole(id.0)))
}
