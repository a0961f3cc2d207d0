//! The replay itself: sends the traffic in time order, trains at the mark, goes on, and adds up what happened.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rapport_types::Timestamp;

use super::{
    api::{Api, Ledger, SCORE, TrainedModel},
    client::{Client, Credential, Endpoint},
    error::ReplayError,
    judge::Verdict,
    lanes::Lanes,
    latency::Percentiles,
    progress::Progress,
    source::{Message, Source},
    stream::Stream,
    target::Keys,
    track::{Counts, ROOM, Track},
};

/// After so long without news it is looked up whether there will be any.
const LOOK_AFTER: Duration = Duration::from_secs(2);
/// A server that says nothing for so long is stuck.
const STUCK_AFTER: Duration = Duration::from_mins(2);
/// How long the server may take to apply what is in its log.
const APPLY_PATIENCE: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How fast time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Speed {
    /// As fast as the server takes it.
    Max,
    /// So many times faster than it happened.
    Times(f64),
}

/// What is wanted of a replay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) speed: Speed,
    /// When to train; nine months after the first event if it is left out.
    pub(super) train_until: Option<Timestamp>,
    /// After so many messages the traffic ends.
    pub(super) limit: Option<u64>,
}

/// What happened.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) ledger: Ledger,
    pub(super) events: u64,
    /// Lines of the file that they stand for.
    pub(super) lines: u64,
    pub(super) counts: Counts,
    /// Time in which events were sent; the training's time is not in it.
    pub(super) seconds: f64,
    /// How far the traffic fell behind its plan at worst, in seconds; 0 at full speed, which has no plan.
    pub(super) behind_plan_s: f64,
    pub(super) sent_to_push: Option<Percentiles>,
    pub(super) accept_to_push: Option<Percentiles>,
    pub(super) model: Option<TrainedModel>,
    pub(super) train_until: Option<Timestamp>,
    pub(super) verdict: Verdict,
}

/// When each event is due, at a speed.
struct Pace {
    speed: Speed,
    /// An instant of the traffic and the moment at which it is played.
    anchor: Option<(Timestamp, Instant)>,
    behind: Duration,
}

impl Pace {
    /// Waits until an event of `at` is due.
    async fn wait(&mut self, at: Timestamp) {
        let Speed::Times(times) = self.speed else { return };
        let (from, begun) = *self.anchor.get_or_insert_with(|| (at, Instant::now()));
        let due = begun + Duration::from_secs_f64((at.since(from).0.max(0) as f64 / times) / 1e3);
        match due.checked_duration_since(Instant::now()) {
            Some(early) => tokio::time::sleep(early).await,
            None => self.behind = self.behind.max(due.elapsed()),
        }
    }

    /// Time stood still; it goes on with the next event.
    fn pause(&mut self) {
        self.anchor = None;
    }
}

/// Nine calendar months later.
pub(super) fn nine_months_after(first: Timestamp) -> Option<Timestamp> {
    let zone = jiff::tz::TimeZone::UTC;
    let first = zone.to_datetime(jiff::Timestamp::from_millisecond(first.0).ok()?);
    let mark = first.checked_add(jiff::Span::new().months(9)).ok()?;
    Some(Timestamp(zone.to_timestamp(mark).ok()?.as_millisecond()))
}

/// A replay in progress.
pub(super) struct Player<'a> {
    endpoint: &'a Endpoint,
    keys: &'a Keys,
    track: Arc<Track>,
    api: Api,
    lanes: Lanes,
    stream: Option<Stream>,
    progress: &'a Progress,
}

impl<'a> Player<'a> {
    /// Opens all connections. Says at once if the server is not there or does not take a key.
    pub(super) async fn open(
        endpoint: &'a Endpoint,
        keys: &'a Keys,
        progress: &'a Progress,
    ) -> Result<Self, ReplayError> {
        let mut api = Api::new(Client::new(endpoint, Credential::ApiKey(&keys.api_key))?);
        api.greet().await?;
        // A server that has just begun may be making its state anew, after which readers of the stream must begin again.
        wait_until_applied(&mut api).await?;
        let track = Arc::new(Track::new());
        let lanes = Lanes::open(endpoint, &keys.write_key, &track)?;
        let mut player = Self { endpoint, keys, track, api, lanes, stream: None, progress };
        player.listen().await?;
        Ok(player)
    }

    /// Reads the stream from now on, by a new connection.
    async fn listen(&mut self) -> Result<(), ReplayError> {
        let client = Client::new(self.endpoint, Credential::ApiKey(&self.keys.api_key))?;
        self.stream = Some(Stream::open(client, Arc::clone(&self.track)).await?);
        Ok(())
    }

    /// Plays all of `source`.
    pub(super) async fn play(&mut self, source: &mut dyn Source, plan: &Plan) -> Result<Played, ReplayError> {
        let before = self.api.ledger().await?;
        let mut pace = Pace { speed: plan.speed, anchor: None, behind: Duration::ZERO };
        let (mut mark, mut model) = (plan.train_until, None);
        let (mut events, mut lines, mut end) = (0, 0, Timestamp::MIN);
        let mut begun = Instant::now();
        let mut training = Duration::ZERO;
        while plan.limit.is_none_or(|limit| events < limit)
            && let Some(message) = source.next()
        {
            let message = message?;
            if mark.is_none() {
                mark = nine_months_after(message.at);
            }
            if let Some(until) = mark.filter(|mark| model.is_none() && events > 0 && message.at >= *mark) {
                self.settle().await?;
                let stopped = Instant::now();
                model = Some(self.train(until).await?);
                training = stopped.elapsed();
                pace.pause();
            }
            if events == 0 {
                begun = Instant::now();
            }
            pace.wait(message.at).await;
            (events, lines, end) = (events + 1, lines + u64::from(message.lines), message.at);
            self.progress.played(source.progress(), message.at, events);
            self.send(message).await?;
        }
        self.settle().await?;
        let seconds = begun.elapsed().saturating_sub(training).as_secs_f64();
        let ledger = self.last_ledger().await?.since(before);
        let (counts, verdict, sent_to_push, accept_to_push) = self.track.read(|counts, judge, sent, accepted| {
            (counts, judge.verdict(end), sent.percentiles(), accepted.percentiles())
        });
        let behind_plan_s = pace.behind.as_secs_f64();
        let train_until = mark;
        Ok(Played {
            ledger,
            events,
            lines,
            counts,
            seconds,
            behind_plan_s,
            sent_to_push,
            accept_to_push,
            model,
            train_until,
            verdict,
        })
    }

    async fn send(&mut self, message: Message) -> Result<(), ReplayError> {
        let room = self.track.cost();
        self.take_room(room).await?;
        self.track.begin(&message, room);
        if self.lanes.send(message).await { Ok(()) } else { Err(self.track.failure()) }
    }

    /// Waits until nothing is on its way.
    async fn settle(&mut self) -> Result<(), ReplayError> {
        self.take_room(ROOM).await?;
        self.track.give_room(ROOM);
        Ok(())
    }

    async fn take_room(&mut self, bytes: u32) -> Result<(), ReplayError> {
        while !self.track.take_room(bytes, LOOK_AFTER).await? {
            let quiet = self.track.quiet_for();
            if quiet > STUCK_AFTER {
                let (what, seconds) = ("any sign of the events on their way".to_owned(), STUCK_AFTER.as_secs());
                return Err(ReplayError::Late { what, seconds, hint: "see /healthz and the log of the server" });
            }
            // Repeats and dead letters have no effect. When all was applied and nothing comes, nothing will.
            if quiet > LOOK_AFTER && self.api.is_caught_up().await? {
                self.track.let_go(LOOK_AFTER);
            }
        }
        Ok(())
    }

    /// Trains on what was before `until` and puts the model into service. Nothing is on its way meanwhile.
    async fn train(&mut self, until: Timestamp) -> Result<TrainedModel, ReplayError> {
        let begun = Instant::now();
        let progress = self.progress;
        progress.say(format!("training {SCORE} on everything before {until}"));
        let version = self.api.train(until, |part| progress.trained(part)).await?;
        // With a new model everybody's score comes at once, perhaps more than waits for a reader. Nobody needs them here.
        self.stream = None;
        let (metrics, rows) = self.api.activate(version).await?;
        self.listen().await?;
        self.track.in_service(version);
        let training_seconds = begun.elapsed().as_secs_f64();
        Ok(TrainedModel { score: SCORE, version, trained_until: until, rows, training_seconds, metrics })
    }

    /// The ledger when the server has applied everything.
    async fn last_ledger(&mut self) -> Result<Ledger, ReplayError> {
        wait_until_applied(&mut self.api).await?;
        self.api.ledger().await
    }
}

async fn wait_until_applied(api: &mut Api) -> Result<(), ReplayError> {
    let begun = Instant::now();
    while !api.is_caught_up().await? {
        if begun.elapsed() > APPLY_PATIENCE {
            let (what, seconds) = ("the end of the applying".to_owned(), APPLY_PATIENCE.as_secs());
            return Err(ReplayError::Late { what, seconds, hint: "see /healthz and the log of the server" });
        }
        // The health of the server is asked for; nothing tells when it has caught up.
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

#[cfg(test)]
#[path = "play_tests.rs"]
mod tests;
