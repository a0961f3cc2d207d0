//! One's own account: name, password, second factor, sessions.

use axum::{extract::State, http::StatusCode};
use rapport_records::{
    Desk, Id,
    people::{Account, AccountChange, SecondFactorSetup, SessionFacts},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Shared,
    auth::Operator,
    exchange::{Answer, Json, Piece},
    problem::Problem,
    records::{ask, done},
};

/// The caller's account. For people; a key has none.
#[utoipa::path(get, path = "/api/v1/me", tag = "account", responses((status = 200, body = Account), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn me(State(app): State<Shared>, operator: Operator) -> Result<Answer<Account>, Problem> {
    ask(&app, &operator, Desk::account).await.map(Answer)
}

/// Changes name, language or e-mail address of the caller.
#[utoipa::path(patch, path = "/api/v1/me", tag = "account", request_body = AccountChange,
    responses((status = 200, body = Account), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(app): State<Shared>,
    operator: Operator,
    Json(change): Json<AccountChange>,
) -> Result<Answer<Account>, Problem> {
    let changed = ask(&app, &operator, move |desk, access| {
        desk.change_account(access, &change)?;
        desk.account(access)
    });
    changed.await.map(Answer)
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The present one, where there is one.
    #[serde(default)]
    old: Option<String>,
    /// At least 12 letters.
    new: String,
}

fn session_of(operator: &Operator) -> Result<Id, Problem> {
    let problem = || Problem::new(StatusCode::FORBIDDEN, "forbidden", "Only somebody who is signed in has an account");
    operator.session_id.ok_or_else(problem)
}

/// Changes the caller's password and ends all other sessions.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "account", request_body = PasswordChange,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn password(
    State(app): State<Shared>,
    operator: Operator,
    Json(change): Json<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let session = session_of(&operator)?;
    ask(&app, &operator, move |desk, access| desk.change_password(access, session, change.old.as_deref(), &change.new))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins to set up a second factor: what an app needs. It counts once a code was given.
#[utoipa::path(post, path = "/api/v1/me/second-factor", tag = "account",
    responses((status = 200, body = SecondFactorSetup), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn begin(State(app): State<Shared>, operator: Operator) -> Result<Answer<SecondFactorSetup>, Problem> {
    ask(&app, &operator, Desk::begin_second_factor).await.map(Answer)
}

/// A code of a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    /// Six digits, or a recovery code.
    code: String,
}

/// Codes for when the app is lost; each can be used once. Shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    /// The codes.
    recovery_codes: Vec<String>,
}

/// Puts the second factor into force by a first code.
#[utoipa::path(put, path = "/api/v1/me/second-factor", tag = "account", request_body = Code,
    responses((status = 200, body = RecoveryCodes), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn activate(
    State(app): State<Shared>,
    operator: Operator,
    Json(code): Json<Code>,
) -> Result<Answer<RecoveryCodes>, Problem> {
    let codes = ask(&app, &operator, move |desk, access| desk.activate_second_factor(access, &code.code)).await?;
    Ok(Answer(RecoveryCodes { recovery_codes: codes.iter().map(|code| code.reveal().to_owned()).collect() }))
}

/// Takes the second factor away.
#[utoipa::path(delete, path = "/api/v1/me/second-factor", tag = "account", request_body = Code,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    operator: Operator,
    Json(code): Json<Code>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.remove_second_factor(access, &code.code)).await
}

/// Where the caller is signed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionList {
    /// The newest first.
    sessions: Vec<SessionFacts>,
}

/// Where the caller is signed in.
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "account", responses((status = 200, body = SessionList), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn sessions(State(app): State<Shared>, operator: Operator) -> Result<Answer<SessionList>, Problem> {
    let current = operator.session_id;
    let sessions = ask(&app, &operator, move |desk, access| desk.sessions(access, current)).await?;
    Ok(Answer(SessionList { sessions }))
}

/// Ends one of the caller's sessions.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", tag = "account", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn end(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.end_session(access, id)).await
}

/// Ends all of the caller's sessions but this one.
#[utoipa::path(delete, path = "/api/v1/me/sessions", tag = "account", responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn end_others(State(app): State<Shared>, operator: Operator) -> Result<StatusCode, Problem> {
    let current = session_of(&operator)?;
    done(&app, &operator, move |desk, access| desk.end_other_sessions(access, current)).await
}
