//! Everything that the installation holds, as one open file.
//!
//! It is written whole before any of it goes out, so that no transaction waits for a reader, and so that what goes wrong is
//! told as what it is. There is one at a time, to the last byte: each takes as much of the disk as the installation holds.

use std::{io, sync::Arc};

use axum::{body::Body, extract::State, http::header, response::Response};
use futures::StreamExt as _;

use super::{ask, carry::outgoing, files::attached};
use crate::{Shared, auth::Operator, openapi::Binary, problem::Problem};

/// The whole workspace as a zip: records, people, views, definitions, contents of files. For administrators; the audit tells
/// of it.
#[utoipa::path(get, path = "/api/v1/workspace", tag = "imports",
    responses((status = 200, content_type = "application/zip", body = inline(Binary)), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 503, body = Problem, description = "another one is being written or read")))]
pub(crate) async fn export(State(app): State<Shared>, operator: Operator) -> Result<Response, Problem> {
    operator.must_administer()?;
    let turn = Arc::clone(&app.workspace_turn).try_acquire_owned();
    let turn = turn.map_err(|_| Problem::unavailable("another workspace is being written or read").retry_after(30))?;
    // The thread that writes has the turn, then the answer: a reader that goes before does not let a second one begin.
    let (turn, mut file, length) = ask(&app, &operator, move |desk, access| {
        let (file, length) = desk.workspace_file(access)?;
        Ok((turn, file, length))
    })
    .await?;
    let body = outgoing(&app, move |out| io::copy(&mut file, out).map(drop).map_err(|error| error.to_string()))?;
    let body = body.into_data_stream().inspect(move |_| {
        let _held = &turn;
    });
    let mut response = attached(Body::from_stream(body), "application/zip", "workspace.zip");
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    Ok(response)
}
