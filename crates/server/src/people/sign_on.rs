//! Signing on by a provider: which there are, the way there and back, and one's own.
//!
//! A browser goes these ways itself, so a failure is no document but the sign-in page with a word for its reason; the page
//! has a sentence for each. The protocol is that of `sign_on/`, the decision is that of `rapport-records`.

use std::fmt::Display;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rapport_records::{
    Id,
    people::{Origin, SESSION_MS, SetUp, SignOnAnswer, SignOnFacts, SignOnRefusal, SignedIn},
};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::ToSchema;

use super::{Peer, origin};
use crate::{
    Shared,
    auth::{Operator, cookie_named},
    exchange::{Answer, Params, Piece, blocking},
    problem::Problem,
    records::{ask, done},
    session::{put_cookie, set_cookie},
    sign_on::{Back, LASTS_MS, Provider, SignOnError, Trip, own_place},
};

/// The cookie of somebody who is at a provider.
const COOKIE: &str = "rapport_sign_on";
/// The same where HTTPS is spoken: with this prefix a browser takes it from this very host only, so no neighbour under the same
/// domain can put somebody else's there.
const HOST_COOKIE: &str = "__Host-rapport_sign_on";

fn cookie_name(app: &Shared) -> &'static str {
    if app.state.secure_cookie { HOST_COOKIE } else { COOKIE }
}

/// A provider by which people sign on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderFacts {
    /// What it is called in addresses.
    name: String,
    /// What it is called on the button.
    title: String,
}

/// The providers by which people sign on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderList {
    /// In the order of the settings.
    providers: Vec<ProviderFacts>,
}

/// The providers by which people sign on. For everybody: the sign-in page shows them.
#[utoipa::path(get, path = "/api/v1/sign-in/providers", tag = "session", security(()), responses((status = 200, body = ProviderList)))]
pub(crate) async fn providers(State(app): State<Shared>) -> Answer<ProviderList> {
    let facts = |provider: &Provider| ProviderFacts {
        name: provider.settings.name.clone(),
        title: provider.settings.title.clone(),
    };
    Answer(ProviderList { providers: app.state.sign_on.providers().iter().map(facts).collect() })
}

/// Where to go on after a sign-on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Leaving {
    /// A path of the pages; the first page if there is none.
    return_to: String,
}

/// Sends the browser to a provider. What goes wrong is told by the sign-in page.
#[utoipa::path(get, path = "/api/v1/sign-in/with/{provider}", tag = "session", security(()), params(("provider" = String, Path), ("return_to" = Option<String>, Query)),
    responses((status = 303, description = "To the provider, or to the sign-in page with `refused`"), (status = 404, body = Problem)))]
pub(crate) async fn leave(
    State(app): State<Shared>,
    Piece(name): Piece<String>,
    Params(leaving): Params<Leaving>,
) -> Result<Response, Problem> {
    let provider = provider(&app, &name)?;
    match provider.leave(&leaving.return_to, (app.state.clock)()).await {
        Ok((url, value)) => {
            let mut response = to(url.as_str())?;
            put(&app, &mut response, &value, LASTS_MS.unsigned_abs() / 1_000)?;
            Ok(response)
        }
        Err(error) => turned_away(&name, &own_place(&leaving.return_to), error.code(), &error),
    }
}

/// Where a provider sends the browser back to: signs in and goes on. What goes wrong is told by the sign-in page.
#[utoipa::path(get, path = "/api/v1/sign-in/with/{provider}/back", tag = "session", security(()), params(("provider" = String, Path),
        ("code" = Option<String>, Query), ("state" = Option<String>, Query), ("error" = Option<String>, Query), ("iss" = Option<String>, Query)),
    responses((status = 303, description = "To the pages, or to the sign-in page with `refused`"), (status = 404, body = Problem)))]
pub(crate) async fn back(
    State(app): State<Shared>,
    Piece(name): Piece<String>,
    peer: Option<axum::Extension<Peer>>,
    headers: HeaderMap,
    Params(back): Params<Back>,
) -> Result<Response, Problem> {
    let (provider, now) = (provider(&app, &name)?, (app.state.clock)());
    let trip = match provider.trip_of(cookie_named(&headers, cookie_name(&app)), &back, now) {
        Ok(trip) => trip,
        // The cookie, if there is one, is that of another try, which may go on.
        Err(error) => return turned_away(&name, "/", error.code(), &error),
    };
    let mut response = come_back(&app, provider, (trip, back), origin(peer.map(|peer| peer.0), &headers)).await?;
    // What was begun is over, however it ended.
    put(&app, &mut response, "", 0)?;
    Ok(response)
}

/// Signs in who comes back from a trip of theirs, or turns them away.
async fn come_back(
    app: &Shared,
    provider: &Provider,
    (trip, back): (Trip, Back),
    origin: Origin,
) -> Result<Response, Problem> {
    let place = trip.place.clone();
    let refused = |code, why: &dyn Display| turned_away(&provider.settings.name, &place, code, why);
    let returned = match provider.take_in(trip, back) {
        Ok(returned) => returned,
        Err(error) => return refused(error.code(), &error),
    };
    // Counted before the provider is asked, so that nobody has us ask it as often as they like.
    let Ok(attempt) = app.state.records.count_sign_on(&origin) else {
        return refused("rate", &"too many failures from this address");
    };
    let sign_on = match provider.prove(&returned, (app.state.clock)()).await {
        Ok(sign_on) => sign_on,
        Err(error) => {
            // Only a code that the provider does not know may be a guess; many people may share one address.
            if !matches!(error, SignOnError::Refused(_)) {
                app.state.records.forgive_sign_on(&attempt);
            }
            return refused(error.code(), &error);
        }
    };
    let desk = app.state.records.clone();
    match blocking(move || desk.sign_on(&attempt, &sign_on, &origin)).await? {
        Ok(SignOnAnswer::SignedIn(signed_in)) => let_in(app, &signed_in, &place),
        Ok(SignOnAnswer::Refused(refusal)) => refused(code_of(refusal), &"the account is not let in"),
        Err(error) => refused("failed", &error),
    }
}

fn code_of(refusal: SignOnRefusal) -> &'static str {
    match refusal {
        SignOnRefusal::Unknown => "unknown",
        SignOnRefusal::Inactive => "inactive",
        SignOnRefusal::Linked => "linked",
        SignOnRefusal::OwnAddress => "own_address",
        SignOnRefusal::Repeated => SignOnError::Expired.code(),
    }
}

fn provider<'a>(app: &'a Shared, name: &str) -> Result<&'a Provider, Problem> {
    app.state.sign_on.provider(name).ok_or_else(|| Problem::not_found("there is no such provider of sign-on"))
}

fn let_in(app: &Shared, signed_in: &SignedIn, place: &str) -> Result<Response, Problem> {
    let lasts_s = SESSION_MS.unsigned_abs() / 1_000;
    set_cookie(to(place)?, signed_in.secret.reveal(), lasts_s, app.state.secure_cookie)
}

/// To the sign-in page, with the reason as a word, and where somebody wanted to go.
fn turned_away(provider: &str, place: &str, code: &'static str, why: &dyn Display) -> Result<Response, Problem> {
    tracing::warn!(provider, code, %why, "a sign-on let nobody in");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("refused", code).append_pair("provider", provider);
    if place != "/" {
        query.append_pair("from", place);
    }
    to(&format!("/signin?{}", query.finish()))
}

fn to(place: &str) -> Result<Response, Problem> {
    let place = HeaderValue::from_str(place).map_err(|error| Problem::internal(&error))?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response())
}

/// The cookie comes back with a link from the provider, which `SameSite=Strict` would not let it.
fn put(app: &Shared, response: &mut Response, value: &str, lasts_s: u64) -> Result<(), Problem> {
    put_cookie(response, (cookie_name(app), value), lasts_s, "Lax", app.state.secure_cookie)
}

/// The sign-ons of the caller's account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignOnList {
    /// The first one first.
    sign_ons: Vec<SignOnFacts>,
}

/// The providers of the settings, as records know them.
fn set_up(app: &Shared) -> Vec<SetUp> {
    let set_up = |provider: &Provider| SetUp {
        issuer: provider.settings.issuer.clone(),
        provider: provider.settings.name.clone(),
    };
    app.state.sign_on.providers().iter().map(set_up).collect()
}

/// The sign-ons of the caller's account.
#[utoipa::path(get, path = "/api/v1/me/sign-ons", tag = "account", responses((status = 200, body = SignOnList), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn list(State(app): State<Shared>, operator: Operator) -> Result<Answer<SignOnList>, Problem> {
    let set_up = set_up(&app);
    let sign_ons = ask(&app, &operator, move |desk, access| desk.sign_ons(access, &set_up)).await?;
    Ok(Answer(SignOnList { sign_ons }))
}

/// Takes a sign-on of the caller's account away. Refused where nothing else would let them in.
#[utoipa::path(delete, path = "/api/v1/me/sign-ons/{id}", tag = "account", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    operator: Operator,
    Piece(id): Piece<Id>,
) -> Result<StatusCode, Problem> {
    let set_up = set_up(&app);
    done(&app, &operator, move |desk, access| desk.remove_sign_on(access, id, &set_up)).await
}
