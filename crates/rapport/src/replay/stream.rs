//! Reads the server's live stream and tells the track what came. A broken connection is opened again where it ended.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{Method, body::Incoming};
use serde::Deserialize;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{api::SCORE, client::Client, error::ReplayError, track::Track};

const PATH: &str = "/v1/stream?kind=profile,score";
/// How long a stream that broke is tried again.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two tries, so that a server that restarts is not asked all the time.
const PAUSE: Duration = Duration::from_millis(200);

/// One event of the stream.
#[derive(Debug, PartialEq, Eq)]
struct Frame<'a> {
    id: Option<&'a str>,
    event: &'a str,
    data: &'a str,
}

/// Cuts a stream of bytes into its events. The server writes each field on one line.
#[derive(Debug, Default)]
struct Cutter {
    buffer: Vec<u8>,
    /// Up to here there is no end of an event.
    searched: usize,
}

impl Cutter {
    fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(Frame<'_>)) {
        self.buffer.extend_from_slice(chunk);
        let mut begin = 0;
        while let Some(end) = find_end(&self.buffer, self.searched.max(begin)) {
            if let Ok(text) = std::str::from_utf8(&self.buffer[begin..end])
                && let Some(frame) = frame(text)
            {
                each(frame);
            }
            begin = end + 2;
            self.searched = begin;
        }
        self.buffer.drain(..begin);
        self.searched = self.buffer.len().saturating_sub(1);
    }
}

/// The place of the first empty line from `from` on.
fn find_end(buffer: &[u8], from: usize) -> Option<usize> {
    buffer.get(from..)?.windows(2).position(|pair| pair == b"\n\n").map(|place| from + place)
}

fn frame(text: &str) -> Option<Frame<'_>> {
    let mut frame = Frame { id: None, event: "", data: "" };
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => frame.id = Some(id),
            Some(("event", event)) => frame.event = event,
            Some(("data", data)) => frame.data = data,
            _ => {}
        }
    }
    (!frame.event.is_empty()).then_some(frame)
}

#[derive(Deserialize)]
struct Effect<'a> {
    #[serde(borrow)]
    customer: Cow<'a, str>,
    #[serde(borrow)]
    cause: Option<Cow<'a, str>>,
    score: Option<Score<'a>>,
}

#[derive(Deserialize)]
struct Score<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    value: f64,
    model_version: u32,
}

/// A reader at work. It ends when it is dropped.
pub(super) struct Stream {
    task: JoinHandle<()>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stream {
    /// Begins to read at the present, and comes back when the server has said that it listens.
    pub(super) async fn open(client: Client, track: Arc<Track>) -> Result<Self, ReplayError> {
        let (ready, is_ready) = oneshot::channel();
        let mut reader = Reader { client, track: Arc::clone(&track), last_id: None, ready: Some(ready) };
        let task = tokio::spawn(async move {
            if let Err(error) = reader.read().await {
                reader.track.fail(error);
            }
        });
        let stream = Self { task };
        is_ready.await.map_err(|_| track.failure())?;
        Ok(stream)
    }
}

struct Reader {
    client: Client,
    track: Arc<Track>,
    last_id: Option<String>,
    ready: Option<oneshot::Sender<()>>,
}

impl Reader {
    /// Reads until the reader is dropped; comes back only with an error.
    async fn read(&mut self) -> Result<(), ReplayError> {
        let mut alive = Instant::now();
        loop {
            let response = self.client.open(Method::GET, PATH, Bytes::new(), self.last_id.as_deref()).await;
            let broken = match response {
                Ok(response) if response.status().is_success() => {
                    self.follow(response.into_body()).await;
                    alive = Instant::now();
                    continue;
                }
                Ok(response) if matches!(response.status().as_u16(), 401 | 403) => {
                    return Err(ReplayError::Key { which: "API" });
                }
                Ok(response) => {
                    let (what, status) = ("/v1/stream".to_owned(), response.status().as_u16());
                    ReplayError::Refused { what, status, detail: "the stream did not open".to_owned() }
                }
                Err(error) => error,
            };
            if alive.elapsed() > PATIENCE || self.ready.is_some() {
                return Err(broken);
            }
            // A server that starts again needs a moment, and no knocking meanwhile.
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reads one connection to its end.
    async fn follow(&mut self, mut body: Incoming) {
        let mut cutter = Cutter::default();
        while let Some(Ok(part)) = body.frame().await {
            let Some(chunk) = part.data_ref() else { continue };
            let now = Instant::now();
            self.track.brought(chunk.len());
            cutter.feed(chunk, |frame| self.take(&frame, now));
        }
    }

    fn take(&mut self, frame: &Frame<'_>, now: Instant) {
        if let Some(id) = frame.id {
            let last = self.last_id.get_or_insert_default();
            last.clear();
            last.push_str(id);
        }
        match frame.event {
            "hello" => {
                if let Some(ready) = self.ready.take() {
                    // Nobody waits any more if the replay is being stopped.
                    let _heard: Result<(), ()> = ready.send(());
                }
            }
            "resync" => self.track.resynced(),
            "profile" | "score" => match serde_json::from_str::<Effect<'_>>(frame.data) {
                Ok(effect) => self.tell(&effect, now),
                Err(error) => {
                    let what = format!("/v1/stream, event {}", frame.event);
                    self.track.fail(ReplayError::Answer { what, why: error.to_string() });
                }
            },
            _ => {}
        }
    }

    fn tell(&self, effect: &Effect<'_>, now: Instant) {
        match (&effect.score, &effect.cause) {
            (Some(score), cause) if score.name == SCORE => {
                self.track.scored(cause.as_deref(), &effect.customer, score.model_version, score.value);
            }
            (None, Some(cause)) => self.track.applied(cause, &effect.customer, now),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_wherever_the_chunks_end() {
        let text = ": hi\nid: 1.0\nevent: hello\ndata: {}\n\n: only a comment\n\nid: 1.1\nevent: score\ndata: {\"a\":\"ü\"}\n\n";
        for size in 1..=text.len() {
            let mut cutter = Cutter::default();
            let mut seen = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                cutter.feed(chunk, |frame| {
                    seen.push((frame.id.map(str::to_owned), frame.event.to_owned(), frame.data.to_owned()));
                });
            }
            let of = |id: &str, event: &str, data: &str| (Some(id.to_owned()), event.to_owned(), data.to_owned());
            assert_eq!(seen, [of("1.0", "hello", "{}"), of("1.1", "score", "{\"a\":\"ü\"}")], "chunks of {size}");
            assert!(cutter.buffer.is_empty());
        }
    }

    #[test]
    fn effects_are_read_with_what_else_they_carry() {
        let json = r#"{"id":"x","kind":"score","customer":"user:1","at":"2011-01-01T00:00:00.000Z","cause":null,
            "partition":0,"offset":1,"score":{"name":"repeat_purchase","value":0.5,"previous":null,"model_version":2,"reasons":[]}}"#;
        let effect: Effect<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(
            (&*effect.customer, effect.cause.is_none(), effect.score.unwrap().model_version),
            ("user:1", true, 2)
        );
    }
}
