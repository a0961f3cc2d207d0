//! Reads a body: its length is limited before and after unpacking, and so is the time that it may take.

use std::{io::Read, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
};
use flate2::bufread::MultiGzDecoder;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::problem::Problem;

/// So many bytes beyond the limit are still taken off the wire, and forgotten, before a refusal is sent: a connection that
/// is closed with bytes unread is reset, and the sender would see that instead of the reason.
const FORGOTTEN: usize = 4 * 1024 * 1024;

/// The body, unpacked, of at most `limit` bytes, if it comes within `patience`.
pub(crate) async fn read(
    headers: &HeaderMap,
    mut body: Body,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, Problem> {
    let packed = is_gzip(headers)?;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let bytes = if announced.is_some_and(|length| length > limit as u64) {
        None
    } else {
        match tokio::time::timeout(patience, Limited::new(&mut body, limit).collect()).await {
            Ok(Ok(bytes)) => Some(bytes.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => None,
            Ok(Err(_)) => return Err(Problem::new(StatusCode::BAD_REQUEST, "body", "The body did not come whole")),
            Err(_) => return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", "The body took too long")),
        }
    };
    let Some(bytes) = bytes else {
        // A sender that asked whether to go on has sent nothing yet that could be left unread.
        let asked = headers.contains_key(header::EXPECT);
        if !asked && announced.is_none_or(|length| length <= (limit + FORGOTTEN) as u64) {
            let _late = tokio::time::timeout(patience, forget(body)).await.is_err();
        }
        return Err(Problem::too_large(format!("a body may have {limit} bytes")));
    };
    if packed { unpack(&bytes, limit) } else { Ok(bytes) }
}

/// Takes what still comes off the wire, up to a limit.
async fn forget(mut body: Body) {
    let mut left = FORGOTTEN;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            break;
        }
    }
}

/// Refuses a packed body where it is kept as it comes.
pub(crate) fn must_be_plain(headers: &HeaderMap) -> Result<(), Problem> {
    if is_gzip(headers)? {
        return Err(unknown_encoding("this body is kept as it comes; send it without Content-Encoding"));
    }
    Ok(())
}

fn unknown_encoding(detail: &str) -> Problem {
    let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoding", "The body's encoding is not known");
    problem.field("Content-Encoding").detail(detail)
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, Problem> {
    match headers.get(header::CONTENT_ENCODING).map(axum::http::HeaderValue::as_bytes) {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(b"gzip") => Ok(true),
        Some(value) if value.eq_ignore_ascii_case(b"identity") => Ok(false),
        Some(_) => Err(unknown_encoding("gzip and identity are known")),
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
