//! What a CRM does by itself when a record changes: names put together, stages that bring their probability, times of closing.
//!
//! A value that the caller gives is never replaced.

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, Order, Query};

use crate::{
    Id, RecordsError, Tx,
    edit::Stuffs,
    record::Record,
    schema::{FieldKind, Object, Schema, table_of},
    value::Stuff,
};

/// The object that deals go by.
const STAGE: &str = "stage";
const PIPELINE: &str = "pipeline";

/// Adds to the changed values what follows from them.
pub(crate) fn apply(
    tx: &mut Tx<'_>,
    object: &Object,
    current: Option<&Record>,
    now: Timestamp,
    stuffs: &mut Stuffs,
) -> Result<(), RecordsError> {
    match object.name.as_str() {
        "contact" | "lead" => name(current, stuffs),
        "deal" => return stage(tx, current, now, stuffs),
        "task" => closing(current, stuffs, now, &["done"], "done_at"),
        "ticket" => closing(current, stuffs, now, &["solved", "closed"], "solved_at"),
        _ => {}
    }
    Ok(())
}

/// Whether a value that every record of an object has may be left out of a new one, since it is made of others.
pub(crate) fn makes(object: &str, field: &str) -> bool {
    matches!((object, field), ("contact" | "lead", "name"))
}

/// A person's name from its parts, where only the parts were given. Chinese names have the family name first and no space.
fn name(current: Option<&Record>, stuffs: &mut Stuffs) {
    if stuffs.contains_key("name") || !(stuffs.contains_key("first_name") || stuffs.contains_key("last_name")) {
        return;
    }
    let part = |name: &str| match stuffs.get(name) {
        Some(Stuff::Text(text)) => text.clone(),
        Some(_) => String::new(),
        None => current.and_then(|record| record.fields.get(name)?.as_str()).unwrap_or_default().to_owned(),
    };
    let (first, last) = (part("first_name"), part("last_name"));
    let is_ideographic = |text: &str| text.chars().all(|letter| ('\u{3400}'..='\u{9fff}').contains(&letter));
    let whole = match (first.is_empty(), last.is_empty()) {
        (false, false) if is_ideographic(&first) && is_ideographic(&last) => format!("{last}{first}"),
        _ => format!("{first} {last}").trim().to_owned(),
    };
    if !whole.is_empty() {
        stuffs.insert("name".to_owned(), Stuff::Text(whole));
    }
}

/// A time that says since when a status is one of some.
fn closing(current: Option<&Record>, stuffs: &mut Stuffs, now: Timestamp, closed: &[&str], at: &str) {
    if stuffs.contains_key(at) {
        return;
    }
    let Some(status) = stuffs.get("status") else { return };
    let is_closed = matches!(status, Stuff::Text(status) if closed.contains(&status.as_str()));
    let was_closed = current.is_some_and(|record| record.fields.contains_key(at));
    if is_closed != was_closed {
        stuffs.insert(at.to_owned(), if is_closed { Stuff::Whole(now.0) } else { Stuff::Nothing });
    }
}

/// What is known of a stage.
struct Stage {
    id: Id,
    pipeline: Id,
    probability: Option<f64>,
    is_open: bool,
}

/// A deal's stage brings its pipeline and its probability, and says since when the deal is closed. A new deal without a stage
/// begins at the first.
fn stage(tx: &mut Tx<'_>, current: Option<&Record>, now: Timestamp, stuffs: &mut Stuffs) -> Result<(), RecordsError> {
    let stage = match (stuffs.get("stage"), stuffs.get("pipeline"), current) {
        (Some(Stuff::Whole(id)), _, _) => find_stage(tx, Some(Id(*id)), None)?,
        (None, Some(Stuff::Whole(pipeline)), _) => find_stage(tx, None, Some(Id(*pipeline)))?,
        (None, None, None) => find_stage(tx, None, None)?,
        _ => return Ok(()),
    };
    let Some(stage) = stage else { return Ok(()) };
    if let Some(Stuff::Whole(pipeline)) = stuffs.get("pipeline")
        && *pipeline != stage.pipeline.0
    {
        return Err(RecordsError::invalid("stage", "it belongs to another pipeline"));
    }
    stuffs.insert("stage".to_owned(), Stuff::Whole(stage.id.0));
    stuffs.insert("pipeline".to_owned(), Stuff::Whole(stage.pipeline.0));
    if let Some(probability) = stage.probability {
        stuffs.entry("probability".to_owned()).or_insert(Stuff::Real(probability));
    }
    let was_closed = current.is_some_and(|record| record.fields.contains_key("closed_at"));
    if was_closed == stage.is_open {
        let closed = closing_day(current, now, stuffs).unwrap_or(now.0);
        let closed = if stage.is_open { Stuff::Nothing } else { Stuff::Whole(closed) };
        stuffs.entry("closed_at".to_owned()).or_insert(closed);
    }
    Ok(())
}

/// Refuses to delete a stage or a pipeline in which records are: they would stand in no column of their board.
pub(crate) fn must_be_left(tx: &mut Tx<'_>, schema: &Schema, object: &Object, id: Id) -> Result<(), RecordsError> {
    if object.name != STAGE && object.name != PIPELINE {
        return Ok(());
    }
    let names_it = |kind: &FieldKind| matches!(kind, FieldKind::Relation { object: target } if *target == object.name);
    // The stages of a pipeline are in it as its parts.
    for other in schema.objects().filter(|other| other.name != STAGE) {
        for field in other.live_fields().filter(|field| names_it(&field.kind)) {
            let column = |name: &str| Expr::col(Alias::new(name));
            let in_it = Query::select()
                .expr(column("id"))
                .from(Alias::new(table_of(&other.name)))
                .and_where(column(&field.name).eq(id.0))
                .and_where(column("deleted_at").is_null())
                .limit(1)
                .take();
            if tx.first(&in_it)?.is_some() {
                let (what, place) = (other.plural.en.to_lowercase(), object.label.en.to_lowercase());
                let what = format!("there are {what} in this {place}; move them to another one first");
                return Err(RecordsError::Conflict(what));
            }
        }
    }
    Ok(())
}

/// A deal that comes closed, as from a file, was closed on the day that it says, if that is over.
fn closing_day(current: Option<&Record>, now: Timestamp, stuffs: &Stuffs) -> Option<i64> {
    match (current, stuffs.get("close_date")) {
        (None, Some(Stuff::Whole(day))) if *day < now.0 => Some(*day),
        _ => None,
    }
}

/// A stage by its id, or the first of a pipeline, or the first of the first pipeline.
fn find_stage(tx: &mut Tx<'_>, id: Option<Id>, pipeline: Option<Id>) -> Result<Option<Stage>, RecordsError> {
    let (stages, pipelines) = (Alias::new(table_of("stage")), Alias::new(table_of("pipeline")));
    let of_stage = |name: &str| Expr::col((stages.clone(), Alias::new(name)));
    let of_pipeline = |name: &str| Expr::col((pipelines.clone(), Alias::new(name)));
    let mut query = Query::select();
    query
        .expr(of_stage("id"))
        .expr(of_stage("pipeline"))
        .expr(of_stage("probability"))
        .expr(of_stage("outcome"))
        .from(stages.clone())
        .inner_join(pipelines.clone(), of_pipeline("id").eq(of_stage("pipeline")))
        .and_where(of_stage("deleted_at").is_null())
        .and_where(of_pipeline("deleted_at").is_null())
        .order_by_expr(of_pipeline("position"), Order::Asc)
        .order_by_expr(of_stage("position"), Order::Asc)
        .order_by_expr(of_stage("id"), Order::Asc)
        .limit(1);
    if let Some(id) = id {
        query.and_where(of_stage("id").eq(id.0));
    }
    if let Some(pipeline) = pipeline {
        query.and_where(of_stage("pipeline").eq(pipeline.0));
    }
    let Some(row) = tx.first(&query)? else { return Ok(None) };
    Ok(Some(Stage {
        id: Id(row.int(0)?),
        pipeline: Id(row.int(1)?),
        probability: row.float_or_none(2)?,
        is_open: row.text_or_none(3)?.is_none_or(|outcome| outcome == "open"),
    }))
}
