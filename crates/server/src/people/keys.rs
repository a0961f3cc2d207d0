//! Keys for programs and links for people. For administrators, which the desk holds.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rapport_records::{
    Desk, Id,
    people::{Invitation, KeyFacts, LinkFacts, NewKey, Secret},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Shared,
    auth::Operator,
    exchange::{Answer, Json, Piece},
    problem::Problem,
    records::{ask, done},
};

/// A link that was just made. Its token is shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewLink {
    /// What is known of it.
    link: LinkFacts,
    /// Where it leads, behind the address of the pages.
    path: String,
}

impl NewLink {
    pub(super) fn of(link: LinkFacts, token: &Secret) -> Self {
        let page = if link.email.is_some() && link.person.is_none() { "accept" } else { "reset-password" };
        let path = format!("/{page}?token={}", token.reveal());
        Self { link, path }
    }
}

/// Links that can be used or were.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkList {
    /// The newest first.
    links: Vec<LinkFacts>,
}

/// All links. For administrators.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "people", responses((status = 200, body = LinkList), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn links(State(app): State<Shared>, operator: Operator) -> Result<Answer<LinkList>, Problem> {
    let links = ask(&app, &operator, Desk::links).await?;
    Ok(Answer(LinkList { links }))
}

/// Makes a link by which somebody makes an account. For administrators.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "people", request_body = Invitation,
    responses((status = 201, body = NewLink), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn invite(
    State(app): State<Shared>,
    operator: Operator,
    Json(invitation): Json<Invitation>,
) -> Result<Response, Problem> {
    let (facts, token) = ask(&app, &operator, move |desk, access| desk.invite(access, &invitation)).await?;
    Ok((StatusCode::CREATED, Answer(NewLink::of(facts, &token))).into_response())
}

/// Takes a link away. For administrators.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn revoke_link(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.revoke_link(access, id)).await
}

/// Keys.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyList {
    /// The newest first.
    keys: Vec<KeyFacts>,
}

/// All keys, without themselves. For administrators.
#[utoipa::path(get, path = "/api/v1/keys", tag = "people", responses((status = 200, body = KeyList), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn list(State(app): State<Shared>, operator: Operator) -> Result<Answer<KeyList>, Problem> {
    let keys = ask(&app, &operator, Desk::keys).await?;
    Ok(Answer(KeyList { keys }))
}

/// A key that was just made. It is shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeKey {
    #[serde(flatten)]
    facts: KeyFacts,
    /// The key itself.
    key: String,
}

/// Makes a key. For administrators.
#[utoipa::path(post, path = "/api/v1/keys", tag = "people", request_body = NewKey,
    responses((status = 201, body = MadeKey), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(app): State<Shared>,
    operator: Operator,
    Json(wanted): Json<NewKey>,
) -> Result<Response, Problem> {
    let (facts, key) = ask(&app, &operator, move |desk, access| desk.add_key(access, &wanted)).await?;
    Ok((StatusCode::CREATED, Answer(MadeKey { facts, key: key.reveal().to_owned() })).into_response())
}

/// Takes a key away; it lets nobody in any more. For administrators.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn revoke(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.revoke_key(access, id)).await
}
