//! A server over a log in memory and ports that answer the same every time.

#![allow(dead_code, unreachable_pub, reason = "every test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

pub mod models;

use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use rapport_records::{
    Desk, Id,
    people::{Origin, SessionFacts},
};
use rapport_server::{
    Hub, HubOptions, Limits, Patience, State,
    api::{
        About, Customer, CustomerRow, Decision, Health, Job, Ledger, LedgerCounts, LedgerRow, LogPosition, Mistake,
        Session,
    },
    ports::{
        Access, After, Answers, Credential, CustomersPage, CustomersQuery, DefinitionsPort, HealthFacts, NewSession,
        Place, Refusal, SignedIn,
    },
    router,
};
use rapport_stream::{Log, MemoryLog};
use rapport_types::{CustomerId, Entry, Event, Object, PartitionId, SourceId, Timestamp};
use tokio::sync::watch;
use tower::ServiceExt as _;

/// The base64 of `wk_test:`.
pub const BASIC: &str = "Basic d2tfdGVzdDo=";
pub const BEARER: &str = "Bearer ak_test";
pub const COOKIE: &str = "rapport_session=s_test";
pub const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn now() -> Timestamp {
    NOW
}

pub struct World {
    pub log: Arc<MemoryLog>,
    pub hub: Hub,
    pub fakes: Arc<Fakes>,
    pub app: Router,
    _records: Option<Arc<Records>>,
}

/// What a response was.
pub struct Told {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Told {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Status, code and field of a problem; also holds it to being one.
    pub fn problem(&self) -> (u16, String, String) {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{}", self.body);
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16());
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), text("code"), text("field"))
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(MemoryLog::new(2).unwrap(), HubOptions::default(), Limits::default())
    }

    pub fn with(log: MemoryLog, options: HubOptions, limits: Limits) -> Self {
        Self::changed(log, options, limits, |_| {})
    }

    /// The same with another state.
    pub fn changed(log: MemoryLog, options: HubOptions, limits: Limits, change: impl FnOnce(&mut State)) -> Self {
        let records = records();
        let world = Self::made(log, options, limits, &records.desk, change);
        Self { _records: Some(records), ..world }
    }

    /// A server over records of a test's own, and whom they let in.
    pub fn over(records: &Arc<Desk>, access: Arc<dyn Access>) -> Self {
        let change = |state: &mut State| state.access = access;
        Self::made(MemoryLog::new(2).unwrap(), HubOptions::default(), Limits::default(), records, change)
    }

    /// A server over records of a test's own, with a key that may do everything.
    pub fn over_all(records: Desk) -> Self {
        records.adopt_key("key", "ak_test").unwrap();
        let records = Arc::new(records);
        Self::over(&records, Arc::new(Gate(Arc::clone(&records))))
    }

    fn made(
        log: MemoryLog,
        options: HubOptions,
        limits: Limits,
        records: &Arc<Desk>,
        change: impl FnOnce(&mut State),
    ) -> Self {
        let log = Arc::new(log);
        let hub = Hub::new(log.partitions(), options);
        for partition in 0..log.partitions() {
            hub.starts_at(PartitionId(partition), log.end(PartitionId(partition)));
        }
        let fakes = Arc::new(Fakes::new(Arc::clone(&log)));
        let about = About { version: "1.2.3".to_owned(), data_note: None, partitions: log.partitions() };
        let mut state = State {
            log: log.clone(),
            answers: fakes.clone(),
            access: fakes.clone(),
            records: Arc::clone(records),
            sign_on: Arc::default(),
            training: fakes.clone(),
            definitions: fakes.clone(),
            health: fakes.clone(),
            hub: hub.clone(),
            about,
            limits,
            patience: Patience::default(),
            connections: 1_000,
            trusted_proxies: Vec::new(),
            secure_cookie: false,
            clock: now,
        };
        change(&mut state);
        Self { log, hub, fakes, app: router(state), _records: None }
    }

    /// A file as it goes out.
    pub async fn bytes(&self, request: Request<Body>) -> Vec<u8> {
        let response = self.app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    pub async fn send(&self, request: Request<Body>) -> Told {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        // Files of spreadsheets are no text; what of them is looked at here is whether a text is in them.
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Told { status: parts.status, headers: parts.headers, body }
    }

    /// Posts to the collect door with the write key.
    pub async fn collect(&self, path: &str, body: impl Into<Body>) -> Told {
        self.send(Request::post(path).header(header::AUTHORIZATION, BASIC).body(body.into()).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Told {
        self.send(Request::get(path).header(header::AUTHORIZATION, BEARER).body(Body::empty()).unwrap()).await
    }

    pub async fn with_json(&self, method: &str, path: &str, body: &str) -> Told {
        let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, BEARER);
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// All events in the log, by partition and then offset.
    pub fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for partition in (0..self.log.partitions()).map(PartitionId) {
            for record in self.log.read(partition, rapport_types::Offset(0), usize::MAX).unwrap() {
                if let Entry::Event(event) = Entry::decode(&record.bytes).unwrap() {
                    events.push(event);
                }
            }
        }
        events
    }
}

/// All ports. One customer is known: `user:u1`, who was `anon:a1`.
pub struct Fakes {
    log: Arc<MemoryLog>,
    sessions_left: AtomicU32,
    tokens_left: AtomicU32,
    /// How often a credential was looked up that memory did not know.
    pub looks: AtomicU32,
    /// Whether nobody can be looked up now.
    pub is_busy: AtomicBool,
    job: Mutex<Option<watch::Sender<Job>>>,
}

impl Fakes {
    fn new(log: Arc<MemoryLog>) -> Self {
        let job = Mutex::new(Some(watch::Sender::new(models::job())));
        Self {
            log,
            sessions_left: AtomicU32::new(u32::MAX),
            tokens_left: AtomicU32::new(1),
            looks: AtomicU32::new(0),
            is_busy: AtomicBool::new(false),
            job,
        }
    }

    /// Changes job 1.
    pub fn tell(&self, change: impl FnOnce(&mut Job)) {
        self.job.lock().unwrap().as_ref().unwrap().send_modify(change);
    }

    /// Drops job 1, as a stop does.
    pub fn forget_job(&self) {
        self.job.lock().unwrap().take();
    }

    /// The session ends after so many looks at it.
    pub fn end_session_after(&self, looks: u32) {
        self.sessions_left.store(looks, Ordering::SeqCst);
    }

    fn knows(id: &CustomerId) -> bool {
        matches!(id.to_string().as_str(), "user:u1" | "anon:a1")
    }
}

/// Records with the folder that they and files lie in. It goes with the last world that has them.
struct Records {
    desk: Arc<Desk>,
    _folder: tempfile::TempDir,
}

/// The records that all worlds of a binary share; what a test changes must not matter to another.
fn records() -> Arc<Records> {
    static RECORDS: Mutex<Weak<Records>> = Mutex::new(Weak::new());
    let mut shared = RECORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(records) = shared.upgrade() {
        return records;
    }
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open_file(&folder.path().join("records.db"), now).unwrap();
    desk.set_sealing_key(rapport_records::people::SealingKey::of([7; 32])).unwrap();
    desk.set_files(&folder.path().join("files")).unwrap();
    desk.adopt_key("key", "ak_test").unwrap();
    let records = Arc::new(Records { desk: Arc::new(desk), _folder: folder });
    *shared = Arc::downgrade(&records);
    records
}

/// The desk of the worlds.
pub fn desk() -> Arc<Desk> {
    Arc::clone(&records().desk)
}

/// What the key of the tests may do: everything.
pub fn administrator() -> rapport_records::Access {
    desk().access_of_key("ak_test").unwrap().unwrap()
}

fn take(counter: &AtomicU32) -> bool {
    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

pub fn row(id: &str) -> CustomerRow {
    CustomerRow {
        id: id.to_owned(),
        name: None,
        known: true,
        country: None,
        first_seen: NOW,
        last_seen: NOW,
        events: 3,
        segments: vec!["vip".to_owned()],
        score: None,
    }
}

impl Answers for Fakes {
    fn customers(&self, query: &CustomersQuery) -> CustomersPage {
        let next = query.after.is_none().then(|| After { key: -0.25, id: "user:u1".to_owned() });
        let from_next = query.after == Some(After { key: -0.25, id: "user:u1".to_owned() });
        let rows = if query.after.is_none() || from_next { vec![row("user:u1")] } else { Vec::new() };
        CustomersPage { rows, total: 2, next }
    }

    fn customer(&self, id: &CustomerId) -> Option<Customer> {
        Self::knows(id).then(|| Customer {
            id: "user:u1".to_owned(),
            ids: vec!["user:u1".to_owned(), "anon:a1".to_owned()],
            name: None,
            attributes: Object::default(),
            first_seen: NOW,
            last_seen: NOW,
            events: 3,
            features: Vec::new(),
            segments: Vec::new(),
            scores: Vec::new(),
            position: LogPosition { partition: 0, offset: 0 },
        })
    }

    fn primary(&self, id: &CustomerId) -> Option<CustomerId> {
        Self::knows(id).then(|| CustomerId::User("u1".into()))
    }

    /// Every entry of the log is one of the customer's.
    fn places(&self, id: &CustomerId) -> Option<Vec<Place>> {
        let all = |partition: PartitionId| {
            let end = self.log.end(partition).0;
            (0..end).map(move |offset| Place {
                at: Timestamp(offset as i64),
                partition,
                offset: rapport_types::Offset(offset),
            })
        };
        Self::knows(id).then(|| (0..self.log.partitions()).map(PartitionId).flat_map(all).collect())
    }

    fn decide(&self, id: &CustomerId) -> Decision {
        let known = Self::knows(id);
        let segments = if known { vec!["vip".to_owned()] } else { Vec::new() };
        Decision {
            customer: id.to_string(),
            known_to_us: known,
            scores: Vec::new(),
            segments,
            at: known.then_some(NOW),
        }
    }

    fn ledger(&self) -> Ledger {
        let counts = LedgerCounts { accepted: 2, applied: 1, deduplicated: 1, ..LedgerCounts::default() };
        Ledger { sources: vec![LedgerRow { source: "web".to_owned(), counts }], total: counts }
    }
}

/// Lets in whom the records know; write keys and links are as in the other tests.
pub struct Gate(pub Arc<Desk>);

fn by_key(access: rapport_records::Access) -> SignedIn {
    SignedIn { session: Session { name: access.name().to_owned(), since: None }, access, session_id: None }
}

fn by_session((access, facts): (rapport_records::Access, SessionFacts)) -> SignedIn {
    let session = Session { name: access.name().to_owned(), since: Some(facts.since) };
    SignedIn { session, access, session_id: Some(facts.id) }
}

impl Access for Gate {
    fn source(&self, write_key: &str) -> Option<SourceId> {
        (write_key == "wk_test").then_some(SourceId(1))
    }

    fn source_name(&self, _: SourceId) -> String {
        "web".to_owned()
    }

    fn known(&self, credential: &Credential) -> Option<SignedIn> {
        match credential {
            Credential::Key(key) => self.0.known_key(key).map(by_key),
            Credential::Cookie(secret) => self.0.known_session(secret).map(by_session),
        }
    }

    fn look_up(&self, credential: &Credential) -> Result<Option<SignedIn>, Refusal> {
        Ok(match credential {
            Credential::Key(key) => self.0.access_of_key(key).unwrap().map(by_key),
            Credential::Cookie(secret) => self.0.access_of_session(secret).unwrap().map(by_session),
        })
    }

    fn sign_in(&self, _: &str, _: &Origin) -> Result<Option<NewSession>, Refusal> {
        Ok(None)
    }

    fn sign_out(&self, secret: &str) -> Result<(), Refusal> {
        let Some((access, _)) = self.0.access_of_session(secret).unwrap() else { return Ok(()) };
        self.0.sign_out(&access, secret).map_err(|error| Refusal::Internal(error.to_string()))
    }
}

impl Access for Fakes {
    fn source(&self, write_key: &str) -> Option<SourceId> {
        (write_key == "wk_test").then_some(SourceId(1))
    }

    fn source_name(&self, _: SourceId) -> String {
        "web".to_owned()
    }

    /// As if memory knew the key and no session.
    fn known(&self, credential: &Credential) -> Option<SignedIn> {
        let session = Session { name: "key".to_owned(), since: None };
        let is_known = matches!(credential, Credential::Key(key) if key == "ak_test");
        is_known.then(|| SignedIn { session, access: administrator(), session_id: None })
    }

    fn look_up(&self, credential: &Credential) -> Result<Option<SignedIn>, Refusal> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        if self.is_busy.load(Ordering::SeqCst) {
            return Err(Refusal::Unavailable("the database is busy".to_owned()));
        }
        let session = Session { name: "Ada".to_owned(), since: Some(NOW) };
        let is_session = matches!(credential, Credential::Cookie(secret) if secret == "s_test");
        let is_in = is_session && take(&self.sessions_left);
        Ok(is_in.then(|| SignedIn { session, access: administrator(), session_id: Some(Id(1)) }))
    }

    fn sign_in(&self, token: &str, _: &Origin) -> Result<Option<NewSession>, Refusal> {
        let good = token == "once" && take(&self.tokens_left);
        let made = || NewSession { secret: "s_test".to_owned(), name: "Ada".to_owned(), since: NOW, lasts_s: 60 };
        Ok(good.then(made))
    }

    fn sign_out(&self, _: &str) -> Result<(), Refusal> {
        self.sessions_left.store(0, Ordering::SeqCst);
        Ok(())
    }
}

impl DefinitionsPort for Fakes {
    fn get(&self) -> (u32, String) {
        (7, r#"{"segments":[],"features":[]}"#.to_owned())
    }

    fn put(&self, document: &str, expected: Option<u32>) -> Result<u32, Refusal> {
        if expected.is_some_and(|expected| expected != 7) {
            return Err(Refusal::Conflict("version 7 is in force".to_owned()));
        }
        if document.contains("wrong") {
            let mistake = |path: &str| Mistake { path: path.to_owned(), what: "it is wrong".to_owned() };
            return Err(Refusal::Mistakes(vec![mistake("segments[0].when"), mistake("features[1].name")]));
        }
        assert!(!document.contains("version"), "the version is not a part of the document: {document}");
        Ok(8)
    }
}

impl HealthFacts for Fakes {
    fn health(&self) -> Health {
        Health { reasons: Vec::new(), behind_s: 0.0, partitions: Vec::new() }
    }
}
