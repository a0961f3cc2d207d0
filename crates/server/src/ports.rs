//! What the server needs of the rest of the program. The binary implements these traits over engine, store and learn, which
//! this crate does not know.
//!
//! All methods are synchronous. Those that say "from memory" are called on the runtime's threads and must answer within
//! microseconds to a few milliseconds; all others may touch the disk and are called on threads for blocking work.

use rapport_types::{CustomerId, Offset, PartitionId, SourceId, Timestamp};
use tokio::sync::watch;

use crate::api::{
    ChallengeRequest, Customer, CustomerRow, Decision, Health, Imported, Job, Ledger, Mistake, Model, ModelDetail,
    Monitoring, RolledBack, Session, TrainRequest,
};

/// Why a port does not do what it was asked for; told to the caller with the fitting status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such thing. 404.
    #[error("{0}")]
    NotFound(String),
    /// It does not fit what is there. 409.
    #[error("{0}")]
    Conflict(String),
    /// The request is wrong. 422.
    #[error("{field}: {what}")]
    Invalid {
        /// The field of the request.
        field: String,
        /// What is wrong with it, as a sentence.
        what: String,
    },
    /// A document is wrong in one or more places. 422.
    #[error("the document has {} mistakes", .0.len())]
    Mistakes(Vec<Mistake>),
    /// Not now; the same request may succeed later. 503 with Retry-After.
    #[error("{0}")]
    Unavailable(String),
    /// Something is broken. The text goes to the program's log, never to the caller. 500.
    #[error("{0}")]
    Internal(String),
}

/// The order of a list of customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By the time of the newest event, the newest first.
    #[default]
    LastSeen,
    /// By the first score, the highest first; customers without one come last.
    Score,
}

/// Where a list goes on: behind the customer with this key and id.
#[derive(Debug, Clone, PartialEq)]
pub struct After {
    /// Milliseconds, or the score: what the list is ordered by.
    pub key: f64,
    /// The customer's primary id as text.
    pub id: String,
}

/// Which customers are wanted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CustomersQuery {
    /// Part of an id or name, any case; empty for all.
    pub text: String,
    /// The order.
    pub order: Order,
    /// Where to go on.
    pub after: Option<After>,
    /// At most so many, 1 to 500.
    pub limit: usize,
}

/// A page of customers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CustomersPage {
    /// The customers, in order.
    pub rows: Vec<CustomerRow>,
    /// How many match, on all pages.
    pub total: u64,
    /// Where the next page begins; none on the last.
    pub next: Option<After>,
}

/// Where an event of a customer is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it happened.
    pub at: Timestamp,
    /// The partition.
    pub partition: PartitionId,
    /// The offset.
    pub offset: Offset,
}

/// Answers from the state in memory.
pub trait Answers: Send + Sync + 'static {
    /// A page of customers. May walk all of them: called on a thread for blocking work.
    fn customers(&self, query: &CustomersQuery) -> CustomersPage;

    /// One customer, by any of its ids; none if it is not known. From memory.
    fn customer(&self, id: &CustomerId) -> Option<Customer>;

    /// The primary id of the profile that `id` belongs to. From memory.
    fn primary(&self, id: &CustomerId) -> Option<CustomerId>;

    /// Where the events of a customer's timeline are, in any order; none if the customer is not known. From memory.
    fn places(&self, id: &CustomerId) -> Option<Vec<Place>>;

    /// What is known about a customer now; of one that is not known that it is not. From memory.
    fn decide(&self, id: &CustomerId) -> Decision;

    /// The ledger of all sources. From memory.
    fn ledger(&self) -> Ledger;
}

/// A session that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The secret that the cookie carries: at least 128 random bits in letters, digits, `-` and `_`.
    pub secret: String,
    /// What the person is called.
    pub name: String,
    /// When it began.
    pub since: Timestamp,
    /// How long it lasts, in seconds; the cookie's age.
    pub lasts_s: u64,
}

/// Somebody who was let in: what they are told of themselves, and the proof with which records are asked.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// What they are told.
    pub session: Session,
    /// What they may do.
    pub access: rapport_records::Access,
    /// The session that they ask by; none for a key.
    pub session_id: Option<rapport_records::Id>,
}

/// What somebody was let in by.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A key of the API.
    Key(String),
    /// The secret of a session.
    Cookie(String),
}

/// Who may do what.
pub trait Access: Send + Sync + 'static {
    /// The source whose write key this is. From memory, with every request to the collect door.
    fn source(&self, write_key: &str) -> Option<SourceId>;

    /// The name of a source, for metrics. From memory.
    fn source_name(&self, source: SourceId) -> String;

    /// Whom a credential lets in, where that is known without asking a database; none says nothing. From memory, with every
    /// request.
    fn known(&self, credential: &Credential) -> Option<SignedIn>;

    /// Whom a credential lets in; none if it does not let in any more. That nobody can be looked up now is no such answer.
    fn look_up(&self, credential: &Credential) -> Result<Option<SignedIn>, Refusal>;

    /// Takes a one-time token and makes a session; none if the token is unknown, used or too old.
    fn sign_in(&self, token: &str, origin: &rapport_records::people::Origin) -> Result<Option<NewSession>, Refusal>;

    /// Ends a session. One that is not there has ended.
    fn sign_out(&self, secret: &str) -> Result<(), Refusal>;
}

/// The form of a model as a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelForm {
    /// The artifact as Rapport keeps it.
    Artifact,
    /// ONNX, as far as ONNX can carry the model.
    Onnx,
    /// A page about how good it is, with plots, in English or Chinese.
    Report(Language),
}

/// The language of a page that the server itself makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese.
    Chinese,
}

/// Training of models, the registry, and the life of what is in it.
pub trait Training: Send + Sync + 'static {
    /// Starts a training and answers its id. Does not wait for it.
    fn start(&self, request: &TrainRequest) -> Result<String, Refusal>;

    /// How far a training is, told again whenever it changes until it ends; none if there is no such job. From memory.
    fn job(&self, id: &str) -> Option<watch::Receiver<Job>>;

    /// The newest jobs, the newest first. From memory.
    fn jobs(&self) -> Vec<Job>;

    /// Asks a job to end; the best model that it found so far is registered.
    fn cancel(&self, id: &str) -> Result<(), Refusal>;

    /// All models, the newest first.
    fn models(&self) -> Result<Vec<Model>, Refusal>;

    /// One model with its card; none if there is no such model.
    fn model(&self, score: &str, version: u32) -> Result<Option<ModelDetail>, Refusal>;

    /// A model as a document: the form tells which.
    fn document(&self, score: &str, version: u32, form: ModelForm) -> Result<Option<Vec<u8>>, Refusal>;

    /// Registers a model that was made elsewhere: ONNX, or an artifact. `inputs` are the features that the columns of an ONNX model
    /// are, in order; if there are none, all features that are numbers in the order of the definitions.
    fn import(&self, score: &str, bytes: &[u8], inputs: &[String]) -> Result<Imported, Refusal>;

    /// Puts a model into service: answers when the entry is durable.
    fn activate(&self, score: &str, version: u32) -> Result<(), Refusal>;

    /// Takes the newest activation back, and with it the end of the trial that it ended: answers when the entry is durable. A
    /// conflict if the caller means another version than the one in service.
    fn rollback(&self, score: &str, in_service: Option<u32>) -> Result<RolledBack, Refusal>;

    /// Tries a model beside the champion: answers when the entry is durable.
    fn challenge(&self, score: &str, version: u32, request: &ChallengeRequest) -> Result<(), Refusal>;

    /// Ends the trial of a score's challenger: answers when the entry is durable.
    fn end_trial(&self, score: &str) -> Result<(), Refusal>;

    /// How a score's models do on the newest history. Replays the log: takes seconds to minutes.
    fn monitor(&self, score: &str) -> Result<Monitoring, Refusal>;
}

/// The definitions in force.
pub trait DefinitionsPort: Send + Sync + 'static {
    /// Their version, 0 if there are none, and the JSON document. From memory.
    fn get(&self) -> (u32, String);

    /// Checks a JSON document and puts it into the log; answers its version when it is durable. With `expected`, only
    /// if that is the version in force ([`Refusal::Conflict`]); what is wrong comes as [`Refusal::Mistakes`].
    fn put(&self, document: &str, expected: Option<u32>) -> Result<u32, Refusal>;
}

/// What the installation is doing.
pub trait HealthFacts: Send + Sync + 'static {
    /// The facts. From memory; called for every subscriber of the stream every few seconds.
    fn health(&self) -> Health;
}
