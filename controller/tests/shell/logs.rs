//! S3: captured logs and printed values, searched for secrets.

use std::io::Write;
use std::sync::{Arc, Mutex};

use constella_controller::founding::{Founding, claim, found, random_hex, random_network};
use constella_controller::identity::Identity;
use constella_core::io::{Document, Output};
use constella_shared::secret::Secret;
use constella_shared::wire::rekey::RekeyAnswer;

use crate::rig::{Raw, pair};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything at the finest level, of every crate, while members talk, are refused, and a stranger tries.
#[tokio::test]
async fn s3_logs_at_the_finest_level_show_no_secret() {
    // S3
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (alpha, beta) = pair().await;
    assert!(alpha.ask(&beta).await.is_ok());
    let rekeyed = Raw::bare("POST", "/rekey", b"").send(alpha.tls(&beta).await).await;
    assert!(serde_json::from_slice::<RekeyAnswer>(&rekeyed.body).is_ok());
    beta.members.set_pins(Vec::new());
    assert!(alpha.ask(&beta).await.is_err());
    tracing::info!(members = ?alpha.members, "as a careless line would show it");
    let text = String::from_utf8_lossy(&captured.0.lock().unwrap()).into_owned();
    assert!(text.contains("as a careless line"), "nothing was captured");
    assert!(!text.contains("5e5e5e"), "{text}");
    for identity in [&alpha.identity, &beta.identity] {
        let key = identity.key_pem();
        let line = key.expose().lines().nth(1).unwrap_or_default();
        assert!(!text.contains(line));
    }
}

#[test]
fn s3_debug_of_what_carries_secrets_shows_none() {
    // S3
    let identity = Identity::generate("alpha").unwrap();
    let code = random_hex::<16>().unwrap();
    let founding = Founding {
        name: "alpha".into(),
        addr: "203.0.113.7:4747".into(),
        priority: 100,
        owner: "owner".into(),
        claim: claim(&code),
        token: Secret::new("1:hushhush".into()),
        share_token: true,
        bot: None,
        network: random_network().unwrap(),
        secret: Secret::new("5e".repeat(32)),
    };
    let (network, _) = found(&identity, founding.clone(), constella_controller::clock::now());
    let shown = format!("{founding:?} {:?} {identity:?}", Output::Persist(Document::Network(network)));
    for secret in ["hushhush", "5e5e5e5e5e5e", code.expose()] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
