//! A server that does nothing but parse the same bodies: the most that any server on axum could answer here. It runs in a
//! process of its own, like what it is compared with.

use std::io::Write as _;

use axum::{Json, Router, routing::post};
use serde_json::Value;

use crate::error::BenchError;

/// Serves until it is killed. Prints the address first.
pub(crate) fn serve() -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let answer = || post(async |Json(body): Json<Value>| Json(Value::Bool(!body.is_null())));
        let router =
            Router::new().route("/v1/track", answer()).route("/v1/batch", answer()).route("/v1/decide", answer());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", listener.local_addr()?)?;
        out.flush()?;
        drop(out);
        axum::serve(listener, router).await?;
        Ok(())
    })
}
