//! Files in and out: imports, from the upload to the end, and exports of lists.
//!
//! A file goes from the connection to the disk as it comes; it is never in memory whole. An import that was started runs on a
//! thread of its own, and after a restart of the program goes on where it was.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use std::{io, ops::ControlFlow, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rapport_records::{
    Desk, Id, ListQuery,
    export::ExportFormat,
    import::{Check, Import, Mapping},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ask,
    carry::{incoming, outgoing},
};
use crate::{
    Shared,
    auth::Operator,
    collect::body,
    exchange::{Answer, Json, Params, Piece},
    openapi::Binary,
    problem::Problem,
};

/// What a file is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadParams {
    /// The object whose records it holds.
    object: String,
    /// What it is called; `.csv`, `.xlsx` or `.jsonl` at its end says what it is.
    name: String,
}

/// Brings a file to be imported. The answer says what its columns seem to be.
#[utoipa::path(post, path = "/api/v1/imports", tag = "imports", params(UploadParams), request_body(content = inline(Binary), content_type = "application/octet-stream"),
    responses((status = 201, body = Import), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 408, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn upload(
    State(app): State<Shared>,
    operator: Operator,
    Params(params): Params<UploadParams>,
    request: Request,
) -> Result<Response, Problem> {
    body::must_be_plain(request.headers())?;
    let import = incoming(&app, &operator, request.into_body(), move |desk, access, file| {
        desk.upload_import(access, &params.object, &params.name, file)
    })
    .await?;
    Ok((StatusCode::CREATED, Answer(import)).into_response())
}

/// Imports.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportList {
    /// The newest first.
    imports: Vec<Import>,
}

/// The caller's imports; all for administrators.
#[utoipa::path(get, path = "/api/v1/imports", tag = "imports", responses((status = 200, body = ImportList), (status = 401, body = Problem)))]
pub(crate) async fn list(State(app): State<Shared>, operator: Operator) -> Result<Answer<ImportList>, Problem> {
    let imports = ask(&app, &operator, |desk, access| desk.imports(access, 100)).await?;
    Ok(Answer(ImportList { imports }))
}

/// How far an import is.
#[utoipa::path(get, path = "/api/v1/imports/{id}", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = Import), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn one(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<Answer<Import>, Problem> {
    ask(&app, &operator, move |desk, access| desk.import(access, id)).await.map(Answer)
}

/// Says where the columns of a file go.
#[utoipa::path(put, path = "/api/v1/imports/{id}/mapping", tag = "imports", params(("id" = String, Path)), request_body = Mapping,
    responses((status = 200, body = Import), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn map(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
    Json(mapping): Json<Mapping>,
) -> Result<Answer<Import>, Problem> {
    ask(&app, &operator, move |desk, access| desk.map_import(access, id, &mapping)).await.map(Answer)
}

/// Looks at all rows and changes nothing: what the import would come to.
#[utoipa::path(post, path = "/api/v1/imports/{id}/check", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = Check), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn check(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<Answer<Check>, Problem> {
    ask(&app, &operator, move |desk, access| desk.check_import(access, id, &|_| ControlFlow::Continue(())))
        .await
        .map(Answer)
}

/// Starts an import. It goes on by itself, also after a restart.
#[utoipa::path(post, path = "/api/v1/imports/{id}/start", tag = "imports", params(("id" = String, Path)),
    responses((status = 202, body = Import), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn start(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<Response, Problem> {
    let import = ask(&app, &operator, move |desk, access| desk.start_import(access, id)).await?;
    run(&app.state.records, id);
    Ok((StatusCode::ACCEPTED, Answer(import)).into_response())
}

/// Runs an import on a thread of its own. One that cannot be ended now goes on with the next start of the program.
fn run(desk: &Arc<Desk>, id: Id) {
    let held = Arc::downgrade(desk);
    let work = move || {
        let Some(desk) = held.upgrade() else { return };
        // When the program stops, this is the last one that holds the desk.
        let watch =
            |_: &Import| if Arc::strong_count(&desk) > 1 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        if let Err(error) = desk.run_import(id, &watch) {
            tracing::error!(%error, import = %id, "an import was not ended");
        }
    };
    if let Err(error) = std::thread::Builder::new().name("import".to_owned()).spawn(work) {
        tracing::error!(%error, import = %id, "no thread for an import");
    }
}

/// Goes on with the imports that a stop or a crash left; it asks for them on a thread of its own.
pub(crate) fn resume(desk: &Arc<Desk>) {
    let held = Arc::downgrade(desk);
    let work = move || {
        let Some(desk) = held.upgrade() else { return };
        match desk.unfinished_imports() {
            Ok(imports) => imports.into_iter().for_each(|id| run(&desk, id)),
            Err(error) => tracing::error!(%error, "imports cannot be gone on with"),
        }
    };
    if let Err(error) = std::thread::Builder::new().name("import-resume".to_owned()).spawn(work) {
        tracing::error!(%error, "no thread to go on with imports");
    }
}

/// Stops an import; what is in stays, and can be undone.
#[utoipa::path(post, path = "/api/v1/imports/{id}/cancel", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = Import), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn cancel(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<Answer<Import>, Problem> {
    ask(&app, &operator, move |desk, access| desk.cancel_import(access, id)).await.map(Answer)
}

/// The rows that are wrong, with why, as a file that can be mended and imported again.
#[utoipa::path(get, path = "/api/v1/imports/{id}/errors", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, content_type = "text/csv", body = String), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn errors(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<Response, Problem> {
    let file = ask(&app, &operator, move |desk, access| desk.import_errors(access, id)).await?;
    let Some(mut file) = file else { return Err(Problem::not_found("no row was wrong")) };
    let body = outgoing(&app, move |out| io::copy(&mut file, out).map(drop).map_err(|error| error.to_string()))?;
    Ok(attached(body, "text/csv; charset=utf-8", "errors.csv"))
}

/// Which records are exported, and as what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportParams {
    /// `csv`, `xlsx` or `jsonl`.
    #[param(value_type = String)]
    format: ExportFormat,
    /// A condition.
    filter: Option<String>,
    /// A field, `-` before it for the largest first.
    sort: Option<String>,
    /// Names of fields, joined by commas; all if it is left out.
    fields: Option<String>,
}

/// All records of a list as a file.
#[utoipa::path(get, path = "/api/v1/objects/{object}/export", tag = "imports", params(("object" = String, Path), ExportParams),
    responses((status = 200, content((String = "text/csv"), (String = "application/jsonl"), (inline(Binary) = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn export(
    State(app): State<Shared>,
    operator: Operator,
    Piece(object): Piece<String>,
    Params(params): Params<ExportParams>,
) -> Result<Response, Problem> {
    let fields = params.fields.map(|text| text.split(',').map(|name| name.trim().to_owned()).collect());
    let query = ListQuery { filter: params.filter, sort: params.sort, fields, limit: 1, ..ListQuery::default() };
    // What is wrong with the request is told before the file begins.
    let (probe, name) = (query.clone(), object.clone());
    ask(&app, &operator, move |desk, access| {
        access.must_transfer()?;
        desk.list(access, &name, &probe).map(drop)
    })
    .await?;
    let (kind, ending) = match params.format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", "csv"),
        ExportFormat::Xlsx => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        ExportFormat::Jsonl => ("application/jsonl", "jsonl"),
    };
    let (desk, access, format, file) =
        (Arc::clone(&app.state.records), operator.access, params.format, format!("{object}.{ending}"));
    let body = outgoing(&app, move |out| {
        desk.export(&access, &object, &query, format, out).map(drop).map_err(|error| error.to_string())
    })?;
    Ok(attached(body, kind, &file))
}

/// Names of objects are letters, digits and `_`, so that the file's name needs no quoting.
pub(super) fn attached(body: Body, kind: &'static str, name: &str) -> Response {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).expect("names are plain");
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, disposition)], body)
        .into_response()
}
