//! Live changes of records: `GET /api/v1/changes`, server-sent events.
//!
//! The cursor is a change's place in the feed, which is kept, so that a reader can come back after any time. What a reader may
//! not see is left out; the cursor goes on over it.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use std::{collections::VecDeque, convert::Infallible, fmt::Write as _, sync::Arc, time::Duration};

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};
use bytes::Bytes;
use futures::stream;
use rapport_records::{Access, Change, Desk};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use utoipa::IntoParams;

use crate::{
    Shared,
    auth::{Credential, Operator},
    exchange::{Params, blocking},
    live::event_stream,
    problem::Problem,
};

/// Changes read at once.
const STEP: u64 = 500;
/// How long a reader waits for a change before the feed is looked at anyway: another server may have written it. It is the
/// heartbeat, too, and the moment at which it is looked up whether the reader may still read.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What of the changes is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesParams {
    /// Of one object.
    object: Option<String>,
    /// As the header `Last-Event-ID`, which wins.
    last_event_id: Option<i64>,
}

struct Feed {
    app: Shared,
    access: Access,
    credential: Credential,
    object: Option<String>,
    after: i64,
    ready: VecDeque<Bytes>,
}

/// Changes as they happen.
#[utoipa::path(get, path = "/api/v1/changes", tag = "live", params(ChangesParams), responses(
    (status = 200, content_type = "text/event-stream", body = String, description = "events `hello`, `change` and `resync`; ids are places in the feed"),
    (status = 401, body = Problem)))]
pub(crate) async fn stream(
    State(app): State<Shared>,
    operator: Operator,
    Params(params): Params<ChangesParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last =
        headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok()).or(params.last_event_id);
    let desk = Arc::clone(&app.state.records);
    let newest = blocking(move || desk.newest_change()).await??;
    let after = last.map_or(newest, |last| last.min(newest));
    let mut hello = format!(": rapport\nid: {after}\nevent: hello\ndata: {{\"live\":true}}\n\n");
    // After a restore or a rollback a reader may be ahead of the feed; what it knows is not what is there.
    if last.is_some_and(|last| last > newest) {
        hello.push_str("event: resync\ndata: {}\n\n");
    }
    let Operator { access, credential, .. } = operator;
    let feed = Feed { app, access, credential, object: params.object, after, ready: VecDeque::from([hello.into()]) };
    let body = Body::from_stream(stream::unfold(feed, |mut feed| async move {
        let chunk = feed.next().await?;
        Some((Ok::<_, Infallible>(chunk), feed))
    }));
    Ok(event_stream(body))
}

impl Feed {
    /// The next piece of the stream; none when it ends.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(chunk) = self.ready.pop_front() {
            return Some(chunk);
        }
        let mut bell = self.app.record_bell.clone();
        loop {
            bell.mark_unchanged();
            // Who was signed out hears no more, and whose role has changed hears by the new one.
            self.access = self.credential.look(&self.app).await.ok()??.access;
            let (desk, access, after) = (Arc::clone(&self.app.state.records), self.access.clone(), self.after);
            let read = blocking(move || desk.changes(&access, after, STEP)).await.ok()?;
            let (changes, end) = match read {
                Ok(read) => read,
                Err(error) => {
                    tracing::warn!(%error, "changes cannot be read");
                    return None;
                }
            };
            let is_behind = end > self.after;
            self.after = end;
            let wanted = |change: &&Change| self.object.as_ref().is_none_or(|object| *object == change.object);
            let text = changes.iter().filter(wanted).fold(String::new(), |text, change| text + &frame(change));
            if !text.is_empty() {
                return Some(text.into());
            }
            if is_behind {
                continue;
            }
            // Another server's changes do not ring here.
            if tokio::time::timeout(LOOK_EVERY, bell.changed()).await.is_err() {
                return Some(Bytes::from_static(b": here\n\n"));
            }
        }
    }
}

/// Rings for every change, for those who wait without a thread of their own. It ends with the desk.
pub(crate) fn bell(desk: &Arc<Desk>) -> watch::Receiver<u64> {
    let (sender, receiver) = watch::channel(desk.changes_seen());
    let desk = Arc::downgrade(desk);
    let ring = move || {
        let mut seen = 0;
        while let Some(desk) = desk.upgrade() {
            seen = desk.wait_for_change(seen, LOOK_EVERY);
            let _nobody_left = sender.send_if_modified(|last| std::mem::replace(last, seen) != seen);
        }
    };
    if let Err(error) = std::thread::Builder::new().name("record-bell".to_owned()).spawn(ring) {
        // Readers look by themselves now and then, so that changes come late and not never.
        tracing::warn!(%error, "no thread for live changes");
    }
    receiver
}

fn frame(change: &Change) -> String {
    let data = json!({
        "seq": change.seq, "at": change.at, "actor": change.actor, "object": change.object, "record": change.record,
        "version": change.version, "op": change.op,
    });
    let mut text = String::new();
    write!(text, "id: {}\nevent: change\ndata: {data}\n\n", change.seq).expect("a text takes everything");
    text
}
