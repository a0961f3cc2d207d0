//! Many records: lists, boards, counts and sums, bulk edits.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use axum::{extract::State, http::HeaderMap};
use rapport_records::{AggregateQuery, BoardColumn, BoardQuery, Edit, Edited, Group, ListQuery, Record};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ask, once};
use crate::{
    Shared,
    auth::Operator,
    exchange::{Answer, LongText, Params, Piece, parse},
    problem::Problem,
};

/// Records of a page if nothing is said.
const USUAL: usize = 50;
/// Records in a column of a board if nothing is said.
const COLUMN: usize = 20;

/// Which records are wanted, and what of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// A condition, such as `amount > 1000 && stage.outcome == "open"`.
    filter: Option<String>,
    /// A field, `-` before it for the largest first; the newest first if it is left out.
    sort: Option<String>,
    /// Names of fields, joined by commas; all if it is left out.
    fields: Option<String>,
    /// Fields whose records' titles are wanted too, joined by commas; `*` for all.
    expand: Option<String>,
    /// At most so many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// So many are left out before the first, behind `cursor` if there is one: for jumping in a long list. Up to 10,000,000; each costs some time.
    skip: Option<u64>,
    /// Those in the trash instead of the others.
    trash: Option<bool>,
    /// Words to look for; the best matches come first, and there is one page.
    q: Option<String>,
    /// Whether the number of all matches is wanted.
    count: Option<bool>,
}

/// A page of records.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordList {
    /// In the order that was asked for.
    records: Vec<Record>,
    /// What to give as `cursor` for the next page; none on the last.
    #[schema(required)]
    next: Option<String>,
    /// How many there are on all pages, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

fn names(text: Option<&str>) -> Option<Vec<String>> {
    text.map(|text| text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// A page of records.
#[utoipa::path(get, path = "/api/v1/objects/{object}/records", tag = "records", params(("object" = String, Path), ListParams),
    responses((status = 200, body = RecordList), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    operator: Operator,
    Piece(object): Piece<String>,
    Params(params): Params<ListParams>,
) -> Result<Answer<RecordList>, Problem> {
    let query = ListQuery {
        filter: params.filter,
        sort: params.sort,
        fields: names(params.fields.as_deref()),
        expand: names(params.expand.as_deref()).unwrap_or_default(),
        limit: params.limit.unwrap_or(USUAL),
        cursor: params.cursor,
        skip: params.skip.unwrap_or(0),
        trash: params.trash.unwrap_or(false),
        ids: None,
        only: None,
    };
    let words = params.q.filter(|words| !words.trim().is_empty());
    let counted = params.count.unwrap_or(false);
    let listed = move |desk: &rapport_records::Desk, access: &rapport_records::Access| {
        if let Some(words) = words {
            let page = desk.find(access, &object, &words, &query)?;
            return Ok(RecordList { records: page.records, next: page.next, total: None });
        }
        let total = counted.then(|| desk.count_listed(access, &object, &query)).transpose()?;
        let page = desk.list(access, &object, &query)?;
        Ok(RecordList { records: page.records, next: page.next, total })
    };
    ask(&app, &operator, listed).await.map(Answer)
}

/// Edits of one request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkBody {
    /// Up to 10,000; all are done or none.
    edits: Vec<Edit>,
}

/// Does many edits, all or none. They are a batch that can be undone, also if it is one edit.
///
/// What is deleted goes first, then changes are made, then new records, and what is restored comes back last: a unique value of a
/// record that is deleted or changed is free for a new one. Two changes of one request cannot swap such values. An upsert finds what was
/// there before the request.
#[utoipa::path(post, path = "/api/v1/objects/{object}/bulk", tag = "records", request_body = BulkBody,
    params(("object" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "a repeat with the same key is answered and not done again")),
    responses((status = 200, body = Edited), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn bulk(
    State(app): State<Shared>,
    operator: Operator,
    Piece(object): Piece<String>,
    headers: HeaderMap,
    LongText(text): LongText,
) -> Result<Answer<Edited>, Problem> {
    let body: BulkBody = parse(&text)?;
    let once = once(&headers, &object, &text)?;
    ask(&app, &operator, move |desk, access| desk.edit_together(access, &object, &body.edits, once.as_ref()))
        .await
        .map(Answer)
}

/// What is counted and summed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AggregateParams {
    /// The field by whose values records are put together.
    group: String,
    /// A number or money field that is summed.
    sum: Option<String>,
    /// A condition.
    filter: Option<String>,
}

/// Counts and sums.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupList {
    /// By value.
    groups: Vec<Group>,
}

/// Counts and sums by the values of a field.
#[utoipa::path(get, path = "/api/v1/objects/{object}/aggregate", tag = "records", params(("object" = String, Path), AggregateParams),
    responses((status = 200, body = GroupList), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn aggregate(
    State(app): State<Shared>,
    operator: Operator,
    Piece(object): Piece<String>,
    Params(params): Params<AggregateParams>,
) -> Result<Answer<GroupList>, Problem> {
    let query = AggregateQuery { group: params.group, sum: params.sum, filter: params.filter };
    let groups = ask(&app, &operator, move |desk, access| desk.aggregate(access, &object, &query)).await?;
    Ok(Answer(GroupList { groups }))
}

/// Which board is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BoardParams {
    /// The field whose values are the columns.
    group: String,
    /// A number or money field that is summed.
    sum: Option<String>,
    /// A condition.
    filter: Option<String>,
    /// The order within a column.
    sort: Option<String>,
    /// Records in each column.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// A board.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Board {
    /// One for each option or stage, empty ones included.
    columns: Vec<BoardColumn>,
}

/// A board: columns with counts, sums and their first records. A column goes on as a list with a filter.
#[utoipa::path(get, path = "/api/v1/objects/{object}/board", tag = "records", params(("object" = String, Path), BoardParams),
    responses((status = 200, body = Board), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn board(
    State(app): State<Shared>,
    operator: Operator,
    Piece(object): Piece<String>,
    Params(params): Params<BoardParams>,
) -> Result<Answer<Board>, Problem> {
    let totals = AggregateQuery { group: params.group, sum: params.sum, filter: params.filter };
    let query = BoardQuery { totals, sort: params.sort, limit: params.limit.unwrap_or(COLUMN) };
    let columns = ask(&app, &operator, move |desk, access| desk.board(access, &object, &query)).await?;
    Ok(Answer(Board { columns }))
}

/// What emptying a trash came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Emptied {
    /// How many records are gone.
    gone: u64,
}

/// Removes the records of the trash that the caller may delete for good. Their history stays; nothing brings them back.
#[utoipa::path(delete, path = "/api/v1/objects/{object}/trash", tag = "records", params(("object" = String, Path)),
    responses((status = 200, body = Emptied), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn empty_trash(
    State(app): State<Shared>,
    operator: Operator,
    Piece(object): Piece<String>,
) -> Result<Answer<Emptied>, Problem> {
    let gone = ask(&app, &operator, move |desk, access| desk.empty_trash(access, &object)).await?;
    Ok(Answer(Emptied { gone }))
}
