//! What the operator's CLI asks.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::secret::Secret;
use constella_shared::wire::rpc::{RpcCode, Status};

use super::Node;
use super::requests::refusal;
use crate::bot::kit::names;
use crate::clock::Now;
use crate::io::{InboundId, NodeStatus, OperatorAnswer, OperatorRequest, Output, VoterStatus};
use crate::voters;

impl Node {
    /// Answers the CLI.
    pub(super) fn operator(&mut self, now: Now, inbound: InboundId, request: OperatorRequest) {
        let result = match request {
            OperatorRequest::Invite { ttl_s } => self
                .invite(now, ttl_s)
                .map(|link| OperatorAnswer::Link(Secret::new(link.to_string())))
                .map_err(|error| refusal(RpcCode::BadRequest, &error.to_string())),
            OperatorRequest::OwnerLink => self.owner_link(now),
            OperatorRequest::Peers => Ok(OperatorAnswer::Peers(self.peer_rows(now))),
            OperatorRequest::Status => Ok(OperatorAnswer::Status(self.status(now))),
            OperatorRequest::Edit { node, edit } => self.edit(now, &node, edit).map(OperatorAnswer::Edited),
            OperatorRequest::OwnerSet { username } => self.owner_set(now, username),
            OperatorRequest::SetToken(token) => self.set_token(now, token),
            OperatorRequest::Invites => Ok(OperatorAnswer::Invites(self.invite_rows())),
            OperatorRequest::Revoke(invite) => self.revoke(now, invite),
        };
        self.out.push(Output::OperatorReply { inbound, result });
    }

    /// A node's name as a person reads it.
    pub(super) fn shown_name(&self, node: &NodeId) -> String {
        let all: Vec<(NodeId, &str)> = self.roster.members().map(|member| (member.id, member.name)).collect();
        names::shown(all.iter().copied(), *node)
    }

    fn status(&self, now: Now) -> NodeStatus {
        let lease = self.lease_view(now);
        let record = self.roster.voters();
        // A holder knows who granted; anybody else, who is alive.
        let is_there = |voter: &NodeId| match self.held {
            Some(_) => self.voter_is_there(now, voter),
            None => self.status_of(voter) == Status::Alive,
        };
        let voter = |node: NodeId| VoterStatus { node, name: self.shown_name(&node), missing: !is_there(&node) };
        let mut electors: Vec<VoterStatus> = voters::everyone(record).into_iter().map(voter).collect();
        electors.sort_by(|a, b| a.name.cmp(&b.name));
        NodeStatus {
            node: self.id,
            name: self.shown_name(&self.id),
            holder: lease.as_ref().map(|view| self.shown_name(&view.holder.node)),
            electors,
            shortage: voters::shortage(record, is_there).map(|shortage| self.in_words(&shortage)),
            network: self.roster.network_id(),
            lease,
            bot: self.bot_state(),
            ready: self.probe.ready(),
            removed: self.roster.is_removed(&self.id) || self.is_disowned(),
            refused: self.refused.counts(),
            disk: self.disk.trouble(),
            alive: self.membership.alive(),
            members: self.roster.len(),
            voters: record.clone(),
        }
    }
}
