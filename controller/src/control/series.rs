//! `series`: what one node measured, this one or a member, found by its name.

use std::time::Duration;

use constella_core::io::{
    AgentCall, AgentFailure, AgentReply, OperatorAnswer, OperatorRequest, PeerRequest, PeerResponse,
};
use constella_core::roster::name;
use constella_shared::agent::{Series, SeriesKind};
use constella_shared::wire::rpc::{PeerRow, Request, Response, RpcCode, RpcError};

use super::{Behind, Told, refusal};

/// Which series of which node.
pub(super) struct Wanted {
    pub(super) node: String,
    pub(super) kind: SeriesKind,
    pub(super) hours: u32,
    pub(super) points: Option<u32>,
}

/// Asks this host's agent or the member.
pub(super) async fn series<B>(wanted: Wanted, behind: &Behind<B>) -> Result<Told, RpcError> {
    let Wanted { node, kind, hours, points } = wanted;
    let OperatorAnswer::Status(status) = behind.inbox.operator(OperatorRequest::Status).await? else {
        return Err(unexpected());
    };
    let OperatorAnswer::Peers(rows) = behind.inbox.operator(OperatorRequest::Peers).await? else {
        return Err(unexpected());
    };
    let row = find(&rows, &node)?;
    let series = if row.node_id == status.node {
        let series = of_agent(behind.agent.call(&AgentCall::Series { kind, hours }).await)?;
        points.map_or(series.clone(), |points| series.thinned(points))
    } else {
        let request = PeerRequest::Rpc(Request::GetTs { kind, hours, points });
        match behind.peers.call(row.node_id, TIME, &request).await.map_err(refusal)? {
            PeerResponse::Rpc(Response::Series { series }) => series,
            PeerResponse::Rpc(_) | PeerResponse::Heartbeat(_) | PeerResponse::Announced => return Err(unexpected()),
        }
    };
    Ok(Told::Series { node: row.name.clone(), series })
}

/// The node of this name in any case, or the only one whose id begins with the text.
fn find<'a>(rows: &'a [PeerRow], wanted: &str) -> Result<&'a PeerRow, RpcError> {
    let named = |row: &&PeerRow| name::same(&row.name, wanted);
    if let Some(row) = rows.iter().find(named) {
        return Ok(row);
    }
    let digits = wanted.to_ascii_lowercase();
    let mut found = rows.iter().filter(|row| digits.len() >= ID_DIGITS && row.node_id.to_string().starts_with(&digits));
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row),
        (Some(_), Some(_)) => Err(bad(format!("several nodes' ids begin with {wanted}; write more of it"))),
        (None, _) => {
            let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
            Err(bad(format!("there is no node {wanted}; there are {}", names.join(", "))))
        }
    }
}

fn of_agent(answer: Result<AgentReply, AgentFailure>) -> Result<Series, RpcError> {
    match answer {
        Ok(AgentReply::Series(series)) => Ok(series),
        Ok(AgentReply::Stats(_) | AgentReply::Speedtest(_) | AgentReply::Reboot(_)) => Err(unexpected()),
        Err(AgentFailure::Unreachable(message)) => Err(RpcError { code: RpcCode::AgentUnreachable, message }),
        Err(AgentFailure::Refused(error)) => Err(RpcError { code: RpcCode::AgentFailed, message: error.message }),
    }
}

fn bad(message: String) -> RpcError {
    RpcError { code: RpcCode::BadRequest, message }
}

fn unexpected() -> RpcError {
    RpcError {
        code: RpcCode::AgentFailed,
        message: "the node answered something else; are its parts of one version?".into(),
    }
}

/// For a member's answer, connecting included.
const TIME: Duration = Duration::from_secs(10);

/// Digits of an id that name a node: fewer are taken for a name.
const ID_DIGITS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use constella_shared::ids::NodeId;
    use constella_shared::wire::rpc::Status;

    fn row(name: &str, id: u8) -> PeerRow {
        PeerRow {
            name: name.into(),
            node_id: NodeId([id; 32]),
            addr: "a:1".into(),
            status: Status::Alive,
            last_seen: 0,
            priority: 100,
            leader: false,
            version: "1".into(),
            rtt_ms: None,
            reached: 0,
            skew_ms: None,
        }
    }

    #[test]
    fn a_node_is_found_by_its_name_or_the_beginning_of_its_id() {
        // C3: as a person names a node
        let rows = [row("Edge", 0xab), row("abab", 0xcd), row("core", 0xab)];
        assert_eq!(find(&rows, "eDGE").unwrap().node_id, NodeId([0xab; 32]));
        assert_eq!(find(&rows, "abab").unwrap().node_id, NodeId([0xcd; 32]), "a name goes before an id");
        assert_eq!(find(&rows, "CDCDCD").unwrap().name, "abab");
        assert!(find(&rows, "ababa").unwrap_err().message.contains("several"));
        assert!(find(&rows, "cd").unwrap_err().message.contains("there are Edge, abab, core"));
    }
}
