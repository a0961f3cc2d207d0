//! Trainings: started, watched, cancelled. What a training does is behind the port; one that ended stays ended.

use std::{convert::Infallible, time::Duration};

use axum::{body::Body, extract::State, response::Response};
use bytes::Bytes;
use futures::stream;
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

use crate::{
    Shared,
    api::{Job, JobList, JobStarted, JobState, TrainRequest},
    auth::{Credential, Operator},
    exchange::{Answer, Json, Piece, blocking, on_its_way},
    live::event_stream,
    ports::Refusal,
    problem::Problem,
};

/// How often a reader of a job hears from the server at least, and is looked at whether it may still read.
const BEAT_EVERY: Duration = Duration::from_secs(5);
/// The longest search that may be asked for, in seconds.
const BUDGET_MAX_S: u32 = 3_600;

fn unknown() -> Refusal {
    Refusal::NotFound("there is no such job".to_owned())
}

/// Starts a training.
#[utoipa::path(post, path = "/v1/models/train", tag = "models", request_body = TrainRequest,
    responses((status = 202, body = JobStarted), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn train(
    State(app): State<Shared>,
    operator: Operator,
    Json(request): Json<TrainRequest>,
) -> Result<Response, Problem> {
    operator.must_administer()?;
    if request.budget_s.is_some_and(|budget| !(1..=BUDGET_MAX_S).contains(&budget)) {
        return Err(Problem::invalid("budget_s", format!("it must be a whole number from 1 to {BUDGET_MAX_S}")));
    }
    let job = blocking(move || app.state.training.start(&request)).await??;
    Ok(on_its_way(JobStarted { job }))
}

/// The newest trainings.
#[utoipa::path(get, path = "/v1/models/jobs", tag = "models",
    responses((status = 200, body = JobList), (status = 401, body = Problem)))]
pub(crate) async fn list(State(app): State<Shared>, _operator: Operator) -> Answer<JobList> {
    Answer(JobList { jobs: app.state.training.jobs() })
}

/// How far a training is.
#[utoipa::path(get, path = "/v1/models/jobs/{id}", tag = "models",
    params(("id" = String, Path, description = "the job's id")),
    responses((status = 200, body = Job), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn one(
    State(app): State<Shared>,
    _operator: Operator,
    Piece(id): Piece<String>,
) -> Result<Answer<Job>, Problem> {
    let job = app.state.training.job(&id).ok_or_else(unknown)?;
    let now = job.borrow().clone();
    Ok(Answer(now))
}

/// Ends a training; the best model that it found so far is registered.
#[utoipa::path(delete, path = "/v1/models/jobs/{id}", tag = "models",
    params(("id" = String, Path, description = "the job's id")),
    responses((status = 202, body = JobStarted), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn cancel(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<String>,
) -> Result<Response, Problem> {
    operator.must_administer()?;
    app.state.training.cancel(&id)?;
    Ok(on_its_way(JobStarted { job: id }))
}

/// The progress of a training as server-sent events `job`, from where it is until it ends.
#[utoipa::path(get, path = "/v1/models/jobs/{id}/events", tag = "models",
    params(("id" = String, Path, description = "the job's id")),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 401, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn events(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<String>,
) -> Result<Response, Problem> {
    let mut job = app.state.training.job(&id).ok_or_else(unknown)?;
    job.mark_changed();
    let mut tick = interval_at(Instant::now() + BEAT_EVERY, BEAT_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed { app, credential: operator.credential, job, tick, ended: false };
    let body = Body::from_stream(stream::unfold(feed, |mut feed| async move {
        let chunk = feed.next().await?;
        Some((Ok::<_, Infallible>(chunk), feed))
    }));
    Ok(event_stream(body))
}

/// A reader of one job.
struct Feed {
    app: Shared,
    credential: Credential,
    job: watch::Receiver<Job>,
    tick: Interval,
    ended: bool,
}

impl Feed {
    /// The next state of the job; states that follow quickly are told as one. None after the last one, when the reader may
    /// not read any more, and when the server stops.
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        tokio::select! {
            biased;
            changed = self.job.changed() => {
                changed.ok()?;
                let now = self.job.borrow_and_update();
                self.ended = now.state != JobState::Running;
                let text = serde_json::to_string(&*now).ok()?;
                Some(format!("event: job\ndata: {text}\n\n").into())
            }
            // A fit can take minutes: the connection is kept, if it still may be.
            _ = self.tick.tick() => {
                self.credential.holds(&self.app).await.then(|| Bytes::from_static(b": at work\n\n"))
            }
        }
    }
}
