//! Sign-on by OpenID providers: the authorization code flow of OpenID Connect Core 1.0 with PKCE (RFC 7636).
//!
//! It says who somebody is, in the provider's words. Whose account that is, and whether they are let in, `rapport-records`
//! decides; cookies and addresses of pages are those of `people/sign_on.rs`.
//!
//! Invariants:
//! - Nothing that came through the browser is believed but by a signature: what was begun is sealed in the browser's own cookie
//!   ([`trip`]), who it is stands in the ID token, which comes from the provider itself and is verified ([`token`]).
//! - Each provider has a redirect address of its own, so an answer of one is never taken for one of another (RFC 9700, 4.4).
//! - The provider is reached through the one door out (`rapport-outbound`). Its documents are read again after
//!   [`documents::FRESH_MS`], and earlier for a key that is not known yet, but never more often than it can bear.
//!
//! Weak: signing out of Rapport does not sign out of the provider, nor the other way; a session lasts as long as any other.

mod documents;
mod keys;
mod provider;
mod token;
mod trip;

use std::sync::Arc;

use rapport_outbound::Client;
use url::Url;

pub(crate) use self::{
    provider::{Back, Provider},
    trip::{LASTS_MS, Trip, own_place},
};

/// What the settings say of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderSettings {
    /// What it is called in addresses and in the audit: small letters, digits and dashes.
    pub name: String,
    /// What stands on the button.
    pub title: String,
    /// Its address, exactly as it names itself.
    pub issuer: String,
    /// What it knows Rapport by.
    pub client_id: String,
    /// With what Rapport shows that it is it.
    pub client_secret: ClientSecret,
    /// Only people with an e-mail address of these domains are let in; all if there are none.
    pub domains: Vec<String>,
    /// The role of an account that is made for whoever has none; none if no account is made.
    pub new_people: Option<String>,
    /// Whether e-mail addresses count that the provider does not say to have verified.
    pub trust_emails: bool,
}

/// A secret that does not show itself in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// The secret in the clear.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientSecret(..)")
    }
}

/// The providers by which people sign on.
#[derive(Debug, Default)]
pub struct SignOn {
    providers: Vec<Provider>,
}

impl SignOn {
    /// The providers of the settings; `public_url` is the address at which browsers find Rapport, `make_client` makes the door by
    /// which providers are reached. The error is a sentence about the first mistake.
    pub fn new(
        providers: Vec<ProviderSettings>,
        public_url: &str,
        make_client: impl FnOnce() -> Result<Client, String>,
    ) -> Result<Self, String> {
        if providers.is_empty() {
            return Ok(Self::default());
        }
        let public = Url::parse(public_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let public = public.ok_or("sign-on needs the setting public_url, such as https://crm.example.com")?;
        let client = Arc::new(make_client()?);
        let make = |settings| Provider::new(settings, &public, Arc::clone(&client));
        Ok(Self { providers: providers.into_iter().map(make).collect::<Result<_, _>>()? })
    }

    pub(crate) fn providers(&self) -> &[Provider] {
        &self.providers
    }

    pub(crate) fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.settings.name == name)
    }
}

/// Why somebody comes back from a provider without being known. Each has a sentence of its own in the pages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignOnError {
    /// The provider cannot be reached, or its documents cannot be used.
    #[error("the provider cannot be asked: {0}")]
    Unreachable(String),
    /// The person did not want to.
    #[error("the person did not sign on")]
    Cancelled,
    /// The provider did not want to.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// It was begun too long ago, in another browser, or not at all.
    #[error("it was not begun in this browser, or too long ago")]
    Expired,
    /// What the provider says cannot be believed.
    #[error("what the provider says cannot be believed: {0}")]
    Untrusted(&'static str),
    /// The person's e-mail address is not verified, or of a domain that is not let in.
    #[error("the e-mail address is of a domain that is not let in, or not verified")]
    Domain,
}

impl SignOnError {
    /// The word by which the pages find their sentence.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Cancelled => "cancelled",
            Self::Refused(_) => "refused",
            Self::Expired => "expired",
            Self::Untrusted(_) => "untrusted",
            Self::Domain => "domain",
        }
    }
}
