//! The page's box of nodes, over a real network: Kill and Start do just that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::page::{NodeState, NodeView, Nodes};
use crate::cluster::{Network, Node};

/// The nodes of a network, as the page shows them.
pub struct NetworkNodes {
    network: Arc<Network>,
    /// Which controllers answered when they were last asked: the page must not wait for one that is frozen.
    answering: Arc<Mutex<Vec<bool>>>,
    // Aborts its task when dropped.
    _looking: JoinSet<()>,
}

impl NetworkNodes {
    /// Begins to look at the nodes.
    #[must_use]
    pub fn watch(network: Arc<Network>) -> Self {
        let answering = Arc::new(Mutex::new(vec![false; network.nodes().len()]));
        let mut looking = JoinSet::new();
        for (index, node) in network.nodes().iter().enumerate() {
            looking.spawn(look(Arc::clone(node), index, Arc::clone(&answering)));
        }
        Self { network, answering, _looking: looking }
    }

    fn act(
        &self,
        name: &str,
        act: impl FnOnce(&Node) -> Result<(), crate::cluster::ClusterError>,
    ) -> Result<(), String> {
        let node = self.network.node(name).map_err(|error| error.to_string())?;
        set(&self.answering, node.index(), false);
        act(node).map_err(|error| error.to_string())
    }
}

impl Nodes for NetworkNodes {
    fn list(&self) -> Vec<NodeView> {
        let answering = self.answering.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let view = |(node, answers): (&Arc<Node>, bool)| {
            let state = match (node.is_running(), answers) {
                (true, true) => NodeState::Running,
                (true, false) => NodeState::Starting,
                (false, _) => NodeState::Stopped,
            };
            let (note, reboots) = (node.public().to_string(), node.reboots().len());
            NodeView { name: node.name().to_owned(), state, note, reboots }
        };
        self.network.nodes().iter().zip(answering).map(view).collect()
    }

    fn kill(&self, name: &str) -> Result<(), String> {
        self.act(name, Node::kill)
    }

    fn start(&self, name: &str) -> Result<(), String> {
        self.act(name, Node::start)
    }
}

async fn look(node: Arc<Node>, index: usize, answering: Arc<Mutex<Vec<bool>>>) {
    loop {
        let answers = node.is_running() && node.status().await.is_ok();
        set(&answering, index, answers);
        tokio::time::sleep(EVERY).await;
    }
}

fn set(answering: &Mutex<Vec<bool>>, index: usize, answers: bool) {
    if let Some(place) = answering.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index) {
        *place = answers;
    }
}

/// As often as the page asks.
const EVERY: Duration = Duration::from_millis(700);
