//! Boards: columns of the values of a field, each with its count, its sums and its first records.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    Access, AggregateQuery, Desk, ListQuery, Page, RecordsError, Tx, Verb, desk::Moment, read, record::Record,
    schema::FieldKind,
};

/// The most records of a column.
const COLUMN: usize = 100;
/// The most columns.
const COLUMNS: usize = 100;

/// Which board is wanted.
#[derive(Debug, Clone, Default)]
pub struct BoardQuery {
    /// The field whose values are the columns, what is summed, and which records.
    pub totals: AggregateQuery,
    /// The order within a column.
    pub sort: Option<String>,
    /// Records in each column, 1 to 100.
    pub limit: usize,
}

/// A column of a board.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BoardColumn {
    /// The value of its records; none for those without one.
    pub value: Value,
    /// What people read above it, where the value is a record.
    #[schema(required)]
    pub title: Option<String>,
    /// How many records there are.
    pub count: u64,
    /// Their sums; of money by currency.
    #[schema(value_type = std::collections::HashMap<String, f64>)]
    pub sums: Map<String, Value>,
    /// The first ones.
    pub records: Vec<Record>,
    /// Where the list of this value goes on.
    #[schema(required)]
    pub next: Option<String>,
}

impl Desk {
    /// A board. The columns are in the order of the options, or of the position of the records that they are.
    pub fn board(&self, access: &Access, object: &str, query: &BoardQuery) -> Result<Vec<BoardColumn>, RecordsError> {
        if !(1..=COLUMN).contains(&query.limit) {
            return Err(RecordsError::invalid("limit", format!("it must be 1 to {COLUMN}")));
        }
        self.read(|moment, tx| {
            let mut groups = read::aggregate(moment, tx, access, object, &query.totals)?;
            let mut columns = Vec::new();
            for (value, title) in values(moment, tx, access, object, &query.totals.group)? {
                let place = groups.iter().position(|group| group.value == value);
                let group = place.map(|place| groups.remove(place));
                columns.push((value, title, group));
            }
            // Values that are no option any more, and records without one.
            columns.extend(groups.into_iter().map(|group| (group.value.clone(), None, Some(group))));
            if columns.len() > COLUMNS {
                return Err(RecordsError::Limit(format!("a board has up to {COLUMNS} columns")));
            }
            columns
                .into_iter()
                .map(|(value, title, group)| {
                    let page = if group.is_some() {
                        page(moment, tx, access, object, query, &value)?
                    } else {
                        Page::default()
                    };
                    let (count, sums) = group.map_or((0, Map::new()), |group| (group.count, group.sums));
                    Ok(BoardColumn { value, title, count, sums, records: page.records, next: page.next })
                })
                .collect()
        })
    }
}

fn page(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &str,
    query: &BoardQuery,
    value: &Value,
) -> Result<Page, RecordsError> {
    let list = ListQuery {
        filter: query.totals.filter.clone(),
        sort: query.sort.clone(),
        only: Some((query.totals.group.clone(), value.clone())),
        limit: query.limit,
        expand: vec!["*".to_owned()],
        ..ListQuery::default()
    };
    read::list(moment, tx, access, object, &list)
}

/// The values that have a column even if no record has them.
fn values(
    moment: &Moment<'_>,
    tx: &mut Tx<'_>,
    access: &Access,
    object: &str,
    group: &str,
) -> Result<Vec<(Value, Option<String>)>, RecordsError> {
    let Some(field) = moment.schema.object(object).and_then(|object| object.field(group)) else {
        return Ok(Vec::new());
    };
    let target = match &field.kind {
        FieldKind::Choice(options) => {
            return Ok(options.options.iter().map(|option| (json!(option.value), None)).collect());
        }
        FieldKind::Relation { object } => object,
        _ => return Ok(Vec::new()),
    };
    let Some(definition) = moment.schema.object(target).filter(|target| access.may(Verb::Read, &target.name)) else {
        return Ok(Vec::new());
    };
    if definition.field("position").is_none() {
        return Ok(Vec::new());
    }
    let list = ListQuery { sort: Some("position".to_owned()), limit: COLUMNS, ..ListQuery::default() };
    let records = read::list(moment, tx, access, target, &list)?.records;
    let title = |record: &Record| record.fields.get(&definition.title).and_then(Value::as_str).map(str::to_owned);
    Ok(records.iter().map(|record| (json!(record.id), title(record))).collect())
}
