//! The connections through which events are sent. Every customer has a lane, and a lane sends its batches one after the
//! other, so that a customer's events enter the log in their order.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use rapport_types::partition_of;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    client::{Client, Credential, Endpoint},
    error::ReplayError,
    source::Message,
    track::{Track, WINDOW},
};

/// Connections at once. More bring nothing: the server's group commit takes what is there.
pub(super) const LANES: u32 = 4;
/// The most events of a request, well below the door's limit of 2,500.
const BATCH_EVENTS: usize = 100;
/// The most bytes of a request; the door takes 500 KB, and one event has at most 32 KB.
const BATCH_BYTES: usize = 400 * 1024;

/// All lanes.
pub(super) struct Lanes {
    senders: Vec<mpsc::Sender<Message>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Lanes {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Lanes {
    pub(super) fn open(endpoint: &Endpoint, write_key: &str, track: &Arc<Track>) -> Result<Self, ReplayError> {
        let mut lanes = Self { senders: Vec::new(), tasks: Vec::new() };
        for _ in 0..LANES {
            let client = Client::new(endpoint, Credential::WriteKey(write_key))?;
            // A lane can hold all events that may be on their way, so that handing one over never waits.
            let (sender, receiver) = mpsc::channel(WINDOW as usize);
            let lane = Lane { client, track: Arc::clone(track), receiver, next: None };
            lanes.senders.push(sender);
            lanes.tasks.push(tokio::spawn(lane.run()));
        }
        Ok(lanes)
    }

    /// Hands an event to its customer's lane; false if the lane has ended, whose failure the track knows.
    pub(super) async fn send(&self, message: Message) -> bool {
        let lane = partition_of(&message.lane, LANES).0 as usize;
        self.senders[lane].send(message).await.is_ok()
    }
}

struct Lane {
    client: Client,
    track: Arc<Track>,
    receiver: mpsc::Receiver<Message>,
    /// What did not fit into the batch before.
    next: Option<Message>,
}

impl Lane {
    async fn run(mut self) {
        while let Some(batch) = self.batch().await {
            if let Err(error) = self.send(&batch).await {
                self.track.fail(error);
                return;
            }
        }
    }

    /// What is there now, at least one event; none at the end.
    async fn batch(&mut self) -> Option<Vec<Message>> {
        let first = match self.next.take() {
            Some(first) => first,
            None => self.receiver.recv().await?,
        };
        let mut bytes = first.json.len();
        let mut batch = vec![first];
        while batch.len() < BATCH_EVENTS
            && let Ok(message) = self.receiver.try_recv()
        {
            bytes += message.json.len() + 1;
            if bytes > BATCH_BYTES {
                self.next = Some(message);
                break;
            }
            batch.push(message);
        }
        Some(batch)
    }

    async fn send(&mut self, batch: &[Message]) -> Result<(), ReplayError> {
        let body = body(batch);
        self.track.sent(batch);
        let track = &self.track;
        let answer = self.client.persist(Method::POST, "/v1/batch", body, || track.retried()).await?;
        if answer.status != 200 {
            let what = format!("a batch from {} on", batch[0].id);
            return Err(ReplayError::Refused { what, status: answer.status, detail: answer.detail() });
        }
        self.track.accepted(batch);
        Ok(())
    }
}

fn body(batch: &[Message]) -> Bytes {
    let mut body = Vec::with_capacity(batch.iter().map(|message| message.json.len() + 1).sum::<usize>() + 16);
    body.extend_from_slice(br#"{"batch":["#);
    for (place, message) in batch.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&message.json);
    }
    body.extend_from_slice(b"]}");
    body.into()
}

#[cfg(test)]
mod tests {
    use rapport_types::{CustomerId, Timestamp};

    use super::*;

    fn message(id: usize, bytes: usize) -> Message {
        let json = format!("\"{}\"", "x".repeat(bytes.saturating_sub(2))).into_bytes();
        let lane = CustomerId::User("a".into());
        Message { at: Timestamp(0), lane, id: id.to_string().into(), lines: 1, is_order: false, json }
    }

    #[tokio::test]
    async fn batches_stay_within_both_limits_and_lose_nothing() {
        let (sender, receiver) = mpsc::channel(1_000);
        let endpoint = Endpoint::parse("http://127.0.0.1:1").unwrap();
        let client = Client::new(&endpoint, Credential::WriteKey("k")).unwrap();
        let mut lane = Lane { client, track: Arc::new(Track::new()), receiver, next: None };
        for id in 0..150 {
            sender.send(message(id, if id < 50 { 30_000 } else { 10 })).await.unwrap();
        }
        drop(sender);
        let mut ids = Vec::new();
        while let Some(batch) = lane.batch().await {
            assert!(batch.len() <= BATCH_EVENTS && body(&batch).len() <= BATCH_BYTES + 16);
            let read: serde_json::Value = serde_json::from_slice(&body(&batch)).unwrap();
            assert_eq!(read["batch"].as_array().unwrap().len(), batch.len());
            ids.extend(batch.into_iter().map(|message| message.id.to_string()));
        }
        assert_eq!(ids, (0..150).map(|id| id.to_string()).collect::<Vec<_>>());
    }
}
