//! People: signing in and on, one's own account, and for administrators everybody's accounts, roles, teams, keys and links.
//!
//! It is a thin door over `rapport-records`, which keeps people and decides what each may do.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod keys;
pub(crate) mod sign_in;
pub(crate) mod sign_on;

use std::net::{IpAddr, SocketAddr};

use axum::{
    Router,
    http::{HeaderMap, header},
    routing::{delete, get, patch, post, put},
};
use rapport_records::people::Origin;

use crate::Shared;

/// The network address that a request came from: the other end of the connection, or whom a proxy there speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// What proxies add the address to that they were asked from.
const FORWARDED: &str = "x-forwarded-for";

impl Peer {
    /// The last address of `X-Forwarded-For` that is not one of ours, if the connection comes from one of `proxies`. What stands
    /// before it the client may have written itself.
    pub(crate) fn of(connection: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> Self {
        let mut peer = connection.to_canonical();
        let lines = headers.get_all(FORWARDED).iter().rev();
        let mut hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        while proxies.contains(&peer)
            && let Some(hop) = hops.next().and_then(address_of)
        {
            peer = hop;
        }
        Self(peer)
    }
}

/// An address, with a port or without.
fn address_of(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    hop.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_says_where_a_request_came_from() {
        let proxies: Vec<IpAddr> = ["10.0.0.1", "10.0.0.2"].map(|address| address.parse().unwrap()).into();
        let from = |connection: &str, lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED, line.parse().unwrap());
            }
            Peer::of(connection.parse().unwrap(), &headers, &proxies).0.to_string()
        };
        assert_eq!(from("192.0.2.1", &["203.0.113.7"]), "192.0.2.1", "a client wrote it itself");
        assert_eq!(from("10.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(from("::ffff:10.0.0.1", &["203.0.113.8"]), "203.0.113.8");
        assert_eq!(from("10.0.0.1", &["1.1.1.1, 203.0.113.7"]), "203.0.113.7", "the last hop counts");
        assert_eq!(from("10.0.0.1", &["1.1.1.1", "203.0.113.7, 10.0.0.2"]), "203.0.113.7", "two proxies");
        assert_eq!(from("10.0.0.1", &["203.0.113.7:4711"]), "203.0.113.7");
        assert_eq!(from("10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        for nothing in [&[][..], &["unknown"], &["203.0.113.7, unknown"], &[""]] {
            assert_eq!(from("10.0.0.1", nothing), "10.0.0.1", "{nothing:?}");
        }
    }
}
