//! People: signing in and on, one's own account, and for administrators everybody's accounts, roles, teams, keys and links.
//!
//! It is a thin door over `rapport-records`, which keeps people and decides what each may do.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod keys;
pub(crate) mod sign_in;
pub(crate) mod sign_on;

use std::net::IpAddr;

use axum::{
    Router,
    http::{HeaderMap, header},
    routing::{delete, get, patch, post, put},
};
use rapport_records::people::Origin;

use crate::Shared;

/// The network address of the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Where a request came from, as far as it is known.
pub(crate) fn origin(peer: Option<Peer>, headers: &HeaderMap) -> Origin {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Origin { address: peer.map(|peer| peer.0.to_string()), agent: agent.map(str::to_owned) }
}

/// The routes of people.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v1/sign-in", post(sign_in::sign_in))
        .route("/api/v1/sign-in/providers", get(sign_on::providers))
        .route("/api/v1/sign-in/with/{provider}", get(sign_on::leave))
        .route("/api/v1/sign-in/with/{provider}/back", get(sign_on::back))
        .route("/api/v1/accept", post(sign_in::accept))
        .route("/api/v1/reset-password", post(sign_in::reset))
        .route("/api/v1/me", get(account::me).patch(account::change))
        .route("/api/v1/me/password", post(account::password))
        .route("/api/v1/me/second-factor", post(account::begin).put(account::activate).delete(account::remove))
        .route("/api/v1/me/sessions", get(account::sessions).delete(account::end_others))
        .route("/api/v1/me/sessions/{id}", delete(account::end))
        .route("/api/v1/me/sign-ons", get(sign_on::list))
        .route("/api/v1/me/sign-ons/{id}", delete(sign_on::remove))
        .route("/api/v1/colleagues", get(admin::colleagues))
        .route("/api/v1/users", get(admin::users))
        .route("/api/v1/users/{id}", patch(admin::change_user))
        .route("/api/v1/users/{id}/password-link", post(admin::password_link))
        .route("/api/v1/users/{id}/second-factor", delete(admin::clear_second_factor))
        .route("/api/v1/roles", get(admin::roles).post(admin::add_role))
        .route("/api/v1/roles/{id}", put(admin::change_role).delete(admin::delete_role))
        .route("/api/v1/teams", get(admin::teams).post(admin::add_team))
        .route("/api/v1/teams/{id}", put(admin::rename_team).delete(admin::delete_team))
        .route("/api/v1/invitations", get(keys::links).post(keys::invite))
        .route("/api/v1/invitations/{id}", delete(keys::revoke_link))
        .route("/api/v1/keys", get(keys::list).post(keys::add))
        .route("/api/v1/keys/{id}", delete(keys::revoke))
}
