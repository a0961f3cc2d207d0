//! The pages, embedded into the program. A path that is no file and looks like none is a place inside the pages and gets
//! `index.html`.

use axum::{
    body::Body,
    http::{HeaderValue, Method, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "$RAPPORT_PAGES"]
#[allow(clippy::needless_pass_by_value, reason = "the derived code is not ours")]
struct Files;

/// Scripts and connections only of our own origin. Styles inline, because the component library writes style elements
/// for its variables; they cannot run anything.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Everything that is no route: a problem under `/v1` and `/api`, else the pages.
pub(crate) async fn fallback(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    // What asks a path of the API that is not there must not take the pages for an answer.
    if ["/v1", "/api"]
        .iter()
        .any(|root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    {
        return Problem::not_found("there is no such path in this version of the API").into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        return Problem::method().into_response();
    }
    let name = path.trim_start_matches('/');
    match (Files::get(name), name.rsplit('/').next().unwrap_or_default().contains('.')) {
        (Some(file), _) => answer(name, file.data),
        // A missing script must not come as a page.
        (None, true) => Problem::not_found("there is no such file").into_response(),
        (None, false) => {
            let index = Files::get("index.html").expect("the build embeds an index.html in any case");
            answer("index.html", index.data)
        }
    }
}

fn answer(name: &str, data: std::borrow::Cow<'static, [u8]>) -> Response {
    let body = match data {
        std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
        std::borrow::Cow::Owned(bytes) => Body::from(bytes),
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // The names of built assets carry a hash of what is in them.
    let keep = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
