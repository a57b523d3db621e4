//! The way between nodes: in front of each node a relay has the address that it publishes. It knows which node connects, by the socket's
//! owner in /proc, gives each node a source address of its own, can cut the way from one node to another, one way only, and can make all
//! ways long ([`Link`]).

mod link;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use link::Link;

use crate::sim::dice::Dice;
use link::Direction;

/// What happens to connections that one node makes to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// They are closed, old ones too.
    Refuse,
    /// Nothing comes through any more, in old ones too; what was sent meanwhile arrives when the cut heals.
    Silent,
}

/// The relays of a network. Nodes are numbered from 0.
#[derive(Clone, Debug)]
pub struct Wires {
    shared: Arc<Shared>,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

#[derive(Debug)]
struct Shared {
    subnet: [u8; 2],
    /// Which process is which node's.
    owners: Mutex<HashMap<u32, usize>>,
    cuts: watch::Sender<Cuts>,
    /// What every way is like, for connections that are made from now on.
    link: Mutex<Link>,
    dice: Mutex<Dice>,
}

type Cuts = BTreeMap<(usize, usize), Cut>;

/// The next step of this process from its first subnet.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl Wires {
    /// Takes loopback addresses that nobody uses; nothing listens yet.
    ///
    /// # Errors
    /// There are none left.
    pub async fn new() -> io::Result<Self> {
        let first = std::process::id();
        for _ in 0..SUBNETS {
            // Networks that one process begins at once look at different ones.
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % SUBNETS;
            let [_, _, a, b] = (first.wrapping_mul(7) + step).to_be_bytes();
            let subnet = [(a % 100) + 100, b];
            if TcpListener::bind((published(subnet, 0), PORT)).await.is_ok() {
                let mut seed = [0; 8];
                getrandom::fill(&mut seed).map_err(io::Error::other)?;
                let shared = Shared {
                    subnet,
                    owners: Mutex::default(),
                    cuts: watch::Sender::default(),
                    link: Mutex::default(),
                    dice: Mutex::new(Dice::new(u64::from_le_bytes(seed))),
                };
                return Ok(Self { shared: Arc::new(shared), tasks: Arc::default() });
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no loopback addresses are free"))
    }

    /// Where others reach a node.
    #[must_use]
    pub fn public(&self, node: usize) -> SocketAddr {
        SocketAddr::from((published(self.shared.subnet, node), PORT))
    }

    /// Where the node itself listens, behind its relay.
    #[must_use]
    pub fn private(&self, node: usize) -> SocketAddr {
        SocketAddr::from((published(self.shared.subnet, node), PORT + 1))
    }

    /// Begins to relay to a node.
    ///
    /// # Errors
    /// Its address is taken.
    pub async fn open(&self, node: usize) -> io::Result<()> {
        let listener = TcpListener::bind(self.public(node)).await?;
        let wire = Wire { shared: Arc::clone(&self.shared), to: node, target: self.private(node) };
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(wire.accept(listener));
        Ok(())
    }

    /// From now on this process is the node's.
    pub fn belongs(&self, process: u32, node: usize) {
        self.shared.owners.lock().unwrap_or_else(PoisonError::into_inner).insert(process, node);
    }

    /// Cuts the way from one node to another.
    pub fn cut(&self, from: usize, to: usize, cut: Cut) {
        self.shared.cuts.send_modify(|cuts| {
            cuts.insert((from, to), cut);
        });
    }

    /// Cuts one node off from all others, both ways.
    pub fn isolate(&self, node: usize, nodes: usize, cut: Cut) {
        for other in (0..nodes).filter(|other| *other != node) {
            self.cut(node, other, cut);
            self.cut(other, node, cut);
        }
    }

    /// Connections that are made from now on go such a way, all of them.
    pub fn lengthen(&self, link: Link) {
        *self.shared.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }

    /// Heals everything but the length of the ways.
    pub fn heal(&self) {
        self.shared.cuts.send_modify(BTreeMap::clear);
    }
}

/// The relay of one node.
#[derive(Clone)]
struct Wire {
    shared: Arc<Shared>,
    to: usize,
    target: SocketAddr,
}

impl Wire {
    async fn accept(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => drop(connections.spawn(self.clone().relay(stream, peer))),
                    // Out of descriptors, or the client is gone already: the next accept may be better.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn relay(self, mut stream: TcpStream, peer: SocketAddr) {
        let from = self.owner(&stream, peer);
        let mut cuts = self.shared.cuts.subscribe();
        let pair = (from.unwrap_or(usize::MAX), self.to);
        let refused = async {
            // The sender lives as long as this task's own clone of it.
            let _ = cuts.wait_for(|cuts| cuts.get(&pair) == Some(&Cut::Refuse)).await;
        };
        tokio::select! {
            // The cut is looked at first: in one turn of a busy thread a whole handshake gets through.
            biased;
            () = refused => {}
            // A broken relay is a broken connection: both ends see it.
            _ = self.carry(&mut stream, from, pair) => {}
        }
        // Closed with a reset, as a port where nobody listens would.
        let _ = stream.set_zero_linger();
    }

    async fn carry(&self, stream: &mut TcpStream, from: Option<usize>, pair: (usize, usize)) -> io::Result<()> {
        let link = *self.shared.link.lock().unwrap_or_else(PoisonError::into_inner);
        let [mut syn, there, back] = self.shared.dice();
        tokio::time::sleep(link.connects_after(&mut syn)).await;
        let passable = || self.shared.passable(pair);
        passable().await;
        let socket = TcpSocket::new_v4()?;
        if let Some(from) = from {
            socket.bind(SocketAddr::from((published(self.shared.subnet, from), 0)))?;
        }
        let mut onward = socket.connect(self.target).await?;
        onward.set_nodelay(true)?;
        stream.set_nodelay(true)?;
        let ((from_client, mut to_client), (from_node, mut to_node)) = (stream.split(), onward.split());
        let asks = async {
            Direction::new(link, there).carry(from_client, &mut to_node, passable).await?;
            to_node.shutdown().await
        };
        let answers = async {
            Direction::new(link, back).carry(from_node, &mut to_client, passable).await?;
            // Hyper and reqwest end both ways at once, so the connection is over.
            Err::<(), _>(io::Error::from(io::ErrorKind::UnexpectedEof))
        };
        tokio::try_join!(asks, answers).map(|_| ())
    }

    /// The node whose process holds the other end. None for somebody else's.
    fn owner(&self, stream: &TcpStream, peer: SocketAddr) -> Option<usize> {
        let (SocketAddr::V4(peer), SocketAddr::V4(own)) = (peer, stream.local_addr().ok()?) else { return None };
        let link = format!("socket:[{}]", inode(peer, own)?);
        let owners = self.shared.owners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let holds = |process: u32| {
            let files = std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
            files
                .into_iter()
                .any(|file| std::fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == link.as_str()))
        };
        owners.into_iter().find(|(process, _)| holds(*process)).map(|(_, node)| node)
    }
}

impl Shared {
    /// Waits until nothing holds packets back on this way.
    async fn passable(&self, pair: (usize, usize)) {
        // The sender is dropped with the network, and this task with it.
        let _ = self.cuts.subscribe().wait_for(|cuts| cuts.get(&pair) != Some(&Cut::Silent)).await;
    }

    /// For one connection.
    fn dice(&self) -> [Dice; 3] {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        [1, 2, 3].map(|label| dice.fork(label))
    }
}

/// The inode of the socket that is connected so. The table is read in pieces while other sockets come and go, so that one reading may
/// miss a line: without a second look a node that is cut off would now and then pass as a stranger.
fn inode(local: SocketAddrV4, remote: SocketAddrV4) -> Option<String> {
    (0..READINGS).find_map(|_| inode_once(local, remote))
}

/// From /proc/net/tcp (proc_net(5): hexadecimal, the address in the host's byte order).
fn inode_once(local: SocketAddrV4, remote: SocketAddrV4) -> Option<String> {
    let hex = |addr: SocketAddrV4| format!("{:08X}:{:04X}", u32::from_ne_bytes(addr.ip().octets()), addr.port());
    let (local, remote) = (hex(local), hex(remote));
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let found = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let is_it = fields.next() == Some(&local) && fields.next() == Some(&remote);
        // State, queues, timer, retransmits, uid and time-out stand between.
        if is_it { fields.nth(6).map(ToOwned::to_owned) } else { None }
    };
    table.lines().find_map(found)
}

fn published(subnet: [u8; 2], node: usize) -> IpAddr {
    let [a, b] = subnet;
    // 127.a.b.11 is the first node: more than two hundred would wrap, and processes end long before.
    IpAddr::V4(Ipv4Addr::new(127, a, b, u8::try_from(node + 11).unwrap_or(u8::MAX)))
}

/// As in the product: it makes the logs read like an operator's.
const PORT: u16 = 4747;
/// Subnets that are tried.
const SUBNETS: u32 = 64;
/// Long enough not to spin, short enough not to be seen by a test.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// A line that is there is hardly missed twice; one that is gone stays gone.
const READINGS: u32 = 5;
