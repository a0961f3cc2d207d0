//! Contents of files: brought with the record that they belong to, replaced, and taken away as a file.
//!
//! A content goes out as something to keep, never as a page: `attachment`, a media type that was found by its bytes, `nosniff`,
//! and a policy under which nothing in it could run.

#![allow(unused_qualifications, reason = "utoipa writes the parameters' types with a qualification")]

use std::{collections::BTreeMap, fmt::Write as _, io};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rapport_records::{Content, Fields, Id, Record};
use serde::Deserialize;

use super::{
    ask,
    carry::{incoming, outgoing},
    if_match,
    one::tagged,
};
use crate::{
    Shared,
    auth::Operator,
    collect::body,
    exchange::{Params, Piece},
    openapi::Binary,
    problem::Problem,
};

/// Letters of the name under which a content is kept by who takes it.
const NAME: usize = 150;
/// Letters behind the last dot of a name that are kept when it is cut.
const ENDING: usize = 12;

/// What a file is called, and other fields of its record.
#[derive(Debug, Deserialize)]
pub(crate) struct NewFile {
    /// The file's name.
    name: String,
    /// Fields by name, such as `contact`.
    #[serde(flatten)]
    fields: BTreeMap<String, String>,
}

/// Refuses what says of itself that it is packed or too large, before any of it comes; how large it may be.
fn must_fit(app: &Shared, headers: &HeaderMap) -> Result<u64, Problem> {
    body::must_be_plain(headers)?;
    let limit = app.state.limits.file_bytes;
    let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match told.filter(|length| *length > limit) {
        Some(_) => Err(Problem::too_large(format!("a file may have {limit} bytes"))),
        None => Ok(limit),
    }
}

/// Brings a file: makes its record, with the body as its content. Other fields of it, such as `contact`, are parameters too.
#[utoipa::path(post, path = "/api/v1/files", tag = "files",
    params(("name" = String, Query, description = "what it is called"), ("contact" = Option<String>, Query), ("company" = Option<String>, Query),
        ("deal" = Option<String>, Query), ("ticket" = Option<String>, Query), ("lead" = Option<String>, Query)),
    request_body(content = inline(Binary), content_type = "application/octet-stream"),
    responses((status = 201, body = Record), (status = 204, description = "made; the caller may not read it"), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 408, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn upload(
    State(app): State<Shared>,
    operator: Operator,
    Params(new): Params<NewFile>,
    request: Request,
) -> Result<Response, Problem> {
    let limit = must_fit(&app, request.headers())?;
    let mut fields: Fields = new.fields.into_iter().map(|(name, value)| (name, value.into())).collect();
    fields.insert("name".to_owned(), new.name.into());
    let made = incoming(&app, &operator, request.into_body(), move |desk, access, content| {
        desk.upload_file(access, &fields, content, limit)
    });
    Ok(made.await?.map_or(StatusCode::NO_CONTENT.into_response(), |record| tagged(StatusCode::CREATED, record)))
}

/// Gives a file another content. The record's history tells of it.
#[utoipa::path(put, path = "/api/v1/files/{id}/content", tag = "files",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "the ETag of the record that was read")),
    request_body(content = inline(Binary), content_type = "application/octet-stream"),
    responses((status = 200, body = Record), (status = 204, description = "changed; it cannot be read any more"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 408, body = Problem), (status = 412, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn replace(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
    request: Request,
) -> Result<Response, Problem> {
    let limit = must_fit(&app, request.headers())?;
    let version = if_match(request.headers())?;
    let changed = incoming(&app, &operator, request.into_body(), move |desk, access, content| {
        desk.replace_content(access, id, version, content, limit)
    });
    Ok(changed.await?.map_or(StatusCode::NO_CONTENT.into_response(), |record| tagged(StatusCode::OK, record)))
}

/// What is in a file.
#[utoipa::path(get, path = "/api/v1/files/{id}/content", tag = "files",
    params(("id" = String, Path), ("If-None-Match" = Option<String>, Header, description = "the ETag of the content that is known")),
    responses((status = 200, content_type = "*/*", body = inline(Binary)), (status = 304), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn content(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let content = ask(&app, &operator, move |desk, access| desk.file_content(access, id)).await?;
    let tag = plain(&format!("\"{}\"", content.hash))?;
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|one| one.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes());
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { sent(&app, content)? };
    let about = response.headers_mut();
    about.insert(header::ETAG, tag);
    // Whoever keeps it asks again whether it may still be read.
    about.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

fn plain(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(|error| Problem::internal(&error))
}

/// A content as something to keep.
fn sent(app: &Shared, content: Content) -> Result<Response, Problem> {
    let Content { name, media_type, size, mut file, .. } = content;
    let head = [
        (header::CONTENT_TYPE, plain(&media_type)?),
        (header::CONTENT_LENGTH, size.into()),
        (header::CONTENT_DISPOSITION, plain(&disposition(&name))?),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'"),
        ),
    ];
    let body = outgoing(app, move |out| io::copy(&mut file, out).map(drop).map_err(|error| error.to_string()))?;
    Ok((head, body).into_response())
}

/// How a file is called where it is kept (RFC 6266), in ASCII for old programs and in full for others (RFC 8187).
fn disposition(name: &str) -> String {
    let name = safe_name(name);
    let ascii: String = name.chars().map(|letter| if letter.is_ascii() { letter } else { '_' }).collect();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let mut full = String::new();
    for byte in name.bytes() {
        if is_plain(byte) {
            full.push(char::from(byte));
        } else {
            write!(full, "%{byte:02X}").expect("a text takes everything");
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{full}")
}

/// The name of a file that is none but a name: no part of a path, nothing that turns the direction of reading, nothing that
/// systems take for a device, and not too long.
fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let turns = |letter: char| matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let letter = |letter: char| if "<>:\"|?*%".contains(letter) { '_' } else { letter };
    let clean: String = last.chars().filter(|one| !one.is_control() && !turns(*one)).map(letter).collect();
    let clean = clean.trim_matches(|one: char| one == '.' || one.is_whitespace());
    let (stem, ending) = match clean.rsplit_once('.') {
        Some((stem, ending)) if ending.chars().count() <= ENDING => (stem, format!(".{ending}")),
        _ => (clean, String::new()),
    };
    let device = stem.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |kind: &str| {
        device.strip_prefix(kind).is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    let is_device = ["CON", "PRN", "AUX", "NUL"].contains(&device.as_str()) || numbered("COM") || numbered("LPT");
    let stem: String = stem.chars().take(NAME).collect();
    match (stem.is_empty(), is_device) {
        (true, _) => format!("file{ending}"),
        (false, true) => format!("_{stem}{ending}"),
        (false, false) => format!("{stem}{ending}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_none_but_a_name() {
        for (name, safe) in [
            ("plan.pdf", "plan.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\files\\a.txt", "a.txt"),
            ("..", "file"),
            ("", "file"),
            (".htaccess", "htaccess"),
            ("a\"; filename=\"b.exe", "a_; filename=_b.exe"),
            ("a\r\nSet-Cookie: x=1", "aSet-Cookie_ x=1"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("con.txt", "_con.txt"),
            ("LPT1", "_LPT1"),
            ("lpt.txt", "lpt.txt"),
            ("name. . ", "name"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
        let long = safe_name(&format!("{}.pdf", "ü".repeat(400)));
        assert!(long.ends_with("ü.pdf") && long.chars().count() == NAME + 4, "{long}");
        assert_eq!(
            disposition("Grüße 你.txt"),
            "attachment; filename=\"Gr__e _.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%E4%BD%A0.txt"
        );
    }
}
