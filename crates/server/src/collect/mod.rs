//! The door of events: the Segment tracking API.
//!
//! One request is one append, and is answered when all of it is durable. A request with anything wrong in it is refused
//! whole, unless the sender asks for a result for each event (`Prefer: return=representation`): then the good ones
//! are kept.
//!
//! The routes are open to pages of every origin, because write keys are public there. They take no cookies.

mod batch;
pub(crate) mod body;
pub(crate) mod event;
pub(crate) mod message;

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, post},
};
use bytes::Bytes;
use rapport_stream::Append;
use rapport_types::{Entry, Event, EventKind, PartitionId, Timestamp, partition_of};
use serde::Serialize;
use utoipa::ToSchema;

use self::{batch::Batch, event::Frame, message::Wrong};
use crate::{App, Shared, auth::Door, problem::Problem};

/// The largest event, in bytes as sent.
pub(crate) const EVENT_BYTES: usize = 32 * 1024;
/// The largest batch, in bytes after unpacking.
pub(crate) const BATCH_BYTES: usize = 500 * 1024;
/// The most events of a batch.
pub(crate) const BATCH_EVENTS: usize = 2_500;

const SUCCESS: Bytes = Bytes::from_static(br#"{"success":true}"#);
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");

/// The routes.
pub(crate) fn routes() -> Router<Shared> {
    let of = |kind: EventKind| -> MethodRouter<Shared> {
        post(move |State(app): State<Shared>, request: Request| single(kind, app, request)).options(preflight)
    };
    Router::new()
        .route("/v1/identify", of(EventKind::Identify))
        .route("/v1/track", of(EventKind::Track))
        .route("/v1/page", of(EventKind::Page))
        .route("/v1/screen", of(EventKind::Screen))
        .route("/v1/group", of(EventKind::Group))
        .route("/v1/alias", of(EventKind::Alias))
        .route("/v1/batch", post(many).options(preflight))
}

/// When a request came, by the wall clock and by the clock that measures.
#[derive(Debug, Clone, Copy)]
struct Received {
    at: Timestamp,
    instant: Instant,
}

impl Received {
    fn now(app: &App) -> Self {
        Self { at: (app.state.clock)(), instant: Instant::now() }
    }
}

/// What the collect door answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Collected {
    /// Whether every event was accepted.
    success: bool,
    /// What became of each event, in their order; only with `Prefer: return=representation`.
    results: Vec<EventResult>,
}

/// What became of one event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventResult {
    /// The event's message id, also if it was made here; none if the event was refused without one.
    #[serde(rename = "messageId", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    message_id: Option<Box<str>>,
    /// 200, or what a request with this event alone would have got.
    status: u16,
    /// `accepted`, or the code of the problem.
    #[schema(value_type = String)]
    code: &'static str,
    /// The field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    field: Option<Box<str>>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    detail: Option<Box<str>>,
}

impl EventResult {
    fn accepted(message_id: Box<str>) -> Self {
        Self { message_id: Some(message_id), status: 200, code: "accepted", field: None, detail: None }
    }

    fn refused(message_id: Option<Box<str>>, wrong: Wrong, index: usize) -> Self {
        let problem = wrong.problem(Some(index));
        let (status, code) = (problem.status, problem.code);
        Self { message_id, status, code, field: problem.field, detail: problem.detail }
    }
}

async fn single(kind: EventKind, app: Shared, request: Request) -> Response {
    let answer = take_one(kind, &app, request).await;
    finish(&app, answer)
}

async fn many(State(app): State<Shared>, request: Request) -> Response {
    let answer = take_batch(&app, request).await;
    finish(&app, answer)
}

/// Results if the sender asked for them.
type Taken = Result<Option<Collected>, Problem>;

async fn take_one(kind: EventKind, app: &App, request: Request) -> Taken {
    let received = Received::now(app);
    let (parts, content) = request.into_parts();
    let (known, bytes) = known_and_body(app, &parts.headers, content, EVENT_BYTES).await?;
    let message = message::read(body::text(&bytes)?)?;
    let door = match known {
        Some(door) => door,
        None => app.doors.by_key(app, message.text(message::Field::WriteKey))?,
    };
    door.pass(1)?;
    let frame = frame(&door, received);
    let event = event::make(message, kind, &frame).map_err(|wrong| wrong.problem(None))?;
    let result = wants_results(&parts.headers).then(|| EventResult::accepted(event.message_id.clone()));
    append(app, &door, received, vec![encode(app, event)]).await?;
    Ok(result.map(|result| Collected { success: true, results: vec![result] }))
}

async fn take_batch(app: &App, request: Request) -> Taken {
    let received = Received::now(app);
    let (parts, content) = request.into_parts();
    let (known, bytes) = known_and_body(app, &parts.headers, content, BATCH_BYTES).await?;
    let batch = batch::read_batch(body::text(&bytes)?)?;
    let door = match known {
        Some(door) => door,
        None => app.doors.by_key(app, batch.write_key.as_deref())?,
    };
    door.pass(batch.messages.len())?;
    let results = wants_results(&parts.headers);
    let (entries, results) = sort(app, &door, received, batch, results)?;
    if !entries.is_empty() {
        append(app, &door, received, entries).await?;
    }
    Ok(results.map(|results| Collected { success: results.iter().all(|result| result.status == 200), results }))
}

/// Who the headers say is sending, if they do, and the body.
///
/// The body is read even for a sender that is not known: a connection that is closed with bytes unread is reset, and the
/// sender would see that instead of the reason.
async fn known_and_body(
    app: &App,
    headers: &HeaderMap,
    content: Body,
    limit: usize,
) -> Result<(Option<Arc<Door>>, Bytes), Problem> {
    let known = app.doors.by_header(app, headers);
    let bytes = body::read(headers, content, limit, app.state.patience.body).await;
    Ok((known?, bytes?))
}

type Entries = Vec<(PartitionId, Vec<u8>)>;

/// The entries of the good events. Without results the first wrong event is an error.
fn sort(
    app: &App,
    door: &Door,
    received: Received,
    batch: Batch<'_>,
    results: bool,
) -> Result<(Entries, Option<Vec<EventResult>>), Problem> {
    let sent_at = batch.sent_at.as_deref().filter(|text| !text.is_empty()).map(Timestamp::parse).transpose();
    let sent_at = sent_at.map_err(|error| Problem::invalid("sentAt", error.to_string()))?;
    let context = batch.context.as_ref();
    let frame = Frame { sent_at, context, integrations: batch.integrations.as_ref(), ..frame(door, received) };
    let mut entries = Vec::with_capacity(batch.messages.len());
    let mut told = results.then(|| Vec::with_capacity(batch.messages.len()));
    for (index, message) in batch.messages.into_iter().enumerate() {
        let id = |message: &message::Message<'_>| message.text(message::Field::MessageId).map(Box::from);
        let sent_id = if told.is_some() { message.as_ref().ok().and_then(id) } else { None };
        let event = message.and_then(|message| {
            let kind = message::kind_of(&message)?;
            event::make(message, kind, &frame)
        });
        match (event, &mut told) {
            (Ok(event), told) => {
                if let Some(told) = told {
                    told.push(EventResult::accepted(event.message_id.clone()));
                }
                entries.push(encode(app, event));
            }
            (Err(wrong), Some(told)) => {
                app.metrics.refused(wrong.code);
                told.push(EventResult::refused(sent_id, wrong, index));
            }
            (Err(wrong), None) => return Err(wrong.problem(Some(index))),
        }
    }
    Ok((entries, told))
}

fn frame(door: &Door, received: Received) -> Frame<'static> {
    Frame { source: door.source, received_at: received.at, sent_at: None, context: None, integrations: None }
}

fn encode(app: &App, event: Event) -> (PartitionId, Vec<u8>) {
    let partition = partition_of(&event.routing_id(), app.state.log.partitions());
    (partition, Entry::Event(event).encode())
}

async fn append(app: &App, door: &Arc<Door>, received: Received, entries: Entries) -> Result<(), Problem> {
    // The log takes the entries; their partitions are wanted afterwards only for the entries that are followed.
    let partitions: Box<[PartitionId]> = entries.iter().map(|(partition, _)| *partition).collect();
    let from = Instant::now();
    let appended = app.state.log.append(Append { entries })?.await?;
    app.metrics.append.observe(from.elapsed().as_secs_f64());
    door.accepted.inc_by(partitions.len() as u64);
    for (partition, offset) in partitions.iter().zip(&appended.offsets) {
        app.state.hub.pace().received(*partition, *offset, received.instant);
    }
    Ok(())
}

fn wants_results(headers: &HeaderMap) -> bool {
    let wishes = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    wishes.flat_map(|value| value.split([',', ';'])).any(|wish| wish.trim() == "return=representation")
}

fn finish(app: &App, taken: Taken) -> Response {
    let mut response = match taken {
        Ok(None) => SUCCESS.into_response(),
        Ok(Some(collected)) => serde_json::to_vec(&collected).expect("results are JSON").into_response(),
        Err(problem) => {
            tracing::debug!(code = problem.code, field = problem.field, "refused at the door");
            app.metrics.refused(problem.code);
            let mut response = problem.into_response();
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
            return response;
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
    response
}

/// What browsers ask before they send an event from a page of another origin.
async fn preflight() -> Response {
    let headers: [(HeaderName, &'static str); 4] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, content-encoding, prefer"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
