//! Everybody's accounts, roles and teams. All but the names of people and teams is for administrators, which the desk holds.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rapport_records::{
    Desk, Id, Role,
    people::{Colleague, RoleFacts, TeamFacts, User, UserChange},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys::NewLink;
use crate::{
    Shared,
    auth::Operator,
    exchange::{Answer, Json, Piece},
    problem::Problem,
    records::{ask, done},
};

/// People, as owners of records are chosen from.
#[derive(Serialize, ToSchema)]
pub(crate) struct ColleagueList {
    /// By name.
    people: Vec<Colleague>,
}

/// Everybody who uses Rapport, by name.
#[utoipa::path(get, path = "/api/v1/colleagues", tag = "people", responses((status = 200, body = ColleagueList), (status = 401, body = Problem)))]
pub(crate) async fn colleagues(
    State(app): State<Shared>,
    operator: Operator,
) -> Result<Answer<ColleagueList>, Problem> {
    let people = ask(&app, &operator, Desk::colleagues).await?;
    Ok(Answer(ColleagueList { people }))
}

/// People with what they may do.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserList {
    /// By name.
    users: Vec<User>,
}

/// Everybody's accounts. For administrators.
#[utoipa::path(get, path = "/api/v1/users", tag = "people", responses((status = 200, body = UserList), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn users(State(app): State<Shared>, operator: Operator) -> Result<Answer<UserList>, Problem> {
    let users = ask(&app, &operator, Desk::users).await?;
    Ok(Answer(UserList { users }))
}

/// Changes somebody's name, role, teams, or whether they may sign in. For administrators.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "people", params(("id" = String, Path)), request_body = UserChange,
    responses((status = 200, body = User), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change_user(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
    Json(change): Json<UserChange>,
) -> Result<Answer<User>, Problem> {
    ask(&app, &operator, move |desk, access| desk.change_user(access, id, &change)).await.map(Answer)
}

/// Makes a link by which somebody sets a new password. For administrators.
#[utoipa::path(post, path = "/api/v1/users/{id}/password-link", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = NewLink), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn password_link(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<Answer<NewLink>, Problem> {
    let (facts, token) = ask(&app, &operator, move |desk, access| desk.password_link(access, id)).await?;
    Ok(Answer(NewLink::of(facts, &token)))
}

/// Takes somebody's second factor away, for when app and recovery codes are lost. For administrators.
#[utoipa::path(delete, path = "/api/v1/users/{id}/second-factor", tag = "people", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn clear_second_factor(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.clear_second_factor(access, id)).await
}

/// Roles.
#[derive(Serialize, ToSchema)]
pub(crate) struct RoleList {
    /// By name.
    roles: Vec<RoleFacts>,
}

/// All roles. For administrators.
#[utoipa::path(get, path = "/api/v1/roles", tag = "people", responses((status = 200, body = RoleList), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn roles(State(app): State<Shared>, operator: Operator) -> Result<Answer<RoleList>, Problem> {
    let roles = ask(&app, &operator, Desk::roles).await?;
    Ok(Answer(RoleList { roles }))
}

/// What was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct Made {
    /// Its id.
    id: Id,
}

fn made(id: Id) -> Response {
    (StatusCode::CREATED, Answer(Made { id })).into_response()
}

/// Makes a role. For administrators.
#[utoipa::path(post, path = "/api/v1/roles", tag = "people", request_body = Role,
    responses((status = 201, body = Made), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add_role(
    State(app): State<Shared>,
    operator: Operator,
    Json(role): Json<Role>,
) -> Result<Response, Problem> {
    ask(&app, &operator, move |desk, access| desk.add_role(access, &role)).await.map(made)
}

/// Changes a role; it counts at once for all who have it. For administrators.
#[utoipa::path(put, path = "/api/v1/roles/{id}", tag = "people", params(("id" = String, Path)), request_body = Role,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change_role(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
    Json(role): Json<Role>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.change_role(access, id, &role)).await
}

/// Takes a role away that nobody has. For administrators.
#[utoipa::path(delete, path = "/api/v1/roles/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn delete_role(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.delete_role(access, id)).await
}

/// Teams.
#[derive(Serialize, ToSchema)]
pub(crate) struct TeamList {
    /// By name.
    teams: Vec<TeamFacts>,
}

/// All teams, with who is in them.
#[utoipa::path(get, path = "/api/v1/teams", tag = "people", responses((status = 200, body = TeamList), (status = 401, body = Problem)))]
pub(crate) async fn teams(State(app): State<Shared>, operator: Operator) -> Result<Answer<TeamList>, Problem> {
    let teams = ask(&app, &operator, Desk::teams).await?;
    Ok(Answer(TeamList { teams }))
}

/// A team's name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamName {
    /// Unlike that of any other team.
    name: String,
}

/// Makes a team. For administrators.
#[utoipa::path(post, path = "/api/v1/teams", tag = "people", request_body = TeamName,
    responses((status = 201, body = Made), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add_team(
    State(app): State<Shared>,
    operator: Operator,
    Json(team): Json<TeamName>,
) -> Result<Response, Problem> {
    ask(&app, &operator, move |desk, access| desk.add_team(access, &team.name)).await.map(made)
}

/// Renames a team. For administrators.
#[utoipa::path(put, path = "/api/v1/teams/{id}", tag = "people", params(("id" = String, Path)), request_body = TeamName,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn rename_team(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
    Json(team): Json<TeamName>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.rename_team(access, id, &team.name)).await
}

/// Takes a team away. For administrators.
#[utoipa::path(delete, path = "/api/v1/teams/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn delete_team(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<StatusCode, Problem> {
    done(&app, &operator, move |desk, access| desk.delete_team(access, id)).await
}
