//! Reading records: one, a page of a list, counts and sums.

use std::collections::{BTreeMap, BTreeSet};

use sea_query::{Asterisk, Expr, ExprTrait as _, Func, Order, SelectStatement};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    Access, Backend, Id, RecordsError, Tx, Verb,
    desk::Moment,
    ground::Ground,
    owned,
    record::{Record, Shape},
    schema::{FieldKind, Object},
    value::{MONEY_UNIT, Stuff},
};

mod sorting;

pub(crate) use sorting::Sorting;

/// The most records of a page.
pub const PAGE: usize = 500;
/// The most records that a page can leave out before its first.
pub const SKIP: u64 = 10_000_000;
/// The most groups of an aggregate.
pub(crate) const GROUPS: u64 = 1_000;

/// Which records are wanted, and what of them.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// A condition that is true of them.
    pub filter: Option<String>,
    /// A field to sort by, `-` before it for the largest first; the newest first if none.
    pub sort: Option<String>,
    /// The fields; all if none.
    pub fields: Option<Vec<String>>,
    /// Fields that name records whose titles are wanted too; `*` for all.
    pub expand: Vec<String>,
    /// At most so many, 1 to [`PAGE`].
    pub limit: usize,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// So many are left out before the first, up to [`SKIP`]: for jumping in a long list. Each costs some time.
    pub skip: u64,
    /// Those in the trash instead of the others.
    pub trash: bool,
    /// Only these.
    pub ids: Option<Vec<Id>>,
    /// Only those that have this value of a field; null for none.
    pub only: Option<(String, Value)>,
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Page {
    /// The records, in order.
    pub records: Vec<Record>,
    /// Where the next page begins; none on the last.
    #[schema(required)]
    pub next: Option<String>,
}

/// Refuses an order that an object's records cannot have.
pub(crate) fn check_sort(sort: &str, object: &Object, access: &Access) -> Result<(), RecordsError> {
    Sorting::read(Some(sort), object, access).map(drop)
}

/// Reads a page.
pub(crate) fn list(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &str,
    wanted: &ListQuery,
) -> Result<Page, RecordsError> {
    let ground = moment.ground(object, access)?;
    if !(1..=PAGE).contains(&wanted.limit) {
        return Err(RecordsError::invalid("limit", format!("it must be 1 to {PAGE}")));
    }
    if wanted.skip > SKIP {
        return Err(RecordsError::invalid("skip", format!("it must be up to {SKIP}")));
    }
    let sorting = Sorting::read(wanted.sort.as_deref(), ground.object, access)?;
    let owned = match tx.backend() {
        Backend::Sqlite => owned::page(&moment.ground(object, access)?.past_owners(), tx, access, wanted, &sorting)?,
        Backend::Postgres => None,
    };
    let (shape, mut rows) = match owned {
        Some(page) => page,
        None => {
            let (shape, query) = page_query(&ground, access, wanted, &sorting, tx.backend())?;
            (shape, tx.query(&query)?)
        }
    };
    let more = rows.len() > wanted.limit;
    rows.truncate(wanted.limit);
    let mut records = rows.iter().map(|row| shape.record(row)).collect::<Result<Vec<_>, _>>()?;
    let last = rows.last().filter(|_| more);
    let next =
        last.map(|row| sorting.write_cursor(row.datum(shape.width()), records[records.len() - 1].id)).transpose()?;
    shape.complete(tx, &ground.object.name, &mut records)?;
    relate(moment, tx, access, ground.object, &wanted.expand, &mut records)?;
    Ok(Page { records, next })
}

/// The query of a page and of one record more, which tells whether there is another page.
pub(crate) fn page_query<'s>(
    ground: &Ground<'s>,
    access: &Access,
    wanted: &ListQuery,
    sorting: &Sorting,
    backend: Backend,
) -> Result<(Shape<'s>, SelectStatement), RecordsError> {
    let mut query = if wanted.trash { ground.select_trash(access)? } else { ground.select(access)? };
    let shape = Shape::select(ground, access, wanted.fields.as_deref(), &mut query)?;
    query.expr(ground.column(&sorting.column));
    narrow(&mut query, ground, access, wanted, sorting)?;
    sorting.apply(ground, &mut query, backend);
    let enough = wanted.limit as u64 + 1;
    query.limit(enough);
    if goes_by_index(ground, access, wanted, sorting)? {
        let mut ids = sorting.ids(ground, backend, wanted.trash, wanted.cursor.as_deref())?;
        ids.limit(enough).offset(wanted.skip);
        query.and_where(ground.column("id").in_subquery(ids));
    } else if wanted.skip > 0 {
        query.offset(wanted.skip);
    }
    Ok((shape, query))
}

/// Whether a page lies behind records that an index tells apart from those of the page: then their entries are counted, a tenth
/// of the work of looking at the records. Those outside the trash are behind as many as are left out, those in it behind all
/// others.
fn goes_by_index(
    ground: &Ground<'_>,
    access: &Access,
    wanted: &ListQuery,
    sorting: &Sorting,
) -> Result<bool, RecordsError> {
    let is_unfiltered = wanted.filter.as_deref().is_none_or(|filter| filter.trim().is_empty());
    let is_all = is_unfiltered && wanted.ids.is_none() && wanted.only.is_none();
    let is_behind = wanted.skip > 0 || wanted.trash;
    Ok(is_behind && is_all && sorting.is_indexed && ground.permitted(access, Verb::Read)?.is_none())
}

/// Lets through what a page asks for, and what comes behind the page before.
pub(crate) fn narrow(
    query: &mut SelectStatement,
    ground: &Ground<'_>,
    access: &Access,
    wanted: &ListQuery,
    sorting: &Sorting,
) -> Result<(), RecordsError> {
    if let Some(filter) = wanted.filter.as_deref().filter(|filter| !filter.trim().is_empty()) {
        query.and_where(ground.filter(filter)?);
    }
    if let Some(ids) = &wanted.ids {
        // An empty list would be two parameters without a type to PostgreSQL.
        let none = || Expr::Constant(false.into());
        let some = || ground.column("id").is_in(ids.iter().map(|id| id.0));
        query.and_where(if ids.is_empty() { none() } else { some() });
    }
    if let Some((name, value)) = &wanted.only {
        let field = ground.object.field(name).filter(|_| access.may_see(&ground.object.name, name));
        let field = field.ok_or_else(|| RecordsError::invalid("group", format!("there is no field \"{name}\"")))?;
        let column = ground.column(name);
        query.and_where(match crate::value::read(&crate::schema::Field { required: false, ..field.clone() }, value)? {
            Stuff::Nothing => column.is_null(),
            stuff => column.eq(stuff.bound()),
        });
    }
    sorting.go_on(ground, wanted.cursor.as_deref(), query)
}

/// How many records a filter lets through, of those in the trash or of the others.
pub(crate) fn count(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &str,
    filter: Option<&str>,
    trash: bool,
) -> Result<u64, RecordsError> {
    let ground = moment.ground(object, access)?;
    let mut query = if trash { ground.select_trash(access)? } else { ground.select(access)? };
    query.expr(Expr::col(Asterisk).count());
    if let Some(filter) = filter.filter(|filter| !filter.trim().is_empty()) {
        query.and_where(ground.filter(filter)?);
    }
    tx.first(&query)?.map_or(Ok(0), |row| Ok(row.int(0)? as u64))
}

/// Reads one record; `None` in the trash counts as not there unless `trash` says so.
pub(crate) fn get(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &str,
    id: Id,
) -> Result<Record, RecordsError> {
    for trash in [false, true] {
        let wanted =
            ListQuery { ids: Some(vec![id]), limit: 1, expand: vec!["*".to_owned()], trash, ..ListQuery::default() };
        if let Some(record) = list(moment, tx, access, object, &wanted)?.records.pop() {
            return Ok(record);
        }
    }
    Err(not_found(object, id))
}

pub(crate) fn not_found(object: &str, id: Id) -> RecordsError {
    RecordsError::NotFound(format!("there is no {object} {id}"))
}

/// Adds what the named records are called, as far as they may be read.
fn relate(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &Object,
    expand: &[String],
    records: &mut [Record],
) -> Result<(), RecordsError> {
    let all = expand.iter().any(|name| name == "*");
    for name in expand.iter().filter(|name| *name != "*") {
        let target =
            object.field(name).filter(|_| access.may_see(&object.name, name)).and_then(|field| field.kind.target());
        if target.is_none() {
            return Err(RecordsError::invalid("expand", format!("\"{name}\" names no records")));
        }
    }
    let wanted = |name: &str| all || expand.iter().any(|wanted| wanted == name);
    let mut targets: BTreeMap<&str, BTreeSet<Id>> = BTreeMap::new();
    let relations: Vec<(&str, &str)> = object
        .live_fields()
        .filter(|field| wanted(&field.name))
        .filter_map(|field| Some((field.name.as_str(), field.kind.target()?)))
        .collect();
    for (field, target) in &relations {
        let ids = records.iter().flat_map(|record| ids_in(record.fields.get(*field)));
        targets.entry(target).or_default().extend(ids);
    }
    let mut titles: BTreeMap<Id, Value> = BTreeMap::new();
    for (target, ids) in targets.iter().filter(|(_, ids)| !ids.is_empty()) {
        titles.extend(titles_of(moment, tx, access, target, ids)?);
    }
    for record in records {
        for (field, _) in &relations {
            let named: Vec<Value> =
                ids_in(record.fields.get(*field)).filter_map(|id| titles.get(&id).cloned()).collect();
            match record.fields.get(*field) {
                Some(Value::Array(_)) => {
                    record.related.insert((*field).to_owned(), Value::Array(named));
                }
                Some(_) => {
                    record.related.extend(named.into_iter().next().map(|title| ((*field).to_owned(), title)));
                }
                None => {}
            }
        }
    }
    Ok(())
}

fn ids_in(value: Option<&Value>) -> impl Iterator<Item = Id> {
    let ids: Vec<Id> = match value {
        Some(Value::String(id)) => id.parse().into_iter().collect(),
        Some(Value::Array(ids)) => ids.iter().filter_map(|id| id.as_str()?.parse().ok()).collect(),
        _ => Vec::new(),
    };
    ids.into_iter()
}

pub(crate) fn titles_of(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &str,
    ids: &BTreeSet<Id>,
) -> Result<Vec<(Id, Value)>, RecordsError> {
    let Ok(ground) = moment.ground(object, access) else { return Ok(Vec::new()) };
    let title = &ground.object.title;
    let may_read = access.reach(Verb::Read, ground.object).is_ok() && access.may_see(object, title);
    if !may_read {
        return Ok(Vec::new());
    }
    let mut query = ground.select(access)?;
    query
        .expr(ground.column("id"))
        .expr(ground.column(title))
        .and_where(ground.column("id").is_in(ids.iter().map(|id| id.0)));
    let named = |row: &crate::Row| {
        let id = Id(row.int(0)?);
        Ok((id, json!({ "id": id, "object": object, "title": row.text_or_none(1)? })))
    };
    tx.query(&query)?.iter().map(named).collect()
}

/// What is counted and summed.
#[derive(Debug, Clone, Default)]
pub struct AggregateQuery {
    /// The field by whose values records are put together.
    pub group: String,
    /// A number or money field that is summed.
    pub sum: Option<String>,
    /// A condition that is true of the records.
    pub filter: Option<String>,
}

/// The records that have one value of a field.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Group {
    /// The value; none for records without one.
    pub value: Value,
    /// How many there are.
    pub count: u64,
    /// The sum; of money by currency.
    #[schema(value_type = std::collections::HashMap<String, f64>)]
    pub sums: Map<String, Value>,
}

/// Counts and sums by the values of a field.
pub(crate) fn aggregate(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &str,
    wanted: &AggregateQuery,
) -> Result<Vec<Group>, RecordsError> {
    let ground = moment.ground(object, access)?;
    let named = |part: &str, name: &str| {
        let field = ground.object.field(name).filter(|_| access.may_see(object, name));
        field.ok_or_else(|| RecordsError::invalid(part, format!("there is no field \"{name}\"")))
    };
    let group = named("group", &wanted.group)?;
    if !group.kind.is_sortable() || group.kind == FieldKind::Money {
        return Err(RecordsError::invalid("group", format!("records cannot be put together by \"{}\"", group.name)));
    }
    let mut query = ground.select(access)?;
    query.expr(ground.column(&group.name)).expr(Expr::col(Asterisk).count());
    query.add_group_by([ground.column(&group.name)]);
    let sum = wanted.sum.as_deref().map(|name| named("sum", name)).transpose()?;
    match sum.map(|field| &field.kind) {
        None => {}
        Some(FieldKind::Number) => {
            query.expr(total(ground.column(&wanted.sum.clone().unwrap_or_default())));
        }
        Some(FieldKind::Money) => {
            let name = wanted.sum.clone().unwrap_or_default();
            let currency = ground.column(&crate::schema::currency_column(&name));
            query.expr(total(ground.column(&name))).expr(currency.clone()).add_group_by([currency]);
        }
        Some(_) => return Err(RecordsError::invalid("sum", "only numbers and money can be summed")),
    }
    if let Some(filter) = wanted.filter.as_deref().filter(|filter| !filter.trim().is_empty()) {
        query.and_where(ground.filter(filter)?);
    }
    query.order_by_expr(ground.column(&group.name), Order::Asc).limit(GROUPS + 1);
    let mut groups: Vec<Group> = Vec::new();
    let rows = tx.query(&query)?;
    if rows.len() as u64 > GROUPS {
        return Err(RecordsError::Limit(format!("\"{}\" has more than {GROUPS} values", group.name)));
    }
    for row in rows {
        let value = match Stuff::of_column(group, &row, 0)? {
            Stuff::Nothing => Value::Null,
            stuff => stuff.to_json(&group.kind),
        };
        if groups.last().is_none_or(|last| last.value != value) {
            groups.push(Group { value, count: 0, sums: Map::new() });
        }
        let last = groups.last_mut().expect("one was pushed");
        last.count += row.int(1)? as u64;
        match sum.map(|field| &field.kind) {
            Some(FieldKind::Money) => {
                if let (Some(units), Some(currency)) = (row.float_or_none(2)?, row.text_or_none(3)?) {
                    last.sums.insert(currency.to_owned(), json!(units / MONEY_UNIT));
                }
            }
            Some(_) => {
                last.sums.insert("sum".to_owned(), json!(row.float_or_none(2)?.unwrap_or(0.0)));
            }
            None => {}
        }
    }
    Ok(groups)
}

/// A sum as a number of double precision: PostgreSQL sums whole numbers into a type of its own.
fn total(column: Expr) -> Expr {
    Expr::from(Func::sum(column)).cast_as("double precision")
}
