//! Settings: the commented defaults, then a file, then the environment, then flags; every mistake is told at once.
//!
//! `default.toml` beside this file is the reference: it is parsed at start like a user's file, so the two cannot differ.

pub(crate) mod sign_on;

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use rapport_outbound::Allowed;

/// The commented defaults.
pub(crate) const DEFAULTS: &str = include_str!("default.toml");

/// How the program writes about its own doings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Json,
    Text,
}

/// Settings, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) partitions: u32,
    pub(crate) log_level: tracing::Level,
    pub(crate) log_format: LogFormat,
    pub(crate) events_per_second: u32,
    pub(crate) head_seconds: u32,
    pub(crate) body_seconds: u32,
    pub(crate) read_seconds: u32,
    pub(crate) connections: u32,
    pub(crate) checkpoint_seconds: u32,
    pub(crate) checkpoint_entries: u32,
    pub(crate) hot_profiles: u32,
    pub(crate) secure_cookie: bool,
    pub(crate) trusted_proxies: Vec<IpAddr>,
    pub(crate) data_note: String,
    pub(crate) records: String,
    /// The address at which browsers find the pages; empty if it is not known.
    pub(crate) public_url: String,
    pub(crate) allow_private: Allowed,
    pub(crate) sign_on: Vec<sign_on::Provider>,
    pub(crate) file_megabytes: u32,
    /// Days after which lines of the history are removed; 0 for never.
    pub(crate) audit_days: u32,
}

/// Everything that is wrong with the settings, one line each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings have {} mistake{}:\n{}", .0.len(), if .0.len() == 1 { "" } else { "s" }, list(.0))]
pub(crate) struct ConfigError(pub(crate) Vec<String>);

fn list(mistakes: &[String]) -> String {
    mistakes.iter().fold(String::new(), |mut text, mistake| {
        writeln!(text, "  - {mistake}").expect("writing to a text cannot fail");
        text
    })
}

/// One source's word on a setting.
struct Given {
    origin: String,
    name: String,
    value: String,
}

impl Config {
    /// Reads the settings: `file` is the text of the user's file with its name, `environment` gives variables, `flags`
    /// are names and values from the command line.
    pub(crate) fn read(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: Vec<(&str, String)>,
    ) -> Result<Self, ConfigError> {
        let mut mistakes = Vec::new();
        let mut given = plain(table("the defaults", DEFAULTS, &mut mistakes), "the defaults");
        let names: Vec<String> = given.iter().map(|setting| setting.name.clone()).collect();
        let mut providers = Vec::new();
        if let Some((name, text)) = file {
            let mut settings = table(name, text, &mut mistakes);
            if let Some(value) = settings.remove("sign_on") {
                match sign_on::read(value) {
                    Ok(read) => providers = read,
                    Err(told) => mistakes.extend(told.into_iter().map(|what| format!("{name}: {what}"))),
                }
            }
            given.extend(plain(settings, name));
        }
        for (variable, value) in environment {
            if let Some(name) = variable.strip_prefix("RAPPORT_").map(str::to_ascii_lowercase) {
                // Other tools may have variables of this prefix, so an unknown one is not a mistake.
                if names.contains(&name) {
                    given.push(Given { origin: format!("the environment ({variable})"), name, value });
                }
            }
        }
        let flag = |(name, value): (&str, String)| Given { origin: format!("--{name}"), name: name.to_owned(), value };
        given.extend(flags.into_iter().map(flag));

        let mut config = Self { sign_on: providers, ..Self::blank() };
        for setting in given {
            if let Err(what) = config.set(&setting.name, &setting.value) {
                mistakes.push(format!("{}: {what}", setting.origin));
            }
        }
        if !config.sign_on.is_empty() && config.public_url.is_empty() {
            mistakes.push("sign_on needs public_url, the address at which browsers find Rapport".to_owned());
        }
        if mistakes.is_empty() { Ok(config) } else { Err(ConfigError(mistakes)) }
    }

    /// A value to be overwritten by every line of the defaults; a test checks that none is left out.
    fn blank() -> Self {
        Self {
            data: PathBuf::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            partitions: 0,
            log_level: tracing::Level::ERROR,
            log_format: LogFormat::Text,
            events_per_second: u32::MAX,
            head_seconds: 0,
            body_seconds: 0,
            read_seconds: 0,
            connections: 0,
            checkpoint_seconds: 0,
            checkpoint_entries: 0,
            hot_profiles: 0,
            secure_cookie: true,
            trusted_proxies: vec![IpAddr::from([0, 0, 0, 0])],
            data_note: String::from("?"),
            records: String::from("?"),
            public_url: String::from("?"),
            allow_private: Allowed::read("blank.invalid:1").expect("it is a host and a port"),
            sign_on: Vec::new(),
            file_megabytes: 0,
            audit_days: u32::MAX,
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number = |low: u32, high: u32| -> Result<u32, String> {
            let parsed = value.parse().ok().filter(|number| (low..=high).contains(number));
            parsed.ok_or_else(|| format!("{name} = \"{value}\" must be a whole number from {low} to {high}"))
        };
        match name {
            "data" if value.is_empty() => return Err("data must name a folder".to_owned()),
            "data" => self.data = PathBuf::from(value),
            "listen" => {
                let wrong = || format!("listen = \"{value}\" must be an address and a port such as 127.0.0.1:8321");
                self.listen = value.parse().map_err(|_| wrong())?;
            }
            "partitions" => self.partitions = number(1, 1_024)?,
            "log_level" => {
                let wrong = || format!("log_level = \"{value}\" must be error, warn, info, debug or trace");
                self.log_level = value.parse().map_err(|_| wrong())?;
            }
            "log_format" => {
                self.log_format = match value {
                    "json" => LogFormat::Json,
                    "text" => LogFormat::Text,
                    _ => return Err(format!("log_format = \"{value}\" must be json or text")),
                };
            }
            "events_per_second" => self.events_per_second = number(0, 100_000_000)?,
            "head_seconds" => self.head_seconds = number(1, 3_600)?,
            "body_seconds" => self.body_seconds = number(1, 3_600)?,
            "read_seconds" => self.read_seconds = number(1, 3_600)?,
            "connections" => self.connections = number(1, 1_000_000)?,
            "checkpoint_seconds" => self.checkpoint_seconds = number(1, 3_600)?,
            "checkpoint_entries" => self.checkpoint_entries = number(1_000, 100_000_000)?,
            "hot_profiles" => self.hot_profiles = number(1_000, 100_000_000)?,
            "file_megabytes" => self.file_megabytes = number(1, 10_240)?,
            "audit_days" if value == "0" => self.audit_days = 0,
            "audit_days" => self.audit_days = number(30, 36_500).map_err(|what| format!("{what}, or 0 for never"))?,
            "secure_cookie" => {
                let wrong = |_| format!("secure_cookie = \"{value}\" must be true or false");
                self.secure_cookie = value.parse().map_err(wrong)?;
            }
            "trusted_proxies" => {
                let wrong =
                    |_| format!("trusted_proxies = \"{value}\" must be addresses such as \"127.0.0.1, 10.0.0.5\"");
                let addresses = value.split(',').map(str::trim).filter(|address| !address.is_empty()).map(str::parse);
                self.trusted_proxies = addresses.collect::<Result<_, _>>().map_err(wrong)?;
            }
            "data_note" => value.clone_into(&mut self.data_note),
            "public_url" if value.is_empty() || is_origin(value) => value.clone_into(&mut self.public_url),
            "public_url" => {
                let what = "must be empty or an address without a path such as https://crm.example.com";
                return Err(format!("public_url = \"{value}\" {what}"));
            }
            "allow_private" => {
                self.allow_private = Allowed::read(value).map_err(|what| format!("allow_private: {what}"))?;
            }
            "records" if value.is_empty() || value.starts_with("postgres://") || value.starts_with("postgresql://") => {
                value.clone_into(&mut self.records);
            }
            "records" => {
                return Err(
                    "records must be empty or a PostgreSQL database such as postgres://user@host/name".to_owned()
                );
            }
            _ => return Err(format!("there is no setting \"{name}\"; `rapport config` prints all of them")),
        }
        Ok(())
    }
}

/// Whether an address is `http` or `https`, a host, and at most a port.
fn is_origin(text: &str) -> bool {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.is_some_and(|url| url.origin().ascii_serialization() == text.trim_end_matches('/'))
}

fn table(origin: &str, text: &str, mistakes: &mut Vec<String>) -> toml::Table {
    text.parse().unwrap_or_else(|error: toml::de::Error| {
        mistakes.push(format!("{origin}: {}", error.to_string().trim()));
        toml::Table::new()
    })
}

/// Settings that are one value each.
fn plain(table: toml::Table, origin: &str) -> Vec<Given> {
    let plain = |value: toml::Value| match value {
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    let given = |(name, value)| Given { origin: origin.to_owned(), name, value: plain(value) };
    table.into_iter().map(given).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_set_everything() {
        let config = Config::read(None, [], vec![]).unwrap();
        let blank = Config::blank();
        assert_ne!(config.data, blank.data);
        assert_ne!(config.listen, blank.listen);
        assert_ne!((config.secure_cookie, config.data_note), (blank.secure_cookie, blank.data_note));
        assert_ne!((config.records, config.public_url), (blank.records, blank.public_url));
        assert_ne!((config.allow_private, config.trusted_proxies), (blank.allow_private, blank.trusted_proxies));
        assert_ne!(config.events_per_second, blank.events_per_second);
        for (set, left) in [
            (config.partitions, blank.partitions),
            (config.head_seconds, blank.head_seconds),
            (config.body_seconds, blank.body_seconds),
            (config.read_seconds, blank.read_seconds),
            (config.connections, blank.connections),
            (config.checkpoint_seconds, blank.checkpoint_seconds),
            (config.checkpoint_entries, blank.checkpoint_entries),
            (config.hot_profiles, blank.hot_profiles),
            (config.file_megabytes, blank.file_megabytes),
            (config.audit_days, blank.audit_days),
        ] {
            assert_ne!(set, left);
        }
        assert_eq!((config.log_level, config.log_format), (tracing::Level::INFO, LogFormat::Json));
    }

    #[test]
    fn later_sources_win() {
        let file = Some(("rapport.toml", "partitions = 2\nlisten = \"0.0.0.0:1\"\nlog_level = \"warn\""));
        let environment =
            [("RAPPORT_LISTEN".to_owned(), "0.0.0.0:2".to_owned()), ("RAPPORT_X".to_owned(), String::new())];
        let config = Config::read(file, environment, vec![("log_level", "debug".to_owned())]).unwrap();
        assert_eq!((config.partitions, config.listen.port(), config.log_level), (2, 2, tracing::Level::DEBUG));
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let file = Some(("rapport.toml", "partitions = 0\nlisen = \"x\"\nlog_format = \"xml\""));
        let environment = [("RAPPORT_LISTEN".to_owned(), "here".to_owned())];
        let ConfigError(mistakes) = Config::read(file, environment, vec![("data", String::new())]).unwrap_err();
        assert_eq!(mistakes.len(), 5, "{mistakes:#?}");
        assert!(mistakes.iter().any(|mistake| mistake.starts_with("the environment (RAPPORT_LISTEN): listen")));
    }

    #[test]
    fn sign_on_needs_the_address_of_the_pages() {
        let provider =
            "[[sign_on]]\nname = \"a\"\nissuer = \"https://a.example\"\nclient_id = \"b\"\nclient_secret_env = \"S\"";
        let read = |before: &str| Config::read(Some(("rapport.toml", &format!("{before}\n{provider}"))), [], vec![]);
        assert!(read("").unwrap_err().to_string().contains("public_url"));
        let config = read("public_url = \"https://crm.example.com\"\nallow_private = \"a.example:443\"").unwrap();
        assert_eq!((config.sign_on.len(), config.allow_private), (1, Allowed::read("a.example:443").unwrap()));
        for wrong in ["crm.example.com", "https://crm.example.com/path", "ftp://crm.example.com", "https://a@b.example"]
        {
            let told = read(&format!("public_url = \"{wrong}\"")).unwrap_err().to_string();
            assert!(told.contains("without a path"), "{told}");
        }
        let told = read("public_url = \"https://a.example\"\nallow_private = \"a\"").unwrap_err().to_string();
        assert!(told.contains("host and a port"), "{told}");
    }

    #[test]
    fn proxies_are_addresses() {
        let read = |value: &str| Config::read(None, [], vec![("trusted_proxies", value.to_owned())]);
        let addresses: Vec<IpAddr> = vec![[127, 0, 0, 1].into(), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])];
        assert_eq!(read("127.0.0.1, ::1").unwrap().trusted_proxies, addresses);
        assert!(read("proxy.corp.example").unwrap_err().to_string().contains("must be addresses"));
    }

    #[test]
    fn a_file_that_is_not_toml_is_told_with_its_line() {
        let error = Config::read(Some(("rapport.toml", "a = = b")), [], vec![]).unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
