//! ID tokens: a signed statement of who somebody is, verified as OpenID Connect Core 1.0, section 3.1.3.7 wants.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rapport_types::{MINUTE_MS, Timestamp};
use serde::Deserialize;

use super::keys::{Algorithm, Keys};

/// The longest token, in bytes.
const LONGEST: usize = 64 * 1024;
/// The longest name of a person at a provider (OpenID Connect Core 1.0, section 2).
const SUBJECT: usize = 255;
/// How far the provider's clock may be from ours.
const SKEW_MS: i64 = 2 * MINUTE_MS;
/// How old a token may be: it was asked for a moment ago.
const OLDEST_MS: i64 = 10 * MINUTE_MS;

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) client_id: &'e str,
    pub(super) nonce: &'e str,
    pub(super) now: Timestamp,
}

/// Why a token does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenError {
    /// It is signed by none of the keys known. They may have changed.
    Key,
    /// Anything else.
    Wrong(&'static str),
}

/// What is known of a person: in a token, or from the provider's user info.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(super) struct Person {
    pub(super) sub: String,
    pub(super) email: Option<String>,
    #[serde(default)]
    email_verified: Option<Truth>,
    pub(super) name: Option<String>,
}

impl Person {
    pub(super) fn has_verified_email(&self) -> bool {
        match &self.email_verified {
            Some(Truth::Is(truth)) => *truth,
            Some(Truth::Said(text)) => text == "true",
            None => false,
        }
    }
}

/// True or false; some providers say it in letters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Truth {
    Is(bool),
    Said(String),
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    /// Seconds, with a fraction where the provider likes it so.
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    #[serde(flatten)]
    person: Person,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

fn decoded<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Wrong("the ID token is no token"))?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Wrong("the ID token cannot be read"))
}

/// Whom a token speaks of, if it is signed by one of the keys and says what it must.
pub(super) fn verify(token: &str, keys: &Keys, expected: Expected<'_>) -> Result<Person, TokenError> {
    let wrong = |what| Err(TokenError::Wrong(what));
    if token.len() > LONGEST {
        return wrong("the ID token is too long");
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts[..] else { return wrong("the ID token is no token") };
    let message = &token.as_bytes()[..head.len() + 1 + claims.len()];
    let head: Head = decoded(head)?;
    let Some(algorithm) = Algorithm::named(&head.alg) else {
        return wrong("the ID token is not signed by RS256, PS256 or ES256");
    };
    if head.crit.is_some() {
        return wrong("the ID token wants something that is not known");
    }
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    if !keys.verify(algorithm, head.kid.as_deref(), message, &signature) {
        return Err(TokenError::Key);
    }
    judge(decoded(claims)?, expected)
}

fn judge(claims: Claims, expected: Expected<'_>) -> Result<Person, TokenError> {
    let wrong = |what| Err(TokenError::Wrong(what));
    let at = |seconds: f64| (seconds * 1_000.0) as i64;
    let now = expected.now.0;
    if claims.iss != expected.issuer {
        return wrong("the ID token is of another issuer");
    }
    let audience = claims.aud.all();
    if !audience.iter().any(|one| one == expected.client_id) {
        return wrong("the ID token is for somebody else");
    }
    let is_party = claims.azp.as_deref().map(|party| party == expected.client_id);
    if is_party == Some(false) || audience.len() > 1 && is_party.is_none() {
        return wrong("the ID token was given to somebody else");
    }
    if at(claims.exp) <= now - SKEW_MS {
        return wrong("the ID token is over");
    }
    if at(claims.iat) > now + SKEW_MS || claims.nbf.is_some_and(|nbf| at(nbf) > now + SKEW_MS) {
        return wrong("the ID token is of the future; look at the clocks");
    }
    if at(claims.iat) < now - OLDEST_MS {
        return wrong("the ID token is old");
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return wrong("the ID token answers another request");
    }
    if claims.person.sub.is_empty() || claims.person.sub.len() > SUBJECT {
        return wrong("the ID token names nobody");
    }
    Ok(claims.person)
}
