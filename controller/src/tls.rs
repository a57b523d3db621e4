//! TLS 1.3 between nodes. Certificates are pinned, never trusted by an authority or a date; a session is never resumed.
//!
//! A server takes any certificate, or none, at the handshake and remembers it: who may do what is decided at each request, by the pin as the roster
//! has it then. A client knows beforehand whom it wants to meet and goes on with nobody else.

use std::sync::Arc;

use constella_shared::ids::Pin;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::version::TLS13;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::identity::{Identity, pin_of, public_key};

/// TLS for the listener.
///
/// # Errors
/// The identity's key and certificate do not fit together.
pub fn server_config(identity: &Identity) -> Result<Arc<ServerConfig>, Error> {
    let provider = provider();
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(AnyClient { provider }))
        .with_single_cert(vec![identity.cert().clone()], identity.key())?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![HTTP_1.to_vec()];
    Ok(Arc::new(config))
}

/// TLS towards other nodes, for any number of connections.
#[derive(Debug, Clone)]
pub struct Dialler {
    config: ClientConfig,
    provider: Arc<CryptoProvider>,
}

/// Whom a client wants to meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Exactly this certificate; the handshake ends before our own certificate is shown to anybody else.
    Pin(Pin),
    /// Whoever is there: a dial-back asks who answers. Nothing may be sent over such a connection.
    Anybody,
}

impl Dialler {
    /// With this node's certificate.
    ///
    /// # Errors
    /// The identity's key and certificate do not fit together.
    pub fn new(identity: &Identity) -> Result<Self, Error> {
        let provider = provider();
        let anybody = AnyServer { expected: Expected::Anybody, provider: Arc::clone(&provider) };
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(anybody))
            .with_client_auth_cert(vec![identity.cert().clone()], identity.key())?;
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        config.alpn_protocols = vec![HTTP_1.to_vec()];
        Ok(Self { config, provider })
    }

    /// For one connection.
    #[must_use]
    pub fn config(&self, expected: Expected) -> Arc<ClientConfig> {
        let mut config = self.config.clone();
        let verifier = AnyServer { expected, provider: Arc::clone(&self.provider) };
        config.dangerous().set_certificate_verifier(Arc::new(verifier));
        Arc::new(config)
    }
}

/// The algorithms: ring's, given to each configuration, so that no process-wide default decides.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// HTTP/1.1 alone is spoken here.
const HTTP_1: &[u8] = b"http/1.1";

/// Takes every client whose signature proves that the certificate's key is its own.
#[derive(Debug)]
struct AnyClient {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        cert: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        public_key(cert).map(|_| ClientCertVerified::assertion()).ok_or_else(wrong_kind)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// Takes the expected server, or anybody whose signature proves that the certificate's key is its own.
#[derive(Debug)]
struct AnyServer {
    expected: Expected,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        cert: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        public_key(cert).ok_or_else(wrong_kind)?;
        match self.expected {
            Expected::Pin(pin) if pin_of(cert) != pin => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            Expected::Pin(_) | Expected::Anybody => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

fn wrong_kind() -> Error {
    Error::InvalidCertificate(CertificateError::BadEncoding)
}
