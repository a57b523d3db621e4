//! `GetStats` of a real controller with its real agent, over TLS on loopback, asked by a member. Each caller has a connection of its own and
//! asks again as soon as it was answered.

use std::time::{Duration, Instant};

use clap::Args;
use constella_controller::dial::Dial;
use constella_controller::identity::Identity;
use constella_controller::members::Members;
use constella_controller::peer::Peers;
use constella_controller::tls::Dialler;
use constella_core::io::{PeerRequest, PeerResponse, PinnedPeer};
use constella_shared::ids::NodeId;
use constella_shared::state::NetworkState;
use constella_shared::wire::records::SelfRecord;
use constella_shared::wire::rpc::{Request, Response};
use constella_tests::cluster::{Network, Node, Plan};
use tokio::task::JoinSet;

use super::{Failure, print};

/// How long it is asked.
#[derive(Args)]
pub(super) struct Stats {
    /// Seconds at most, for each number of callers
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

impl Stats {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let network = Network::start(Plan::of(&std::env::current_exe()?, 2)).await?;
        for callers in [1, 32] {
            let until = Instant::now() + Duration::from_secs(self.seconds);
            let mut asking = JoinSet::new();
            for _ in 0..callers {
                let (peers, node) = caller(network.at(1)?, network.at(0)?)?;
                asking.spawn(async move { asks(&peers, node, until, ASKS / callers).await });
            }
            let (began, mut took) = (Instant::now(), Vec::new());
            while let Some(asked) = asking.join_next().await {
                took.extend(asked??);
            }
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            let rate = took.len() as f64 / began.elapsed().as_secs_f64();
            print(&format!("GetStats, {callers} callers, {rate:.0} a second"), took);
        }
        Ok(())
    }
}

async fn asks(peers: &Peers, node: NodeId, until: Instant, most: usize) -> Result<Vec<Duration>, String> {
    let request = PeerRequest::Rpc(Request::GetStats {});
    let mut took = Vec::new();
    while Instant::now() < until && took.len() < most {
        let began = Instant::now();
        match peers.call(node, LIMIT, &request).await {
            Ok(PeerResponse::Rpc(Response::Stats { .. })) => took.push(began.elapsed()),
            other => return Err(format!("no figures: {other:?}")),
        }
    }
    // The first goes with the handshake.
    took.remove(0);
    Ok(took)
}

/// A client with the identity of one member, for another.
fn caller(from: &Node, to: &Node) -> Result<(Peers, NodeId), Failure> {
    let read = |node: &Node, file: &str| std::fs::read(node.state_folder().join(file));
    let identity =
        Identity::from_files(&read(from, "node_id")?, &read(from, "node_key.pem")?, &read(from, "node_cert.pem")?)?;
    let network: NetworkState = serde_json::from_slice(&read(from, "network_state.json")?)?;
    let peer = network.peers.iter().find(|peer| peer.owner.name == to.name()).ok_or("it is no member")?;
    let own: SelfRecord = serde_json::from_str(&peer.own.as_ref().ok_or("it has no address")?.body)?;
    let members = Members::new(identity.node, identity.pin);
    members.set_network(&network);
    let node = peer.owner.node;
    members.set_pins(vec![PinnedPeer { node, pin: peer.owner.pin, addr: Some(own.addr), generation: None }]);
    Ok((Peers::new(members, Dial::new(Dialler::new(&identity)?, true)), node))
}

const LIMIT: Duration = Duration::from_secs(10);
/// For each number of callers: both together stay below the nonces that a node remembers of one member within the clock window (S1).
const ASKS: usize = 20_000;
