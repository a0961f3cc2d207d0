//! The one door out: every request that Rapport itself makes to another system goes through a [`Client`].
//!
//! Addresses come from settings, from documents of other systems and, one day, from people. Whoever chooses one must not be
//! able to make this machine ask what only this machine can reach: its own ports, its network, the metadata service of its
//! host (server-side request forgery). So the address that a connection is made to is checked, not the name: a name may lead
//! anywhere, and elsewhere a moment later.
//!
//! It is not for what the person at the terminal asks for by hand (`rapport replay`). Connections to databases are opened by their
//! clients, which lead where the settings say; what secures them is here ([`Tls`]), so that certificates are checked in one place.
//!
//! Invariants:
//! - A connection is made to a public address, or to a host and port that the operator named ([`Allowed`]).
//! - Without TLS only to the latter. Certificates are checked against the roots of the system.
//! - Each hop of a redirect is a request like the first one. What is sent with a body is never redirected.
//! - A request ends: in time, in bytes, in hops ([`Limits`]). At most [`AT_ONCE`] are under way; more wait within their time.
//! - Errors name the host only: paths and queries may hold secrets.
//!
//! Weak: a look-up of a name that takes too long is given up by the request, and its thread only ends with the system's own
//! limit. Connections are not kept for the next request.

mod address;
mod allowed;
mod client;
mod connect;
mod error;
#[cfg(test)]
mod tests;
mod tls;

pub use self::{
    address::is_public,
    allowed::Allowed,
    client::{AT_ONCE, Answer, Client, Limits},
    connect::Stream,
    error::OutboundError,
    tls::{Check, Tls},
};
