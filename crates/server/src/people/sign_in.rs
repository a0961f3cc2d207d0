//! Signing in by password, accepting an invitation, setting a forgotten password.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use rapport_records::people::{Answer as Outcome, SESSION_MS, SignIn, SignedIn};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Peer, origin};
use crate::{
    Shared,
    api::Session,
    auth::must_be_our_page,
    exchange::{Answer, Json, blocking},
    problem::Problem,
    session::set_cookie,
};

/// The answer to somebody who is in: the session's cookie.
pub(crate) fn welcome(app: &Shared, signed_in: &SignedIn, name: String) -> Result<Response, Problem> {
    let session = Session { name, since: Some(signed_in.session.since) };
    let lasts_s = SESSION_MS.unsigned_abs() / 1_000;
    set_cookie(Answer(session).into_response(), signed_in.secret.reveal(), lasts_s, app.state.secure_cookie)
}

/// Signs in with e-mail address, password and, where one is set up, a second factor.
#[utoipa::path(post, path = "/api/v1/sign-in", tag = "session", security(()), request_body = SignIn,
    responses((status = 200, body = Session), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn sign_in(
    State(app): State<Shared>,
    peer: Option<axum::Extension<Peer>>,
    headers: HeaderMap,
    Json(request): Json<SignIn>,
) -> Result<Response, Problem> {
    must_be_our_page(&headers)?;
    let (desk, origin) = (app.state.records.clone(), origin(peer.map(|peer| peer.0), &headers));
    match blocking(move || desk.sign_in(&request, &origin)).await?? {
        Outcome::SignedIn(signed_in) => {
            let desk = app.state.records.clone();
            let secret = signed_in.secret.reveal().to_owned();
            let begun = blocking(move || desk.access_of_session(&secret)).await??;
            let name = begun.map(|(access, _)| access.name().to_owned()).unwrap_or_default();
            welcome(&app, &signed_in, name)
        }
        Outcome::Refused => {
            Err(Problem::new(StatusCode::UNAUTHORIZED, "sign_in", "E-mail address, password or code is wrong"))
        }
        Outcome::SecondFactor => {
            Err(Problem::new(StatusCode::UNAUTHORIZED, "second_factor", "The code of your second factor is needed")
                .field("code"))
        }
        Outcome::Wait { seconds } => {
            let problem = Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "sign_in_rate",
                "There were too many failures; try again later",
            );
            Err(problem.retry_after(u32::try_from(seconds).unwrap_or(u32::MAX)))
        }
    }
}

/// What an invitation is accepted with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acceptance {
    /// From the link.
    token: String,
    /// What you are called.
    name: String,
    /// At least 12 letters.
    password: String,
}

/// What somebody is told whose link does not let in any more.
pub(crate) fn used_up() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "token", "The link was used before or is too old").field("token")
}

/// Makes the account of somebody who was invited, and signs in.
#[utoipa::path(post, path = "/api/v1/accept", tag = "session", security(()), request_body = Acceptance,
    responses((status = 200, body = Session), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn accept(
    State(app): State<Shared>,
    peer: Option<axum::Extension<Peer>>,
    headers: HeaderMap,
    Json(request): Json<Acceptance>,
) -> Result<Response, Problem> {
    must_be_our_page(&headers)?;
    let (desk, origin) = (app.state.records.clone(), origin(peer.map(|peer| peer.0), &headers));
    let name = request.name.clone();
    let accepted = blocking(move || desk.accept(&request.token, &request.name, &request.password, &origin)).await??;
    welcome(&app, &accepted.ok_or_else(used_up)?, name)
}

/// What a new password is set with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reset {
    /// From the link.
    token: String,
    /// At least 12 letters.
    password: String,
}

/// Sets a new password by a link. All sessions of the account end.
#[utoipa::path(post, path = "/api/v1/reset-password", tag = "session", security(()), request_body = Reset,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn reset(
    State(app): State<Shared>,
    peer: Option<axum::Extension<Peer>>,
    headers: HeaderMap,
    Json(request): Json<Reset>,
) -> Result<StatusCode, Problem> {
    must_be_our_page(&headers)?;
    let (desk, origin) = (app.state.records.clone(), origin(peer.map(|peer| peer.0), &headers));
    let done = blocking(move || desk.reset_password(&request.token, &request.password, &origin)).await??;
    if done { Ok(StatusCode::NO_CONTENT) } else { Err(used_up()) }
}
