//! The door against servers on the loopback address, which is as private as an address can be.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use hyper::{HeaderMap, header::ACCEPT};
use rustls::{RootCertStore, ServerConfig};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use url::Url;

use crate::{Allowed, Client, Limits, OutboundError};

/// A server that says the same to everybody, and counts who connects.
struct Server {
    address: SocketAddr,
    connected: Arc<AtomicUsize>,
    heard: tokio::sync::mpsc::UnboundedReceiver<String>,
}

impl Server {
    async fn saying(answer: impl Into<String>) -> Self {
        Self::with_tls(answer, None).await
    }

    async fn with_tls(answer: impl Into<String>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connected, answer) = (Arc::new(AtomicUsize::new(0)), answer.into());
        let (tell, heard) = tokio::sync::mpsc::unbounded_channel();
        let counted = Arc::clone(&connected);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let (answer, tls, tell) = (answer.clone(), tls.clone(), tell.clone());
                tokio::spawn(async move {
                    match tls {
                        None => speak(stream, &answer, &tell).await,
                        // A client that does not trust the certificate goes away here.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                speak(stream, &answer, &tell).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, connected, heard }
    }

    fn url(&self, scheme: &str) -> Url {
        Url::parse(&format!("{scheme}://{}/a?b=c", self.address)).unwrap()
    }

    fn connections(&self) -> usize {
        self.connected.load(Ordering::SeqCst)
    }
}

/// Reads a head and answers; an empty answer keeps the client waiting until it goes away.
async fn speak(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &str,
    tell: &tokio::sync::mpsc::UnboundedSender<String>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let _told = tell.send(String::from_utf8(head).unwrap()).is_ok();
    if answer.is_empty() {
        let _gone = stream.read_u8().await.is_err();
        return;
    }
    let _written = stream.write_all(answer.as_bytes()).await.is_ok() && stream.shutdown().await.is_ok();
}

fn text(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn to(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

fn client(allowed: &str) -> Client {
    limited(allowed, Limits::default())
}

fn limited(allowed: &str, limits: Limits) -> Client {
    Client::with_roots(Allowed::read(allowed).unwrap(), limits, RootCertStore::empty()).unwrap()
}

async fn refusal(client: &Client, url: &Url) -> OutboundError {
    client.get(url, HeaderMap::new()).await.unwrap_err()
}

#[tokio::test]
async fn a_host_that_the_operator_named_is_asked() {
    let mut server = Server::saying(text("hello")).await;
    let headers = HeaderMap::from_iter([(ACCEPT, "application/json".parse().unwrap())]);
    let client = client(&server.address.to_string());
    let answer = client.get(&server.url("http"), headers).await.unwrap();
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, &b"hello"[..]));
    let heard = server.heard.recv().await.unwrap();
    assert!(heard.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains(&format!("host: {}\r\n", server.address)), "{heard}");
    assert!(heard.contains("accept: application/json\r\n"), "{heard}");
}

#[tokio::test]
async fn no_form_of_a_private_address_is_connected_to() {
    let server = Server::saying(text("secret")).await;
    let port = server.address.port();
    let client = client("");
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "[fe80::1]",
        "[fc00::1]",
        "100.64.0.1",
        "localhost",
        "LOCALHOST",
    ] {
        let url = Url::parse(&format!("https://{host}:{port}/")).unwrap();
        let refused = refusal(&client, &url).await;
        assert!(matches!(refused, OutboundError::Private { .. }), "{host}: {refused}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_redirect_is_checked_as_the_first_address_is() {
    let hidden = Server::saying(text("secret")).await;
    for (scheme, host) in [("https", "127.0.0.1"), ("https", "[::ffff:127.0.0.1]"), ("https", "localhost")] {
        let target = format!("{scheme}://{host}:{}/", hidden.address.port());
        let front = Server::saying(to(&target)).await;
        let client = client(&front.address.to_string());
        let refused = refusal(&client, &front.url("http")).await;
        assert!(matches!(refused, OutboundError::Private { .. }), "{target}: {refused}");
    }
    let front = Server::saying(to(hidden.url("http").as_str())).await;
    let refused = refusal(&client(&front.address.to_string()), &front.url("http")).await;
    assert!(matches!(refused, OutboundError::Address { .. }), "{refused}");
    assert_eq!((front.connections(), hidden.connections()), (1, 0));
}

#[tokio::test]
async fn headers_stay_behind_where_another_host_is_asked() {
    let mut other = Server::saying(text("moved")).await;
    let mut front = Server::saying(to(other.url("http").as_str())).await;
    let client = client(&format!("{},{}", front.address, other.address));
    let headers = HeaderMap::from_iter([(hyper::header::AUTHORIZATION, "Bearer secret".parse().unwrap())]);
    let answer = client.get(&front.url("http"), headers).await.unwrap();
    assert_eq!(&*answer.body, b"moved");
    assert!(front.heard.recv().await.unwrap().contains("Bearer secret"));
    assert!(!other.heard.recv().await.unwrap().contains("authorization"));
}

#[tokio::test]
async fn redirects_end_and_what_has_a_body_is_not_sent_on() {
    let server = Server::saying(to("/again")).await;
    let client = client(&server.address.to_string());
    let refused = refusal(&client, &server.url("http")).await;
    assert!(matches!(refused, OutboundError::Redirects { .. }), "{refused}");
    assert_eq!(server.connections(), 1 + Limits::default().hops);
    let answer = client.post(&server.url("http"), HeaderMap::new(), Bytes::from_static(b"secret")).await.unwrap();
    assert_eq!((answer.status.as_u16(), server.connections()), (302, 2 + Limits::default().hops));
}

#[tokio::test]
async fn addresses_that_are_not_asked_are_told_without_what_is_secret_in_them() {
    let client = client("");
    for url in ["http://example.com/?token=s3", "ftp://example.com/s3", "https://ann:s3@example.com/", "data:,s3"] {
        let refused = refusal(&client, &Url::parse(url).unwrap()).await;
        assert!(matches!(refused, OutboundError::Address { .. }), "{refused}");
        assert!(!refused.to_string().contains("s3"), "{refused}");
    }
}

#[tokio::test]
async fn what_is_too_long_or_too_late_is_given_up() {
    let limits = Limits { time: Duration::from_millis(50), bytes: 4, hops: 0 };
    let long = Server::saying(text("hello")).await;
    let refused = refusal(&limited(&long.address.to_string(), limits), &long.url("http")).await;
    assert!(matches!(refused, OutboundError::TooLarge { bytes: 4, .. }), "{refused}");
    // Without a length the limit counts as well.
    let endless = Server::saying("HTTP/1.1 200 OK\r\n\r\nhello").await;
    let refused = refusal(&limited(&endless.address.to_string(), limits), &endless.url("http")).await;
    assert!(matches!(refused, OutboundError::TooLarge { bytes: 4, .. }), "{refused}");
    let silent = Server::saying("").await;
    let refused = refusal(&limited(&silent.address.to_string(), limits), &silent.url("http")).await;
    assert!(matches!(refused, OutboundError::Late { milliseconds: 50, .. }), "{refused}");
    let garbled = Server::saying("SSH-2.0-OpenSSH\r\n\r\n").await;
    let refused = refusal(&limited(&garbled.address.to_string(), limits), &garbled.url("http")).await;
    assert!(matches!(refused, OutboundError::Answer { .. }), "{refused}");
}

#[tokio::test]
async fn certificates_are_checked_and_so_is_the_name_in_them() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let server = Server::with_tls(text("hello"), Some(TlsAcceptor::from(Arc::new(config)))).await;
    let port = server.address.port();
    let named = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    let allowed = Allowed::read(&format!("localhost:{port},127.0.0.1:{port}")).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let trusting = Client::with_roots(allowed.clone(), Limits::default(), roots).unwrap();
    assert_eq!(&*trusting.get(&named, HeaderMap::new()).await.unwrap().body, b"hello");
    let refused = refusal(&trusting, &server.url("https")).await;
    assert!(refused.to_string().contains("certificate"), "{refused}");
    let strange = Client::with_roots(allowed, Limits::default(), RootCertStore::empty()).unwrap();
    let refused = refusal(&strange, &named).await;
    assert!(refused.to_string().contains("certificate"), "{refused}");
}
