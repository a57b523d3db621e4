//! Who this node is: its id for life, its Ed25519 key, its self-signed certificate, and the check of anybody's signature (R1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use constella_core::keys::Keys;
use constella_shared::ids::{NodeId, Pin};
use constella_shared::secret::Secret;
use constella_shared::wire::records::SignedSelf;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ED25519};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ParsedCertificate;
use sha2::{Digest, Sha256};

/// DER of a SubjectPublicKeyInfo of Ed25519, up to the 32 bytes of the key (RFC 8410, section 4).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why an identity cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The key generator or the encoder failed.
    #[error("a key and certificate cannot be made")]
    Generate(#[source] rcgen::Error),
    /// `node_id` holds no id.
    #[error("node_id holds no id of 64 hex digits")]
    Id,
    /// `node_key.pem` is no Ed25519 key.
    #[error("node_key.pem holds no Ed25519 key in PKCS#8")]
    Key,
    /// `node_cert.pem` is no certificate of an Ed25519 key.
    #[error("node_cert.pem holds no certificate of an Ed25519 key")]
    Cert,
    /// Key and certificate are of different nodes.
    #[error("node_cert.pem does not belong to node_key.pem")]
    Mismatch,
}

/// This node's identity.
pub struct Identity {
    /// Its id.
    pub node: NodeId,
    /// SHA-256 of its certificate.
    pub pin: Pin,
    cert: CertificateDer<'static>,
    key_der: PrivatePkcs8KeyDer<'static>,
    key: Ed25519KeyPair,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("node", &self.node).field("pin", &self.pin).finish_non_exhaustive()
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        let key_der = self.key_der.clone_key();
        // The same bytes were read as a key when this value was made; a failure here would be a defect of ring.
        #[expect(clippy::expect_used, reason = "the bytes were accepted once by the same function")]
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key_der.secret_pkcs8_der()).expect("accepted before");
        Self { node: self.node, pin: self.pin, cert: self.cert.clone(), key_der, key }
    }
}

impl Identity {
    /// Makes a new one: id from the name and a random UUID, key and certificate from the kernel's randomness.
    ///
    /// # Errors
    /// [`IdentityError::Generate`].
    pub fn generate(name: &str) -> Result<Self, IdentityError> {
        let node = NodeId::over(&[name.as_bytes(), uuid::Uuid::new_v4().as_bytes()]);
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(IdentityError::Generate)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(IdentityError::Generate)?;
        // No name of a host or a person: whoever scans the port learns the short id and nothing else.
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, node.short());
        let cert = params.self_signed(&key).map_err(IdentityError::Generate)?;
        Self::from_parts(node, key.serialize_der(), cert.der().clone())
    }

    /// Reads one from its three files' contents.
    ///
    /// # Errors
    /// Names the file that is not what it should be.
    pub fn from_files(id: &[u8], key_pem: &[u8], cert_pem: &[u8]) -> Result<Self, IdentityError> {
        let id = str::from_utf8(id).ok().and_then(|text| text.trim().parse().ok()).ok_or(IdentityError::Id)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(key_pem).map_err(|_| IdentityError::Key)?;
        let cert = CertificateDer::from_pem_slice(cert_pem).map_err(|_| IdentityError::Cert)?;
        Self::from_parts(id, key.secret_pkcs8_der().to_vec(), cert)
    }

    fn from_parts(node: NodeId, key: Vec<u8>, cert: CertificateDer<'static>) -> Result<Self, IdentityError> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key).map_err(|_| IdentityError::Key)?;
        let public = public_key(&cert).ok_or(IdentityError::Cert)?;
        if ring::signature::KeyPair::public_key(&pair).as_ref() != public {
            return Err(IdentityError::Mismatch);
        }
        Ok(Self { node, pin: pin_of(&cert), cert, key_der: PrivatePkcs8KeyDer::from(key), key: pair })
    }

    /// The certificate, for TLS.
    #[must_use]
    pub const fn cert(&self) -> &CertificateDer<'static> {
        &self.cert
    }

    /// The certificate in base64, for documents.
    #[must_use]
    pub fn cert_base64(&self) -> String {
        STANDARD.encode(&self.cert)
    }

    /// The key, for TLS.
    #[must_use]
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key_der.clone_key())
    }

    /// `node_key.pem`.
    #[must_use]
    pub fn key_pem(&self) -> Secret {
        Secret::new(pem("PRIVATE KEY", self.key_der.secret_pkcs8_der()))
    }

    /// `node_cert.pem`.
    #[must_use]
    pub fn cert_pem(&self) -> String {
        pem("CERTIFICATE", &self.cert)
    }
}

impl Keys for Identity {
    fn sign(&self, body: String) -> SignedSelf {
        let signature = hex::encode(self.key.sign(body.as_bytes()));
        SignedSelf { body, cert: self.cert_base64(), signature }
    }

    fn signer(&self, signed: &SignedSelf) -> Option<Pin> {
        let cert = CertificateDer::from(STANDARD.decode(&signed.cert).ok()?);
        let signature = hex::decode(&signed.signature).ok()?;
        let key = public_key(&cert)?;
        UnparsedPublicKey::new(&ED25519, key).verify(signed.body.as_bytes(), &signature).ok()?;
        Some(pin_of(&cert))
    }
}

/// SHA-256 of a certificate's DER.
#[must_use]
pub fn pin_of(cert: &CertificateDer<'_>) -> Pin {
    Pin(Sha256::digest(cert).into())
}

/// The Ed25519 key of a certificate; None where it is no certificate or of another kind of key. Dates and names are not looked at.
#[must_use]
pub fn public_key(cert: &CertificateDer<'_>) -> Option<[u8; 32]> {
    let spki = ParsedCertificate::try_from(cert).ok()?.subject_public_key_info();
    spki.strip_prefix(&ED25519_SPKI)?.try_into().ok()
}

/// RFC 7468: base64 in lines of 64.
fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let body = STANDARD.encode(der);
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn an_identity_is_read_back_from_its_files() {
        let made = Identity::generate("alpha").unwrap();
        let id = format!("{}\n", made.node);
        let read = Identity::from_files(id.as_bytes(), made.key_pem().expose().as_bytes(), made.cert_pem().as_bytes());
        let read = read.unwrap();
        assert_eq!((read.node, read.pin), (made.node, made.pin));
        assert_eq!(read.signer(&read.sign("x".into())), Some(made.pin));
    }

    #[test]
    fn two_nodes_of_one_name_have_two_ids() {
        assert_ne!(Identity::generate("alpha").unwrap().node, Identity::generate("alpha").unwrap().node);
    }

    #[test]
    fn damaged_files_are_named() {
        let (one, two) = (Identity::generate("alpha").unwrap(), Identity::generate("beta").unwrap());
        let (id, key, cert) = (one.node.to_string(), one.key_pem(), one.cert_pem());
        let key = key.expose().as_bytes();
        let read = |id: &str, key: &[u8], cert: &str| Identity::from_files(id.as_bytes(), key, cert.as_bytes());
        assert!(matches!(read("", key, &cert), Err(IdentityError::Id)));
        assert!(matches!(read(&id, b"junk", &cert), Err(IdentityError::Key)));
        assert!(matches!(read(&id, key, "junk"), Err(IdentityError::Cert)));
        assert!(matches!(read(&id, key, &two.cert_pem()), Err(IdentityError::Mismatch)));
    }

    #[test]
    fn r1_a_signature_holds_for_its_own_body_and_certificate_only() {
        let (one, two) = (Identity::generate("alpha").unwrap(), Identity::generate("beta").unwrap());
        let signed = one.sign("{\"a\":1}".into());
        assert_eq!(two.signer(&signed), Some(one.pin));
        let other_body = SignedSelf { body: "{\"a\":2}".into(), ..signed.clone() };
        let other_cert = SignedSelf { cert: two.cert_base64(), ..signed.clone() };
        let no_cert = SignedSelf { cert: STANDARD.encode("junk"), ..signed.clone() };
        let no_base64 = SignedSelf { cert: "%".into(), ..signed.clone() };
        let no_signature = SignedSelf { signature: String::new(), ..signed };
        for bad in [other_body, other_cert, no_cert, no_base64, no_signature] {
            assert_eq!(two.signer(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_certificate_of_another_kind_of_key_has_no_public_key() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let cert = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        assert_eq!(public_key(cert.der()), None);
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let one = Identity::generate("alpha").unwrap();
        let key = hex::encode(one.key_der.secret_pkcs8_der());
        let shown = format!("{one:?}");
        assert!(!shown.contains(&key) && !shown.contains("key"));
    }
}
