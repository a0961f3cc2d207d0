//! Hostile requests on real sockets: each is refused for what is wrong with it or ended by a timeout, nothing of it is kept,
//! and the server goes on.
//!
//! One server for all, so that what one of them left behind would be found by the next. A test waits for the end of a
//! socket; it never waits for a time.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

mod server;

use std::{
    collections::BTreeSet,
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use base64::Engine as _;
use flate2::{Compression, write::GzEncoder};
use rapport_stream::{Log as _, SqliteLog, SqliteLogOptions};
use rapport_types::{Entry, Offset, PartitionId};
use server::{Gate, Server, state};

/// How long a sender or a reader may take, in seconds: long enough for every fast one on a busy machine.
const PATIENCE: &[(&str, &str)] =
    &[("RAPPORT_HEAD_SECONDS", "2"), ("RAPPORT_BODY_SECONDS", "2"), ("RAPPORT_READ_SECONDS", "2")];
/// No socket may stay open for longer; many times what is set, because machines can be slow.
const TOO_LONG: Duration = Duration::from_secs(30);
/// Between two bytes of a slow sender.
const DRIBBLE: Duration = Duration::from_millis(50);

impl Gate {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(TOO_LONG)).unwrap();
        stream
    }

    /// The head of a request to the door, with the write key, up to and without the empty line.
    fn head(&self, path: &str) -> String {
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{}:", self.write_key));
        format!("POST {path} HTTP/1.1\r\nHost: rapport\r\nAuthorization: Basic {basic}\r\n")
    }

    /// A whole request whose connection ends with its answer.
    fn request(&self, path: &str, more: &str, body: &[u8]) -> Vec<u8> {
        let head = self.head(path);
        let length = body.len();
        let mut bytes = format!("{head}Connection: close\r\nContent-Length: {length}\r\n{more}\r\n").into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }

    /// Sends bytes and reads until the server ends the connection.
    fn exchange(&self, bytes: &[u8]) -> Answers {
        let mut stream = self.connect();
        // The server may have heard enough before it heard everything.
        let _cut = stream.write_all(bytes).is_err();
        Answers::read(&mut stream)
    }

    /// Sends bytes, says that nothing more comes, and still listens.
    fn exchange_cut(&self, bytes: &[u8]) -> Answers {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        Answers::read(&mut stream)
    }

    /// Sends bytes, and then one byte after the other for as long as the server listens.
    fn dribble(&self, bytes: &[u8]) -> Answers {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        stream.set_read_timeout(Some(DRIBBLE)).unwrap();
        let (begun, mut answers, mut buffer) = (Instant::now(), Vec::new(), [0; 4_096]);
        loop {
            assert!(begun.elapsed() < TOO_LONG, "the server listens for ever");
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => answers.extend_from_slice(&buffer[..read]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if stream.write_all(b" ").is_err() {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        Answers(String::from_utf8(answers).unwrap())
    }

    fn get(&self, path: &str) -> Answers {
        let key = &self.api_key;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: rapport\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n");
        self.exchange(request.as_bytes())
    }

    /// How many events the ledger counts as accepted.
    fn accepted(&self) -> u64 {
        let total = &self.get("/v1/ledger").json()["total"];
        assert_eq!(total["dead_lettered"], 0);
        total["accepted"].as_u64().unwrap()
    }

    /// Waits until an event is applied.
    fn wait_until_applied(&self) {
        let begun = Instant::now();
        while self.get("/v1/ledger").json()["total"]["applied"] == 0 {
            assert!(begun.elapsed() < TOO_LONG, "an event is not applied");
        }
    }
}

/// Everything that a server sent over one connection.
struct Answers(String);

impl Answers {
    fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        match stream.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the server did not end the connection: {error}"),
        }
        Self(String::from_utf8(bytes).unwrap())
    }

    /// The statuses of all answers.
    fn statuses(&self) -> Vec<u16> {
        let lines = self.0.match_indices("HTTP/1.1 ").map(|(at, start)| &self.0[at + start.len()..]);
        lines.map(|line| line[..3].parse().unwrap()).collect()
    }

    fn json(&self) -> serde_json::Value {
        let body = self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {}", self.0))
    }

    /// Status, code and field of the one problem that the server told.
    fn problem(&self) -> (u16, String, String) {
        assert_eq!(self.statuses().len(), 1, "{}", self.0);
        assert!(self.0.contains("content-type: application/problem+json"), "{}", self.0);
        let json = self.json();
        assert_eq!(json["status"], self.statuses()[0]);
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        (self.statuses()[0], text("code"), text("field"))
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(plain).unwrap();
    packer.finish().unwrap()
}

/// A body that nothing is wrong with.
fn good(message: &str) -> String {
    format!(r#"{{"userId":"u","event":"x","messageId":"{message}"}}"#)
}

/// Sends a good event, which must be taken.
fn send_good(gate: &Gate, message: &str) {
    let answers = gate.exchange(&gate.request("/v1/track", "", good(message).as_bytes()));
    assert_eq!(answers.statuses(), [200], "{}", answers.0);
}

const GZIP: &str = "Content-Encoding: gzip\r\n";

/// Bodies that come whole: the request's path, its further header lines, its body; what is answered.
type Case = (&'static str, &'static str, Vec<u8>, (u16, &'static str, &'static str));

fn bodies() -> Vec<Case> {
    let event = |inner: &str| format!(r#"{{"userId":"u","event":"x","messageId":"bad",{inner}}}"#).into_bytes();
    let batch = |inner: &str| format!(r#"{{"batch":[{{"type":"page","userId":"u"}},{inner}]}}"#).into_bytes();
    let deep = format!(r#""properties":{}1{}"#, "[".repeat(10_000), "]".repeat(10_000));
    let deep_batch = format!(r#"{{"type":"track","userId":"u","event":"x",{deep}}}"#);
    let wide = (0..10_000).map(|n| format!(r#""p{n}":{n}"#)).collect::<Vec<_>>().join(",");
    let wide_batch = format!(r#"{{"type":"track","userId":"u","event":"x","properties":{{{wide}}}}}"#);
    let mut torn = gzip(&event(r#""properties":{}"#));
    torn.truncate(torn.len() - 9);
    let packed_twice = gzip(&gzip(&event(r#""properties":{}"#)));
    let mut followed = gzip(&event(r#""properties":{}"#));
    followed.extend_from_slice(b"more");
    vec![
        ("/v1/track", "", event(&deep), (400, "invalid_field", "properties")),
        ("/v1/batch", "", batch(&deep_batch), (400, "invalid_field", "batch[1].properties")),
        ("/v1/track", "", event(&format!(r#""properties":{{{wide}}}"#)), (413, "too_large", "")),
        ("/v1/batch", "", batch(&wide_batch), (413, "too_large", "batch[1]")),
        ("/v1/track", "", b"{\"userId\":\"u\",\"event\":\"\xc3\x28\"}".to_vec(), (400, "invalid_json", "")),
        ("/v1/track", "", event(r#""userId":"v""#), (400, "invalid_field", "userId")),
        (
            "/v1/batch",
            "",
            batch(r#"{"type":"page","type":"track","userId":"u"}"#),
            (400, "invalid_field", "batch[1].type"),
        ),
        ("/v1/batch", "", br#"{"batch":[],"batch":[]}"#.to_vec(), (400, "invalid_field", "batch")),
        ("/v1/track", "", event(r#""properties":{"n":1e999}"#), (400, "invalid_field", "properties")),
        ("/v1/track", "", event(r#""timestamp":99999999999999999999"#), (400, "invalid_field", "timestamp")),
        ("/v1/track", "", event(r#""anonymousId":"a\u0000b""#), (400, "invalid_field", "anonymousId")),
        ("/v1/track", "", event("\"anonymousId\":\"a\0b\""), (400, "invalid_json", "")),
        ("/v1/batch", "", batch(r#"{"type":"page","userId":"\u0000"}"#), (400, "invalid_field", "batch[1].userId")),
        ("/v1/batch", GZIP, gzip(&vec![b' '; 50_000_000]), (413, "too_large", "")),
        ("/v1/track", GZIP, torn, (400, "gzip", "")),
        ("/v1/track", GZIP, followed, (400, "gzip", "")),
        ("/v1/track", GZIP, packed_twice, (400, "invalid_json", "")),
        ("/v1/track", "Content-Encoding: br\r\n", good("bad").into_bytes(), (415, "encoding", "Content-Encoding")),
        ("/v1/batch", "", vec![b' '; 3_000_000], (413, "too_large", "")),
    ]
}

/// Requests whose framing is wrong, without the write key's line: what comes after it; the status, and the problem's code where
/// the request was good enough to have its body read.
fn frames() -> Vec<(String, u16, Option<&'static str>)> {
    let body = good("bad");
    let length = body.len();
    let chunk = format!("{length:x}\r\n{body}\r\n");
    let many = "X-A: b\r\n".repeat(200);
    let huge = format!("X-Huge: {}\r\n", "x".repeat(200_000));
    let chunked = "Transfer-Encoding: chunked\r\n";
    vec![
        (format!("Content-Length: {}\r\n\r\n{body}", length + 1), 400, Some("body")),
        (format!("Content-Length: -1\r\n\r\n{body}"), 400, None),
        (format!("Content-Length: +{length}\r\n\r\n{body}"), 400, None),
        (format!("Content-Length: ten\r\n\r\n{body}"), 400, None),
        (format!("Content-Length: 99999999999999999999999\r\n\r\n{body}"), 400, None),
        (format!("Content-Length: 9999999999999\r\n\r\n{body}"), 413, Some("too_large")),
        (format!("Content-Length: {length}\r\nContent-Length: {}\r\n\r\n{body}", length + 1), 400, None),
        (format!("{chunked}\r\nzz\r\n{body}\r\n0\r\n\r\n"), 400, Some("body")),
        (format!("{chunked}\r\nfffffffffffffffff\r\n{body}\r\n0\r\n\r\n"), 400, Some("body")),
        (format!("{chunked}\r\n{chunk}"), 400, Some("body")),
        (format!("{chunked}\r\n{chunk}{chunk}"), 400, Some("body")),
        (format!("{chunked}\r\n{length:x}\r\n{body}{body}\r\n0\r\n\r\n"), 400, Some("body")),
        (format!("{chunked}\r\n{:x}\r\n{body}", 1 << 30), 400, Some("body")),
        (format!("Transfer-Encoding: chunked, identity\r\n\r\n{chunk}0\r\n\r\n"), 400, None),
        (format!("Transfer-Encoding: xchunked\r\n\r\n{chunk}0\r\n\r\n"), 400, None),
        (format!("Transfer-Encoding : chunked\r\n\r\n{chunk}0\r\n\r\n"), 400, None),
        (format!("Content-Length: {length}\r\n folded: x\r\n\r\n{body}"), 400, None),
        (format!("X-Nul: a\0b\r\nContent-Length: {length}\r\n\r\n{body}"), 400, None),
        (format!("{many}Content-Length: {length}\r\n\r\n{body}"), 431, None),
        (format!("{huge}Content-Length: {length}\r\n\r\n{body}"), 431, None),
    ]
}

fn bodies_are_refused_by_name(gate: &Gate) {
    for (path, more, body, expected) in bodies() {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let (status, code, field) = gate.exchange(&gate.request(path, more, &body)).problem();
        assert_eq!((status, &*code, &*field), expected, "{path} {shown}");
    }
}

fn frames_are_refused(gate: &Gate) {
    for (rest, status, code) in frames() {
        let shown = &rest[..rest.len().min(80)];
        let request = format!("{}{rest}", gate.head("/v1/track"));
        let cut = code == Some("body");
        let answers = if cut { gate.exchange_cut(request.as_bytes()) } else { gate.exchange(request.as_bytes()) };
        match code {
            Some(code) => assert_eq!(answers.problem(), (status, code.to_owned(), String::new()), "{shown}"),
            None => assert_eq!(answers.statuses(), [status], "{shown}"),
        }
    }
    for nonsense in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0"]
    {
        let statuses = gate.exchange(nonsense).statuses();
        assert!(statuses.is_empty() || statuses == [400], "{nonsense:?} {statuses:?}");
    }
}

/// A length that is too short makes the rest of the body another request; and where length and chunks contradict each other
/// a proxy in front may have seen another request than this server does. In both cases nothing behind the first is served.
fn nothing_is_smuggled(gate: &Gate) {
    let second = String::from_utf8(gate.request("/v1/track", "", good("smuggled").as_bytes())).unwrap();
    let short = format!("{}Content-Length: 5\r\n\r\n{}", gate.head("/v1/track"), good("bad"));
    assert_eq!(gate.exchange(short.as_bytes()).statuses(), [400, 400], "the cut body, and what follows it");
    for (n, lines) in
        ["Content-Length: 6\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 6"]
            .into_iter()
            .enumerate()
    {
        let body = good(&format!("both-{n}"));
        let first = format!("{}{lines}\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", gate.head("/v1/track"), body.len());
        let answers = gate.exchange(format!("{first}{second}").as_bytes());
        assert_eq!(answers.statuses(), [200], "chunks count, and the connection ends (RFC 9112, 6.1)");
    }
}

fn slow_senders_are_cut_off(gate: &Gate) {
    let body_is_late = (408, "body_timeout".to_owned(), String::new());
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(gate.exchange_nothing().0.is_empty(), "a connection without a request"));
        scope.spawn(|| {
            let answers = gate.dribble(format!("{}X-Slow: ", gate.head("/v1/track")).as_bytes());
            assert!(answers.statuses().is_empty() || answers.statuses() == [408], "{}", answers.0);
        });
        for path in ["/v1/track", "/v1/batch"] {
            let body_is_late = body_is_late.clone();
            scope.spawn(move || {
                let request = format!("{}Content-Length: 5000\r\n\r\n{{", gate.head(path));
                assert_eq!(gate.dribble(request.as_bytes()).problem(), body_is_late, "{path}");
            });
        }
        scope.spawn(|| {
            let key = &gate.api_key;
            let head = "POST /v1/decide HTTP/1.1\r\nHost: rapport\r\nContent-Length: 5000\r\n";
            let request = format!("{head}Authorization: Bearer {key}\r\n\r\n{{");
            assert_eq!(gate.dribble(request.as_bytes()).problem(), body_is_late);
        });
        scope.spawn(|| {
            let answers = gate.dribble(b"GET /healthz HTTP/1.1\r\nHost: rapport\r\nContent-Length: 5000\r\n\r\n");
            assert_eq!(answers.statuses(), [200], "nobody waits for a body that nobody wants");
        });
    });
}

/// Asks and asks and reads no answer. Once the buffers between are full the server waits, and then it ends the connection, which
/// the sender is told when it sends more.
fn readers_that_stand_still_are_cut_off(gate: &Gate) {
    let mut stream = gate.connect();
    stream.set_write_timeout(Some(DRIBBLE)).unwrap();
    let asked = "GET /metrics HTTP/1.1\r\nHost: rapport\r\n\r\n".repeat(100);
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < TOO_LONG, "the server waits for ever");
        match stream.write(asked.as_bytes()) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
                return;
            }
        }
    }
}

#[test]
fn connections_beyond_the_limit_wait_until_one_ends() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[("RAPPORT_CONNECTIONS", "1")]);
    let gate = &server.gate;
    // What the start of the test asked with may still be ending.
    let mut first = gate.connect();
    let ask = |stream: &mut TcpStream| {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: rapport\r\n\r\n").unwrap();
        let mut buffer = [0; 4_096];
        let read = stream.read(&mut buffer).unwrap();
        assert!(buffer[..read].starts_with(b"HTTP/1.1 200"));
    };
    ask(&mut first);
    let mut second = gate.connect();
    second.write_all(&gate.request("/v1/track", "", br#"{"event":"A","userId":"u"}"#)).unwrap();
    for _ in 0..100 {
        ask(&mut first);
    }
    second.set_nonblocking(true).unwrap();
    let early = second.read(&mut [0; 16]);
    assert_eq!(early.unwrap_err().kind(), ErrorKind::WouldBlock, "there was room for one only");
    second.set_nonblocking(false).unwrap();
    drop(first);
    assert_eq!(Answers::read(&mut second).statuses(), [200]);
    server.kill();
}

impl Gate {
    fn exchange_nothing(&self) -> Answers {
        Answers::read(&mut self.connect())
    }
}

/// A batch whose connection is cut in its middle, at several places.
fn torn_batches_leave_nothing(gate: &Gate) {
    let events: Vec<_> =
        (0..100).map(|n| format!(r#"{{"type":"page","userId":"u{n}","messageId":"torn-{n}"}}"#)).collect();
    let body = format!(r#"{{"batch":[{}]}}"#, events.join(","));
    let whole = gate.request("/v1/batch", "", body.as_bytes());
    for cut in [whole.len() - body.len(), whole.len() - body.len() / 2, whole.len() - 1] {
        assert_eq!(gate.exchange_cut(&whole[..cut]).problem(), (400, "body".to_owned(), String::new()));
        // Without a half that still listens: nobody is there to be answered.
        gate.connect().write_all(&whole[..cut]).unwrap();
    }
}

/// A reader of the live stream that has been there since before everything else.
struct Reader {
    stream: TcpStream,
    text: String,
}

impl Reader {
    fn open(gate: &Gate) -> Self {
        let mut stream = gate.connect();
        let key = &gate.api_key;
        let request = format!("GET /v1/stream HTTP/1.1\r\nHost: rapport\r\nAuthorization: Bearer {key}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = Self { stream, text: String::new() };
        reader.wait_for("event: hello");
        reader
    }

    fn wait_for(&mut self, what: &str) {
        let mut buffer = [0; 4_096];
        let begun = Instant::now();
        while !self.text.contains(what) {
            assert!(begun.elapsed() < TOO_LONG, "{what:?} does not come: {}", self.text);
            let read = self.stream.read(&mut buffer).unwrap();
            assert!(read > 0, "the stream ended before {what:?}: {}", self.text);
            self.text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
    }
}

/// The message ids of all events in a stopped server's log.
fn messages(data: &std::path::Path) -> BTreeSet<String> {
    let log = SqliteLog::open(data, SqliteLogOptions::default()).unwrap();
    let mut messages = BTreeSet::new();
    for partition in (0..log.partitions()).map(PartitionId) {
        for record in log.read(partition, Offset(0), usize::MAX).unwrap() {
            if let Entry::Event(event) = Entry::decode(&record.bytes).unwrap() {
                assert!(messages.insert(event.message_id.to_string()), "{} is there twice", event.message_id);
            }
        }
    }
    messages
}

#[test]
fn hostile_requests_are_refused_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), PATIENCE);
    let gate = &server.gate;
    send_good(gate, "first");
    // A new installation makes its state anew once it meets its first definitions, and then tells readers to look again.
    gate.wait_until_applied();
    let mut reader = Reader::open(gate);
    assert_eq!(gate.accepted(), 1);
    bodies_are_refused_by_name(gate);
    frames_are_refused(gate);
    torn_batches_leave_nothing(gate);
    slow_senders_are_cut_off(gate);
    readers_that_stand_still_are_cut_off(gate);
    assert_eq!(gate.accepted(), 1, "nothing that was refused is counted");
    nothing_is_smuggled(gate);
    send_good(gate, "last");
    // The stream outlived every timeout.
    reader.wait_for(r#""cause":"last""#);
    assert_eq!(gate.accepted(), 4);
    server.kill();
    let kept = ["both-0", "both-1", "first", "last"].map(str::to_owned);
    assert_eq!(messages(folder.path()), BTreeSet::from(kept));
    let ledger = &state(folder.path(), false)["ledger"];
    assert_eq!((&ledger["accepted"], &ledger["applied"]), (&4.into(), &4.into()), "{ledger}");
}
