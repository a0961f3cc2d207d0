//! Contents of files and whole workspaces over HTTP: who gets them, as what, and what hostile names and bodies come to.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use common::{BEARER, COOKIE, World};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

async fn send(world: &World, method: &str, path: &str, body: impl Into<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, BEARER);
    let response = world.app.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers[name].to_str().unwrap()
}

#[tokio::test]
async fn a_file_goes_in_and_out_as_it_is_and_can_do_nothing_in_a_browser() {
    let world = World::new();
    let page = "<!doctype html><script>alert(document.cookie)</script>";
    let (status, headers, body) = send(&world, "POST", "/api/v1/files?name=a%22b%0d.html", page).await;
    assert_eq!(status, 422, "a name is one line: {}", String::from_utf8_lossy(&body));
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    let name = "..%2F%E2%80%AE%22Gr%C3%BC%C3%9Fe%22.html";
    let (status, headers, body) = send(&world, "POST", &format!("/api/v1/files?name={name}"), page).await;
    assert_eq!(status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&body));
    let record: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((text(&headers, "etag"), &record["fields"]["size"]), ("\"1\"", &page.len().into()));

    let path = format!("/api/v1/files/{}/content", record["id"].as_str().unwrap());
    let (status, headers, body) = send(&world, "GET", &path, "").await;
    assert_eq!((status, body.as_slice()), (StatusCode::OK, page.as_bytes()));
    assert_eq!(text(&headers, "content-type"), "text/plain");
    assert_eq!(text(&headers, "x-content-type-options"), "nosniff");
    assert_eq!(text(&headers, "content-length"), page.len().to_string());
    assert!(text(&headers, "content-security-policy").starts_with("sandbox"));
    assert_eq!(
        text(&headers, "content-disposition"),
        "attachment; filename=\"_Gr__e_.html\"; filename*=UTF-8''_Gr%C3%BC%C3%9Fe_.html"
    );
    let tag = text(&headers, "etag").to_owned();
    assert_eq!(tag.trim_matches('"'), record["fields"]["hash"]);
    let known = Request::get(&path).header(header::AUTHORIZATION, BEARER).header(header::IF_NONE_MATCH, &tag);
    let told = world.send(known.body(Body::empty()).unwrap()).await;
    assert_eq!((told.status, told.body.as_str()), (StatusCode::NOT_MODIFIED, ""));

    let (status, headers, body) = send(&world, "PUT", &path, "\u{89}PNG").await;
    assert_eq!((status, text(&headers, "etag")), (StatusCode::OK, "\"2\""), "{}", String::from_utf8_lossy(&body));
    let stale = Request::put(&path).header(header::AUTHORIZATION, BEARER).header(header::IF_MATCH, "\"1\"");
    assert_eq!(world.send(stale.body(Body::from("x")).unwrap()).await.problem().0, 412);
    assert_eq!(send(&world, "GET", &path, "").await.2, "\u{89}PNG".as_bytes());
    for path in ["/api/v1/files/..%2F..%2Fetc%2Fpasswd/content", "/api/v1/files/x/content"] {
        assert_eq!(send(&world, "GET", path, "").await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_at_its_head_or_in_its_middle() {
    let world = World::new();
    let path = "/api/v1/files?name=large";
    let head = Request::post(path).header(header::AUTHORIZATION, BEARER).header(header::CONTENT_LENGTH, (50 << 20) + 1);
    let told = world.send(head.body(Body::from("x")).unwrap()).await;
    assert_eq!(told.problem(), (413, "too_large".into(), String::new()));
    let piece = || Ok::<_, std::io::Error>(bytes::Bytes::from(vec![b'x'; 1 << 20]));
    let endless = Body::from_stream(futures::stream::repeat_with(piece));
    let (status, _, body) = send(&world, "POST", path, endless).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{}", String::from_utf8_lossy(&body));
    let broken = futures::stream::iter([piece(), Err(std::io::Error::other("gone"))]);
    assert!(send(&world, "POST", path, Body::from_stream(broken)).await.0.is_server_error());
}

#[tokio::test]
async fn a_workspace_is_for_administrators_and_the_audit_tells_of_it() {
    let world = World::new();
    let path = "/api/v1/workspace";
    let (status, headers, body) = send(&world, "GET", path, "").await;
    assert_eq!((status, text(&headers, "content-type")), (StatusCode::OK, "application/zip"));
    assert_eq!(text(&headers, "content-disposition"), "attachment; filename=\"workspace.zip\"");
    assert!(body.starts_with(b"PK\x03\x04") && body.windows(9).any(|part| part == b"README.md"));
    let audit = world.get("/api/v1/audit?object=workspace").await.json();
    let line = &audit["changes"][0];
    assert_eq!((&line["object"], &line["after"]["exported"]), (&"workspace".into(), &true.into()), "{line}");
    assert!(line["actor"].as_str().unwrap().starts_with("key:"), "{line}");
    let bare = |headers: &[(&str, &str)]| {
        let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        request.body(Body::empty()).unwrap()
    };
    for headers in [&[][..], &[("authorization", "Bearer other")], &[("cookie", "rapport_session=other")]] {
        assert_eq!(world.send(bare(headers)).await.problem().0, 401, "{headers:?}");
    }
    let response = world.app.clone().oneshot(bare(&[("cookie", COOKIE)])).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

async fn answer(world: &World, path: &str) -> axum::response::Response {
    let request = Request::get(path).header(header::AUTHORIZATION, BEARER).body(Body::empty()).unwrap();
    world.app.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn a_workspace_goes_out_one_at_a_time_and_holds_no_transaction() {
    let world = World::new();
    let path = "/api/v1/workspace";
    let unread = answer(&world, path).await;
    assert_eq!(unread.status(), StatusCode::OK);
    let length: usize = text(unread.headers(), "content-length").parse().unwrap();
    let told = world.get(path).await;
    assert_eq!(told.problem(), (503, "unavailable".into(), String::new()));
    assert_eq!(told.headers[header::RETRY_AFTER], "30");
    assert_eq!(unread.into_body().collect().await.unwrap().to_bytes().len(), length);
    drop(answer(&world, path).await);
    assert_eq!(answer(&world, path).await.status(), StatusCode::OK, "a reader that has gone is waited for no more");
}

#[tokio::test]
async fn only_so_many_files_are_on_their_way() {
    let world = World::new();
    let (status, _, body) = send(&world, "POST", "/api/v1/files?name=many", "text").await;
    assert_eq!(status, StatusCode::CREATED);
    let record: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let path = format!("/api/v1/files/{}/content", record["id"].as_str().unwrap());
    let mut unread = Vec::new();
    for number in 0..64 {
        let response = answer(&world, &path).await;
        assert_eq!(response.status(), StatusCode::OK, "{number}");
        unread.push(response);
    }
    assert_eq!(world.get(&path).await.problem(), (503, "unavailable".into(), String::new()));
    let (status, headers, _) = send(&world, "POST", "/api/v1/files?name=one-more", "text").await;
    assert_eq!((status, text(&headers, "retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
    for response in unread {
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "text");
    }
    assert_eq!(send(&world, "POST", "/api/v1/files?name=one-more", "text").await.0, StatusCode::CREATED);
}
