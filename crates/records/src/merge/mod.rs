//! Merging two records into one, and taking that apart again.
//!
//! The winner keeps its values, gets the loser's where it has none, and both's lists; what the caller chose comes before either.
//! Everything that names the loser names the winner afterwards, whoever may change it: what follows from a merge is not asked for
//! record by record. The loser goes to the trash. All of it is one batch in one transaction; [`Desk::undo`] takes the batch back.
//!
//! Limits: [`MOVES`] records that name the loser.

mod relink;

use rapport_types::Timestamp;
use sea_query::{Alias, Expr, ExprTrait as _, LockType, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    Access, Change, Desk, Edit, Fields, Id, ListQuery, Op, RecordsError, Tx, Undone, Verb, batch,
    database::hold,
    desk::Moment,
    duplicates,
    edit::Editor,
    feed,
    read::{self, not_found},
    record::Record,
    schema::{FieldKind, Object, Stored, table_of},
    ties,
};

/// The most records that can name a record that is merged away.
pub(crate) const MOVES: usize = 100_000;

/// Times that Rapport writes beside a status; the other record's would contradict the winner's status.
const BESIDE_STATUS: [&str; 3] = ["closed_at", "done_at", "solved_at"];

/// What a merge came to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Merged {
    /// The record that stayed.
    pub record: Record,
    /// With what it can be undone.
    pub batch: Id,
    /// How many records name it now that named the other one.
    pub moved: u64,
    /// Where both were customers: the customer id that stayed, and the one that is the same customer now. Their profiles are seen as one
    /// until the merge is undone.
    #[schema(value_type = Option<Vec<String>>)]
    pub profiles: Option<(String, String)>,
}

/// What is kept with the batch, for taking it back.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    object: String,
    winner: Id,
    loser: Id,
    profiles: Option<(String, String)>,
}

impl Desk {
    /// Merges `loser` into `winner`. `chosen` holds values that the winner shall have whatever either has. Needs that the caller
    /// may change the winner and delete the loser.
    pub fn merge(
        &self,
        access: &Access,
        object: &str,
        winner: Id,
        loser: Id,
        chosen: &Fields,
    ) -> Result<Merged, RecordsError> {
        self.write_anew(|moment, tx| {
            let merged = merge(moment, tx, access, object, (winner, loser), chosen).map_err(RecordsError::of_one)?;
            Ok(Merged { record: read::get(moment, tx, access, object, winner)?, ..merged })
        })
    }
}

fn merge(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    name: &str,
    (winner, loser): (Id, Id),
    chosen: &Fields,
) -> Result<Merged, RecordsError> {
    let object = moment.ground(name, access)?.object;
    if winner == loser {
        return Err(RecordsError::invalid("other", "a record cannot be merged with itself"));
    }
    if matches!(name, "pipeline" | "stage") {
        return Err(RecordsError::invalid("object", "deals go by pipelines and stages; move the deals instead"));
    }
    hold_both(moment, tx, access, name, (winner, loser))?;
    must(moment, tx, access, name, winner, Verb::Update)?;
    must(moment, tx, access, name, loser, Verb::Delete)?;
    for field in chosen.keys() {
        let is_there = matches!(field.as_str(), "owner" | "team") || object.field(field).is_some();
        if !is_there || !access.may_set(name, field) {
            return Err(RecordsError::invalid(field, format!("{name} has no such field that you may change")));
        }
    }
    // What the caller chose is checked with the caller's own rights; what follows from the merge is not asked for.
    Editor::new(moment, access, name, None)?.check_values(tx, chosen)?;
    let able = access.with_every_right();
    let wanted = ListQuery { ids: Some(vec![winner, loser]), limit: 2, ..ListQuery::default() };
    let records = read::list(moment, tx, &able, name, &wanted)?.records;
    let find = |id| records.iter().find(|record| record.id == id).ok_or_else(|| not_found(name, id));
    let (one, other) = (find(winner)?, find(loser)?);
    let fields = united(object, one, other, chosen);
    let customer = |fields: &Fields| fields.get("customer_id").and_then(Value::as_str).map(str::to_owned);
    let profiles = match (customer(&one.fields), customer(&other.fields)) {
        (Some(first), Some(second)) if name == "contact" && first != second => {
            let stays = customer(&fields).filter(|chosen| *chosen == second).unwrap_or_else(|| first.clone());
            let goes = if stays == second { first } else { second };
            Some((stays, goes))
        }
        _ => None,
    };
    if profiles.is_some() {
        must_join(access)?;
    }
    let batch = moment.ids.next(moment.now)?;
    let editor = || Ok::<_, RecordsError>(Editor::new(moment, &able, name, Some(batch))?.merging_into(winner));
    // The loser first: values that only one record may have are free then.
    editor()?.run(tx, &[Edit::Delete { id: loser, version: Some(other.version) }])?;
    editor()?.run(tx, &[Edit::Update { id: winner, fields, version: Some(one.version) }])?;
    let moved = relink::move_all(moment, tx, &able, batch, object, (loser, winner))?;
    duplicates::settle_merged(tx, winner, loser)?;
    if let Some((stays, goes)) = &profiles {
        ties::join(tx, loser, (stays, goes), moment.now)?;
    }
    let title = other.fields.get(&object.title).and_then(Value::as_str).unwrap_or(name);
    batch::begin(tx, access, batch, "merge", title, moment.now, moved as i64 + 2)?;
    let about = About { object: name.to_owned(), winner, loser, profiles: profiles.clone() };
    remember(tx, batch, &about)?;
    Ok(Merged { record: one.clone(), batch, moved, profiles })
}

/// Keeps everybody else from changing the record that stays, and from the one that goes or comes back; the winner can be named
/// meanwhile, however much there is to move. Both in the order in which edits take them: two who merge them either way would wait
/// for one another.
fn hold_both(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &str,
    (winner, loser): (Id, Id),
) -> Result<(), RecordsError> {
    let ground = moment.ground(object, access)?;
    let mut both = [(winner, LockType::NoKeyUpdate), (loser, LockType::Update)];
    both.sort_unstable_by_key(|(id, _)| *id);
    for (id, lock) in both {
        let mut query = ground.select_any(access)?;
        query.expr(ground.column("id")).and_where(ground.column("id").eq(id.0));
        hold(tx, &mut query, lock);
        tx.query(&query)?;
    }
    Ok(())
}

/// Refuses whom it is not given to make two customers one.
fn must_join(access: &Access) -> Result<(), RecordsError> {
    if access.may_all(Verb::Update, "contact") && access.may_set("contact", "customer_id") {
        return Ok(());
    }
    let what = "both are customers, whose profiles would become one; your role may not do that".to_owned();
    Err(RecordsError::Forbidden(what))
}

fn remember(tx: &mut Tx<'_>, batch: Id, about: &About) -> Result<(), RecordsError> {
    let about = serde_json::to_string(about).map_err(|error| RecordsError::Database(error.to_string()))?;
    let update = Query::update()
        .table(Alias::new("batch"))
        .value(Alias::new("about"), about)
        .and_where(Expr::col(Alias::new("id")).eq(batch.0))
        .take();
    tx.execute(&update).map(drop)
}

fn about(tx: &mut Tx<'_>, batch: Id) -> Result<Option<About>, RecordsError> {
    let query = Query::select()
        .column(Alias::new("about"))
        .from(Alias::new("batch"))
        .and_where(feed::column("id").eq(batch.0))
        .take();
    let Some(row) = tx.first(&query)? else { return Ok(None) };
    let Some(about) = row.text_or_none(0)? else { return Ok(None) };
    serde_json::from_str(about).map(Some).map_err(|_| RecordsError::Damaged { what: format!("the merge {batch}") })
}

/// Whether a batch merges two customers, or takes that back.
pub(crate) fn is_of_customers(tx: &mut Tx<'_>, batch: Id) -> Result<bool, RecordsError> {
    Ok(about(tx, batch)?.is_some_and(|about| about.profiles.is_some()))
}

/// With what rights a batch is taken back that is no merge: the caller's own. Where that merges records again whose merge was taken
/// back, it needs what merging needs, and what follows from that is not asked for, as it was not the first time.
pub(crate) fn rights_to_take_back(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    batch: Id,
) -> Result<Access, RecordsError> {
    let Some(about) = about(tx, batch)? else { return Ok(access.clone()) };
    let brought_back = Query::select()
        .column(Alias::new("seq"))
        .from(Alias::new("change"))
        .and_where(feed::column("batch").eq(batch.0))
        .and_where(feed::column("record").eq(about.loser.0))
        .and_where(feed::column("op").eq(Op::Restore.to_string()))
        .take();
    must(moment, tx, access, &about.object, about.winner, Verb::Update)?;
    must(moment, tx, access, &about.object, about.loser, Verb::Delete)?;
    if about.profiles.is_some() && tx.first(&brought_back)?.is_some() {
        must_join(access)?;
    }
    Ok(access.with_every_right())
}

/// What taking back a batch is, beside its changes: of a merge it is known later what it was, and if that is taken back as well, the
/// two are one customer again.
pub(crate) fn taken_back(tx: &mut Tx<'_>, batch: Id, undo: Id, now: Timestamp) -> Result<(), RecordsError> {
    let Some(about) = about(tx, batch)? else { return Ok(()) };
    remember(tx, undo, &about)?;
    let Some((stays, goes)) = &about.profiles else { return Ok(()) };
    let query = Query::select()
        .column(Alias::new("id"))
        .from(Alias::new(table_of(&about.object)))
        .and_where(feed::column("id").eq(about.loser.0))
        .and_where(feed::column("deleted_at").is_not_null())
        .take();
    if tx.first(&query)?.is_some() {
        ties::join(tx, about.loser, (stays, goes), now)?;
    }
    Ok(())
}

/// Refuses unless somebody may do something with a record, be it in the trash or not.
pub(crate) fn must(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &str,
    id: Id,
    verb: Verb,
) -> Result<(), RecordsError> {
    let ground = moment.ground(object, access)?;
    let mut query = ground.select_any(access)?;
    query.and_where(ground.column("id").eq(id.0)).expr(ground.column("id"));
    if tx.first(&query)?.is_none() {
        return Err(not_found(object, id));
    }
    if let Some(permitted) = ground.permitted(access, verb)? {
        query.and_where(permitted);
    }
    if tx.first(&query)?.is_none() {
        let what = format!("your role may not {} this {}", verb.words(), ground.object.label.en.to_lowercase());
        return Err(RecordsError::Forbidden(what));
    }
    Ok(())
}

/// What the winner is to have.
fn united(object: &Object, winner: &Record, loser: &Record, chosen: &Fields) -> Fields {
    let mut fields = Fields::new();
    let (gone, kept) = (json!(loser.id), json!(winner.id));
    for field in object.live_fields() {
        let (mine, theirs) = (winner.fields.get(&field.name), loser.fields.get(&field.name));
        match field.kind.stored() {
            Stored::Computed => {}
            Stored::List | Stored::Elsewhere => {
                let both = [mine, theirs].into_iter().flatten().filter_map(Value::as_array).flatten();
                let mut members: Vec<Value> = Vec::new();
                for member in both {
                    if *member != gone && *member != kept && !members.contains(member) {
                        members.push(member.clone());
                    }
                }
                fields.insert(field.name.clone(), Value::Array(members));
            }
            _ if field.kind == FieldKind::Actor || BESIDE_STATUS.contains(&field.name.as_str()) => {}
            // A file keeps its own content.
            _ if crate::contents::comes_with_content(&object.name, &field.name) => {}
            // A record is not its own parent.
            _ if mine == Some(&gone) => {
                fields.insert(field.name.clone(), Value::Null);
            }
            _ => {
                let value = mine.or_else(|| theirs.filter(|theirs| **theirs != kept));
                fields.extend(value.map(|value| (field.name.clone(), value.clone())));
            }
        }
    }
    fields.insert("owner".to_owned(), json!(winner.owner.or(loser.owner)));
    fields.insert("team".to_owned(), json!(winner.team.or(loser.team)));
    fields.extend(chosen.iter().map(|(name, value)| (name.clone(), value.clone())));
    for (one, many) in [("email", "other_emails"), ("phone", "other_phones")] {
        keep_other(object, [winner, loser], (one, many), chosen, &mut fields);
    }
    fields
}

/// Puts the address or number of either record that the winner does not have in its first place among its others.
fn keep_other(
    object: &Object,
    records: [&Record; 2],
    (one, many): (&str, &str),
    chosen: &Fields,
    fields: &mut Map<String, Value>,
) {
    if object.field(many).is_none() || chosen.contains_key(many) {
        return;
    }
    let first = fields.get(one).cloned();
    let Some(Value::Array(members)) = fields.get_mut(many) else { return };
    for value in records.iter().filter_map(|record| record.fields.get(one)) {
        if Some(value) != first.as_ref() && !members.contains(value) {
            members.push(value.clone());
        }
    }
    members.retain(|member| Some(member) != first.as_ref());
}

/// Takes a merge apart: both records are what they were before, and are named by what named them.
pub(crate) fn unmerge(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    merge: Id,
    undone: &mut Undone,
) -> Result<(), RecordsError> {
    let damaged = || RecordsError::Damaged { what: format!("the merge {merge}") };
    let about = about(tx, merge)?.ok_or_else(damaged)?;
    hold_both(moment, tx, access, &about.object, (about.winner, about.loser))?;
    must(moment, tx, access, &about.object, about.winner, Verb::Update)?;
    must(moment, tx, access, &about.object, about.loser, Verb::Delete)?;
    let able = access.with_every_right();
    let mut of_winner: Option<Change> = None;
    let mut of_loser: Option<Change> = None;
    let mut moves: Vec<Change> = Vec::new();
    batch::each_step(tx, merge, |_, changes| {
        for change in changes {
            match change.op {
                Op::Merge => of_winner = Some(change),
                Op::Delete => of_loser = Some(change),
                _ => moves.push(change),
            }
        }
        Ok(())
    })?;
    let (Some(mut of_winner), Some(of_loser)) = (of_winner, of_loser) else {
        return Err(damaged());
    };
    // The winner can name the loser again only when that is there again, which needs what only one of them may have.
    let names_loser = |value: &Value| match value {
        Value::Array(members) => members.contains(&json!(about.loser)),
        value => *value == json!(about.loser),
    };
    let (again, before) =
        of_winner.before.clone().into_iter().partition::<Map<_, _>, _>(|(_, value)| names_loser(value));
    of_winner.before = before;
    let kept = undone.kept.len();
    batch::take_back(moment, tx, &able, std::slice::from_ref(&of_winner), undone.batch, undone)?;
    let is_winner_as_before = undone.kept.len() == kept;
    batch::take_back(moment, tx, &able, std::slice::from_ref(&of_loser), undone.batch, undone)?;
    if let Some(left) = undone.kept.get(kept..).and_then(|kept| kept.iter().find(|kept| kept.id == about.loser)) {
        return Err(RecordsError::Conflict(format!("the merged record cannot be brought back: {}", left.what)));
    }
    if is_winner_as_before && !again.is_empty() {
        let edit = Edit::Update { id: about.winner, fields: again, version: None };
        Editor::new(moment, &able, &about.object, Some(undone.batch))?.run(tx, &[edit])?;
    }
    undone.profiles = about.profiles;
    relink::move_back(moment, tx, &able, moves, undone)
}
