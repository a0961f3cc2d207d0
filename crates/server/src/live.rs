//! The live stream: `GET /v1/stream`, server-sent events.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use rapport_types::{CustomerId, PartitionId};
use serde::Deserialize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use utoipa::IntoParams;

use crate::{
    Shared,
    auth::{Credential, Operator},
    exchange::Params,
    hub::{Cursor, Filter, Kind, Start, Subscription, resync},
    problem::Problem,
};

/// How often a reader hears how far the server is behind. It is the heartbeat, too, and the moment at which it is looked up
/// whether the reader may still read.
const STATUS_EVERY: Duration = Duration::from_secs(5);

/// What of the stream is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamParams {
    /// One customer, by any id.
    customer: Option<String>,
    /// `score`, `shadow_score`, `segment` and `profile`, joined by commas; all if it is left out.
    kind: Option<String>,
    /// As the header `Last-Event-ID`, which wins.
    last_event_id: Option<String>,
}

/// Effects as they happen.
#[utoipa::path(get, path = "/v1/stream", tag = "live", params(StreamParams), responses(
    (status = 200, content_type = "text/event-stream", body = String, description = "events `hello`, `profile`, `score`, `shadow_score`, `segment_entered`, `segment_left`, `status`, `resync`"),
    (status = 401, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn stream(
    State(app): State<Shared>,
    operator: Operator,
    Params(params): Params<StreamParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    operator.must_read_customers()?;
    let filter =
        Filter { customers: customers(&app, params.customer.as_deref()), kinds: kinds(params.kind.as_deref())? };
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).or(params.last_event_id.as_deref());
    let cursor = last.filter(|text| !text.is_empty()).map(|text| cursor(&app, text));
    // A cursor that cannot be read is as good as one that is too old.
    let unreadable = matches!(cursor, Some(None));
    let (subscription, start, begins) = app.state.hub.subscribe(filter, cursor.flatten())?;
    let behind = app.state.health.health().behind_s;
    let mut hello =
        format!(": rapport\nid: {begins}\nevent: hello\ndata: {{\"live\":true,\"behind_s\":{behind:?}}}\n\n");
    if unreadable || start == Start::Resync {
        hello.push_str(std::str::from_utf8(&resync(&begins)).expect("made of text"));
    }
    let mut tick = interval_at(Instant::now() + STATUS_EVERY, STATUS_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed { app, subscription, credential: operator.credential, tick, hello: Some(hello.into()) };
    let body = Body::from_stream(stream::unfold(feed, |mut feed| async move {
        let chunk = feed.next().await?;
        Some((Ok::<_, Infallible>(chunk), feed))
    }));
    Ok(event_stream(body))
}

/// An answer of server-sent events.
pub(crate) fn event_stream(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Proxies that gather answers would hold the events back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

fn cursor(app: &Shared, text: &str) -> Option<Cursor> {
    let log = &app.state.log;
    let cursor = Cursor::parse(text, log.partitions() as usize)?;
    // A cursor from another log may be ahead of this one for ever.
    let within = (0..).map(PartitionId).zip(&cursor.0).all(|(partition, place)| place.offset <= log.end(partition).0);
    within.then_some(cursor)
}

/// The names under which effects of a customer come: the one that was asked for, and the profile's.
fn customers(app: &Shared, customer: Option<&str>) -> Vec<Box<str>> {
    let Some(text) = customer.filter(|text| !text.is_empty()) else { return Vec::new() };
    let id = CustomerId::parse(text);
    let mut names: Vec<Box<str>> = vec![id.to_string().into()];
    if let Some(primary) = app.state.answers.primary(&id).filter(|primary| *primary != id) {
        names.push(primary.to_string().into());
    }
    names
}

fn kinds(text: Option<&str>) -> Result<Vec<Kind>, Problem> {
    let mut kinds = Vec::new();
    for name in text.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match Kind::named(name) {
            Some(kind) => kinds.push(kind),
            None if name == "segment" => kinds.extend([Kind::SegmentEntered, Kind::SegmentLeft]),
            None => {
                return Err(Problem::invalid("kind", "it must be made of score, shadow_score, segment and profile"));
            }
        }
    }
    Ok(kinds)
}

struct Feed {
    app: Shared,
    subscription: Subscription,
    credential: Credential,
    tick: Interval,
    hello: Option<Bytes>,
}

impl Feed {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(hello) = self.hello.take() {
            return Some(hello);
        }
        // The status comes first, or a stream that never rests would never be asked whether it may go on.
        tokio::select! {
            biased;
            _ = self.tick.tick() => {
                if !self.credential.holds(&self.app).await {
                    return None;
                }
                let behind = self.app.state.health.health().behind_s;
                Some(format!("event: status\ndata: {{\"behind_s\":{behind:?}}}\n\n").into())
            }
            chunk = self.subscription.next() => chunk,
        }
    }
}
