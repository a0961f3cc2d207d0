//! TLS to PostgreSQL: what `sslmode` and `sslrootcert` of its address mean, as in libpq.
//!
//! | sslmode | |
//! |---|---|
//! | `disable` | never TLS |
//! | `prefer`, or none | TLS if the server speaks it, with any certificate; `sslrootcert` is refused |
//! | `require` | TLS; with any certificate, unless `sslrootcert` is given, which is then `verify-ca` |
//! | `verify-ca` | TLS with a certificate that an authority of `sslrootcert` signed, else one that the system trusts |
//! | `verify-full` | that, and it must be of the host that the address names |
//!
//! `sslrootcert=system` means the authorities that the system trusts, and `verify-full`; anything weaker is refused with it.
//!
//! A socket in the file system has no TLS, whatever is asked for. Certificates of clients and channel binding are not supported.

use std::{
    future::Future,
    io,
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll},
};

use postgres::{
    Config, Socket,
    config::{Host, SslMode},
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use rapport_outbound::{Check, Stream, Tls};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::RecordsError;

/// An address as it was given: what the client reads, and how connections to it are secured.
pub(super) struct Secured {
    pub(super) config: Config,
    pub(super) tls: SecuredBy,
    /// The `sslmode` in words.
    pub(super) mode: String,
}

/// Secures connections.
#[derive(Clone)]
pub(super) struct SecuredBy(Tls);

/// Reads the address of a database.
pub(super) fn read(url: &str) -> Result<Secured, RecordsError> {
    let wrong = |what: String| RecordsError::invalid("database", what);
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut roots, mut others) = (None, None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => {
                roots = Some(decoded(value).ok_or_else(|| wrong(format!("sslrootcert={value} is no path")))?);
            }
            _ => others.push(pair),
        }
    }
    let rest = if others.is_empty() { place.to_owned() } else { format!("{place}?{}", others.join("&")) };
    let config = rest.parse::<Config>();
    let mut config = config.map_err(|error| wrong(format!("the PostgreSQL URL cannot be read: {error}")))?;
    // libpq's word for the roots of the system, for which it checks the name, too.
    let is_system = roots.as_ref().is_some_and(|path| path.as_os_str() == "system");
    let mode = mode.unwrap_or_else(|| if is_system { "verify-full" } else { "prefer" }.to_owned());
    if is_system && !matches!(mode.as_str(), "disable" | "verify-full") {
        return Err(wrong(format!("sslrootcert=system asks for sslmode=verify-full; sslmode={mode} is weaker")));
    }
    if roots.is_some() && mode == "prefer" {
        let what = "sslrootcert without an sslmode that checks certificates; add sslmode=verify-full";
        return Err(wrong(what.to_owned()));
    }
    let roots = roots.filter(|_| !is_system);
    let (demanded, check) = match (mode.as_str(), &roots) {
        ("disable", _) => (SslMode::Disable, Check::Nothing),
        ("prefer", _) => (SslMode::Prefer, Check::Nothing),
        ("require", None) => (SslMode::Require, Check::Nothing),
        ("require", Some(_)) | ("verify-ca", _) => (SslMode::Require, Check::Chain),
        ("verify-full", _) => (SslMode::Require, Check::Name),
        (other, _) => {
            let what = "is none of disable, prefer, require, verify-ca and verify-full";
            return Err(wrong(format!("sslmode={other} {what}")));
        }
    };
    // An address in numbers is a connection over the network, whatever name stands beside it.
    let (hosts, has_address) = (config.get_hosts(), !config.get_hostaddrs().is_empty());
    if hosts.is_empty() && demanded != SslMode::Disable {
        return Err(wrong("the PostgreSQL URL names no host, of which a certificate could be".to_owned()));
    }
    let is_local = !has_address && !hosts.is_empty() && hosts.iter().all(|host| matches!(host, Host::Unix(_)));
    config.ssl_mode(if is_local { SslMode::Disable } else { demanded });
    let roots = roots.filter(|_| check != Check::Nothing && !is_local);
    let check = if is_local { Check::Nothing } else { check };
    let tls = Tls::new(check, roots.as_deref()).map_err(|error| wrong(error.to_string()))?;
    Ok(Secured { config, tls: SecuredBy(tls), mode })
}

/// A text of a URL without its `%XX`.
fn decoded(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok().filter(|path| !path.is_empty()).map(PathBuf::from)
}

impl MakeTlsConnect<Socket> for SecuredBy {
    type Stream = SecuredStream;
    type TlsConnect = Connector;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connector, io::Error> {
        Ok(Connector { tls: self.0.clone(), host: host.to_owned() })
    }
}

/// Secures one connection.
pub(super) struct Connector {
    tls: Tls,
    host: String,
}

impl TlsConnect<Socket> for Connector {
    type Stream = SecuredStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<SecuredStream, io::Error>> + Send>>;

    fn connect(self, stream: Socket) -> Self::Future {
        Box::pin(async move { self.tls.secure(&self.host, stream).await.map(SecuredStream) })
    }
}

/// A secured connection, as the client wants it.
pub(super) struct SecuredStream(Box<dyn Stream>);

impl TlsStream for SecuredStream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for SecuredStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for SecuredStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_as_libpq_reads_it() {
        let mode = |url: &str| read(url).map(|secured| secured.config.get_ssl_mode());
        let of = |query: &str| mode(&format!("postgres://u@db.example/records{query}"));
        for (query, expected) in [
            ("", SslMode::Prefer),
            ("?sslmode=disable", SslMode::Disable),
            ("?sslmode=prefer&application_name=x", SslMode::Prefer),
            ("?connect_timeout=3&sslmode=require", SslMode::Require),
        ] {
            assert_eq!(of(query).unwrap(), expected, "{query}");
        }
        for (query, told) in [
            ("?sslmode=allow", "sslmode=allow is none of disable"),
            ("?sslmode=require&sslrootcert=system", "sslmode=require is weaker"),
            ("?sslrootcert=/ca.pem", "add sslmode=verify-full"),
            ("?sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "/nowhere/ca.pem"),
            ("?sslrootcert=%zz", "is no path"),
            ("?nothing=1", "cannot be read"),
        ] {
            assert!(of(query).unwrap_err().to_string().contains(told), "{query}");
        }
        assert_eq!(of("?sslrootcert=system").unwrap(), SslMode::Require, "as libpq reads it");
        let numbers = "postgres://u@/records?hostaddr=10.0.0.5&sslmode=verify-full";
        assert!(mode(numbers).unwrap_err().to_string().contains("names no host"));
        let both = mode("postgres://u@%2Ftmp%2Fsocket/records?hostaddr=10.0.0.5&sslmode=require");
        assert_eq!(both.unwrap(), SslMode::Require, "the address in numbers is where it connects");
        let local = mode("postgres://u@%2Ftmp%2Fsocket/records?sslmode=verify-full&sslrootcert=/nowhere/ca.pem");
        assert_eq!(local.unwrap(), SslMode::Disable, "a socket has no TLS");
        assert_eq!(decoded("/a%20b/%C3%A9"), Some(PathBuf::from("/a b/é")));
    }
}
