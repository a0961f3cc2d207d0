//! Hosts that the operator lets Rapport reach though their addresses are not public.

use url::{Host, Url};

/// Hosts with their ports, as they stand in addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed(Vec<(Host, u16)>);

impl Allowed {
    /// Reads `host:port` separated by commas, such as `login.corp.example:443, 127.0.0.1:9000, [::1]:9000`; the error is a
    /// sentence about the first that is none.
    pub fn read(text: &str) -> Result<Self, String> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = |entry: &str| {
            let parts = entry.rsplit_once(':').and_then(|(host, port)| {
                let port = port.parse().ok().filter(|port| *port != 0)?;
                Some((Host::parse(host).ok()?, port))
            });
            parts.ok_or_else(|| format!("\"{entry}\" must be a host and a port such as login.example.com:443"))
        };
        entries.map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an address leads to one of the hosts, by its name and port.
    pub(crate) fn holds(&self, url: &Url) -> bool {
        let (host, port) = (url.host(), url.port_or_known_default());
        self.0.iter().any(|(allowed, allowed_port)| {
            Some(*allowed_port) == port && host.as_ref().is_some_and(|host| *allowed == *host)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(allowed: &str, url: &str) -> bool {
        Allowed::read(allowed).unwrap().holds(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_host_is_allowed_by_its_name_and_port_however_they_are_written() {
        let allowed = "Login.Corp.Example:443, 127.0.0.1:9000,[::1]:9000";
        for url in [
            "https://login.corp.example/",
            "https://LOGIN.corp.example:443/a",
            "http://127.0.0.1:9000/",
            "http://2130706433:9000/",
            "http://[0::1]:9000/",
        ] {
            assert!(holds(allowed, url), "{url}");
        }
        for url in [
            "http://login.corp.example/",
            "https://login.corp.example.evil.example/",
            "https://corp.example/",
            "http://127.0.0.1:9001/",
            "http://[::ffff:127.0.0.1]:9000/",
        ] {
            assert!(!holds(allowed, url), "{url}");
        }
        assert!(!holds("", "https://login.corp.example/"));
    }

    #[test]
    fn what_is_no_host_and_port_is_told() {
        for wrong in ["login.example.com", "login.example.com:", "login.example.com:0", "a:99999", ":443", "a b:1"] {
            let told = Allowed::read(&format!("127.0.0.1:80,{wrong}")).unwrap_err();
            assert!(told.contains(&format!("\"{wrong}\"")), "{told}");
        }
    }
}
