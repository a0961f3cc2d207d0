//! Reads a body: its length is limited before and after unpacking, and so is the time that it may take.

use std::{error::Error as _, io::Read, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, StatusCode, header},
};
use flate2::bufread::MultiGzDecoder;
use http_body_util::LengthLimitError;

use crate::problem::Problem;

/// A sender that takes longer for its body holds a connection for nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// The body, unpacked, of at most `limit` bytes.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::too_large(format!("a body may have {limit} bytes"));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let packed = is_gzip(headers)?;
    let bytes = match tokio::time::timeout(PATIENCE, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) if error.source().is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) => {
            return Err(too_large());
        }
        Ok(Err(_)) => {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "body", "The body did not come whole"));
        }
        Err(_) => {
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", "The body took too long"));
        }
    };
    if packed { unpack(&bytes, limit) } else { Ok(bytes) }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, Problem> {
    match headers.get(header::CONTENT_ENCODING).map(axum::http::HeaderValue::as_bytes) {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(b"gzip") => Ok(true),
        Some(value) if value.eq_ignore_ascii_case(b"identity") => Ok(false),
        Some(_) => {
            let title = "The body's encoding is not known";
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoding", title);
            Err(problem.field("Content-Encoding").detail("gzip and identity are known"))
        }
    }
}

fn unpack(packed: &[u8], limit: usize) -> Result<Bytes, Problem> {
    let mut plain = Vec::with_capacity((packed.len() * 4).min(limit + 1));
    let read = MultiGzDecoder::new(packed).take(limit as u64 + 1).read_to_end(&mut plain);
    if plain.len() > limit {
        return Err(Problem::too_large(format!("an unpacked body may have {limit} bytes")));
    }
    match read {
        Ok(_) => Ok(plain.into()),
        Err(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "gzip", "The body is not valid gzip")),
    }
}

/// The body as text.
pub(crate) fn text(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|error| Problem::not_json(format!("byte {} is not UTF-8", error.valid_up_to())))
}
