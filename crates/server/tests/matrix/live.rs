//! Live changes: nobody hears of a row that they do not read.

use std::time::Duration;

use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::house::{Caller, House, names_of};

/// Everything that a reader who begins at the beginning hears until nothing more comes.
async fn heard(house: &House, caller: Caller) -> String {
    let (header, value) = House::credential(caller);
    let request = Request::get("/api/v1/changes").header(header, value).header("last-event-id", "0");
    let response = house.world.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200, "{caller:?}");
    let mut body = response.into_body();
    let mut text = String::new();
    // The heartbeat comes once there is nothing more to tell.
    while !text.contains(": here") {
        let frame = tokio::time::timeout(Duration::from_secs(30), body.frame()).await.expect("the stream goes on");
        text += std::str::from_utf8(&frame.unwrap().unwrap().into_data().unwrap()).unwrap();
    }
    text
}

#[tokio::test]
async fn nobody_hears_of_a_row_that_they_do_not_read() {
    let house = House::new();
    let hidden = names_of(&["company", "contact", "other", "lead", "deal", "note", "vehicle"]);
    let callers = [
        Caller::Administrator,
        Caller::Reader,
        Caller::Own,
        Caller::Team,
        Caller::Condition,
        Caller::Stranger,
        Caller::OtherKey,
    ];
    let all = futures::future::join_all(callers.map(|caller| heard(&house, caller))).await;
    for (caller, text) in callers.into_iter().zip(all) {
        let reads_all = matches!(caller, Caller::Administrator | Caller::Reader);
        for id in &hidden {
            assert_eq!(text.contains(id.as_str()), reads_all, "{caller:?} {id}: {text}");
        }
        let has_own = matches!(caller, Caller::Own | Caller::Team | Caller::Condition);
        assert!(!has_own || text.contains("event: change"), "{caller:?} hears of their own: {text}");
        assert!(!text.to_lowercase().contains("quorvath"), "{caller:?}");
    }
}
