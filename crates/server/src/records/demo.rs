//! Demo data: whether there is some, and removing it. Filling it in takes the installation's own files: `rapport demo`.

use std::{ops::ControlFlow, sync::Arc};

use axum::{extract::State, response::Response};
use rapport_records::{Desk, demo::Demo};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask;
use crate::{
    Shared,
    auth::Operator,
    exchange::{Answer, on_its_way},
    problem::Problem,
};

/// Demo data.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DemoAnswer {
    /// The newest; none if there never was any.
    #[schema(required)]
    demo: Option<Demo>,
}

/// Whether records are made up, and how far removing them is.
#[utoipa::path(get, path = "/api/v1/demo", tag = "demo",
    responses((status = 200, body = DemoAnswer), (status = 401, body = Problem)))]
pub(crate) async fn one(State(app): State<Shared>, operator: Operator) -> Result<Answer<DemoAnswer>, Problem> {
    let demo = ask(&app, &operator, Desk::demo).await?;
    Ok(Answer(DemoAnswer { demo }))
}

/// Removes the demo data for good. What people have changed since stays, with what such records and other people's records
/// name. It goes on by itself, also after a restart; a repetition does no harm. For administrators.
#[utoipa::path(delete, path = "/api/v1/demo", tag = "demo",
    responses((status = 202, body = Demo), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn remove(State(app): State<Shared>, operator: Operator) -> Result<Response, Problem> {
    let demo = ask(&app, &operator, Desk::begin_removing_demo).await?;
    run(&app.state.records);
    Ok(on_its_way(demo))
}

/// Removes on a thread of its own, if that was begun. What cannot be ended now goes on with the next start of the program.
fn run(desk: &Arc<Desk>) {
    let held = Arc::downgrade(desk);
    let work = move || {
        let Some(desk) = held.upgrade() else { return };
        match desk.is_removing_demo() {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return tracing::error!(%error, "whether demo data is being removed is not known"),
        }
        // When the program stops, this is the last one that holds the desk.
        let watch =
            |_: &Demo| if Arc::strong_count(&desk) > 1 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        if let Err(error) = desk.go_on_removing_demo(&watch) {
            tracing::error!(%error, "the demo data was not removed to its end");
        }
    };
    if let Err(error) = std::thread::Builder::new().name("demo".to_owned()).spawn(work) {
        tracing::error!(%error, "no thread to remove the demo data");
    }
}

/// Goes on with a removal that a stop or a crash left.
pub(crate) fn resume(desk: &Arc<Desk>) {
    run(desk);
}
