//! Finding records by words: the search index follows the feed, and its hits are read with the reader's permission.
//!
//! The index lies beside the database and is made anew from it when it is missing or damaged. A role for which a searched
//! field is hidden looks at titles alone, in the database: the index would find a record by what the reader may not see.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use sea_query::{ExprTrait as _, Order};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Access, Change, Desk, Id, ListQuery, PAGE, Page, Reach, RecordsError, Tx, Verb,
    access::Actor,
    desk::Moment,
    feed, read,
    record::{Record, Shape},
    schema::Object,
    search::{self, Document, Query, SearchError, SearchIndex},
};

/// Changes taken into the index at once.
const STEP: u64 = 5_000;
/// Records taken into a new index at once.
const REBUILD: u64 = 20_000;
/// Hits that are looked at for one page, at most.
const HITS: usize = 1_000;
/// The position of an index that is being made.
const UNFINISHED: i64 = -1;

/// A record that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Found {
    /// Its object.
    pub object: String,
    /// The record.
    pub id: Id,
    /// What it is called.
    pub title: String,
}

impl From<SearchError> for RecordsError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Folder(_) => Self::File(error.to_string()),
            SearchError::Index(_) => Self::Database(error.to_string()),
        }
    }
}

impl Desk {
    /// Opens the search index in a folder that is its alone, or makes it. Until then, and without it, search looks at titles.
    pub fn open_search(&self, folder: &Path) -> Result<(), RecordsError> {
        let index = SearchIndex::open(folder)?;
        // Whoever opened it first keeps it.
        let _first = self.index.set(index).is_ok();
        Ok(())
    }

    /// Takes the next changes into the search index; whether there may be more.
    pub fn follow_search(&self) -> Result<bool, RecordsError> {
        let Some(index) = self.index.get() else { return Ok(false) };
        let Some(position) = index.position().filter(|position| *position >= 0) else {
            self.rebuild_search(index)?;
            return Ok(true);
        };
        let (changes, records) = self.read(|moment, tx| {
            let changes = feed::follow(tx, position, STEP)?;
            let records = records_of(moment, tx, &changes)?;
            Ok((changes, records))
        })?;
        let Some(last) = changes.last() else { return Ok(false) };
        let schema = self.schema();
        let mut steps = Vec::new();
        for (object, ids) in touched(&changes) {
            let Some(definition) = schema.object(object) else { continue };
            for id in ids {
                match records.get(&(object.to_owned(), id)) {
                    Some(record) => steps.push(search::Change::Put(document(definition, record))),
                    None => steps.push(search::Change::Remove { object, id: id.0 }),
                }
            }
        }
        index.apply(&steps, last.seq)?;
        Ok(changes.len() as u64 == STEP)
    }

    /// How far the search index has come in the feed; none without a whole index.
    pub fn search_position(&self) -> Option<i64> {
        self.index.get()?.position().filter(|position| *position >= 0)
    }

    /// Gives the memory of the index's writer back.
    pub fn rest_search(&self) -> Result<(), RecordsError> {
        self.index.get().map_or(Ok(()), |index| Ok(index.rest()?))
    }

    /// Makes the index anew from the records. Changes that happen meanwhile stand in the feed behind where it began.
    fn rebuild_search(&self, index: &SearchIndex) -> Result<(), RecordsError> {
        let begin = self.newest_change()?;
        index.clear()?;
        let schema = self.schema();
        for object in schema.objects() {
            let mut after = Id(0);
            loop {
                let records = self.read(|moment, tx| documents_after(moment, tx, &object.name, after))?;
                let Some(last) = records.last() else { break };
                after = last.id;
                let steps: Vec<search::Change<'_>> =
                    records.iter().map(|record| search::Change::Put(document(object, record))).collect();
                index.apply(&steps, UNFINISHED)?;
            }
        }
        Ok(index.apply(&[], begin)?)
    }

    /// Records of all objects, or of some, that fit words; the best first.
    pub fn search(
        &self,
        access: &Access,
        words: &str,
        objects: Option<&[String]>,
        limit: usize,
    ) -> Result<Vec<Found>, RecordsError> {
        let schema = self.schema();
        let wanted = |object: &&Object| objects.is_none_or(|names| names.contains(&object.name));
        let readable: Vec<&Object> =
            schema.objects().filter(wanted).filter(|object| access.may(Verb::Read, &object.name)).collect();
        self.read(|moment, tx| {
            let mut found = Vec::new();
            for (object, ids) in self.hits(moment, tx, access, words, &readable, limit)? {
                let titles = read::titles_of(moment, tx, access, &object, &ids.iter().copied().collect())?;
                let titles: BTreeMap<Id, Value> = titles.into_iter().collect();
                for id in ids {
                    let Some(title) = titles.get(&id) else { continue };
                    let title = title["title"].as_str().unwrap_or_default().to_owned();
                    found.push(Found { object: object.clone(), id, title });
                }
            }
            found.truncate(limit);
            Ok(found)
        })
    }

    /// A page of an object's records that fit words, the best first; a filter may narrow them.
    pub fn find(&self, access: &Access, object: &str, words: &str, query: &ListQuery) -> Result<Page, RecordsError> {
        let schema = self.schema();
        self.read(|moment, tx| {
            let definition =
                schema.object(object).ok_or_else(|| RecordsError::NotFound("there is no such object".to_owned()))?;
            access.reach(Verb::Read, definition)?;
            // What is wrong with the query is told also where the words find nothing.
            let nothing = ListQuery { ids: Some(Vec::new()), cursor: None, sort: None, ..query.clone() };
            read::list(moment, tx, access, object, &nothing)?;
            let hits = self.hits(moment, tx, access, words, &[definition], HITS)?;
            let ids: Vec<Id> = hits.into_iter().flat_map(|(_, ids)| ids).collect();
            let mut records = Vec::new();
            for chunk in ids.chunks(PAGE) {
                let query = ListQuery {
                    ids: Some(chunk.to_vec()),
                    limit: PAGE,
                    cursor: None,
                    skip: 0,
                    sort: None,
                    ..query.clone()
                };
                let mut page = read::list(moment, tx, access, object, &query)?.records;
                page.sort_by_key(|record| chunk.iter().position(|id| *id == record.id));
                records.extend(page);
                if records.len() >= query.limit {
                    break;
                }
            }
            records.truncate(query.limit);
            Ok(Page { records, next: None })
        })
    }

    /// The hits in the order in which they fit, runs of one object together.
    fn hits(
        &self,
        moment: &Moment<'_>,
        tx: &mut Tx<'_>,
        access: &Access,
        words: &str,
        objects: &[&Object],
        limit: usize,
    ) -> Result<Vec<(String, Vec<Id>)>, RecordsError> {
        let index = self.index.get().filter(|index| index.position().is_some_and(|position| position >= 0));
        let (indexed, titled): (Vec<&Object>, Vec<&Object>) =
            objects.iter().partition(|object| index.is_some() && !hides_searched(access, object));
        let mut runs: Vec<(String, Vec<Id>)> = Vec::new();
        if let Some(index) = index {
            let reaches: Vec<(&str, search::Reach)> =
                indexed.iter().map(|object| (object.name.as_str(), reach_of(access, object))).collect();
            // What a condition hides is taken out when the hits are read, so more are asked for.
            let wanted = if indexed.iter().any(|object| by_condition(access, object)) { HITS } else { limit };
            for hit in index.search(&Query { text: words, objects: &reaches, limit: wanted, offset: 0 })? {
                match runs.last_mut() {
                    Some((object, ids)) if *object == hit.object => ids.push(Id(hit.id)),
                    _ => runs.push((hit.object, vec![Id(hit.id)])),
                }
            }
        }
        for object in titled {
            let ids = by_title(moment, tx, access, object, words, limit)?;
            if !ids.is_empty() {
                runs.push((object.name.clone(), ids));
            }
        }
        Ok(runs)
    }
}

fn hides_searched(access: &Access, object: &Object) -> bool {
    object.live_fields().any(|field| field.searchable && !access.may_see(&object.name, &field.name))
}

fn by_condition(access: &Access, object: &Object) -> bool {
    matches!(access.role.reach(Verb::Read, &object.name), Reach::Condition(_))
}

fn reach_of(access: &Access, object: &Object) -> search::Reach {
    let user = access.user.map_or(-1, |user| user.0);
    match access.role.reach(Verb::Read, &object.name) {
        Reach::All | Reach::Condition(_) => search::Reach::All,
        Reach::Team => search::Reach::Team { user, teams: access.teams.iter().map(|team| team.0).collect() },
        // An object of which nothing may be read was left out before.
        Reach::Own | Reach::None => search::Reach::Own { user },
    }
}

/// Looks at titles in the database: slow, and for few.
fn by_title(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &Object,
    words: &str,
    limit: usize,
) -> Result<Vec<Id>, RecordsError> {
    if !access.may_see(&object.name, &object.title) {
        return Ok(Vec::new());
    }
    let ground = moment.ground(&object.name, access)?;
    let mut query = ground.select(access)?;
    query.expr(ground.column("id"));
    let words: Vec<&str> = words.split_whitespace().take(8).collect();
    for word in &words {
        let text = Value::String((*word).to_owned());
        query.and_where(ground.filter(&format!("{}.search({text})", object.title))?);
    }
    if words.is_empty() {
        return Ok(Vec::new());
    }
    query.order_by_expr(ground.column("id"), Order::Desc).limit(limit as u64);
    tx.query(&query)?.iter().map(|row| Ok(Id(row.int(0)?))).collect()
}

/// The records that changes are of, each once.
fn touched(changes: &[Change]) -> BTreeMap<&str, Vec<Id>> {
    let mut touched: BTreeMap<&str, Vec<Id>> = BTreeMap::new();
    for change in changes {
        touched.entry(&change.object).or_default().push(change.record);
    }
    for ids in touched.values_mut() {
        ids.sort_unstable();
        ids.dedup();
    }
    touched
}

/// The records that changes are of, as they are now; without those in the trash.
fn records_of(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    changes: &[Change],
) -> Result<BTreeMap<(String, Id), Record>, RecordsError> {
    let access = Access::of_system(Actor::System);
    let mut found = BTreeMap::new();
    for (object, ids) in touched(changes) {
        if moment.schema.object(object).is_none() {
            continue;
        }
        for chunk in ids.chunks(PAGE) {
            let ground = moment.ground(object, &access)?;
            let mut query = ground.select(&access)?;
            let shape = Shape::select(&ground, &access, Some(&searched(ground.object)), &mut query)?;
            query.and_where(ground.column("id").is_in(chunk.iter().map(|id| id.0)));
            for row in tx.query(&query)? {
                let record = shape.record(&row)?;
                found.insert((object.to_owned(), record.id), record);
            }
        }
    }
    Ok(found)
}

fn documents_after(moment: &Moment<'_>, tx: &mut Tx<'_>, object: &str, after: Id) -> Result<Vec<Record>, RecordsError> {
    let access = Access::of_system(Actor::System);
    let ground = moment.ground(object, &access)?;
    let mut query = ground.select(&access)?;
    let shape = Shape::select(&ground, &access, Some(&searched(ground.object)), &mut query)?;
    query.and_where(ground.column("id").gt(after.0)).order_by_expr(ground.column("id"), Order::Asc).limit(REBUILD);
    tx.query(&query)?.iter().map(|row| shape.record(row)).collect()
}

/// The fields that the search looks at, the title among them.
fn searched(object: &Object) -> Vec<String> {
    object
        .live_fields()
        .filter(|field| field.searchable || field.name == object.title)
        .map(|field| field.name.clone())
        .collect()
}

fn document<'r>(object: &'r Object, record: &'r Record) -> Document<'r> {
    let mut texts = Vec::new();
    for (_, value) in record.fields.iter().filter(|(name, _)| **name != object.title) {
        match value {
            Value::String(text) => texts.push(Cow::Borrowed(text.as_str())),
            Value::Array(members) => texts.extend(members.iter().filter_map(Value::as_str).map(Cow::Borrowed)),
            _ => {}
        }
    }
    Document {
        object: &object.name,
        id: record.id.0,
        title: record.fields.get(&object.title).and_then(Value::as_str).unwrap_or_default(),
        texts,
        owner: record.owner.map(|owner| owner.0),
        team: record.team.map(|team| team.0),
    }
}
