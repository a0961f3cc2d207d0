//! TLS over a connection that somebody else opened, such as one to a database: roots, ciphers and the checking of certificates
//! are here, as they are for requests.

use std::{io, path::Path, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use crate::{
    OutboundError,
    connect::{Stream, system_roots, tls},
};

/// What is asked of the certificate of the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Nothing: who only listens learns nothing, who stands in between does.
    Nothing,
    /// That an authority that is trusted has signed it, for whatever name.
    Chain,
    /// That, and that it is of the host that was meant.
    Name,
}

/// How connections are secured.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(..)")
    }
}

impl Tls {
    /// With the roots of a PEM file, or those of the system.
    ///
    /// # Errors
    ///
    /// [`OutboundError::Roots`] and [`OutboundError::RootFile`].
    pub fn new(check: Check, roots: Option<&Path>) -> Result<Self, OutboundError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = match check {
            Check::Name => return Ok(Self { connector: tls(root_store(roots)?)? }),
            Check::Nothing => None,
            Check::Chain => {
                let roots = Arc::new(root_store(roots)?);
                let chain = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
                Some(chain.map_err(|error| OutboundError::Roots(error.to_string()))?)
            }
        };
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let config = config.map_err(|error| OutboundError::Roots(error.to_string()))?;
        let verifier = Arc::new(Lenient { provider, chain });
        let config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)) })
    }

    /// Secures a connection to `host`, a name or an address.
    pub async fn secure<S>(&self, host: &str, stream: S) -> io::Result<Box<dyn Stream>>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let wrong = |_| io::Error::new(io::ErrorKind::InvalidInput, format!("{host} is no name of a host"));
        let name = ServerName::try_from(host.to_owned()).map_err(wrong)?;
        Ok(Box::new(self.connector.connect(name, stream).await?))
    }
}

fn root_store(file: Option<&Path>) -> Result<RootCertStore, OutboundError> {
    let Some(file) = file else { return system_roots() };
    let wrong = |what: String| OutboundError::RootFile { path: file.to_owned(), what };
    let mut roots = RootCertStore::empty();
    for found in CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))? {
        let certificate = found.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() { Err(wrong("there is no certificate in it".to_owned())) } else { Ok(roots) }
}

/// Checks less than all of a certificate, and always that the other end has its key.
#[derive(Debug)]
struct Lenient {
    provider: Arc<CryptoProvider>,
    /// Checks who signed it, and when; none if any certificate will do. It looks at the name last.
    chain: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end, others, name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            checked => checked,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
