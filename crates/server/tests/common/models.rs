//! The port of models: job 1 is driven by the test, models 1 and 2 of one score are there, and 1 is the champion.

use rapport_server::{
    api::{
        BestSoFar, Better, ChallengeRequest, Comparison, Imported, InputDrift, Job, JobState, JobStep, Model,
        ModelDetail, Monitoring, Origin, RolledBack, TimeRange, TrainRequest, TrialFact, TrialKind, Watched, Week,
    },
    ports::{Language, ModelForm, Refusal, Training},
};
use rapport_types::Object;
use tokio::sync::watch;

use super::{Fakes, NOW};

const SCORE: &str = "repeat_purchase";

/// What a training without anything found yet looks like.
pub fn job() -> Job {
    Job {
        id: "job-1".to_owned(),
        score: SCORE.to_owned(),
        started_at: NOW,
        state: JobState::Running,
        progress: 0.5,
        step: JobStep::Fitting,
        best: None,
        trials: 0,
        version: None,
        error: None,
    }
}

pub fn best() -> BestSoFar {
    BestSoFar { algorithm: "gradient_boosting".to_owned(), metric: "log_loss".to_owned(), value: 0.5 }
}

fn model(version: u32) -> Model {
    let trial = TrialFact { mode: TrialKind::Canary, percent: Some(10), since: NOW };
    Model {
        score: SCORE.to_owned(),
        version,
        created_at: NOW,
        algorithm: "logistic_regression".to_owned(),
        origin: Origin::Trained,
        active: version == 1,
        trial: (version == 2).then_some(trial),
        metrics: serde_json::from_str(r#"{"auc":0.75}"#).unwrap(),
        rows: 12,
        training_range: Some(TimeRange { from: NOW, to: NOW }),
    }
}

fn watched(version: u32) -> Watched {
    let input = InputDrift { feature: "orders_30d".to_owned(), psi: 0.3, missing_then: 0.0, missing_now: 0.5 };
    let week = Week { from: NOW, rows: 7, predicted: 0.2, observed: 0.25, auc: None, log_loss: 0.5 };
    let drift = Some(0.3);
    Watched { version, drift, score_psi: None, learning: None, inputs: vec![input], weeks: vec![week] }
}

fn known(score: &str, version: u32) -> Result<(), Refusal> {
    let known = score == SCORE && (1..=2).contains(&version);
    known.then_some(()).ok_or_else(|| Refusal::NotFound("there is no such model".to_owned()))
}

impl Training for Fakes {
    fn start(&self, request: &TrainRequest) -> Result<String, Refusal> {
        match request.score.as_str() {
            SCORE => Ok("job-1".to_owned()),
            "broken" => Err(Refusal::Internal("secret detail".to_owned())),
            "busy" => Err(Refusal::Conflict("a training is under way".to_owned())),
            _ => Err(Refusal::Invalid { field: "score".to_owned(), what: "there is no such score".to_owned() }),
        }
    }

    fn job(&self, id: &str) -> Option<watch::Receiver<Job>> {
        (id == "job-1").then(|| self.job.lock().unwrap().as_ref().unwrap().subscribe())
    }

    fn jobs(&self) -> Vec<Job> {
        vec![job()]
    }

    fn cancel(&self, id: &str) -> Result<(), Refusal> {
        if id != "job-1" {
            return Err(Refusal::NotFound("there is no such job".to_owned()));
        }
        self.tell(|job| job.state = JobState::Cancelled);
        Ok(())
    }

    fn models(&self) -> Result<Vec<Model>, Refusal> {
        Ok(vec![model(2), model(1)])
    }

    fn model(&self, score: &str, version: u32) -> Result<Option<ModelDetail>, Refusal> {
        let card: Object = serde_json::from_str(r#"{"inputs":["orders_30d"]}"#).unwrap();
        Ok(known(score, version).is_ok().then(|| ModelDetail { model: model(version), card }))
    }

    fn document(&self, score: &str, version: u32, form: ModelForm) -> Result<Option<Vec<u8>>, Refusal> {
        if known(score, version).is_err() {
            return Ok(None);
        }
        match form {
            ModelForm::Artifact => Ok(Some(b"artifact".to_vec())),
            ModelForm::Onnx | ModelForm::Report(_) if version == 2 => {
                Err(Refusal::Conflict("not possible for this model".to_owned()))
            }
            ModelForm::Onnx => Ok(Some(b"onnx".to_vec())),
            ModelForm::Report(Language::English) => Ok(Some(b"<p>good</p>".to_vec())),
            ModelForm::Report(Language::Chinese) => Ok(Some("<p>好</p>".as_bytes().to_vec())),
        }
    }

    fn import(&self, score: &str, bytes: &[u8], _inputs: &[String]) -> Result<Imported, Refusal> {
        known(score, 1)?;
        if bytes != b"onnx" {
            return Err(Refusal::Invalid { field: "body".to_owned(), what: "it is no model".to_owned() });
        }
        Ok(Imported { score: score.to_owned(), version: 3, inputs: vec!["orders_30d".to_owned()] })
    }

    fn activate(&self, score: &str, version: u32) -> Result<(), Refusal> {
        known(score, version)
    }

    fn rollback(&self, score: &str, _: Option<u32>) -> Result<RolledBack, Refusal> {
        known(score, 1).map_err(|_| Refusal::Conflict("no model was in service before".to_owned()))?;
        Ok(RolledBack { score: score.to_owned(), version: 1, on_trial: Some(2) })
    }

    fn challenge(&self, score: &str, version: u32, _: &ChallengeRequest) -> Result<(), Refusal> {
        known(score, version)?;
        if version == 1 { Err(Refusal::Conflict("it is the champion".to_owned())) } else { Ok(()) }
    }

    fn end_trial(&self, score: &str) -> Result<(), Refusal> {
        known(score, 1).map_err(|_| Refusal::Conflict("nothing is on trial".to_owned()))
    }

    fn monitor(&self, score: &str) -> Result<Monitoring, Refusal> {
        known(score, 1)?;
        let comparison = Comparison {
            rows: 9,
            gain: 0.01,
            gain_low: -0.01,
            gain_high: 0.03,
            champion_auc: Some(0.7),
            challenger_auc: None,
            better: Better::Open,
        };
        Ok(Monitoring {
            score: score.to_owned(),
            until: Some(NOW),
            champion: Some(watched(1)),
            challenger: Some(watched(2)),
            comparison: Some(comparison),
        })
    }
}
