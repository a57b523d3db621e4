//! Changes of the network that the operator asks for: members, owner, token, invitations.

use constella_core::io::{InviteRow, OperatorAnswer, OperatorRequest, Progress};
use constella_core::roster::{Edit, name};
use constella_shared::ids::NodeId;
use constella_shared::link::InviteId;
use constella_shared::secret::Secret;
use constella_shared::wire::rpc::{PeerRow, RpcCode, RpcError};
use serde::{Deserialize, Serialize};

use super::Told;
use crate::inbox::Inbox;

/// A change, or the list that one is chosen from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// `rename`.
    Rename {
        /// Its name, or its id from eight digits on.
        node: String,
        /// From now on.
        name: String,
    },
    /// `priority`.
    Priority {
        /// As above.
        node: String,
        /// Smaller leads.
        priority: u32,
    },
    /// `remove`.
    Remove {
        /// As above.
        node: String,
    },
    /// `owner set`.
    Owner {
        /// Telegram user name, without `@`.
        username: String,
    },
    /// `set-token`.
    Token {
        /// The token.
        token: Secret,
    },
    /// `invites`.
    Invites {},
    /// `invites revoke`.
    Revoke {
        /// Its id, from eight digits on.
        invite: String,
    },
}

/// An invitation in `invites --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteDocument {
    /// Which: it is also in the link, and opens nothing.
    pub id: String,
    /// Unix seconds after which it is refused.
    pub expires: u64,
    /// The name of the node that wrote it last.
    pub by: String,
    /// The name of the node that came in with it.
    pub used_by: Option<String>,
}

/// Asks the core for it.
pub(super) async fn answer(change: Change, inbox: &Inbox) -> Result<Told, RpcError> {
    match change {
        Change::Rename { node, name } => edit(inbox, &node, Edit::Rename(name)).await,
        Change::Priority { node, priority } => edit(inbox, &node, Edit::Priority(priority)).await,
        Change::Remove { node } => edit(inbox, &node, Edit::Remove).await,
        Change::Owner { username } => told(inbox, OperatorRequest::OwnerSet { username }).await,
        Change::Token { token } => told(inbox, OperatorRequest::SetToken(token)).await,
        Change::Invites {} => told(inbox, OperatorRequest::Invites).await,
        Change::Revoke { invite } => {
            let id = invite_of(&rows(inbox).await?, &invite)?;
            told(inbox, OperatorRequest::Revoke(id)).await
        }
    }
}

async fn edit(inbox: &Inbox, node: &str, edit: Edit) -> Result<Told, RpcError> {
    let peers = match inbox.operator(OperatorRequest::Peers).await? {
        OperatorAnswer::Peers(peers) => peers,
        _ => Vec::new(),
    };
    let (node, name) = node_of(&peers, node)?;
    let name = if let Edit::Rename(name) = &edit { name.clone() } else { name };
    let done = match inbox.operator(OperatorRequest::Edit { node, edit }).await? {
        OperatorAnswer::Edited(Progress::Begun) => false,
        OperatorAnswer::Edited(Progress::Done)
        | OperatorAnswer::Link(_)
        | OperatorAnswer::Peers(_)
        | OperatorAnswer::Status(_)
        | OperatorAnswer::Invites(_) => true,
    };
    Ok(Told::Edited { node_id: node, name, done })
}

async fn rows(inbox: &Inbox) -> Result<Vec<InviteRow>, RpcError> {
    match inbox.operator(OperatorRequest::Invites).await? {
        OperatorAnswer::Invites(rows) => Ok(rows),
        _ => Ok(Vec::new()),
    }
}

async fn told(inbox: &Inbox, request: OperatorRequest) -> Result<Told, RpcError> {
    Ok(super::plain(inbox.operator(request).await?))
}

pub(super) fn document(row: InviteRow) -> InviteDocument {
    InviteDocument { id: row.id.to_string(), expires: row.exp_ts, by: row.by, used_by: row.used_by }
}

/// The one member that the operator means, and its name: by its name in any case of letters, or by its id. The beginning of a name is not enough:
/// a removal cannot be undone.
fn node_of(peers: &[PeerRow], text: &str) -> Result<(NodeId, String), RpcError> {
    let fits: [&dyn Fn(&PeerRow) -> bool; 3] =
        [&|peer| peer.name == text, &|peer| name::same(&peer.name, text), &|peer| {
            text.len() >= SHORT && peer.node_id.to_string().starts_with(text)
        }];
    for fit in fits {
        let found: Vec<&PeerRow> = peers.iter().filter(|peer| fit(peer)).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok((one.node_id, one.name.clone())),
            several => {
                let named = several.iter().map(|peer| format!("{} ({})", peer.name, peer.node_id.short()));
                let named = named.collect::<Vec<_>>().join(", ");
                return Err(bad(format!("{text} may be one of these: {named}; write the id")));
            }
        }
    }
    // A removed node is in no list, and who asks again by its whole id learns that it is out.
    if let Ok(node) = text.parse::<NodeId>() {
        return Ok((node, node.short()));
    }
    let names = peers.iter().map(|peer| peer.name.as_str()).collect::<Vec<_>>().join(", ");
    Err(bad(format!("no member is called {text}; there are: {names}")))
}

fn invite_of(rows: &[InviteRow], text: &str) -> Result<InviteId, RpcError> {
    let fits = |row: &&InviteRow| text.len() >= SHORT && row.id.to_string().starts_with(text);
    match rows.iter().filter(fits).collect::<Vec<_>>().as_slice() {
        [one] => Ok(one.id),
        [] => Err(bad(format!("no invitation has the id {text}; `invites` lists them"))),
        [..] => Err(bad(format!("several invitations begin with {text}; write more of the id"))),
    }
}

fn bad(message: String) -> RpcError {
    RpcError { code: RpcCode::BadRequest, message }
}

/// Digits of a short id.
const SHORT: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use constella_shared::wire::rpc::Status;

    fn peer(id: u8, name: &str) -> PeerRow {
        PeerRow {
            name: name.to_owned(),
            node_id: NodeId([id; 32]),
            addr: String::new(),
            status: Status::Alive,
            last_seen: 0,
            priority: 100,
            leader: false,
            version: String::new(),
            rtt_ms: None,
            reached: 0,
            skew_ms: None,
        }
    }

    #[test]
    fn a_member_is_meant_by_its_whole_name_or_by_its_id_and_never_by_the_beginning_of_a_name() {
        // R2
        let peers = [peer(1, "web"), peer(2, "Web"), peer(3, "web-2"), peer(4, "db")];
        let meant = |text: &str| node_of(&peers, text).map(|(node, _)| node.0[0]).map_err(|error| error.message);
        assert_eq!(meant("web"), Ok(1));
        assert_eq!(meant("DB"), Ok(4));
        assert_eq!(meant("03030303"), Ok(3));
        assert_eq!(meant(&"09".repeat(32)), Ok(9), "one that is out already");
        assert_eq!(meant("WEB").unwrap_err(), "WEB may be one of these: web (01010101), Web (02020202); write the id");
        for nobody in ["we", "0303030", "", "0909090909"] {
            assert!(meant(nobody).unwrap_err().starts_with("no member is called"), "{nobody}");
        }
    }

    #[test]
    fn an_invitation_is_meant_by_eight_digits_of_its_id() {
        let row = |id: u8| InviteRow { id: InviteId([id; 16]), exp_ts: 0, by: String::new(), used_by: None };
        let rows = [row(1), row(2), row(2)];
        assert_eq!(invite_of(&rows, "01010101"), Ok(InviteId([1; 16])));
        for (text, says) in [("0101", "no invitation"), ("03030303", "no invitation"), ("02020202", "several")] {
            assert!(invite_of(&rows, text).unwrap_err().message.starts_with(says), "{text}");
        }
    }
}
