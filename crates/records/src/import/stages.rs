//! Stages by what they mean: what another system calls won or lost belongs into such a stage of its pipeline, whatever that is called
//! here. A system may say so by a stage of its own (`Closed Won`) or in a column beside the stage in which it ended.
//!
//! It is not the search for stages by their names, which goes first. An outcome that is open moves nothing.

use sea_query::{Alias, Expr, ExprTrait as _, Order, Query};
use serde_json::Value;

use super::{
    lookup::{Found, Lookups, Scene, names},
    plan::{Finding, Place},
    rows::{Wrong, told, unescaped},
    source::{is_empty, plain},
    synonyms,
};
use crate::{
    Id, RecordsError, Tx,
    edit::Stuffs,
    schema::{Field, Object, table_of},
    value::{self, Stuff},
};

/// The object of stages.
pub(super) const STAGE: &str = "stage";
/// The field that says whether a stage is open, won or lost.
pub(super) const OUTCOME: &str = "outcome";
const PIPELINE: &str = "pipeline";
const OPEN: &str = "open";

/// The columns that say in which stage a record is.
pub(super) struct StageColumns<'p> {
    /// The field that names the stage.
    field: &'p str,
    /// The place of the column that names it, and by what it is found.
    named: Option<(usize, Finding<'p>)>,
    /// The place of the column that says how the matter ended, and the field with the outcomes.
    outcome: Option<(usize, &'p Field)>,
}

/// Such columns of a file, for each field that names a stage.
pub(super) fn columns<'p>(places: &[Option<Place<'p>>]) -> Vec<StageColumns<'p>> {
    let mut all: Vec<StageColumns<'p>> = Vec::new();
    for (at, place) in places.iter().enumerate() {
        let (field, named, outcome) = match place {
            Some(Place::Named(field, finding, false)) if finding.object == STAGE => {
                (*field, Some((at, *finding)), None)
            }
            Some(Place::Outcome(field, outcome)) => (*field, None, Some((at, *outcome))),
            _ => continue,
        };
        match all.iter_mut().find(|known| known.field == field) {
            Some(known) => {
                known.named = known.named.or(named);
                known.outcome = known.outcome.or(outcome);
            }
            None => all.push(StageColumns { field, named, outcome }),
        }
    }
    all
}

/// The outcome of the stage that other systems call so: won or lost, by a name that is no stage's here.
pub(super) fn ending(stage: &Object, name: &str) -> Option<String> {
    let meant = synonyms::option(STAGE, stage.field(OUTCOME)?, name)?;
    (meant != OPEN).then_some(meant)
}

/// A stage, as far as it matters here.
#[derive(Debug)]
struct Stage {
    id: Id,
    pipeline: Id,
    outcome: String,
}

/// The stages that the caller reads, in their order.
#[derive(Debug)]
pub(super) struct Stages(Vec<Stage>);

impl Stages {
    pub(super) fn load(tx: &mut Tx<'_>, scene: &Scene<'_, '_>) -> Result<Self, RecordsError> {
        let ground = scene.moment.ground(STAGE, scene.access)?;
        let column = |name: &str| Expr::col(Alias::new(name));
        let pipelines = Query::select()
            .expr(column("id"))
            .from(Alias::new(table_of(PIPELINE)))
            .and_where(column("deleted_at").is_null())
            .take();
        let mut query = ground.select(scene.access)?;
        for name in ["id", PIPELINE, OUTCOME] {
            query.expr(ground.column(name));
        }
        query.and_where(ground.column(PIPELINE).in_subquery(pipelines));
        for name in ["position", "id"] {
            query.order_by_expr(ground.column(name), Order::Asc);
        }
        let stage = |row: &crate::Row| {
            Ok(Stage { id: Id(row.int(0)?), pipeline: Id(row.int(1)?), outcome: row.text(2)?.to_owned() })
        };
        tx.query(&query)?.iter().map(stage).collect::<Result<_, RecordsError>>().map(Self)
    }

    fn get(&self, id: Id) -> Option<&Stage> {
        self.0.iter().find(|stage| stage.id == id)
    }

    /// The first stage of a pipeline with an outcome; without a pipeline, of the only one that has such a stage.
    fn of_outcome(&self, pipeline: Option<Id>, outcome: &str) -> Result<Id, String> {
        let fits = |stage: &&Stage| stage.outcome == outcome && pipeline.is_none_or(|id| stage.pipeline == id);
        let mut fitting = self.0.iter().filter(fits);
        let first = fitting.next().ok_or_else(|| format!("there is no stage whose outcome is \"{outcome}\""))?;
        if fitting.any(|stage| stage.pipeline != first.pipeline) {
            return Err(format!(
                "there are stages whose outcome is \"{outcome}\" in several pipelines; name the pipeline"
            ));
        }
        Ok(first.id)
    }
}

/// Puts a row's record into the stage in which it ended, if the row says that it did.
pub(super) fn settle(
    columns: &[StageColumns<'_>],
    lookups: &Lookups,
    scene: &Scene<'_, '_>,
    cells: &[Value],
    stuffs: &mut Stuffs,
) -> Result<(), Wrong> {
    let id_of = |stuffs: &Stuffs, field: &str| match stuffs.get(field) {
        Some(Stuff::Whole(id)) => Some(Id(*id)),
        _ => None,
    };
    for StageColumns { field, named, outcome } in columns {
        let by_column = match outcome {
            Some((at, outcome)) => outcome_of(outcome, cells.get(*at).unwrap_or(&Value::Null))
                .map_err(|error| ((*field).to_owned(), told(error).1))?,
            None => None,
        };
        let by_name = named.and_then(|(at, finding)| {
            let name = names(cells.get(at)?, false, scene.moment, finding).pop()?;
            if let Found::Ending(outcome) = lookups.get(finding, &name) { Some(outcome.clone()) } else { None }
        });
        let Some(meant) = by_column.filter(|outcome| outcome != OPEN).or(by_name) else { continue };
        let Some(stages) = lookups.stages() else { continue };
        let stage = id_of(stuffs, field).and_then(|id| stages.get(id));
        if stage.is_some_and(|stage| stage.outcome == meant) {
            continue;
        }
        let pipeline = id_of(stuffs, PIPELINE).or_else(|| Some(stage?.pipeline));
        let found = stages.of_outcome(pipeline, &meant).map_err(|what| ((*field).to_owned(), what))?;
        stuffs.insert((*field).to_owned(), Stuff::Whole(found.0));
    }
    Ok(())
}

/// The outcome that a cell tells; none of an empty one.
fn outcome_of(outcome: &Field, cell: &Value) -> Result<Option<String>, RecordsError> {
    if is_empty(cell) {
        return Ok(None);
    }
    let text = plain(cell);
    let text = unescaped(text.trim());
    let meant = synonyms::option(STAGE, outcome, text).unwrap_or_else(|| text.to_owned());
    match value::read(outcome, &Value::String(meant))? {
        Stuff::Text(outcome) => Ok(Some(outcome)),
        _ => Ok(None),
    }
}
