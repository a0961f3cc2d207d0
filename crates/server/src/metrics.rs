//! Numbers for Prometheus. Labels are names of sources, codes of problems and numbers of partitions, never a customer or a
//! secret, and their count is bounded by configuration and code.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use rapport_stream::Log;
use rapport_types::{Offset, PartitionId};

use crate::{api::Health, hub::Hub};

/// One of so many entries is followed from the door to the push.
const SAMPLE: u64 = 8;
/// How many of them are remembered at once; a new one takes the place of one that is so many before it.
const SAMPLES_MAX: usize = 4_096;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabel {
    source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PartitionLabel {
    partition: u32,
}

/// The registry with everything that is counted here.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    accepted: Family<SourceLabel, Counter>,
    refused: Family<ReasonLabel, Counter>,
    /// Seconds from handing an append to the log until it is durable.
    pub(crate) append: Histogram,
    subscribers: Gauge,
    resyncs: Gauge,
    behind: Family<PartitionLabel, Gauge<f64, std::sync::atomic::AtomicU64>>,
    waiting: Family<PartitionLabel, Gauge>,
    profiles: Family<PartitionLabel, Gauge>,
    queued: Gauge,
    commits: Gauge,
}

impl Metrics {
    pub(crate) fn new(pace: &Pace) -> Self {
        let mut registry = Registry::with_prefix("rapport");
        let metrics = Self {
            accepted: Family::default(),
            refused: Family::default(),
            append: Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
            subscribers: Gauge::default(),
            resyncs: Gauge::default(),
            behind: Family::default(),
            waiting: Family::default(),
            profiles: Family::default(),
            queued: Gauge::default(),
            commits: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("events_accepted", "Events that are durable in the log, by source", metrics.accepted.clone());
        registry.register("requests_refused", "Refusals of the collect door, by reason", metrics.refused.clone());
        registry.register("append_seconds", "From the append to its being durable", metrics.append.clone());
        registry.register("push_seconds", "From receiving an event to its effects' push", pace.seconds.clone());
        registry.register("stream_subscribers", "Open live streams", metrics.subscribers.clone());
        registry.register("stream_resyncs", "Readers that were told to read again", metrics.resyncs.clone());
        registry.register("behind_seconds", "How long the oldest waiting entry waits", metrics.behind.clone());
        registry.register("entries_waiting", "Durable entries that are not applied yet", metrics.waiting.clone());
        registry.register("profiles", "Profiles in memory", metrics.profiles.clone());
        registry.register("log_queued_bytes", "Bytes that wait for a commit", metrics.queued.clone());
        registry.register("log_commits", "Commits since the start", metrics.commits.clone());
        Self { registry, ..metrics }
    }

    /// The counter of a source's accepted events.
    pub(crate) fn accepted(&self, source: String) -> Counter {
        self.accepted.get_or_create_owned(&SourceLabel { source })
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Everything as text.
    pub(crate) fn render(&self, health: &Health, hub: &Hub, log: &dyn Log) -> Result<String, std::fmt::Error> {
        self.subscribers.set(hub.subscribers() as i64);
        self.resyncs.set(hub.resyncs() as i64);
        let statistics = log.statistics();
        self.queued.set(statistics.queued_bytes as i64);
        self.commits.set(statistics.commits as i64);
        for facts in &health.partitions {
            let label = PartitionLabel { partition: facts.partition };
            self.behind.get_or_create(&label).set(facts.behind_s);
            self.waiting.get_or_create(&label).set(facts.end.saturating_sub(facts.next) as i64);
            self.profiles.get_or_create(&label).set(facts.profiles as i64);
        }
        let mut text = String::with_capacity(8 * 1024);
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Follows a sample of the entries from the door to the push.
///
/// The two ends are told in any order: an entry's effects may be pushed before the task that appended it runs again.
#[derive(Debug)]
pub(crate) struct Pace {
    seconds: Histogram,
    /// Each entry has one place where it may be.
    seen: Mutex<Vec<Option<Seen>>>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    partition: PartitionId,
    offset: Offset,
    end: End,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Received(Instant),
    Pushed(Instant),
    /// Both were seen; an entry has more than one effect.
    Both,
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = Histogram::new(exponential_buckets(0.000_5, 2.0, 16));
        Self { seconds, seen: Mutex::new(vec![None; SAMPLES_MAX]) }
    }
}

impl Pace {
    /// An entry of a request that came at `at` is durable.
    pub(crate) fn received(&self, partition: PartitionId, offset: Offset, at: Instant) {
        self.see(Seen { partition, offset, end: End::Received(at) });
    }

    /// An entry's effects were handed to all readers at `at`.
    pub(crate) fn pushed(&self, partition: PartitionId, offset: Offset, at: Instant) {
        self.see(Seen { partition, offset, end: End::Pushed(at) });
    }

    fn see(&self, new: Seen) {
        if !new.offset.0.is_multiple_of(SAMPLE) {
            return;
        }
        // Partitions fill at about the same pace; the factor keeps the newest entries of up to 8 well apart, and of more by some hundred.
        let place = new.offset.0 / SAMPLE + u64::from(new.partition.0) * 523;
        let mut seen = self.seen.lock();
        let old = &mut seen[place as usize % SAMPLES_MAX];
        let Some(met) = old.as_mut().filter(|old| old.partition == new.partition && old.offset == new.offset) else {
            *old = Some(new);
            return;
        };
        if let (End::Received(from), End::Pushed(to)) | (End::Pushed(to), End::Received(from)) = (met.end, new.end) {
            met.end = End::Both;
            drop(seen);
            self.seconds.observe(to.saturating_duration_since(from).as_secs_f64());
        }
    }
}

/// Shared by the hub, which sees the push, and the door.
pub(crate) type SharedPace = Arc<Pace>;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn counted(pace: &Pace) -> String {
        let mut registry = Registry::default();
        registry.register("pace", "", pace.seconds.clone());
        let mut told = String::new();
        text::encode(&mut told, &registry).unwrap();
        told.lines().find(|line| line.starts_with("pace_count")).unwrap().to_owned()
    }

    #[test]
    fn an_entry_counts_once_whichever_end_comes_first() {
        let (pace, partition, at) = (Pace::default(), PartitionId(1), Instant::now());
        pace.received(partition, Offset(8), at);
        pace.pushed(partition, Offset(8), at + Duration::from_millis(1));
        pace.pushed(partition, Offset(8), at + Duration::from_millis(2));
        assert_eq!(counted(&pace), "pace_count 1");
        pace.pushed(partition, Offset(16), at);
        pace.pushed(partition, Offset(16), at);
        pace.received(partition, Offset(16), at);
        assert_eq!(counted(&pace), "pace_count 2");
        // Only one of so many is followed, and one of another partition is another entry.
        pace.received(partition, Offset(17), at);
        pace.pushed(partition, Offset(17), at);
        pace.received(PartitionId(2), Offset(24), at);
        pace.pushed(partition, Offset(24), at);
        assert_eq!(counted(&pace), "pace_count 2");
    }

    #[test]
    fn ends_that_never_meet_make_room_for_new_ones() {
        let (pace, at) = (Pace::default(), Instant::now());
        let rounds = 3 * SAMPLES_MAX as u64;
        for number in 0..rounds {
            pace.pushed(PartitionId(0), Offset(number * SAMPLE), at);
        }
        assert_eq!(pace.seen.lock().len(), SAMPLES_MAX);
        pace.received(PartitionId(0), Offset((rounds - 1) * SAMPLE), at);
        assert_eq!(counted(&pace), "pace_count 1");
    }
}
