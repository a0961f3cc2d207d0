//! Models: the registry, documents about them, and their life between registration and retirement.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    Shared,
    api::{
        ActivationAccepted, ChallengeRequest, Imported, ModelDetail, ModelList, Monitoring, RolledBack, TrialAccepted,
        TrialKind,
    },
    auth::Operator,
    collect::body,
    exchange::{Answer, Json, Params, Piece, blocking, on_its_way},
    openapi::Binary,
    ports::{Language, ModelForm, Refusal},
    problem::Problem,
};

/// The largest model that may be imported; a forest of 100 full trees has about 15 MiB.
const IMPORT_BYTES: usize = 64 * 1024 * 1024;
/// What a report may load: nothing but its own styles and drawings.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'";

/// The models of all scores.
#[utoipa::path(get, path = "/v1/models", tag = "models",
    responses((status = 200, body = ModelList), (status = 401, body = Problem)))]
pub(crate) async fn list(State(app): State<Shared>, _operator: Operator) -> Result<Answer<ModelList>, Problem> {
    let models = blocking(move || app.state.training.models()).await??;
    Ok(Answer(ModelList { models }))
}

fn unknown(score: &str, version: u32) -> Refusal {
    Refusal::NotFound(format!("there is no model {version} of the score \"{score}\""))
}

/// One model with its card.
#[utoipa::path(get, path = "/v1/models/{score}/{version}", tag = "models",
    params(("score" = String, Path, description = "the score"), ("version" = u32, Path, description = "the version")),
    responses((status = 200, body = ModelDetail), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn one(
    State(app): State<Shared>,
    _operator: Operator,
    Piece((score, version)): Piece<(String, u32)>,
) -> Result<Answer<ModelDetail>, Problem> {
    let of = score.clone();
    let detail = blocking(move || app.state.training.model(&of, version)).await??;
    Ok(Answer(detail.ok_or_else(|| unknown(&score, version))?))
}

async fn document(app: Shared, score: String, version: u32, form: ModelForm) -> Result<Vec<u8>, Problem> {
    let of = score.clone();
    let bytes = blocking(move || app.state.training.document(&of, version, form)).await??;
    Ok(bytes.ok_or_else(|| unknown(&score, version))?)
}

fn file(bytes: Vec<u8>, name: &str) -> Response {
    let as_file = format!("attachment; filename=\"{name}\"");
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, as_file)];
    (headers, bytes).into_response()
}

/// The artifact as a file, which `rapport predict` and another installation take.
#[utoipa::path(get, path = "/v1/models/{score}/{version}/artifact", tag = "models",
    params(("score" = String, Path, description = "the score"), ("version" = u32, Path, description = "the version")),
    responses((status = 200, content_type = "application/octet-stream", body = inline(Binary)), (status = 401, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn artifact(
    State(app): State<Shared>,
    _operator: Operator,
    Piece((score, version)): Piece<(String, u32)>,
) -> Result<Response, Problem> {
    // The name of a score is made of letters, digits and `_`, or there is no such model.
    let name = format!("{score}-{version}.model");
    Ok(file(document(app, score, version, ModelForm::Artifact).await?, &name))
}

/// The model as ONNX, as far as ONNX can carry it.
#[utoipa::path(get, path = "/v1/models/{score}/{version}/onnx", tag = "models",
    params(("score" = String, Path, description = "the score"), ("version" = u32, Path, description = "the version")),
    responses((status = 200, content_type = "application/octet-stream", body = inline(Binary)), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn onnx(
    State(app): State<Shared>,
    _operator: Operator,
    Piece((score, version)): Piece<(String, u32)>,
) -> Result<Response, Problem> {
    let name = format!("{score}-{version}.onnx");
    Ok(file(document(app, score, version, ModelForm::Onnx).await?, &name))
}

/// How a report is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportParams {
    /// `en` (the usual) or `zh`.
    lang: Option<String>,
}

/// A page about how good a model is: its card and plots.
#[utoipa::path(get, path = "/v1/models/{score}/{version}/report", tag = "models",
    params(("score" = String, Path, description = "the score"), ("version" = u32, Path, description = "the version"), ReportParams),
    responses((status = 200, content_type = "text/html", body = String), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn report(
    State(app): State<Shared>,
    _operator: Operator,
    Piece((score, version)): Piece<(String, u32)>,
    Params(params): Params<ReportParams>,
) -> Result<Response, Problem> {
    let language = match params.lang.as_deref() {
        None | Some("en") => Language::English,
        Some("zh") => Language::Chinese,
        Some(_) => return Err(Problem::invalid("lang", "it must be en or zh")),
    };
    let page = document(app, score, version, ModelForm::Report(language)).await?;
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, REPORT_POLICY)];
    Ok((headers, page).into_response())
}

/// What the columns of a foreign model are.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportParams {
    /// For ONNX: the features that its columns are, in order, with commas between them; all features that are numbers, in the
    /// order of the definitions, if it is left out.
    inputs: Option<String>,
}

/// Registers a model that was made elsewhere: an ONNX file, or an artifact of another installation.
#[utoipa::path(post, path = "/v1/models/{score}/import", tag = "models",
    params(("score" = String, Path, description = "the score"), ImportParams),
    request_body(content = inline(Binary), content_type = "application/octet-stream"),
    responses((status = 201, body = Imported), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn import(
    State(app): State<Shared>,
    operator: Operator,
    Piece(score): Piece<String>,
    Params(params): Params<ImportParams>,
    headers: HeaderMap,
    content: Body,
) -> Result<Response, Problem> {
    operator.must_administer()?;
    let bytes = body::read(&headers, content, IMPORT_BYTES, app.state.patience.body).await?;
    let inputs: Vec<String> =
        params.inputs.iter().flat_map(|inputs| inputs.split(',')).map(|name| name.trim().to_owned()).collect();
    let imported = blocking(move || app.state.training.import(&score, &bytes, &inputs)).await??;
    Ok((StatusCode::CREATED, Answer(imported)).into_response())
}

/// How a score's models do on the newest history: drift, calibration week by week, champion against challenger.
#[utoipa::path(get, path = "/v1/models/{score}/monitor", tag = "models",
    params(("score" = String, Path, description = "the score")),
    responses((status = 200, body = Monitoring), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn monitor(
    State(app): State<Shared>,
    _operator: Operator,
    Piece(score): Piece<String>,
) -> Result<Answer<Monitoring>, Problem> {
    Ok(Answer(blocking(move || app.state.training.monitor(&score)).await??))
}

/// Puts a model into service: it becomes the champion of its score.
#[utoipa::path(post, path = "/v1/models/{score}/{version}/activate", tag = "models",
    params(("score" = String, Path, description = "the score"), ("version" = u32, Path, description = "the version")),
    responses((status = 202, body = ActivationAccepted), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn activate(
    State(app): State<Shared>,
    operator: Operator,
    Piece((score, version)): Piece<(String, u32)>,
) -> Result<Response, Problem> {
    operator.must_administer()?;
    let of = score.clone();
    blocking(move || app.state.training.activate(&of, version)).await??;
    Ok(on_its_way(ActivationAccepted { score, version }))
}

/// Which activation is taken back.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RollbackParams {
    /// The version that is in service as far as the caller knows. If another one is, nothing is taken back.
    in_service: Option<u32>,
}

/// Takes the newest activation back: the model that was in service before is so again, and the trial that was ended goes on.
#[utoipa::path(post, path = "/v1/models/{score}/rollback", tag = "models",
    params(("score" = String, Path, description = "the score"), RollbackParams),
    responses((status = 202, body = RolledBack), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn rollback(
    State(app): State<Shared>,
    operator: Operator,
    Piece(score): Piece<String>,
    Params(params): Params<RollbackParams>,
) -> Result<Response, Problem> {
    operator.must_administer()?;
    Ok(on_its_way(blocking(move || app.state.training.rollback(&score, params.in_service)).await??))
}

/// Tries a model beside the champion, in its shadow or as a canary.
#[utoipa::path(post, path = "/v1/models/{score}/{version}/challenge", tag = "models", request_body = ChallengeRequest,
    params(("score" = String, Path, description = "the score"), ("version" = u32, Path, description = "the version")),
    responses((status = 202, body = TrialAccepted), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn challenge(
    State(app): State<Shared>,
    operator: Operator,
    Piece((score, version)): Piece<(String, u32)>,
    Json(request): Json<ChallengeRequest>,
) -> Result<Response, Problem> {
    operator.must_administer()?;
    match (request.mode, request.percent) {
        (_, None) | (TrialKind::Canary, Some(1..=99)) => {}
        (TrialKind::Canary, _) => return Err(Problem::invalid("percent", "it must be a whole number from 1 to 99")),
        (TrialKind::Shadow, _) => return Err(Problem::invalid("percent", "a shadow has no customers; leave it out")),
    }
    let of = score.clone();
    blocking(move || app.state.training.challenge(&of, version, &request)).await??;
    Ok(on_its_way(TrialAccepted { score, version: Some(version) }))
}

/// Ends the trial of a score's challenger; the champion stays.
#[utoipa::path(delete, path = "/v1/models/{score}/challenger", tag = "models",
    params(("score" = String, Path, description = "the score")),
    responses((status = 202, body = TrialAccepted), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn end_trial(
    State(app): State<Shared>,
    operator: Operator,
    Piece(score): Piece<String>,
) -> Result<Response, Problem> {
    operator.must_administer()?;
    let of = score.clone();
    blocking(move || app.state.training.end_trial(&of)).await??;
    Ok(on_its_way(TrialAccepted { score, version: None }))
}
