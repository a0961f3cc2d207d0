//! One's own account, and those of others.

use super::{Row, administrators, everybody};

/// A key has no account.
const fn people(status: u16) -> [u16; 9] {
    [status, status, status, status, status, status, status, 403, 403]
}

pub const ROWS: &[Row] = &[
    Row("GET", "/v1/session", "", everybody(200)),
    Row("DELETE", "/v1/session", "", [204, 204, 204, 204, 204, 204, 204, 403, 204]),
    Row("GET", "/api/v1/me", "", people(200)),
    Row("PATCH", "/api/v1/me", r#"{"name":"Renamed"}"#, people(200)),
    Row(
        "POST",
        "/api/v1/me/password",
        r#"{"old":"wrong","new":"another plum tractor"}"#,
        [204, 422, 422, 422, 422, 422, 422, 403, 403],
    ),
    Row("POST", "/api/v1/me/second-factor", "", people(200)),
    Row("PUT", "/api/v1/me/second-factor", r#"{"code":"000000"}"#, people(409)),
    Row("DELETE", "/api/v1/me/second-factor", r#"{"code":"000000"}"#, people(422)),
    Row("GET", "/api/v1/me/sessions", "", people(200)),
    // The session is the administrator's.
    Row("DELETE", "/api/v1/me/sessions/<session>", "", [204, 404, 404, 404, 404, 404, 404, 403, 403]),
    Row("DELETE", "/api/v1/me/sessions", "", people(204)),
    Row("GET", "/api/v1/me/sign-ons", "", people(200)),
    Row("DELETE", "/api/v1/me/sign-ons/<key>", "", people(404)),
    Row("GET", "/api/v1/colleagues", "", everybody(200)),
    Row("GET", "/api/v1/users", "", administrators(200)),
    Row("PATCH", "/api/v1/users/<user>", r#"{"name":"Renamed"}"#, administrators(200)),
    Row("POST", "/api/v1/users/<user>/password-link", "", administrators(200)),
    Row("DELETE", "/api/v1/users/<user>/second-factor", "", administrators(204)),
    Row("GET", "/api/v1/roles", "", administrators(200)),
    Row("POST", "/api/v1/roles", r#"{"name":"More","other":{"read":"all"}}"#, administrators(201)),
    Row("PUT", "/api/v1/roles/<role>", r#"{"name":"More","other":{"read":"all"}}"#, administrators(204)),
    Row("DELETE", "/api/v1/roles/<role>", "", administrators(409)),
    Row("GET", "/api/v1/teams", "", everybody(200)),
    Row("POST", "/api/v1/teams", r#"{"name":"East"}"#, administrators(201)),
    Row("PUT", "/api/v1/teams/<team>", r#"{"name":"East"}"#, administrators(204)),
    // There is a view of that team.
    Row("DELETE", "/api/v1/teams/<team>", "", administrators(409)),
    Row("GET", "/api/v1/invitations", "", administrators(200)),
    Row("POST", "/api/v1/invitations", r#"{"email":"new@example.com","role":"<role>"}"#, administrators(201)),
    Row("DELETE", "/api/v1/invitations/<invitation>", "", administrators(204)),
    Row("GET", "/api/v1/keys", "", administrators(200)),
    Row("POST", "/api/v1/keys", r#"{"name":"all","role":"<role>","person":"<user>"}"#, administrators(201)),
    Row("DELETE", "/api/v1/keys/<key>", "", administrators(204)),
];
