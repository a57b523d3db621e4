//! A heartbeat there and back between the product's client and listener on loopback; behind the listener nobody thinks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use constella_controller::admission::Joins;
use constella_controller::dial::Dial;
use constella_controller::identity::Identity;
use constella_controller::inbox::{Event, Inbox};
use constella_controller::members::Members;
use constella_controller::peer::Peers;
use constella_controller::routes::Context;
use constella_controller::server::{Server, bind};
use constella_controller::tls::{Dialler, server_config};
use constella_controller::verify::Verifier;
use constella_core::io::{PeerRequest, PeerResponse, PinnedPeer};
use constella_shared::ids::{Generation, NetworkId};
use constella_shared::secret::Secret;
use constella_shared::state::{NetworkState, STATE_FORMAT};
use constella_shared::wire::heartbeat::{Digest, Facts, Glance, Heartbeat};
use constella_shared::wire::records::VoterRecord;

use super::{Failure, print};

pub(super) async fn run() -> Result<(), Failure> {
    let (alpha, beta) = (Identity::generate("alpha")?, Identity::generate("beta")?);
    let listens = knows(&beta, &pinned(&alpha, None));
    let (inbox, mut events) = Inbox::new();
    let context = Arc::new(Context {
        members: listens.clone(),
        verifier: Verifier::new(listens, 30_000),
        inbox,
        joins: Joins::default(),
        bodies: constella_controller::bodies::Bodies::default(),
        version: "0.1.0".to_owned(),
    });
    let listener = bind("127.0.0.1:0".parse()?).await?;
    let addr = listener.local_addr()?.to_string();
    let _server = Server::start(listener, server_config(&beta)?, context);
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let Event::Peer(_, _, reply) = event {
                // Who asked is there: it is the bench itself.
                let _ = reply.send(Ok(PeerResponse::Heartbeat(heartbeat())));
            }
        }
    });
    let members = knows(&alpha, &pinned(&beta, Some(addr)));
    let request = PeerRequest::Heartbeat(heartbeat());
    let mut kept = Vec::new();
    let peers = Peers::new(members.clone(), Dial::new(Dialler::new(&alpha)?, true));
    for _ in 0..OFTEN {
        let began = Instant::now();
        peers.call(beta.node, LIMIT, &request).await.map_err(|error| format!("{error:?}"))?;
        kept.push(began.elapsed());
    }
    print("a heartbeat and its answer, on a kept connection", kept);
    let mut fresh = Vec::new();
    for _ in 0..OFTEN / 10 {
        let peers = Peers::new(members.clone(), Dial::new(Dialler::new(&alpha)?, true));
        let began = Instant::now();
        peers.call(beta.node, LIMIT, &request).await.map_err(|error| format!("{error:?}"))?;
        fresh.push(began.elapsed());
    }
    print("the same with a new connection and its handshake", fresh);
    Ok(())
}

fn pinned(of: &Identity, addr: Option<String>) -> PinnedPeer {
    PinnedPeer { node: of.node, pin: of.pin, addr, generation: Some(GENERATION) }
}

/// What a node knows that has one other member.
fn knows(me: &Identity, other: &PinnedPeer) -> Members {
    let members = Members::new(me.node, me.pin);
    members.set_network(&NetworkState {
        format: STATE_FORMAT,
        network_id: NetworkId::over(&[b"bench"]),
        owner_username: "owner".to_owned(),
        network_secret: Secret::new("5e".repeat(32)),
        secret_generation: 1,
        own_token: None,
        peers: Vec::new(),
        records: Vec::new(),
        voters: VoterRecord::default(),
        more: constella_shared::wire::more::More::none(),
    });
    members.set_generation(GENERATION);
    members.set_pins(vec![other.clone()]);
    members
}

/// As a calm node sends it: a frame of gossip, digests, and what it says of itself.
fn heartbeat() -> Heartbeat {
    Heartbeat {
        swim: vec!["A".repeat(140)],
        roster: Digest(1),
        view: Digest(2),
        lease: None,
        facts: Facts {
            generation: GENERATION,
            boot_ms: 1,
            unix_ms: 2,
            up_ms: 3,
            ready: true,
            reaches_voters: true,
            stopping: false,
            sees: 2,
            glance: Some(Glance { cpu: 3, mem: 40 }),
            disk: None,
        },
    }
}

const GENERATION: Generation = Generation(7);

const LIMIT: Duration = Duration::from_secs(5);

const OFTEN: usize = 2_000;
