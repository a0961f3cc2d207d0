//! Everything that the installation holds, as one open file.

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{carry::outgoing, files::attached};
use crate::{Shared, auth::Operator, openapi::Binary, problem::Problem};

/// The whole workspace as a zip: records, people, views, definitions, contents of files. For administrators; the audit tells
/// of it.
#[utoipa::path(get, path = "/api/v1/workspace", tag = "imports",
    responses((status = 200, content_type = "application/zip", body = inline(Binary)), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn export(State(app): State<Shared>, operator: Operator) -> Result<Response, Problem> {
    // Told before the file begins; the desk asks again.
    operator.must_administer()?;
    let (desk, access) = (Arc::clone(&app.state.records), operator.access);
    let body = outgoing(move |out| {
        desk.export_workspace(&access, out, &mut |_, _| ()).map(drop).map_err(|error| error.to_string())
    });
    Ok(attached(body, "application/zip", "workspace.zip"))
}
