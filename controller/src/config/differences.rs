//! Settings that seed a state, against the state that is there: it wins, and who set something else shall know.

use constella_shared::ids::NodeId;
use constella_shared::state::NetworkState;
use constella_shared::wire::records::NetValue;

use super::{Config, TokenSource};

/// The settings that say something else than the stored state.
#[must_use]
pub fn differing(config: &Config, node: NodeId, network: &NetworkState) -> Vec<&'static str> {
    let seed = &config.seed;
    let shared = network.records.iter().find_map(|record| match &record.value {
        NetValue::Token { token } => Some(token),
        NetValue::Owner { .. }
        | NetValue::Message { .. }
        | NetValue::Language { .. }
        | NetValue::Bot { .. }
        | NetValue::AlertRule { .. }
        | NetValue::QuietHours { .. }
        | NetValue::Leaving {}
        | NetValue::Alert(_)
        | NetValue::Other(_) => None,
    });
    // Standard input is `init`'s to read: a node that starts must not wait for it.
    let source = seed.bot_token.as_ref().filter(|source| **source != TokenSource::File("-".into()));
    let token = source.and_then(|source| source.read().ok());
    let own = network.peers.iter().map(|peer| &peer.owner).find(|owner| owner.node == node);
    let differences = [
        ("NETWORK_ID", seed.network_id.is_some_and(|id| id != network.network_id)),
        ("NETWORK_SECRET", seed.network_secret.as_ref().is_some_and(|secret| *secret != network.network_secret)),
        (
            "OWNER_USERNAME",
            seed.owner.as_ref().is_some_and(|owner| !owner.eq_ignore_ascii_case(&network.owner_username)),
        ),
        ("BOT_TOKEN", token.is_some_and(|token| Some(&token) != shared.or(network.own_token.as_ref()))),
        ("JOIN_URL", seed.join.as_ref().is_some_and(|link| link.network != network.network_id)),
        ("SERVER_NAME", own.is_some_and(|own| config.server_name.as_ref().is_some_and(|name| *name != own.name))),
        ("PRIORITY", own.is_some_and(|own| config.priority.is_some_and(|priority| priority != own.priority))),
    ];
    differences.into_iter().filter(|(_, differs)| *differs).map(|(setting, _)| setting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;
    use constella_shared::ids::{NetworkId, Pin, Term};
    use constella_shared::secret::Secret;
    use constella_shared::state::{Peer, STATE_FORMAT};
    use constella_shared::wire::more::More;
    use constella_shared::wire::records::{OwnerRecord, Stamp, VoterRecord};

    fn network(node: NodeId) -> NetworkState {
        let owner = OwnerRecord {
            node,
            stamp: Stamp { unix_ms: 1, count: 0, node },
            term: Term(0),
            name: "alpha".into(),
            priority: 100,
            pin: Pin([1; 32]),
            admitted_by: node,
            removed: false,
            more: More::none(),
        };
        NetworkState {
            format: STATE_FORMAT,
            network_id: NetworkId([0x5e; 32]),
            owner_username: "maria".into(),
            network_secret: Secret::new("5e".repeat(32)),
            secret_generation: 0,
            own_token: Some(Secret::new("123456:abcdefgh".into())),
            peers: vec![Peer { owner, own: None }],
            records: Vec::new(),
            voters: VoterRecord::default(),
            more: More::none(),
        }
    }

    #[test]
    fn the_state_wins_and_each_setting_that_differs_is_named() {
        let node = NodeId([1; 32]);
        let differing = |pairs: &[(&str, &str)]| {
            let environment: Environment =
                pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            differing(&Config::load(&environment, None).unwrap(), node, &network(node))
        };
        let (same, other) = ("5e".repeat(32), "5f".repeat(32));
        let none: &[&str] = &[];
        let cases = [
            ("SERVER_NAME", "alpha", "beta"),
            ("PRIORITY", "100", "7"),
            ("OWNER_USERNAME", "@Maria", "anna"),
            ("NETWORK_ID", &same, &other),
            ("NETWORK_SECRET", &same, &other),
            ("BOT_TOKEN", "123456:abcdefgh", "123456:abcdefgi"),
        ];
        for (name, as_stored, differs) in cases {
            assert_eq!(differing(&[(name, as_stored)]), none, "{name}");
            assert_eq!(differing(&[(name, differs)]), [name]);
        }
        // Absent is no difference, and nobody waits for standard input.
        assert_eq!(differing(&[]), none);
        assert_eq!(differing(&[("BOT_TOKEN_FILE", "-")]), none);
    }
}
