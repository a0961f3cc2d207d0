//! Sign-on against a provider that tells the truth, and against one that lies.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../common/mod.rs"]
mod common;
mod provider;

use std::{cell::Cell, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use common::{Gate, NOW, Told, World, administrator, desk};
use provider::{CLIENT, Forge, Provider, SECRET};
use rapport_outbound::{Allowed, Client, Limits as DoorLimits};
use rapport_records::{
    AuditQuery,
    people::{Invitation, Origin, UserChange},
};
use rapport_server::{ClientSecret, HubOptions, Limits, ProviderSettings, SignOn};
use rapport_stream::MemoryLog;
use rapport_types::{MINUTE_MS, SECOND_MS, Timestamp};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use url::Url;

thread_local! {
    static LATER_MS: Cell<i64> = const { Cell::new(0) };
}

/// The time of the server and of the provider, which a test can move on: both are on the thread of the test.
pub(crate) fn now() -> Timestamp {
    Timestamp(NOW.0 + LATER_MS.get())
}

fn settings(provider: &Provider) -> ProviderSettings {
    ProviderSettings {
        name: "company".to_owned(),
        title: "Example Company".to_owned(),
        issuer: provider.url().to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: ClientSecret::new(SECRET),
        domains: Vec::new(),
        new_people: None,
        trust_emails: false,
    }
}

fn world_of(providers: Vec<ProviderSettings>, allowed: &str) -> World {
    let allowed = Allowed::read(allowed).unwrap();
    let client = || Client::new(allowed, DoorLimits::default()).map_err(|error| error.to_string());
    let sign_on = Arc::new(SignOn::new(providers, "http://crm.example.com", client).unwrap());
    World::changed(MemoryLog::new(2).unwrap(), HubOptions::default(), Limits::default(), |state| {
        state.sign_on = sign_on;
        state.clock = now;
        state.access = Arc::new(Gate(Arc::clone(&state.records)));
    })
}

fn world(provider: &Provider) -> World {
    world_of(vec![settings(provider)], provider.host())
}

async fn get(world: &World, path: &str, cookie: Option<&str>) -> Told {
    let request = Request::get(path).header(header::USER_AGENT, "Firefox");
    let request = cookie.into_iter().fold(request, |request, cookie| request.header(header::COOKIE, cookie));
    world.send(request.body(Body::empty()).unwrap()).await
}

fn location(told: &Told) -> String {
    assert_eq!(told.status, StatusCode::SEE_OTHER, "{}", told.body);
    told.headers[header::LOCATION].to_str().unwrap().to_owned()
}

/// A cookie that an answer sets, with all it says of it.
fn cookie(told: &Told, name: &str) -> Option<String> {
    let set = told.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    set.into_iter().find(|text| text.starts_with(&format!("{name}="))).map(str::to_owned)
}

/// Why somebody was turned away.
fn refused(told: &Told) -> String {
    let to = location(told);
    let refused = to.strip_prefix("/signin?refused=").unwrap_or_else(|| panic!("let in to {to}"));
    assert!(cookie(told, "rapport_session").is_none());
    refused.strip_suffix("&provider=company").unwrap().to_owned()
}

/// Whether the cookie of somebody who was at a provider is taken away.
fn is_over(told: &Told) -> bool {
    let set = cookie(told, "rapport_sign_on");
    assert!(set.as_ref().is_none_or(|set| set == "rapport_sign_on=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"));
    set.is_some()
}

/// Somebody on their way: where they were sent, and the cookie they were sent with.
struct Gone {
    to: Url,
    cookie: String,
}

async fn leave(world: &World, path: &str) -> Gone {
    let told = get(world, path, None).await;
    let set = cookie(&told, "rapport_sign_on").unwrap();
    assert!(set.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"), "{set}");
    Gone { to: Url::parse(&location(&told)).unwrap(), cookie: set.split(';').next().unwrap().to_owned() }
}

impl Gone {
    fn asked(&self, name: &str) -> String {
        self.to.query_pairs().find(|(asked, _)| asked == name).unwrap().1.into_owned()
    }

    fn way_back(&self, code: &str) -> String {
        format!("/api/v1/sign-in/with/company/back?code={code}&state={}", self.asked("state"))
    }
}

const LEAVE: &str = "/api/v1/sign-in/with/company";

/// All the way there and back.
async fn sign_on(world: &World, provider: &Provider) -> Told {
    let gone = leave(world, LEAVE).await;
    let code = provider.approve(gone.to.as_str());
    get(world, &gone.way_back(&code), Some(&gone.cookie)).await
}

fn invite(email: &str) {
    let role = desk().roles(&administrator()).unwrap().into_iter().find(|role| role.role.name == "Member").unwrap().id;
    desk().invite(&administrator(), &Invitation { email: email.to_owned(), role, teams: Vec::new() }).unwrap();
}

/// Has the provider say that it is somebody with this verified address, and invites them.
fn expect(provider: &Provider, email: &str) {
    invite(email);
    provider
        .plan(|plan| plan.claims = json!({ "sub": email, "email": email, "email_verified": true, "name": "Ann Lee" }));
}

#[tokio::test]
async fn somebody_comes_back_signed_in_where_they_wanted_to_go() {
    let provider = Provider::start().await;
    let world = world(&provider);
    expect(&provider, "whole@example.com");
    let listed = get(&world, "/api/v1/sign-in/providers", None).await;
    assert_eq!(listed.json(), json!({ "providers": [{ "name": "company", "title": "Example Company" }] }));
    let gone = leave(&world, &format!("{LEAVE}?return_to=/objects/deal%3Ffilter%3Da%2520b")).await;
    assert!(gone.to.as_str().starts_with(&format!("{}/authorize?tenant=a&", provider.url())), "{}", gone.to);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("scope", "openid email profile"),
        ("redirect_uri", "http://crm.example.com/api/v1/sign-in/with/company/back"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(gone.asked(name), value);
    }
    let code = provider.approve(gone.to.as_str());
    let told = get(&world, &gone.way_back(&code), Some(&format!("other=1; {}", gone.cookie))).await;
    assert_eq!(location(&told), "/objects/deal?filter=a%20b");
    let session = cookie(&told, "rapport_session").unwrap();
    assert!(session.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"), "{session}");
    assert!(cookie(&told, "rapport_sign_on").unwrap().starts_with("rapport_sign_on=; "));
    let secret = session.trim_start_matches("rapport_session=").split(';').next().unwrap();
    let (access, facts) = desk().access_of_session(secret).unwrap().unwrap();
    let account = desk().account(&access).unwrap();
    assert_eq!((account.email.as_str(), account.name.as_str()), ("whole@example.com", "Ann Lee"));
    assert_eq!(facts.agent.as_deref(), Some("Firefox"));
    assert_eq!(provider.shown(), ["basic"]);
    let query = AuditQuery { object: Some("session".to_owned()), limit: 500, ..AuditQuery::default() };
    let audit = desk().audit(&administrator(), &query).unwrap();
    assert!(audit.iter().any(|line| line.record == facts.id && line.after["by"] == json!("sign-on company")));
}

#[tokio::test]
async fn a_sign_on_says_whether_its_issuer_is_set_up_whatever_it_is_called() {
    let provider = Provider::start().await;
    let world = world(&provider);
    expect(&provider, "renamed@example.com");
    let told = sign_on(&world, &provider).await;
    let session = cookie(&told, "rapport_session").unwrap();
    let session = session.split(';').next().unwrap();
    let elsewhere = ProviderSettings { issuer: "https://new.example.com".to_owned(), ..settings(&provider) };
    let renamed = ProviderSettings { name: "renamed".to_owned(), ..settings(&provider) };
    for (settings, name, is_set_up) in
        [(settings(&provider), "company", true), (elsewhere, "company", false), (renamed, "renamed", true)]
    {
        let told = get(&world_of(vec![settings], provider.host()), "/api/v1/me/sign-ons", Some(session)).await.json();
        let facts = &told["sign_ons"][0];
        assert_eq!((&facts["provider"], &facts["is_set_up"]), (&json!(name), &json!(is_set_up)), "{told}");
    }
}

#[tokio::test]
async fn a_token_counts_only_if_all_of_it_is_right() {
    let provider = Provider::start().await;
    let world = world(&provider);
    let at = now().0 / 1_000;
    for (change, head, forge) in [
        (json!({ "nonce": "another" }), json!({}), Forge::No),
        (json!({ "nonce": null }), json!({}), Forge::No),
        (json!({ "iss": "https://evil.example" }), json!({}), Forge::No),
        (json!({ "iss": format!("{}/", provider.url()) }), json!({}), Forge::No),
        (json!({ "aud": "another" }), json!({}), Forge::No),
        (json!({ "aud": [CLIENT, "another"] }), json!({}), Forge::No),
        (json!({ "aud": [CLIENT, "another"], "azp": "another" }), json!({}), Forge::No),
        (json!({ "azp": "another" }), json!({}), Forge::No),
        (json!({ "aud": [] }), json!({}), Forge::No),
        (json!({ "exp": at - 121 }), json!({}), Forge::No),
        (json!({ "exp": null }), json!({}), Forge::No),
        (json!({ "exp": "soon" }), json!({}), Forge::No),
        (json!({ "iat": at + 121 }), json!({}), Forge::No),
        (json!({ "iat": at - 601 }), json!({}), Forge::No),
        (json!({ "iat": null }), json!({}), Forge::No),
        (json!({ "nbf": at + 121 }), json!({}), Forge::No),
        (json!({ "sub": "" }), json!({}), Forge::No),
        (json!({ "sub": null }), json!({}), Forge::No),
        (json!({ "sub": "s".repeat(256) }), json!({}), Forge::No),
        (json!({}), json!({ "alg": "none" }), Forge::No),
        (json!({}), json!({ "alg": "none" }), Forge::Unsigned),
        (json!({}), json!({ "alg": "None" }), Forge::Unsigned),
        (json!({}), json!({}), Forge::Unsigned),
        (json!({}), json!({ "alg": "HS256" }), Forge::ByTheSecret),
        (json!({}), json!({}), Forge::ByTheSecret),
        (json!({}), json!({}), Forge::Altered),
        (json!({}), json!({ "alg": "RS256" }), Forge::No),
        (json!({}), json!({ "alg": "PS256" }), Forge::No),
        (json!({}), json!({ "kid": "k2" }), Forge::No),
        (json!({}), json!({ "crit": ["exp"] }), Forge::No),
    ] {
        expect(&provider, "right@example.com");
        provider.plan(|plan| {
            plan.claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            plan.head = head.clone();
            plan.forge = forge;
        });
        assert_eq!(refused(&sign_on(&world, &provider).await), "untrusted", "{change} {head}");
    }
    for (change, head) in [
        (json!({ "aud": [CLIENT] }), json!({})),
        (json!({ "aud": [CLIENT, "another"], "azp": CLIENT }), json!({ "kid": null })),
        (json!({ "exp": at - 119, "iat": at - 599, "nbf": at + 119 }), json!({})),
        (json!({ "exp": at as f64 + 0.5, "iat": at as f64 - 0.5, "email_verified": "true" }), json!({ "typ": "JWT" })),
    ] {
        expect(&provider, &format!("right{}@example.com", change.to_string().len()));
        provider.plan(|plan| {
            plan.claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            plan.head = head;
            plan.forge = Forge::No;
        });
        assert_eq!(location(&sign_on(&world, &provider).await), "/", "{change}");
    }
}

#[tokio::test]
async fn an_answer_counts_once_in_the_browser_that_asked_and_in_time() {
    let provider = Provider::start().await;
    let world = world(&provider);
    expect(&provider, "once@example.com");
    provider.plan(|plan| plan.takes_codes_twice = true);
    let gone = leave(&world, LEAVE).await;
    let other = leave(&world, LEAVE).await;
    let code = provider.approve(gone.to.as_str());
    let way = gone.way_back(&code);
    assert_eq!(refused(&get(&world, &way, None).await), "expired", "another browser");
    assert_eq!(refused(&get(&world, &way, Some(&other.cookie)).await), "expired", "another try of the same browser");
    assert_eq!(refused(&get(&world, &other.way_back(&code), Some(&gone.cookie)).await), "expired", "another state");
    assert_eq!(refused(&get(&world, &format!("{LEAVE}/back?code={code}"), Some(&gone.cookie)).await), "expired");
    assert_eq!(refused(&get(&world, &way, Some("rapport_sign_on=e30.AAAA")).await), "expired");
    assert_eq!(
        refused(&get(&world, &format!("{way}&iss=https://evil.example"), Some(&gone.cookie)).await),
        "untrusted"
    );
    assert_eq!(location(&get(&world, &way, Some(&gone.cookie)).await), "/");
    assert_eq!(refused(&get(&world, &way, Some(&gone.cookie)).await), "expired", "though the provider says it again");
    let slow = leave(&world, LEAVE).await;
    let code = provider.approve(slow.to.as_str());
    LATER_MS.set(10 * MINUTE_MS + 1);
    assert_eq!(refused(&get(&world, &slow.way_back(&code), Some(&slow.cookie)).await), "expired");
    // A code of the one try does not fit the verifier of the other.
    let (one, two) = (leave(&world, LEAVE).await, leave(&world, LEAVE).await);
    let code = provider.approve(one.to.as_str());
    assert_eq!(refused(&get(&world, &two.way_back(&code), Some(&two.cookie)).await), "refused");
}

#[tokio::test]
async fn what_the_provider_or_the_person_does_not_want_is_told() {
    let provider = Provider::start().await;
    let world = world(&provider);
    for (error, told) in [("access_denied", "cancelled"), ("temporarily_unavailable%0aX", "refused"), ("", "refused")] {
        let gone = leave(&world, LEAVE).await;
        let way = format!("{LEAVE}/back?state={}&error={error}", gone.asked("state"));
        assert_eq!(refused(&get(&world, &way, Some(&gone.cookie)).await), told);
    }
    let gone = leave(&world, LEAVE).await;
    assert_eq!(refused(&get(&world, &gone.way_back("guess"), Some(&gone.cookie)).await), "refused");
    assert_eq!(get(&world, "/api/v1/sign-in/with/nobody", None).await.problem().0, 404);
    assert_eq!(get(&world, "/api/v1/sign-in/with/nobody/back", None).await.problem().0, 404);
}

#[tokio::test]
async fn only_who_is_known_and_active_is_let_in() {
    let provider = Provider::start().await;
    let plain = world(&provider);
    let claims = |email: &str, verified: serde_json::Value| {
        provider.plan(|plan| plan.claims = json!({ "sub": email, "email": email, "email_verified": verified }));
    };
    claims("nobody@example.com", json!(true));
    assert_eq!(refused(&sign_on(&plain, &provider).await), "unknown");
    invite("unverified@example.com");
    for verified in [json!(false), json!("false"), json!(null)] {
        claims("unverified@example.com", verified);
        assert_eq!(refused(&sign_on(&plain, &provider).await), "unknown");
    }
    let trusting = ProviderSettings { trust_emails: true, ..settings(&provider) };
    let trusting = world_of(vec![trusting], provider.host());
    assert_eq!(location(&sign_on(&trusting, &provider).await), "/");
    expect(&provider, "gone@example.com");
    assert_eq!(location(&sign_on(&plain, &provider).await), "/");
    // Somebody must stay who may do everything.
    let link = desk().administrator_link().unwrap();
    desk().sign_in_by_link(link.reveal(), &Origin::default()).unwrap().unwrap();
    let users = desk().users(&administrator()).unwrap();
    let person = users.iter().find(|user| user.email == "gone@example.com").unwrap().id;
    let change = UserChange { active: Some(false), ..UserChange::default() };
    desk().change_user(&administrator(), person, &change).unwrap();
    assert_eq!(refused(&sign_on(&plain, &provider).await), "inactive");
    expect(&provider, "first@example.com");
    assert_eq!(location(&sign_on(&plain, &provider).await), "/");
    provider.plan(|plan| plan.claims["sub"] = json!("a new owner of the mailbox"));
    assert_eq!(refused(&sign_on(&plain, &provider).await), "linked");
}

#[tokio::test]
async fn domains_and_new_people_are_as_the_settings_say() {
    let provider = Provider::start().await;
    let new_people = Some("Member".to_owned());
    let domains = vec!["corp.example".to_owned()];
    let world = world_of(vec![ProviderSettings { domains, new_people, ..settings(&provider) }], provider.host());
    let claims = |email: &str, verified: bool| {
        provider.plan(|plan| plan.claims = json!({ "sub": email, "email": email, "email_verified": verified }));
    };
    for (email, verified) in [
        ("a@example.com", true),
        ("a@corp.example.evil.example", true),
        ("a@sub.corp.example", true),
        ("a@corp.example", false),
    ] {
        claims(email, verified);
        assert_eq!(refused(&sign_on(&world, &provider).await), "domain", "{email}");
    }
    claims("new@CORP.example", true);
    assert_eq!(location(&sign_on(&world, &provider).await), "/");
    let wrong = ProviderSettings { new_people: Some("Emperor".to_owned()), ..settings(&provider) };
    claims("newer@corp.example", true);
    assert_eq!(refused(&sign_on(&world_of(vec![wrong], provider.host()), &provider).await), "failed");
}

#[tokio::test]
async fn the_address_may_be_told_by_the_user_info_of_the_same_person() {
    let provider = Provider::start().await;
    let world = world(&provider);
    invite("info@example.com");
    provider.plan(|plan| {
        plan.user_info = json!({ "sub": "another", "email": "info@example.com", "email_verified": true });
    });
    assert_eq!(refused(&sign_on(&world, &provider).await), "untrusted");
    provider.plan(|plan| plan.user_info["sub"] = json!("ann-1"));
    assert_eq!(location(&sign_on(&world, &provider).await), "/");
}

#[tokio::test]
async fn a_key_that_is_new_is_fetched_and_not_too_often() {
    let provider = Provider::start().await;
    let world = world(&provider);
    expect(&provider, "keys@example.com");
    assert_eq!(location(&sign_on(&world, &provider).await), "/");
    assert_eq!(provider.asked_for_keys(), 1);
    provider.plan(|plan| (plan.published, plan.signs) = (vec!["k1", "k2"], "k2"));
    assert_eq!(refused(&sign_on(&world, &provider).await), "untrusted", "it was asked a moment ago");
    assert_eq!(provider.asked_for_keys(), 1);
    LATER_MS.set(11 * SECOND_MS);
    assert_eq!(location(&sign_on(&world, &provider).await), "/");
    assert_eq!(provider.asked_for_keys(), 2);
    // A key that is published no more is not believed any longer than its documents are fresh.
    provider.plan(|plan| (plan.published, plan.signs) = (vec!["k2"], "k1"));
    LATER_MS.set(62 * MINUTE_MS);
    assert_eq!(refused(&sign_on(&world, &provider).await), "untrusted");
    assert_eq!(provider.asked_for_keys(), 3);
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_and_tried_again() {
    let provider = Provider::start().await;
    let world = world(&provider);
    provider.plan(|plan| plan.is_down = true);
    assert_eq!(refused(&get(&world, LEAVE, None).await), "unreachable");
    provider.plan(|plan| plan.is_down = false);
    assert_eq!(refused(&get(&world, LEAVE, None).await), "unreachable", "it was asked a moment ago");
    LATER_MS.set(11 * SECOND_MS);
    leave(&world, LEAVE).await;
    provider.plan(|plan| plan.is_down = true);
    LATER_MS.set(2 * 60 * MINUTE_MS);
    leave(&world, LEAVE).await;
    LATER_MS.set(25 * 60 * MINUTE_MS);
    assert_eq!(refused(&get(&world, LEAVE, None).await), "unreachable", "what is known is a day old");
    provider.plan(|plan| (plan.is_down, plan.issuer) = (false, Some("https://evil.example".to_owned())));
    LATER_MS.set(26 * 60 * MINUTE_MS);
    assert_eq!(refused(&get(&world, LEAVE, None).await), "unreachable", "it calls itself something else");
}

#[tokio::test]
async fn what_a_provider_says_of_itself_is_heeded() {
    let provider = Provider::start().await;
    let world = world(&provider);
    expect(&provider, "heeded@example.com");
    provider.plan(|plan| (plan.takes_post, plan.names_itself) = (true, true));
    assert_eq!(refused(&sign_on(&world, &provider).await), "untrusted", "it did not say that the answer is its own");
    let gone = leave(&world, LEAVE).await;
    let code = provider.approve(gone.to.as_str());
    let way = format!("{}&iss={}", gone.way_back(&code), provider.url());
    assert_eq!(location(&get(&world, &way, Some(&gone.cookie)).await), "/");
    assert_eq!(provider.shown(), ["post"]);
}

#[tokio::test]
async fn an_answer_of_one_provider_is_none_of_another() {
    let (one, two) = (Provider::start().await, Provider::start().await);
    let named = |name: &str, provider| ProviderSettings { name: name.to_owned(), ..settings(provider) };
    let allowed = format!("{},{}", one.host(), two.host());
    let world = world_of(vec![named("company", &one), named("other", &two)], &allowed);
    expect(&one, "mixed@example.com");
    let gone = leave(&world, LEAVE).await;
    let code = one.approve(gone.to.as_str());
    let way = gone.way_back(&code).replace("/company/", "/other/");
    let told = get(&world, &way, Some(&gone.cookie)).await;
    assert_eq!(location(&told), "/signin?refused=expired&provider=other");
    assert!(two.shown().is_empty());
}

#[tokio::test]
async fn a_provider_at_a_private_address_is_asked_only_if_the_operator_named_it() {
    let provider = Provider::start().await;
    let client = || Client::new(Allowed::default(), DoorLimits::default()).map_err(|error| error.to_string());
    let refused_at_start = SignOn::new(vec![settings(&provider)], "http://crm.example.com", client).unwrap_err();
    assert!(refused_at_start.contains("allow_private"), "{refused_at_start}");
    let issuer = provider.url().replace("http:", "https:");
    let world = world_of(vec![ProviderSettings { issuer, ..settings(&provider) }], "");
    assert_eq!(refused(&get(&world, LEAVE, None).await), "unreachable");
    assert!(SignOn::new(vec![settings(&provider)], "", client).unwrap_err().contains("public_url"));
}

#[tokio::test]
async fn with_https_the_cookie_is_of_this_host_alone() {
    let provider = Provider::start().await;
    let allowed = Allowed::read(provider.host()).unwrap();
    let client = || Client::new(allowed, DoorLimits::default()).map_err(|error| error.to_string());
    let sign_on = Arc::new(SignOn::new(vec![settings(&provider)], "https://crm.example.com", client).unwrap());
    let world = World::changed(MemoryLog::new(2).unwrap(), HubOptions::default(), Limits::default(), |state| {
        (state.sign_on, state.clock, state.secure_cookie) = (sign_on, now, true);
    });
    let told = get(&world, &format!("{LEAVE}?return_to=//evil.example"), None).await;
    let set = cookie(&told, "__Host-rapport_sign_on").unwrap();
    assert!(set.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{set}");
    expect(&provider, "secure@example.com");
    let gone = Gone { to: Url::parse(&location(&told)).unwrap(), cookie: set.split(';').next().unwrap().to_owned() };
    let code = provider.approve(gone.to.as_str());
    let told = get(&world, &gone.way_back(&code), Some(&gone.cookie)).await;
    assert_eq!(location(&told), "/", "and never to another site");
    assert!(cookie(&told, "rapport_session").unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn only_the_try_that_failed_is_over_and_its_place_is_kept() {
    let provider = Provider::start().await;
    let world = world(&provider);
    let gone = leave(&world, &format!("{LEAVE}?return_to=/objects/deal")).await;
    let foreign = get(&world, &format!("{LEAVE}/back?code=a&state=b"), Some(&gone.cookie)).await;
    assert_eq!((refused(&foreign), is_over(&foreign)), ("expired".to_owned(), false));
    let way = format!("{LEAVE}/back?state={}&error=access_denied", gone.asked("state"));
    let own = get(&world, &way, Some(&gone.cookie)).await;
    assert_eq!(location(&own), "/signin?refused=cancelled&provider=company&from=%2Fobjects%2Fdeal");
    assert!(is_over(&own));
    let other = Provider::start().await;
    other.plan(|plan| plan.is_down = true);
    let away = world_of(vec![settings(&other)], other.host());
    let told = get(&away, &format!("{LEAVE}?return_to=/objects/deal"), Some(&gone.cookie)).await;
    assert_eq!(location(&told), "/signin?refused=unreachable&provider=company&from=%2Fobjects%2Fdeal");
    assert!(!is_over(&told));
}

/// A door that waits for a provider no longer than a test may.
fn impatient(provider: &Provider, time: Duration) -> World {
    let allowed = Allowed::read(provider.host()).unwrap();
    let limits = DoorLimits { time, ..DoorLimits::default() };
    let client = || Client::new(allowed, limits).map_err(|error| error.to_string());
    let sign_on = Arc::new(SignOn::new(vec![settings(provider)], "http://crm.example.com", client).unwrap());
    World::changed(MemoryLog::new(2).unwrap(), HubOptions::default(), Limits::default(), |state| {
        (state.sign_on, state.clock) = (sign_on, now);
    })
}

#[tokio::test]
async fn a_provider_that_hangs_is_asked_once_and_not_again_before_the_pause() {
    let provider = Provider::start().await;
    provider.plan(|plan| plan.hangs = true);
    let world = impatient(&provider, Duration::from_millis(300));
    // Its browser goes before the provider is given up.
    let gone = tokio::time::timeout(Duration::from_millis(100), get(&world, LEAVE, None)).await;
    assert!(gone.is_err());
    assert_eq!(refused(&get(&world, LEAVE, None).await), "unreachable");
    assert_eq!(provider.asked_for_itself(), 1, "who comes later waits for the same answer");
    // The pause begins when the provider is given up, 300 ms after it was asked.
    LATER_MS.set(10 * SECOND_MS + 100);
    assert_eq!(refused(&get(&world, LEAVE, None).await), "unreachable");
    assert_eq!(provider.asked_for_itself(), 1);
}

#[tokio::test]
async fn old_documents_lead_to_a_provider_that_hangs() {
    let provider = Provider::start().await;
    // So long that a test which waits for it fails by the limit below.
    let world = impatient(&provider, Duration::from_mins(10));
    leave(&world, LEAVE).await;
    provider.plan(|plan| plan.hangs = true);
    LATER_MS.set(2 * 60 * MINUTE_MS);
    for _ in 0..2 {
        tokio::time::timeout(Duration::from_secs(20), leave(&world, LEAVE)).await.expect("it waits for nobody");
    }
}

#[tokio::test]
async fn only_codes_that_the_provider_refuses_count_as_failures_of_an_address() {
    let provider = Provider::start().await;
    let (_world, address) = served(&provider).await;
    expect(&provider, "shared@example.com");
    let back = async |code: Option<&str>| {
        let left = asked(&address, LEAVE, "").await;
        let to = Url::parse(&left.location).unwrap();
        let gone = Gone { to, cookie: left.cookie };
        let code = code.map_or_else(|| provider.approve(gone.to.as_str()), str::to_owned);
        asked(&address, &gone.way_back(&code), &gone.cookie).await.location
    };
    provider.plan(|plan| plan.claims["email_verified"] = json!(false));
    for _ in 0..12 {
        assert_eq!(back(None).await, "/signin?refused=unknown&provider=company");
    }
    for _ in 0..10 {
        assert_eq!(back(Some("guess")).await, "/signin?refused=refused&provider=company");
    }
    assert_eq!(back(Some("guess")).await, "/signin?refused=rate&provider=company");
    // Somebody else behind the same proxy has an address of their own.
    let left = asked_from(&address, LEAVE, "", "203.0.113.7").await;
    let gone = Gone { to: Url::parse(&left.location).unwrap(), cookie: left.cookie };
    provider.plan(|plan| plan.claims["email_verified"] = json!(true));
    let code = provider.approve(gone.to.as_str());
    let told = asked_from(&address, &gone.way_back(&code), &gone.cookie, "203.0.113.7").await;
    assert_eq!(told.location, "/");
}

/// What matters of an answer over a connection.
struct Sent {
    location: String,
    cookie: String,
}

async fn asked(address: &str, path: &str, cookie: &str) -> Sent {
    asked_from(address, path, cookie, "198.51.100.1").await
}

/// Asks a server over a connection, as a proxy does for somebody at `from`.
async fn asked_from(address: &str, path: &str, cookie: &str, from: &str) -> Sent {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: crm.example.com\r\nconnection: close\r\ncookie: {cookie}\r\nx-forwarded-for: 192.0.2.66, {from}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
    let cookie = field("set-cookie: ").split(';').next().unwrap().to_owned();
    Sent { location: field("location: "), cookie }
}

/// A server on the loopback address behind a proxy there; it ends with the runtime of its test.
async fn served(provider: &Provider) -> (World, String) {
    let allowed = Allowed::read(provider.host()).unwrap();
    let client = || Client::new(allowed, DoorLimits::default()).map_err(|error| error.to_string());
    let sign_on = Arc::new(SignOn::new(vec![settings(provider)], "http://crm.example.com", client).unwrap());
    let mut served = None;
    let world = World::changed(MemoryLog::new(2).unwrap(), HubOptions::default(), Limits::default(), |state| {
        (state.sign_on, state.clock) = (sign_on, now);
        state.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        served = Some(state.clone());
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(rapport_server::serve(listener, served.unwrap(), std::future::pending()));
    (world, address)
}
