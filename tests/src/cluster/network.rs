//! A whole network: made by the command line as an operator would, with the owner's phone in hand.

use std::fs::Permissions;
use std::io;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::task::JoinSet;

use super::clocks::Clocks;
use super::error::ClusterError;
use super::janitor::Janitor;
use super::node::{Node, Parts};
use super::nursery::Nursery;
use super::programs::Programs;
use super::speedserver::SpeedServer;
use super::wires::{Link, Wires};
use crate::botapi::model::{Config, User};
use crate::botapi::owner::Owner;
use crate::botapi::server::{BotApi, ServerConfig};
use crate::botapi::view::MessageView;

/// What to make.
#[derive(Clone)]
pub struct Plan {
    /// A program whose `main` begins with [`super::take_part`].
    pub own: PathBuf,
    /// The nodes' names; the first founds the network, and each leads before those after it.
    pub names: Vec<String>,
    /// Whose phone it is.
    pub owner: User,
    /// What a reboot does to a host.
    pub reboots: Reboots,
    /// Settings of both programs besides those that make it run on loopback.
    pub settings: Vec<(String, String)>,
    /// What `init` is told besides the owner and the token.
    pub init: Vec<String>,
    /// Where the programs of an image are, of which each node gets copies; none: the programs beside `own`.
    pub image: Option<PathBuf>,
    /// A Bot API that another network uses too; none: one of its own.
    pub double: Option<Arc<BotApi>>,
    /// Whether the nodes' wall clocks can be set, which takes a C compiler.
    pub clocks: bool,
    /// What the ways between the nodes are like.
    pub link: Link,
    /// Kilobytes of each node's own file system for its state, in a mount namespace of the network's; needs root.
    pub small_disks: Option<u32>,
}

/// What a reboot does to a host. It is recorded in any case, and never touches this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reboots {
    /// The host has another boot id at once; its processes go on.
    Instant,
    /// The host's processes are killed, and come back after this time with another boot id.
    Away(Duration),
}

impl Plan {
    /// So many nodes named alpha, beta, gamma..., with an owner who reads English.
    #[must_use]
    pub fn of(own: &Path, nodes: usize) -> Self {
        let name = |index: usize| NAMES.get(index).map_or_else(|| format!("node-{index}"), |name| (*name).to_owned());
        Self {
            own: own.to_owned(),
            names: (0..nodes).map(name).collect(),
            owner: User::new(77, "anna", "en"),
            reboots: Reboots::Instant,
            settings: Vec::new(),
            init: Vec::new(),
            image: None,
            double: None,
            clocks: false,
            link: Link::default(),
            small_disks: None,
        }
    }
}

/// A running network. Its processes, ports and folders go with it.
pub struct Network {
    nodes: Vec<Arc<Node>>,
    double: Arc<BotApi>,
    owner: Owner,
    wires: Wires,
    code: Mutex<Option<String>>,
    init: Vec<String>,
    // Aborts its task when dropped.
    _world: JoinSet<()>,
    _speed: SpeedServer,
    // The last to go: it removes the folder.
    _janitor: Janitor,
}

impl Network {
    /// Everything around the nodes; no node is founded yet.
    ///
    /// # Errors
    /// The programs are missing, or the system refuses.
    pub async fn prepare(plan: Plan) -> Result<Self, ClusterError> {
        let failed = || ClusterError::system("preparing a network");
        let programs = Programs::beside(&plan.own)?;
        let nursery = Nursery::start(plan.small_disks.is_some()).map_err(failed())?;
        let janitor = Janitor::start(&programs).map_err(failed())?;
        let double = match plan.double {
            Some(double) => double,
            None => Arc::new(BotApi::start(server_config()).await.map_err(failed())?),
        };
        let speed = SpeedServer::start().await.map_err(failed())?;
        let wires = Wires::new().await.map_err(failed())?;
        wires.lengthen(plan.link);
        let clocks = if plan.clocks { Some(Clocks::build(&janitor.folder).map_err(failed())?) } else { None };
        let mut nodes = Vec::new();
        for (index, name) in plan.names.iter().enumerate() {
            let folder = janitor.folder.join(name);
            let mut settings = settings(name, index, &wires, &double, &speed);
            settings.extend(plan.settings.iter().cloned());
            let programs = plan.image.as_deref().map_or_else(
                || Ok(programs.clone()),
                |image| own_copies(programs.clone(), image, &janitor.folder, &folder).map_err(failed()),
            )?;
            let (nursery, wires) = (nursery.clone(), wires.clone());
            let wall = clocks.as_ref().map(|clocks| clocks.clock(&folder)).transpose().map_err(failed())?;
            let parts = Parts { name: name.clone(), index, folder, settings, wall, programs, nursery, wires };
            nodes.push(Arc::new(Node::prepare(parts, plan.small_disks).await?));
        }
        let owner = Owner::new(double.control_addr(), plan.owner);
        let mut world = JoinSet::new();
        world.spawn(reboot_hosts(nodes.clone(), plan.reboots));
        let (code, init) = (Mutex::default(), plan.init);
        Ok(Self { nodes, double, owner, wires, code, init, _world: world, _speed: speed, _janitor: janitor })
    }

    /// Founds the network on the first node, starts it, and lets the others join in turn.
    ///
    /// # Errors
    /// A verb failed, or a node did not come up.
    pub async fn start(plan: Plan) -> Result<Self, ClusterError> {
        let network = Self::prepare(plan).await?;
        network.found().await?;
        for index in 1..network.nodes.len() {
            network.join(index).await?;
        }
        network.settled(SETTLING).await?;
        Ok(network)
    }

    /// `init` on the first node, then runs it until it answers and holds.
    ///
    /// # Errors
    /// A verb failed, or the node did not come up.
    pub async fn found(&self) -> Result<(), ClusterError> {
        let first = self.at(0)?;
        let token = Config::default().token;
        let name = self.owner.user().username.clone().unwrap_or_default();
        let args = ["init", "--owner", &name, "--bot-token-file", "-"];
        let args: Vec<_> = args.into_iter().chain(self.init.iter().map(String::as_str)).collect();
        let output = first.cli_output(&args, Some(&token)).await?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(ClusterError::Cli { node: first.name().to_owned(), verb: "init".to_owned(), stderr });
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let code = text.lines().last().and_then(|link| link.split_once("?start=")).map(|(_, code)| code.to_owned());
        let code = code.ok_or(ClusterError::Answer { node: first.name().to_owned(), verb: "init" })?;
        *self.code.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
        first.enter();
        first.start()?;
        self.settled(SETTLING).await.map(drop)
    }

    /// An invitation by the command line of a node that runs.
    ///
    /// # Errors
    /// The verb failed.
    pub async fn invite(&self, from: &Node, ttl: &str) -> Result<String, ClusterError> {
        let text = from.cli(&["invite", "--ttl", ttl]).await?;
        let link = text.lines().last().filter(|line| line.starts_with("join://")).map(ToOwned::to_owned);
        link.ok_or(ClusterError::Answer { node: from.name().to_owned(), verb: "invite" })
    }

    /// Invites a node at the first that runs, lets it join and starts it.
    ///
    /// # Errors
    /// A verb failed.
    pub async fn join(&self, index: usize) -> Result<(), ClusterError> {
        let from = self.nodes.iter().find(|node| node.is_running());
        let link = self.invite(from.ok_or_else(|| ClusterError::NoNode("that runs".to_owned()))?, "15m").await?;
        self.join_with(index, &link).await
    }

    /// Lets a node join with a link and starts it.
    ///
    /// # Errors
    /// The verb failed.
    pub async fn join_with(&self, index: usize, link: &str) -> Result<(), ClusterError> {
        enter(self.at(index)?, link).await
    }

    /// Lets several nodes join at once, each with a link of its own, and starts them.
    ///
    /// # Errors
    /// A verb failed.
    pub async fn join_at_once(&self, indexes: Range<usize>) -> Result<(), ClusterError> {
        let first = self.at(0)?;
        let mut joining = JoinSet::new();
        let mut links = Vec::new();
        for index in indexes {
            links.push((Arc::clone(self.at(index)?), self.invite(first, "15m").await?));
        }
        for (node, link) in links {
            joining.spawn(async move { enter(&node, &link).await });
        }
        while let Some(joined) = joining.join_next().await {
            joined.map_err(io::Error::other).map_err(ClusterError::system("joining"))??;
        }
        Ok(())
    }

    /// The owner opens the link that `init` printed, and waits for the list.
    ///
    /// # Errors
    /// Nobody answers.
    pub async fn claim(&self) -> Result<MessageView, ClusterError> {
        let code = self.code().unwrap_or_default();
        Ok(self.owner.ask(&format!("/start {code}"), CLAIM).await?.value)
    }

    /// The parameter of the owner's link.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        self.code.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether `init` was left to give the token to every member.
    pub(super) fn shares_token(&self) -> bool {
        !self.init.iter().any(|arg| arg == "--no-share-token")
    }

    /// All nodes, also those that have not joined.
    #[must_use]
    pub fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// A node by its name.
    ///
    /// # Errors
    /// There is none.
    pub fn node(&self, name: &str) -> Result<&Arc<Node>, ClusterError> {
        let found = self.nodes.iter().find(|node| node.name() == name);
        found.ok_or_else(|| ClusterError::NoNode(name.to_owned()))
    }

    /// A node by its number.
    ///
    /// # Errors
    /// There is none.
    pub fn at(&self, index: usize) -> Result<&Arc<Node>, ClusterError> {
        self.nodes.get(index).ok_or_else(|| ClusterError::NoNode(format!("with number {index}")))
    }

    /// The Bot API.
    #[must_use]
    pub fn double(&self) -> &Arc<BotApi> {
        &self.double
    }

    /// The owner's phone.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The ways between nodes.
    #[must_use]
    pub fn wires(&self) -> &Wires {
        &self.wires
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for node in &self.nodes {
                eprintln!("--- the end of {}'s log:\n{}", node.name(), node.log_tail());
            }
        }
        for node in &self.nodes {
            // The kernel kills what is left when this program ends.
            let _ = node.kill();
        }
    }
}

async fn enter(node: &Node, link: &str) -> Result<(), ClusterError> {
    let output = node.cli_output(&["join", "-"], Some(link)).await?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(ClusterError::Cli { node: node.name().to_owned(), verb: "join".to_owned(), stderr });
    }
    node.enter();
    node.start()
}

/// Plays what an ordered reboot does to a host.
async fn reboot_hosts(nodes: Vec<Arc<Node>>, reboots: Reboots) {
    let mut seen = vec![0; nodes.len()];
    let mut away = JoinSet::new();
    loop {
        tokio::time::sleep(LOOK).await;
        while away.try_join_next().is_some() {}
        for (node, seen) in nodes.iter().zip(&mut seen) {
            let ordered = node.reboots().len();
            if ordered > *seen {
                *seen = ordered;
                away.spawn(reboot_host(Arc::clone(node), reboots));
            }
        }
    }
}

/// A failure shows as a host that does not come back, which is what the owner is told then.
async fn reboot_host(node: Arc<Node>, reboots: Reboots) -> Result<(), ClusterError> {
    match reboots {
        Reboots::Instant => node.boot(),
        Reboots::Away(time) => {
            tokio::time::sleep(GOING_DOWN).await;
            node.kill()?;
            tokio::time::sleep(time).await;
            node.boot()?;
            node.start()
        }
    }
}

/// A node with the programs of an image. The front of a real agent is another user, who has to get at its folder.
fn own_copies(programs: Programs, image: &Path, network: &Path, node: &Path) -> io::Result<Programs> {
    std::fs::create_dir_all(node)?;
    std::fs::set_permissions(network, Permissions::from_mode(0o711))?;
    programs.copied(image, node)
}

fn server_config() -> ServerConfig {
    let epoch_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    ServerConfig { bot: Config { epoch_s, ..Config::default() }, ..ServerConfig::default() }
}

fn settings(name: &str, index: usize, wires: &Wires, double: &BotApi, speed: &SpeedServer) -> Vec<(String, String)> {
    let own = |name: &str, value: String| (name.to_owned(), value);
    vec![
        own("SERVER_NAME", name.to_owned()),
        own("LISTEN_ADDR", wires.private(index).to_string()),
        own("PUBLIC_ADDR", wires.public(index).to_string()),
        own("PRIORITY", ((index + 1) * 10).to_string()),
        own("TELEGRAM_API_URL", double.url(name)),
        own("LANG_DEFAULT", "en".to_owned()),
        // Whoever wants alerts says so in the plan; elsewhere a death of some seconds is no news in the chat.
        own("DOWN_AFTER", "600".to_owned()),
        own("LOG", "info".to_owned()),
        own("AGENT_ALLOWED_UIDS", nix::unistd::geteuid().to_string()),
        own("SPEEDTEST_URL", speed.url()),
        own("SPEEDTEST_MAX_MB", "40".to_owned()),
        own("REBOOT_MIN_INTERVAL_SEC", "0".to_owned()),
    ]
}

const NAMES: [&str; 10] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"];
/// For a network to see itself, on a machine that has other things to do.
const SETTLING: Duration = Duration::from_secs(60);
/// For the first answer to the owner.
const CLAIM: Duration = Duration::from_secs(20);
/// Between two looks at the hosts' records.
const LOOK: Duration = Duration::from_millis(50);
/// A host says that it goes down before it does.
const GOING_DOWN: Duration = Duration::from_millis(700);
