//! Long ways between nodes: a dial belongs to no call, and an answer that comes late is not lost for the connection.

use std::time::Duration;

use constella_controller::inbox::{Event, Inbox};
use constella_controller::peer::Peers;
use constella_core::io::{CallError, Input, PeerRequest, PeerResponse, PinnedPeer};
use constella_shared::wire::rpc::Request;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::rig::{LIMIT, Rig, heartbeat, pair};

const ASK: PeerRequest = PeerRequest::Rpc(Request::GetPeers {});

/// A way to beta that lets no new connection through until it is opened.
struct Gate {
    open: watch::Sender<bool>,
}

impl Gate {
    /// From now on alpha reaches beta through it.
    async fn before(alpha: &Rig, beta: &Rig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = Some(listener.local_addr().unwrap().to_string());
        alpha.members.set_pins(vec![PinnedPeer { addr, ..beta.pinned() }]);
        let gate = Self { open: watch::Sender::new(false) };
        let (target, open) = (beta.addr, gate.open.subscribe());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut open = open.clone();
                tokio::spawn(async move {
                    open.wait_for(|open| *open).await.unwrap();
                    let mut onward = TcpStream::connect(target).await.unwrap();
                    // The end of either side is the end of the test.
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
                });
            }
        });
        gate
    }
}

/// A client whose measurements the test hears.
fn measuring(alpha: &Rig) -> (Peers, mpsc::Receiver<Event>) {
    let (inbox, events) = Inbox::new();
    (Peers::measuring(alpha.members.clone(), alpha.dial.clone(), inbox), events)
}

/// The next round trip that was measured.
async fn measured(events: &mut mpsc::Receiver<Event>) -> (u64, bool) {
    match timeout(LIMIT, events.recv()).await.unwrap().unwrap() {
        Event::Input(Input::RoundTrip { ms, dialled, .. }) => (ms, dialled),
        _ => panic!("another event"),
    }
}

/// M4: three round trips do not fit into the limit of the first call; what it began is there for the second.
#[tokio::test]
async fn a_dial_that_outlasts_its_call_serves_the_next_one() {
    let (alpha, beta) = pair().await;
    let gate = Gate::before(&alpha, &beta).await;
    let (peers, mut events) = measuring(&alpha);
    let first = peers.call(beta.identity.node, Duration::from_millis(200), &ASK).await;
    assert!(matches!(&first, Err(CallError::NotSent(why)) if why.contains("no connection within 200 ms")), "{first:?}");
    gate.open.send_replace(true);
    let (ms, dialled) = measured(&mut events).await;
    assert!(dialled && ms > 50, "half of what the dial took: {ms} ms");
    // Nobody gets through any more but on the connection that is there.
    gate.open.send_replace(false);
    peers.call(beta.identity.node, LIMIT, &ASK).await.unwrap();
    assert_eq!(beta.reached(), 1, "nothing was sent for the first call");
}

/// M4: the round trip of a wire that is longer than every limit becomes known.
#[tokio::test]
async fn an_answer_after_the_limit_tells_how_long_the_way_is() {
    let (alpha, beta) = pair().await;
    let (peers, mut events) = measuring(&alpha);
    *beta.delay.lock().unwrap() = Duration::from_millis(600);
    let request = PeerRequest::Heartbeat(heartbeat());
    let late = peers.call(beta.identity.node, Duration::from_millis(200), &request).await;
    assert!(matches!(&late, Err(CallError::Lost(why)) if why.contains("no answer within 200 ms")), "{late:?}");
    let found = async {
        loop {
            let (ms, dialled) = measured(&mut events).await;
            if !dialled {
                return ms;
            }
        }
    };
    assert!(found.await >= 600);
    *beta.delay.lock().unwrap() = Duration::ZERO;
    let next = peers.call(beta.identity.node, LIMIT, &request).await;
    assert!(matches!(next, Ok(PeerResponse::Heartbeat(_))), "{next:?}");
}
