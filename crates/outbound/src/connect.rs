//! Connections: a name looked up, its addresses checked, one of them connected to, TLS on top.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::{OutboundError, address::is_public, client::host_of};

/// How many addresses of a name are tried, and how long each.
const ADDRESSES: usize = 4;
const CONNECT: Duration = Duration::from_secs(3);

/// A connection, with TLS or without.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The system's roots.
pub(crate) fn system_roots() -> Result<RootCertStore, OutboundError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let what = found.errors.first().map_or_else(|| "none were found".to_owned(), ToString::to_string);
        return Err(OutboundError::Roots(what));
    }
    Ok(roots)
}

pub(crate) fn tls(roots: RootCertStore) -> Result<TlsConnector, OutboundError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OutboundError::Roots(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Connects to the host of an address. `may_be_private` is for hosts that the operator named.
pub(crate) async fn connect(
    url: &Url,
    may_be_private: bool,
    tls: &TlsConnector,
) -> Result<Box<dyn Stream>, OutboundError> {
    let stream = open(url, may_be_private).await?;
    // A request is small and wanted at once.
    let _kept_delay = stream.set_nodelay(true).is_err();
    if url.scheme() == "http" {
        return Ok(Box::new(stream));
    }
    let name = server_name(url)?;
    let secured = tls.connect(name, stream).await.map_err(|error| unreachable(url, &error))?;
    Ok(Box::new(secured))
}

async fn open(url: &Url, may_be_private: bool) -> Result<TcpStream, OutboundError> {
    let (mut refused, mut failed) = (None, None);
    for address in alternating(addresses(url).await?).into_iter().take(ADDRESSES) {
        if !may_be_private && !is_public(address.ip()) {
            refused = refused.or(Some(address.ip()));
            continue;
        }
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // The address that counts is the one at the other end.
                let other = stream.peer_addr().map_err(|error| unreachable(url, &error))?.ip();
                if may_be_private || is_public(other) {
                    return Ok(stream);
                }
                refused = refused.or(Some(other));
            }
            Ok(Err(error)) => failed = Some(error.to_string()),
            Err(_) => failed = Some(format!("{} does not answer", address.ip())),
        }
    }
    match (refused, failed) {
        (Some(address), None) => Err(OutboundError::Private { host: host_of(url), address }),
        (_, what) => Err(unreachable(url, &what.unwrap_or_else(|| "the name has no address".to_owned()))),
    }
}

async fn addresses(url: &Url) -> Result<Vec<SocketAddr>, OutboundError> {
    let port = url.port_or_known_default().unwrap_or_default();
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(vec![(IpAddr::V4(address), port).into()]),
        Some(Host::Ipv6(address)) => Ok(vec![(IpAddr::V6(address), port).into()]),
        Some(Host::Domain(name)) => {
            let found = tokio::net::lookup_host((name, port)).await;
            Ok(found.map_err(|error| unreachable(url, &error))?.collect())
        }
        None => Ok(Vec::new()),
    }
}

/// Addresses of both families by turns, that of the first one first (RFC 8305, section 4): a name may have many of a family that
/// leads nowhere from here.
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|one| one.is_ipv4() == first_is_v4);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::new();
    loop {
        let turn = [first.next(), second.next()];
        if turn.iter().all(Option::is_none) {
            return all;
        }
        all.extend(turn.into_iter().flatten());
    }
}

fn server_name(url: &Url) -> Result<ServerName<'static>, OutboundError> {
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(ServerName::from(IpAddr::V4(address))),
        Some(Host::Ipv6(address)) => Ok(ServerName::from(IpAddr::V6(address))),
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).map_err(|error| unreachable(url, &error)),
        None => Err(unreachable(url, &"it has no name")),
    }
}

fn unreachable(url: &Url, what: &dyn std::fmt::Display) -> OutboundError {
    OutboundError::Unreachable { host: host_of(url), what: what.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_family_hides_the_other() {
        let order = |addresses: &[&str]| -> Vec<String> {
            let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
            alternating(addresses).iter().map(ToString::to_string).collect()
        };
        let many = ["[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "[2001:db8::4]:1", "192.0.2.1:1"];
        assert_eq!(order(&many)[..3], ["[2001:db8::1]:1", "192.0.2.1:1", "[2001:db8::2]:1"]);
        assert_eq!(order(&many).len(), many.len());
        assert_eq!(order(&["192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1"])[1], "[2001:db8::1]:1");
        assert!(order(&[]).is_empty());
    }
}
