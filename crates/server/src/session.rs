//! Signing in by a one-time link, and out.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    Shared,
    api::{Session, SignIn},
    auth::{COOKIE, Operator, cookie, must_be_our_page},
    exchange::{Answer, Json, blocking},
    people::{Peer, origin, sign_in::used_up},
    problem::Problem,
};

/// Takes a one-time token and sets the cookie of a session.
#[utoipa::path(post, path = "/v1/session", tag = "session", security(()), request_body = SignIn,
    responses((status = 200, body = Session), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn sign_in(
    State(app): State<Shared>,
    peer: Option<axum::Extension<Peer>>,
    headers: HeaderMap,
    Json(request): Json<SignIn>,
) -> Result<Response, Problem> {
    must_be_our_page(&headers)?;
    let (secure, origin) = (app.state.secure_cookie, origin(peer.map(|peer| peer.0), &headers));
    let made = blocking(move || app.state.access.sign_in(&request.token, &origin)).await??;
    let made = made.ok_or_else(used_up)?;
    let session = Session { name: made.name, since: Some(made.since) };
    set_cookie(Answer(session).into_response(), &made.secret, made.lasts_s, secure)
}

/// Who is signed in.
#[utoipa::path(get, path = "/v1/session", tag = "session",
    responses((status = 200, body = Session), (status = 401, body = Problem)))]
pub(crate) async fn session(operator: Operator) -> Answer<Session> {
    Answer(operator.session)
}

/// Ends the session.
#[utoipa::path(delete, path = "/v1/session", tag = "session",
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn sign_out(
    State(app): State<Shared>,
    _operator: Operator,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let secure = app.state.secure_cookie;
    if let Some(secret) = cookie(&headers).map(str::to_owned) {
        blocking(move || app.state.access.sign_out(&secret)).await??;
    }
    set_cookie(StatusCode::NO_CONTENT.into_response(), "", 0, secure)
}

pub(crate) fn set_cookie(
    mut response: Response,
    secret: &str,
    lasts_s: u64,
    secure: bool,
) -> Result<Response, Problem> {
    put_cookie(&mut response, (COOKIE, secret), lasts_s, "Strict", secure)?;
    Ok(response)
}

/// Adds a cookie, by name and value, that scripts do not see.
pub(crate) fn put_cookie(
    response: &mut Response,
    (name, value): (&str, &str),
    lasts_s: u64,
    same_site: &str,
    secure: bool,
) -> Result<(), Problem> {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={lasts_s}; HttpOnly; SameSite={same_site}{secure}");
    let text = HeaderValue::from_str(&text).map_err(|error| Problem::internal(&error))?;
    response.headers_mut().append(header::SET_COOKIE, text);
    Ok(())
}
