//! Providers of sign-on in the settings file: a table `[[sign_on]]` each.
//!
//! They stand in the file alone: a list does not fit into a variable. Their secrets stand in files or variables of their own,
//! so that the settings can be shown to anybody; only who serves reads them.

use std::path::PathBuf;

use rapport_server::{ClientSecret, ProviderSettings};
use serde::Deserialize;

use crate::cli::Failure;

/// The most providers.
const PROVIDERS: usize = 20;
/// The longest name of a provider.
const NAME: usize = 32;

/// A provider, with where its secret is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    name: String,
    title: Option<String>,
    issuer: String,
    client_id: String,
    client_secret_file: Option<PathBuf>,
    client_secret_env: Option<String>,
    #[serde(default)]
    domains: Vec<String>,
    new_people: Option<String>,
    #[serde(default)]
    trust_emails: bool,
}

/// Reads the value of `sign_on`; each error is a sentence.
pub(super) fn read(value: toml::Value) -> Result<Vec<Provider>, Vec<String>> {
    let toml::Value::Array(tables) = value else {
        return Err(vec!["sign_on is written as [[sign_on]], once for each provider".to_owned()]);
    };
    if tables.len() > PROVIDERS {
        return Err(vec![format!("there are more than {PROVIDERS} providers of sign-on")]);
    }
    let (mut providers, mut mistakes) = (Vec::<Provider>::new(), Vec::new());
    for (place, table) in tables.into_iter().enumerate() {
        match checked(table) {
            Ok(provider) if providers.iter().any(|other| other.name == provider.name) => {
                mistakes.push(format!("sign_on: two providers are called \"{}\"", provider.name));
            }
            Ok(provider) => providers.push(provider),
            Err(what) => mistakes.push(format!("sign_on {}: {what}", place + 1)),
        }
    }
    if mistakes.is_empty() { Ok(providers) } else { Err(mistakes) }
}

fn checked(table: toml::Value) -> Result<Provider, String> {
    let provider: Provider = table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let Provider { name, client_id, client_secret_file, client_secret_env, .. } = &provider;
    let is_name = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    if name.is_empty() || name.len() > NAME || !name.bytes().all(is_name) {
        return Err(format!("name = \"{name}\" must be up to {NAME} small letters, digits and dashes"));
    }
    if client_id.is_empty() {
        return Err("client_id must not be empty".to_owned());
    }
    if client_secret_file.is_some() == client_secret_env.is_some() {
        return Err("the secret is given by either client_secret_file or client_secret_env".to_owned());
    }
    Ok(provider)
}

impl Provider {
    /// The provider with its secret; `variable` gives variables of the environment.
    pub(crate) fn settings(&self, variable: impl Fn(&str) -> Option<String>) -> Result<ProviderSettings, Failure> {
        let wrong = |what: String| format!("sign-on \"{}\": {what}", self.name);
        let secret = match (&self.client_secret_file, &self.client_secret_env) {
            (Some(file), _) => {
                std::fs::read_to_string(file).map_err(|error| wrong(format!("{}: {error}", file.display())))?
            }
            (None, Some(name)) => variable(name).ok_or_else(|| wrong(format!("there is no variable {name}")))?,
            (None, None) => String::new(),
        };
        if secret.trim().is_empty() {
            return Err(wrong("the client's secret is empty".to_owned()).into());
        }
        Ok(ProviderSettings {
            name: self.name.clone(),
            title: self.title.clone().unwrap_or_else(|| self.name.clone()),
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: ClientSecret::new(secret.trim()),
            domains: self.domains.clone(),
            new_people: self.new_people.clone(),
            trust_emails: self.trust_emails,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<Provider>, Vec<String>> {
        let mut table: toml::Table = text.parse().unwrap();
        read(table.remove("sign_on").unwrap())
    }

    fn secret_of(line: &str) -> Result<ClientSecret, String> {
        let provider = read_text(&WHOLE.replace("client_secret_env = \"SECRET\"", line)).unwrap().remove(0);
        let settings = provider.settings(|name| (name == "SECRET").then(|| "s3cret\n".to_owned()));
        settings.map(|settings| settings.client_secret).map_err(|error| error.to_string())
    }

    const WHOLE: &str = r#"
        [[sign_on]]
        name = "company"
        issuer = "https://login.example.com"
        client_id = "rapport"
        client_secret_env = "SECRET"
    "#;

    #[test]
    fn a_provider_is_read_and_its_secret_does_not_show() {
        let provider = read_text(WHOLE).unwrap().remove(0);
        let settings = provider.settings(|_| Some("s3cret".to_owned())).unwrap();
        assert_eq!((settings.title.as_str(), &settings.new_people), ("company", &None));
        assert!(!format!("{settings:?}").contains("s3cret"));
    }

    #[test]
    fn a_secret_comes_from_a_variable_or_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = format!("client_secret_file = \"{}\"", file.path().display());
        assert!(secret_of(&line).unwrap_err().contains("is empty"));
        std::fs::write(file.path(), "from the file\n").unwrap();
        assert_eq!(secret_of(&line), Ok(ClientSecret::new("from the file")));
        assert_eq!(secret_of("client_secret_env = \"SECRET\""), Ok(ClientSecret::new("s3cret")));
        assert!(secret_of("client_secret_env = \"OTHER\"").unwrap_err().contains("no variable OTHER"));
        assert!(secret_of("client_secret_file = \"/no/such\"").unwrap_err().contains("\"company\": /no/such: "));
    }

    #[test]
    fn mistakes_of_all_providers_are_told() {
        for (right, wrong, told) in [
            ("\"company\"", "\"Company\"", "small letters"),
            ("\"rapport\"", "\"\"", "client_id must not be empty"),
            ("client_secret_env = \"SECRET\"", "", "either client_secret_file or client_secret_env"),
            ("client_secret_env = \"SECRET\"", "client_secret = \"x\"", "unknown field `client_secret`"),
            ("issuer = \"https://login.example.com\"", "", "missing field `issuer`"),
        ] {
            let mistakes = read_text(&WHOLE.replace(right, wrong)).unwrap_err();
            assert!(mistakes[0].contains(told), "{mistakes:?}");
        }
        assert!(read_text(&format!("{WHOLE}{WHOLE}")).unwrap_err()[0].contains("two providers"));
        assert!(read_text("sign_on = 1").unwrap_err()[0].contains("[[sign_on]]"));
    }
}
