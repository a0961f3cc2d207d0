//! One provider: the way to it, and what it says of who comes back.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hyper::{
    HeaderMap, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use rapport_outbound::{Answer, Client};
use rapport_records::people::SignOn;
use rapport_types::Timestamp;
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::{
    ProviderSettings, SignOnError,
    documents::{Documents, Metadata, Source},
    token::{Expected, Person, TokenError, verify},
    trip::{Trip, seal_of},
};

/// What is asked to be told.
const SCOPE: &str = "openid email profile";
/// How much of a provider's own words is kept.
const TOLD: usize = 120;

/// A provider of the settings.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) settings: ProviderSettings,
    source: Arc<Source>,
    /// Where browsers come back to.
    redirect: String,
    seal: [u8; 32],
    client: Arc<Client>,
}

/// What a browser brings back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Back {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// Somebody who has come back from where they were sent, with what the provider can be asked by.
#[derive(Debug)]
pub(crate) struct Returned {
    trip: Trip,
    code: String,
    names_issuer: bool,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<String>,
}

#[derive(Deserialize)]
struct OauthError {
    error: String,
}

impl Provider {
    /// The error is a sentence.
    pub(super) fn new(settings: ProviderSettings, public: &Url, client: Arc<Client>) -> Result<Self, String> {
        let wrong = |what: String| format!("sign-on \"{}\": {what}", settings.name);
        let issuer = Url::parse(&settings.issuer).map_err(|error| wrong(format!("issuer: {error}")))?;
        client.check(&issuer).map_err(|error| wrong(format!("issuer: {error}")))?;
        let discovery = format!("{}/.well-known/openid-configuration", settings.issuer.trim_end_matches('/'));
        let discovery = Url::parse(&discovery).map_err(|error| wrong(format!("issuer: {error}")))?;
        let path = format!("/api/v1/sign-in/with/{}/back", settings.name);
        let redirect = public.join(&path).map_err(|error| wrong(format!("public_url: {error}")))?;
        let seal = seal_of(settings.client_secret.reveal());
        let source = Source::new(&settings, discovery, Arc::clone(&client));
        Ok(Self { source: Arc::new(source), redirect: redirect.into(), seal, client, settings })
    }

    /// The address to send a browser to, and the value of the cookie that it needs to come back.
    pub(crate) async fn leave(&self, place: &str, now: Timestamp) -> Result<(Url, String), SignOnError> {
        let documents = self.source.documents_at_once(now).await?;
        let trip = Trip::begin(&self.settings.name, place, now).map_err(|error| unreachable(&error))?;
        let mut url = documents.metadata.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", SCOPE)
            .append_pair("state", &trip.state)
            .append_pair("nonce", &trip.nonce)
            .append_pair("code_challenge", &trip.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok((url, trip.sealed(&self.seal)))
    }

    /// The trip that somebody comes back from: the cookie must be the one that they were sent with.
    pub(crate) fn trip_of(&self, cookie: Option<&str>, back: &Back, now: Timestamp) -> Result<Trip, SignOnError> {
        let trip = cookie.and_then(|cookie| Trip::open(cookie, &self.seal, now));
        let is_this = |trip: &Trip| trip.provider == self.settings.name && back.state.as_ref() == Some(&trip.state);
        trip.filter(is_this).ok_or(SignOnError::Expired)
    }

    /// Takes somebody in who comes back from a trip. Asks nobody.
    pub(crate) fn take_in(&self, trip: Trip, back: Back) -> Result<Returned, SignOnError> {
        if back.iss.as_ref().is_some_and(|issuer| *issuer != self.settings.issuer) {
            return Err(SignOnError::Untrusted("the answer is that of another issuer"));
        }
        match (back.error, back.code) {
            (Some(error), _) if error == "access_denied" => Err(SignOnError::Cancelled),
            (Some(error), _) => Err(SignOnError::Refused(words(&error))),
            (None, None) => Err(SignOnError::Refused("it gave no code".to_owned())),
            (None, Some(code)) => Ok(Returned { trip, code, names_issuer: back.iss.is_some() }),
        }
    }

    /// Asks the provider who somebody is who has come back.
    pub(crate) async fn prove(&self, returned: &Returned, now: Timestamp) -> Result<SignOn, SignOnError> {
        let documents = self.source.documents(now, None).await?;
        if documents.metadata.authorization_response_iss_parameter_supported && !returned.names_issuer {
            return Err(SignOnError::Untrusted("the answer names no issuer"));
        }
        let tokens = self.tokens(&documents.metadata, returned).await?;
        let mut person = self.person(&tokens.id_token, documents, &returned.trip.nonce, now).await?;
        if person.email.is_none() {
            person = self.person_in_full(person, tokens.access_token.as_deref(), now).await?;
        }
        let is_verified = self.settings.trust_emails || person.has_verified_email();
        let email = person.email.filter(|_| is_verified);
        if !self.settings.domains.is_empty() && !email.as_deref().is_some_and(|email| self.lets_in(email)) {
            return Err(SignOnError::Domain);
        }
        Ok(SignOn {
            provider: self.settings.name.clone(),
            issuer: self.settings.issuer.clone(),
            subject: person.sub,
            email,
            name: person.name,
            once: returned.trip.nonce.clone(),
            new_people: self.settings.new_people.clone(),
        })
    }

    fn lets_in(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.settings.domains.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain))
    }

    /// Gives the code for tokens.
    async fn tokens(&self, metadata: &Metadata, returned: &Returned) -> Result<Tokens, SignOnError> {
        let (headers, form) = self.token_request(metadata, returned)?;
        let answer = self.client.post(&metadata.token_endpoint, headers, Bytes::from(form)).await;
        let answer = answer.map_err(|error| unreachable(&error))?;
        if answer.status != StatusCode::OK {
            return Err(SignOnError::Refused(match serde_json::from_slice::<OauthError>(&answer.body) {
                Ok(told) => words(&told.error),
                Err(_) => format!("its token endpoint answered {}", answer.status.as_u16()),
            }));
        }
        read(&answer)
    }

    fn token_request(&self, metadata: &Metadata, returned: &Returned) -> Result<(HeaderMap, String), SignOnError> {
        let ProviderSettings { client_id, client_secret, .. } = &self.settings;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", &returned.code)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("code_verifier", &returned.trip.verifier);
        let mut headers = headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let methods = &metadata.token_endpoint_auth_methods_supported;
        let speaks = |method: &str| methods.iter().any(|known| known == method);
        // A provider that names no method knows Basic (OpenID Connect Discovery 1.0, section 3).
        if !speaks("client_secret_basic") && speaks("client_secret_post") {
            form.append_pair("client_id", client_id).append_pair("client_secret", client_secret.reveal());
        } else {
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encode(client_id), encode(client_secret.reveal()));
            headers.insert(AUTHORIZATION, secret_header(&format!("Basic {}", BASE64_STANDARD.encode(pair)))?);
        }
        Ok((headers, form.finish()))
    }

    /// Whom an ID token speaks of. A key that is not known has the documents read again.
    async fn person(
        &self,
        token: &str,
        documents: Arc<Documents>,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Person, SignOnError> {
        let ProviderSettings { issuer, client_id, .. } = &self.settings;
        let expected = Expected { issuer, client_id, nonce, now };
        let first = verify(token, &documents.keys, expected);
        let person = match first {
            Err(TokenError::Key) => verify(token, &self.source.documents(now, Some(&documents)).await?.keys, expected),
            other => other,
        };
        person.map_err(|error| match error {
            TokenError::Key => SignOnError::Untrusted("the ID token is signed by none of the provider's keys"),
            TokenError::Wrong(what) => SignOnError::Untrusted(what),
        })
    }

    /// What the provider says of somebody besides what is in the token: many tell the e-mail address only here.
    async fn person_in_full(
        &self,
        known: Person,
        access_token: Option<&str>,
        now: Timestamp,
    ) -> Result<Person, SignOnError> {
        let documents = self.source.documents(now, None).await?;
        let (Some(url), Some(token)) = (&documents.metadata.userinfo_endpoint, access_token) else { return Ok(known) };
        let mut headers = headers();
        headers.insert(AUTHORIZATION, secret_header(&format!("Bearer {token}"))?);
        let answer = self.client.get(url, headers).await.map_err(|error| unreachable(&error))?;
        let told: Person = good(&answer).and_then(read)?;
        if told.sub != known.sub {
            return Err(SignOnError::Untrusted("the user info is that of somebody else"));
        }
        Ok(told)
    }
}

pub(super) fn headers() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))])
}

fn secret_header(text: &str) -> Result<HeaderValue, SignOnError> {
    let mut value = HeaderValue::from_str(text).map_err(|error| unreachable(&error))?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn unreachable(what: &dyn std::fmt::Display) -> SignOnError {
    SignOnError::Unreachable(what.to_string())
}

pub(super) fn good(answer: &Answer) -> Result<&Answer, SignOnError> {
    if answer.status == StatusCode::OK {
        return Ok(answer);
    }
    Err(SignOnError::Unreachable(format!("it answered {}", answer.status.as_u16())))
}

pub(super) fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, SignOnError> {
    serde_json::from_slice(&answer.body).map_err(|error| unreachable(&format!("its answer cannot be read: {error}")))
}

/// A provider's own words, for the log.
fn words(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(TOLD).collect()
}
