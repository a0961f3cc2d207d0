//! Training again, by time or by drift, as scores declare it.
//!
//! Limits: scores are looked at once a minute, and a score is trained at most once an hour, failures included. Drift is
//! measured once a day, because that replays the log.

use std::{
    collections::BTreeMap,
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    time::Duration as Span,
};

use rapport_decide::Retraining;
use rapport_server::{
    api::TrainRequest,
    ports::{Refusal, Training as _},
};
use rapport_types::{DAY_MS, Duration, HOUR_MS, Timestamp};

use super::{Purpose, Trainer};

const LOOK_EVERY: Span = Span::from_mins(1);
const REST: Duration = Duration(HOUR_MS);
const MEASURE_EVERY: Duration = Duration(DAY_MS);

/// Why a score is trained again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reason {
    /// So much time has passed.
    Time,
    /// Features or the score have drifted by so much.
    Drift(f64),
}

/// Where a score stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// When its newest model was trained.
    pub(super) trained_at: Timestamp,
    /// Whether that is the model in service.
    pub(super) is_live: bool,
    /// When the newest training of it began, if this program began one.
    pub(super) tried_at: Option<Timestamp>,
}

/// Whether a score is to be trained again at `now`, and why. `drift` is that of the model in service.
///
/// A score without a model is not: the first one is a person's. If a newer model than the drifted one is there already,
/// another would be the same again, so only time asks for one.
pub(super) fn due(
    retrain: &Retraining,
    standing: Option<Standing>,
    drift: Option<f64>,
    now: Timestamp,
) -> Option<Reason> {
    let standing = standing?;
    let newest = standing.tried_at.map_or(standing.trained_at, |tried| tried.max(standing.trained_at));
    if now.since(newest) < REST {
        return None;
    }
    if retrain.every.is_some_and(|every| now.since(standing.trained_at) >= every) {
        return Some(Reason::Time);
    }
    let limit = retrain.on_drift?;
    drift.filter(|drift| standing.is_live && *drift >= limit).map(Reason::Drift)
}

/// When drift was measured, by score, and what it was.
type Measured = BTreeMap<Box<str>, (Timestamp, Option<f64>)>;

/// What looks at the scores, as long as it is kept.
pub(in crate::serve) struct Scheduler {
    _stop: SyncSender<()>,
}

impl Scheduler {
    /// Starts to look.
    pub(in crate::serve) fn start(trainer: Trainer) -> std::io::Result<Self> {
        let (stop, stopped) = sync_channel::<()>(0);
        let look = move || {
            let mut measured = Measured::new();
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                trainer.look((trainer.clock)(), &mut measured);
            }
        };
        std::thread::Builder::new().name("retraining".to_owned()).spawn(look)?;
        Ok(Self { _stop: stop })
    }
}

impl Trainer {
    /// Looks at all scores, and starts the first training that is due.
    pub(super) fn look(&self, now: Timestamp, measured: &mut Measured) {
        // Right after a start nothing may be applied yet; the next look comes soon.
        let Ok(definitions) = self.definitions() else { return };
        for score in definitions.scores.iter().filter(|score| score.retrain != Retraining::default()) {
            let standing = match self.standing(&score.name) {
                Ok(standing) => standing,
                Err(error) => {
                    tracing::error!(score = %score.name, %error, "it is not known when the score was trained");
                    continue;
                }
            };
            let drift = score.retrain.on_drift.and_then(|_| self.drift(&score.name, now, measured));
            let Some(reason) = due(&score.retrain, standing, drift, now) else { continue };
            let request = TrainRequest { score: score.name.to_string(), ..TrainRequest::default() };
            match self.begin(&request, Purpose::Again(score.retrain.then)) {
                Ok(job) => tracing::info!(score = %score.name, ?reason, job, "the score is trained again"),
                // Somebody else's training runs, or the server stops; if it does not, the next look comes soon.
                Err(Refusal::Conflict(_) | Refusal::Unavailable(_)) => {}
                Err(error) => tracing::error!(score = %score.name, %error, "the score cannot be trained again"),
            }
        }
    }

    fn standing(&self, score: &str) -> Result<Option<Standing>, Refusal> {
        let models = self.models()?;
        let tried = self.jobs().into_iter().find(|job| job.score == score);
        let newest = models.iter().filter(|model| model.score == score).max_by_key(|model| model.version);
        Ok(newest.map(|newest| Standing {
            trained_at: newest.created_at,
            is_live: newest.active,
            tried_at: tried.map(|job| job.started_at),
        }))
    }

    /// The drift of the model in service, as of its last measurement.
    fn drift(&self, score: &str, now: Timestamp, measured: &mut Measured) -> Option<f64> {
        if let Some((at, drift)) = measured.get(score)
            && now.since(*at) < MEASURE_EVERY
        {
            return *drift;
        }
        let drift = match self.monitor(score) {
            Ok(monitoring) => monitoring.champion.and_then(|champion| champion.drift),
            // Somebody else's measurement runs; the next look comes soon.
            Err(Refusal::Unavailable(_)) => return None,
            Err(error) => {
                tracing::warn!(score, %error, "drift cannot be measured");
                None
            }
        };
        measured.insert(score.into(), (now, drift));
        drift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(100 * DAY_MS);

    fn ago(span: i64) -> Timestamp {
        NOW.minus(Duration(span))
    }

    fn retrain(document: &str) -> Retraining {
        serde_json::from_str(document).unwrap()
    }

    #[test]
    fn a_score_is_due_by_time_or_by_drift() {
        let (time, drift) = (retrain(r#"{"every": "7d"}"#), retrain(r#"{"on_drift": 0.25}"#));
        let both = retrain(r#"{"every": "7d", "on_drift": 0.25}"#);
        let (week, almost) = (ago(7 * DAY_MS), ago(7 * DAY_MS - 1));
        let live = |trained_at| Some(Standing { trained_at, is_live: true, tried_at: None });
        for (retrain, standing, measured, expected) in [
            (&time, live(week), None, Some(Reason::Time)),
            (&time, live(almost), None, None),
            (&time, live(almost), Some(9.0), None),
            (&drift, live(almost), Some(0.25), Some(Reason::Drift(0.25))),
            (&drift, live(almost), Some(0.24), None),
            (&drift, live(almost), Some(f64::NAN), None),
            (&drift, live(week), None, None),
            (&both, live(week), Some(0.3), Some(Reason::Time)),
            (&both, live(almost), Some(0.3), Some(Reason::Drift(0.3))),
            (&Retraining::default(), live(ago(99 * DAY_MS)), Some(9.0), None),
            (&both, None, Some(9.0), None),
        ] {
            assert_eq!(due(retrain, standing, measured, NOW), expected, "{retrain:?} {standing:?} {measured:?}");
        }
    }

    #[test]
    fn a_newer_model_that_waits_is_not_trained_again_for_drift() {
        let waits = Standing { trained_at: ago(2 * DAY_MS), is_live: false, tried_at: None };
        assert_eq!(due(&retrain(r#"{"on_drift": 0.25}"#), Some(waits), Some(0.9), NOW), None);
        assert_eq!(due(&retrain(r#"{"every": "2d"}"#), Some(waits), Some(0.9), NOW), Some(Reason::Time));
    }

    #[test]
    fn a_training_that_failed_is_tried_again_after_an_hour() {
        let tried = |span| Standing { trained_at: ago(9 * DAY_MS), is_live: true, tried_at: Some(ago(span)) };
        let time = retrain(r#"{"every": "7d"}"#);
        assert_eq!(due(&time, Some(tried(HOUR_MS - 1)), None, NOW), None);
        assert_eq!(due(&time, Some(tried(HOUR_MS)), None, NOW), Some(Reason::Time));
    }
}
