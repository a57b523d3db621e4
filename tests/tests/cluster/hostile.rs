//! A member that sends what no version sends, and files that hold what no network counts to: nobody ends by it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use constella_controller::control::{Question, Told, ask};
use constella_shared::ids::{CommandId, LeaderKey, NodeId, Pin, Term, TokenHash};
use constella_shared::limits::COUNT_MOST;
use constella_shared::secret::Secret;
use constella_shared::state::NetworkState;
use constella_shared::wire::more::More;
use constella_shared::wire::records::{
    InviteRecord, NetRecord, NetValue, OwnerRecord, Records, Stamp, VoterRecord, VotersMark,
};
use constella_shared::wire::rpc::{Request, Response, RosterSync, RpcCode, RpcError};
use constella_tests::cluster::{Node, View};
use serde_json::Value;

use super::{Bench, PATIENCE};

fn vote(node: &Node) -> std::path::PathBuf {
    node.state_folder().join("vote.json")
}

fn count(path: &Path, of: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap();
    serde_json::from_str::<Value>(&text).unwrap().get(of).and_then(Value::as_u64).unwrap()
}

/// S6, L3: `Bot.Handover` with the largest term, from a member that does not hold, and from the holder itself. It ended its receiver for good: the claim
/// asked and was refused without a pause until no file could be opened, and again after each start.
#[tokio::test(flavor = "multi_thread")]
async fn a_handover_with_the_largest_term_ends_nobody() {
    let bench = Bench::settled(3).await;
    let holder = bench.holder().await;
    let others: Vec<_> = bench.nodes().iter().filter(|node| node.name() != holder).collect();
    let (holder, sender, receiver) = (bench.node(&holder).unwrap(), others[0], others[1]);
    let params = format!(r#"{{"term":{}}}"#, u64::MAX);
    let addr = receiver.public().to_string();
    let refused = sender.cli(&["rpc", "--addr", &addr, "Bot.Handover", &params]).await.unwrap_err().to_string();
    assert!(refused.contains("only the holder"), "{refused}");
    for _ in 0..5 {
        holder.cli(&["rpc", "--addr", &addr, "Bot.Handover", &params]).await.unwrap();
    }
    bench.holder().await;
    assert!(bench.ask("/nodes").await.text.contains(receiver.name()));
    assert!(receiver.is_running() && receiver.exit_code().is_none());
    let open = fs::read_dir(format!("/proc/{}/fd", receiver.pids().0.unwrap())).unwrap().count();
    assert!(open < 200, "{open} files are open");
    for node in bench.nodes() {
        assert!(count(&vote(node), "term") < COUNT_MOST, "{}", node.name());
    }
    receiver.kill().unwrap();
    receiver.start().unwrap();
    bench.holder().await;
    bench.nothing_is_lost().await;
}

/// S6: what an earlier version took from such a message, or a damaged disk left, is set back at the start, with a line in the log.
#[tokio::test(flavor = "multi_thread")]
async fn counts_at_their_end_on_disk_are_set_back_at_the_start() {
    let bench = Bench::settled(2).await;
    let alpha = bench.node("alpha").unwrap();
    alpha.kill().unwrap();
    let path = vote(alpha);
    let mut state: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for field in ["term", "seq_reserved"] {
        state[field] = u64::MAX.into();
    }
    fs::write(&path, state.to_string()).unwrap();
    alpha.start().unwrap();
    bench.network.settled(PATIENCE).await.unwrap();
    assert!(bench.ask("/nodes").await.text.contains("alpha"));
    assert!(count(&path, "term") < COUNT_MOST);
    assert_eq!(alpha.log_lines("a stored count was damaged and is set back").len(), 2);
}

/// S8, F6: a member that does not hold orders a reboot and a speedtest of every other host, in the present term and in higher ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_does_not_hold_orders_nothing() {
    let bench = Bench::settled(3).await;
    let (_, mallory, _) = roles(&bench).await;
    let term = count(&vote(mallory), "term");
    for target in bench.nodes().iter().filter(|node| node.name() != mallory.name()) {
        for (number, term) in [term, term + 1, term + 900].into_iter().enumerate() {
            let takeover =
                Request::BotTakeover { holder: LeaderKey { priority: 0, node: id(mallory).await }, term: Term(term) };
            let _told = send(mallory, target, takeover).await;
            let command_id = CommandId([u8::try_from(number).unwrap() + 1; 32]);
            let (term, boot_id) = (Term(term), None);
            let reboot = Request::Reboot { command_id, term, expires_in_ms: 30_000, not_after_boot_ms: None, boot_id };
            for order in [reboot, Request::RunSpeedtest { command_id, term }] {
                let refused = send(mallory, target, order).await.unwrap_err();
                assert_eq!(refused.code, RpcCode::NotHolder, "{refused:?}");
            }
        }
        assert!(count(&vote(target), "term") <= term + 1, "nobody drives the terms");
        let status: Value = serde_json::from_str(&target.cli(&["status", "--json"]).await.unwrap()).unwrap();
        assert!(status["refused"]["orders"].as_u64() >= Some(6), "{status}");
    }
    assert_eq!(bench.reboots(), 0);
    let doctor = bench.nodes().iter().find(|node| node.name() != mallory.name()).unwrap().cli(&["doctor"]).await;
    assert!(doctor.unwrap().contains("note  refused: since its start this node has refused: orders"));
    assert!(bench.ask("/nodes").await.text.contains(mallory.name()));
    bench.nothing_is_lost().await;
}

/// R4, L1, S6: a member announces itself as the owner, switches alerts off, puts everybody out, takes all votes, and floods invitations and members.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_does_not_hold_changes_nothing_that_is_the_owners() {
    let bench = Bench::settled(3).await;
    let (holder, mallory, other) = roles(&bench).await;
    let before = holder.stored_records().unwrap();
    let stamp = Stamp { unix_ms: unix_ms() + 20_000, count: 0, node: id(holder).await };
    let forger = Forger { stamp, term: Term(count(&vote(holder), "term") + 5), before };
    for records in forger.forgeries() {
        for target in [holder, other] {
            let sync = RosterSync { records: records.clone(), ..RosterSync::default() };
            send(mallory, target, Request::RosterSync(sync)).await.unwrap();
        }
    }
    assert!(bench.ask("/nodes").await.text.contains(other.name()), "the owner is served");
    bench.owner().write("/invite 15m").await.unwrap();
    bench.sees("an invitation", |message| message.text.contains("join://")).await;
    // The members that it made up never answer, so the network is settled but for them: the rosters agree.
    let members = |node: &Node| {
        node.stored_records()
            .map(|state| state.peers.into_iter().map(|peer| peer.owner.node).collect::<BTreeSet<NodeId>>())
    };
    let agree = |_: &View| (members(holder).ok()? == members(other).ok()?).then_some(());
    bench.network.sees("rosters that agree", PATIENCE, agree).await.unwrap();
    for node in [holder, other] {
        let after = node.stored_records().unwrap();
        assert!(after.peers.iter().all(|peer| !peer.owner.removed), "{}", node.name());
        assert!(after.peers.len() < 60, "{} members", after.peers.len());
        assert_eq!(after.voters.new.len(), 3);
        let is_forged = |value: &NetValue| {
            matches!(value, NetValue::AlertRule { on: Some(false), .. } | NetValue::QuietHours { on: true, .. })
        };
        assert!(
            !after.records.iter().any(|record| is_forged(&record.value)),
            "{}: no alert is off or silent",
            node.name()
        );
        let status: Value = serde_json::from_str(&node.cli(&["status", "--json"]).await.unwrap()).unwrap();
        assert!(status["refused"]["records_not_of_the_holder"].as_u64() > Some(0), "{status}");
        assert!(node.log_lines("a record was refused").len() < 40, "a flood of records is no flood of the log");
    }
    bench.nothing_is_lost().await;
}

/// A member that writes records in the holder's name.
struct Forger {
    stamp: Stamp,
    term: Term,
    before: NetworkState,
}

impl Forger {
    fn forgeries(&self) -> Vec<Records> {
        let number = self.before.voters.mark.number;
        let tomorrow = self.stamp.unix_ms / 1_000 + 86_400;
        let mut all = vec![
            self.net(NetValue::Owner { username: "mallory".into(), telegram_id: Some(66), claim: None }),
            self.net(NetValue::Token { token: Secret::new("66:forged".into()) }),
            self.rule(),
            self.net(NetValue::QuietHours { on: true, from_min: 0, until_min: 1_439, zone: "UTC".into() }),
            self.members(|owner| OwnerRecord { removed: true, ..owner }),
            self.members(|owner| OwnerRecord { priority: 0, name: format!("x{}", owner.name), ..owner }),
            self.voters(number + 1),
            self.voters(u64::MAX),
            self.invitations(u64::MAX),
            self.invitations(tomorrow),
        ];
        all.extend((0..5).map(|part| self.ghosts(part * 6_000)));
        all
    }

    fn net(&self, value: NetValue) -> Records {
        Records { net: vec![NetRecord::new(self.stamp, self.term, value)], ..Records::default() }
    }

    fn rule(&self) -> Records {
        let mut records = self.net(NetValue::AlertRule { on: Some(false), threshold: None });
        records.net.iter_mut().for_each(|record| record.which = Some(RULE.into()));
        records
    }

    fn members(&self, change: impl Fn(OwnerRecord) -> OwnerRecord) -> Records {
        let (stamp, term) = (self.stamp, self.term);
        let owners = self.before.peers.iter().map(|peer| change(OwnerRecord { stamp, term, ..peer.owner.clone() }));
        Records { owners: owners.collect(), ..Records::default() }
    }

    fn voters(&self, number: u64) -> Records {
        let mark = VotersMark { number, term: self.term };
        Records {
            voters: Some(VoterRecord { mark, old: Vec::new(), new: vec![self.stamp.node] }),
            ..Records::default()
        }
    }

    fn invitations(&self, exp_ts: u64) -> Records {
        let invite = |number: u32| InviteRecord {
            token: TokenHash::over(&[&exp_ts.to_be_bytes(), &number.to_be_bytes()]),
            stamp: self.stamp,
            exp_ts,
            spent: None,
            more: More::none(),
        };
        Records { invites: (0..300).map(invite).collect(), ..Records::default() }
    }

    fn ghosts(&self, from: u32) -> Records {
        let first = &self.before.peers.first().unwrap().owner;
        let ghost = |number: u32| OwnerRecord {
            node: NodeId::over(&[&number.to_be_bytes()]),
            pin: Pin::over(&[&number.to_be_bytes()]),
            name: format!("ghost{number}"),
            stamp: self.stamp,
            term: self.term,
            ..first.clone()
        };
        Records { owners: (from..from + 6_000).map(ghost).collect(), ..Records::default() }
    }
}

/// The rule that a forger switches off.
const RULE: &str = "all/disk_full";

/// The holder, and two others.
async fn roles(bench: &Bench) -> (&Node, &Node, &Node) {
    let holder = bench.holder().await;
    let mut others = bench.nodes().iter().map(AsRef::as_ref).filter(|node: &&Node| node.name() != holder);
    (bench.node(&holder).unwrap(), others.next().unwrap(), others.next().unwrap())
}

async fn id(node: &Node) -> NodeId {
    node.status().await.unwrap().node_id
}

/// A request under the member's own key and secret: its controller signs whatever its root asks it to.
async fn send(from: &Node, to: &Node, request: Request) -> Result<Response, RpcError> {
    let question = Question::Rpc { addr: to.public().to_string(), request };
    let socket = from.state_folder().with_file_name("control.sock");
    match ask(&socket, &question).await.unwrap() {
        Told::Rpc { response } => Ok(response),
        Told::Refused { error } => Err(error),
        told => unreachable!("{told:?}"),
    }
}

fn unix_ms() -> u64 {
    u64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
