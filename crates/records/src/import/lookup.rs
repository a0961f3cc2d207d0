//! Records and people that cells name: found for many rows at once, made where the mapping says so, and remembered.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_query::{Alias, Expr, ExprTrait as _, Query};
use serde_json::Value;

use super::{
    plan::{Finding, PEOPLE, Place, Plan},
    rows::unescaped,
    source::{Row, is_empty, plain},
    stages::{self, STAGE, Stages},
};
use crate::{
    Access, Id, RecordsError, Tx,
    database::{among, can_be_kept},
    desk::Moment,
    edit::{Each, Editor, Given, Outcome, Stuffs},
    schema::{FieldKind, Object},
    value,
};

/// Names that are remembered; beyond it all are forgotten, which costs only time.
const REMEMBERED: usize = 200_000;
/// How many names are asked for at once.
pub(super) const CHUNK: usize = 500;
/// Objects with few records, whose names are compared without the size of letters where they are not found as they are: other systems
/// write stages in capitals.
const FEW: [&str; 2] = [STAGE, "pipeline"];

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    One(Id),
    Several,
    None,
    /// It would be made, and is not since this is a check.
    Later,
    /// It could not be made.
    Refused(String),
    /// It is a stage's name elsewhere, for this outcome.
    Ending(String),
}

/// What names lead to, by object and field.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    tables: BTreeMap<(String, String), HashMap<String, Found>>,
    /// The stages; none before the first rows that tell of some.
    stages: Option<Stages>,
    /// How many records were made, or would be.
    pub(super) made: u64,
}

/// Where lookups are made.
pub(super) struct Scene<'s, 'm> {
    pub(super) moment: &'s Moment<'m>,
    pub(super) access: &'s Access,
    pub(super) batch: Id,
    pub(super) dry: bool,
}

impl Lookups {
    /// What a name leads to; it was asked for by [`Lookups::resolve`].
    pub(super) fn get(&self, finding: Finding<'_>, name: &str) -> &Found {
        // A cell that holds several names asks several times, which is too seldom to avoid the two texts here.
        let table = self.tables.get(&(finding.object.to_owned(), finding.by.to_owned()));
        table.and_then(|table| table.get(name)).unwrap_or(&Found::None)
    }

    /// The stages that there are; [`Lookups::resolve`] has read them if a column goes to one.
    pub(super) fn stages(&self) -> Option<&Stages> {
        self.stages.as_ref()
    }

    /// Finds what the cells of some rows name.
    pub(super) fn resolve(
        &mut self,
        tx: &mut Tx<'_>,
        scene: &Scene<'_, '_>,
        plan: &Plan<'_>,
        rows: &[Row],
    ) -> Result<(), RecordsError> {
        if self.tables.values().map(HashMap::len).sum::<usize>() > REMEMBERED {
            self.tables.clear();
        }
        if self.stages.is_none() && !plan.stages.is_empty() {
            self.stages = Some(Stages::load(tx, scene)?);
        }
        let mut wanted: BTreeMap<Finding<'_>, BTreeSet<String>> = BTreeMap::new();
        for (place, column) in plan.places.iter().enumerate() {
            let Some(Place::Named(_, finding, many)) = column else { continue };
            if finding.by == "id" {
                continue;
            }
            let cells = rows.iter().filter_map(|row| row.cells.as_ref().ok()?.get(place));
            for name in cells.flat_map(|cell| names(cell, *many, scene.moment, *finding)) {
                if matches!(self.get(*finding, &name), Found::None) {
                    wanted.entry(*finding).or_default().insert(name);
                }
            }
        }
        for (finding, names) in wanted {
            let mut found =
                if finding.object == PEOPLE { people(tx, &names)? } else { records(tx, scene, finding, &names)? };
            if finding.create {
                self.make(tx, scene, finding, &names, &mut found)?;
            }
            self.tables.entry((finding.object.to_owned(), finding.by.to_owned())).or_default().extend(found);
        }
        Ok(())
    }

    /// Makes the records that are missing.
    fn make(
        &mut self,
        tx: &mut Tx<'_>,
        scene: &Scene<'_, '_>,
        finding: Finding<'_>,
        names: &BTreeSet<String>,
        found: &mut HashMap<String, Found>,
    ) -> Result<(), RecordsError> {
        let Some(object) = scene.moment.schema.object(finding.object) else { return Ok(()) };
        let mut missing: Vec<(&String, Stuffs)> = Vec::new();
        for name in names {
            if found.contains_key(name) {
                continue;
            }
            match named(object, finding.by, name) {
                Ok(stuffs) => missing.push((name, stuffs)),
                Err(error) => {
                    found.insert(name.clone(), Found::Refused(error.to_string()));
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let (names, creates): (Vec<&String>, Vec<Each>) =
            missing.into_iter().map(|(name, stuffs)| (name, Each::Create(Given::Stuffs(stuffs)))).unzip();
        let editor = Editor::new(scene.moment, scene.access, finding.object, Some(scene.batch))?;
        let ran = editor.run_each(tx, creates, scene.dry)?;
        for (name, outcome) in names.iter().zip(&ran.outcomes) {
            if let Outcome::Created(id) = outcome {
                self.made += 1;
                found.insert((*name).clone(), if scene.dry { Found::Later } else { Found::One(*id) });
            }
        }
        for error in ran.errors {
            found.insert(names[error.index].clone(), Found::Refused(format!("{}: {}", error.field, error.what)));
        }
        Ok(())
    }
}

/// A record that has a name and nothing else.
fn named(object: &Object, by: &str, name: &str) -> Result<Stuffs, RecordsError> {
    let mut stuffs = Stuffs::new();
    for field in [object.title.as_str(), by] {
        if let Some(field) = object.field(field) {
            stuffs.insert(field.name.clone(), value::read(field, &Value::String(name.to_owned()))?);
        }
    }
    Ok(stuffs)
}

/// The names in a cell, as they are compared.
pub(super) fn names(cell: &Value, many: bool, moment: &Moment<'_>, finding: Finding<'_>) -> Vec<String> {
    let is_address = finding.object == PEOPLE
        || moment
            .schema
            .object(finding.object)
            .and_then(|object| object.field(finding.by))
            .is_some_and(|field| field.kind == FieldKind::Email);
    let whole = |cell: &Value| {
        let text = plain(cell);
        let text = unescaped(text.trim());
        if is_address && text.contains('@') { text.to_lowercase() } else { text.to_owned() }
    };
    match cell {
        cell if is_empty(cell) => Vec::new(),
        Value::Array(members) => members.iter().filter(|member| !is_empty(member)).map(whole).collect(),
        cell if many => {
            let text = whole(cell);
            let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        }
        cell => vec![whole(cell)],
    }
}

/// People by their addresses, their names or their ids.
fn people(tx: &mut Tx<'_>, names: &BTreeSet<String>) -> Result<HashMap<String, Found>, RecordsError> {
    let column = |name: &str| Expr::col(Alias::new(name));
    let mut found = HashMap::new();
    let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| can_be_kept(name)).collect();
    for chunk in names.chunks(CHUNK) {
        let ids: Vec<i64> = chunk.iter().filter_map(|name| Some(name.parse::<Id>().ok()?.0)).collect();
        let called = |name: &str| column(name).is_in(chunk.iter().copied());
        let mut wanted = called("email").or(called("name"));
        if !ids.is_empty() {
            wanted = wanted.or(column("id").is_in(ids));
        }
        let query = Query::select()
            .columns(["id", "email", "name"].map(Alias::new))
            .from(Alias::new("person"))
            .and_where(wanted)
            .take();
        for row in tx.query(&query)? {
            let id = Id(row.int(0)?);
            let number = id.to_string();
            for name in [row.text(1)?, row.text(2)?, &number] {
                if chunk.contains(&name) {
                    add(&mut found, name, id);
                }
            }
        }
    }
    Ok(found)
}

/// Records that the caller reads, by a field.
fn records(
    tx: &mut Tx<'_>,
    scene: &Scene<'_, '_>,
    finding: Finding<'_>,
    names: &BTreeSet<String>,
) -> Result<HashMap<String, Found>, RecordsError> {
    let ground = scene.moment.ground(finding.object, scene.access)?;
    let mut found = HashMap::new();
    let mut all = ground.select(scene.access)?;
    all.expr(ground.column("id")).expr(ground.column(finding.by));
    let mut query = all.clone();
    query.and_where(among(tx.backend(), ground.column(finding.by), names.iter().map(String::as_str)));
    for row in tx.query(&query)? {
        add(&mut found, row.text(1)?, Id(row.int(0)?));
    }
    let missing: Vec<&String> = names.iter().filter(|name| !found.contains_key(*name)).collect();
    if missing.is_empty() || !FEW.contains(&finding.object) {
        return Ok(found);
    }
    for row in tx.query(&all)? {
        let lower = row.text(1)?.to_lowercase();
        for name in missing.iter().filter(|name| name.to_lowercase() == lower) {
            add(&mut found, name, Id(row.int(0)?));
        }
    }
    if finding.object == STAGE && finding.by == ground.object.title {
        for name in missing.into_iter().filter(|name| !found.contains_key(*name)).collect::<Vec<_>>() {
            found.extend(stages::ending(ground.object, name).map(|outcome| (name.clone(), Found::Ending(outcome))));
        }
    }
    Ok(found)
}

fn add(found: &mut HashMap<String, Found>, name: &str, id: Id) {
    let one = Found::One(id);
    found
        .entry(name.to_owned())
        .and_modify(|known| {
            if *known != one {
                *known = Found::Several;
            }
        })
        .or_insert(one.clone());
}
