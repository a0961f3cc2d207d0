//! PostgreSQL over TLS: what each `sslmode` lets through, with a real server.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rapport_testkit::postgres::Server;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::Database;

fn pem(what: &str, der: &[u8]) -> String {
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", STANDARD.encode(der))
}

/// An authority: its certificate, and that of a server with its key, all PEM.
fn authority(host: &str) -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = params.self_signed(&key).unwrap();
    let own = KeyPair::generate().unwrap();
    let params_of_server = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let signed = params_of_server.signed_by(&own, &Issuer::new(params, key)).unwrap();
    (pem("CERTIFICATE", root.der()), pem("CERTIFICATE", signed.der()), pem("PRIVATE KEY", &own.serialize_der()))
}

#[test]
fn a_certificate_is_asked_for_as_the_address_says() {
    let folder = tempfile::tempdir().unwrap();
    let (root, certificate, key) = authority("db.rapport.test");
    let (stranger, _, _) = authority("db.rapport.test");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (root, stranger) = (file("our ca.pem", &root).replace(' ', "%20"), file("other.pem", &stranger));
    let (secured, at) = Server::start_on_tcp(Some((&certificate, &key))).unwrap();
    assert!(secured.database("records").ends_with("/records"));
    let (plain, plain_at) = Server::start_on_tcp(None).unwrap();
    assert!(plain.database("records").ends_with("/records"));
    let connect = |host: &str, at, query: String| {
        let url = format!("postgres://postgres@{host}/records?hostaddr={at}{query}");
        let used = |tx: &mut crate::Tx<'_>| {
            let row = tx.query_sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[])?.remove(0);
            row.truth(0)
        };
        Database::postgres(&url).and_then(|database| database.read(used)).map_err(|error| error.to_string())
    };
    let to = |host: &str, query: String| connect(host, at, query);
    let (right, wrong) = ("db.rapport.test", "elsewhere.rapport.test");
    assert_eq!(to(right, format!("&sslmode=verify-full&sslrootcert={root}")), Ok(true));
    let error = to(wrong, format!("&sslmode=verify-full&sslrootcert={root}")).unwrap_err();
    assert!(error.contains("sslmode=verify-full") && error.contains("not valid for name"), "{error}");
    assert_eq!(to(wrong, format!("&sslmode=verify-ca&sslrootcert={root}")), Ok(true));
    for mode in ["require", "verify-ca", "verify-full"] {
        let error = to(right, format!("&sslmode={mode}&sslrootcert={stranger}")).unwrap_err();
        assert!(error.contains(&format!("sslmode={mode}")) && error.contains("invalid peer certificate"), "{error}");
    }
    // The system does not know the authority either.
    assert!(to(right, "&sslmode=verify-full".to_owned()).is_err());
    assert_eq!(to(wrong, "&sslmode=require".to_owned()), Ok(true));
    assert_eq!(to(right, String::new()), Ok(true), "it is preferred");
    assert_eq!(to(right, "&sslmode=disable".to_owned()), Ok(false));
    let error = connect(right, plain_at, "&sslmode=require".to_owned()).unwrap_err();
    assert!(error.contains("sslmode=require") && error.contains("server does not support TLS"), "{error}");
    assert_eq!(connect(right, plain_at, String::new()), Ok(false));
}
