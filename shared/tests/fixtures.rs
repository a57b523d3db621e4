//! Recorded documents of protocol 1 (`fixtures/v1`), of protocol 2 (`fixtures/v2`) and of protocol 2 of the agent's socket (`fixtures/agent2`): this
//! version writes exactly these and reads exactly these values back, for ever.
//!
//! `REWRITE_FIXTURES=1 cargo test -p constella-shared --test fixtures` records anew; a changed recording needs its reason in the commit
//! and, for a new meaning, a new protocol. A version that is released keeps its folder: later ones read it, whatever they write themselves.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;

use constella_shared::agent::{
    AgentError, AgentErrorCode, Disk, Health, MinAvgMax, Missing, Net, Point, RebootAnswer, RebootOutcome,
    RebootRequest, Series, SeriesKind, SpeedtestFigures, SpeedtestPhase, SpeedtestRequest, SpeedtestState, Stats,
    Temperature,
};
use constella_shared::ids::{CommandId, Generation, LeaderKey, NetworkId, NodeId, Pin, Seq, Term, TokenHash};
use constella_shared::secret::Secret;
use constella_shared::state::{
    BootsState, CommandsState, InvitesState, JudgeState, LastGrant, NetworkState, Peer, STATE_FORMAT, VoteState,
};
use constella_shared::wire::alert::{Change, Kind, Standing, Subject, Transition, Unit, Value};
use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
use constella_shared::wire::heartbeat::{Digest, Facts, Glance, Heartbeat};
use constella_shared::wire::incident::{Ack, AlertRecord, AlertStage, IncidentId, MessageAt, Mute, Witnesses};
use constella_shared::wire::join::{JoinAnswer, JoinForward, JoinHandshake, JoinRequest};
use constella_shared::wire::lease::{
    LeaseAnswer, LeaseAsk, LeaseRefusal, LeaseRelease, LeaseState, LeaseView, Strength,
};
use constella_shared::wire::more::More;
use constella_shared::wire::records::{
    InviteRecord, NetRecord, NetValue, OwnerRecord, RecordKey, Records, SignedSelf, Spent, Stamp, VoterRecord,
    VotersMark,
};
use constella_shared::wire::rekey::RekeyAnswer;
use constella_shared::wire::rpc::{PeerRow, Request, Response, RosterSync, RpcCode, RpcError, Status, Word};
use constella_shared::wire::speaks::Speaks;
use serde::Serialize;
use serde::de::DeserializeOwned;

const A: NodeId = NodeId([0xa1; 32]);
const B: NodeId = NodeId([0xb2; 32]);
const COMMAND: CommandId = CommandId([0xc3; 32]);
const STAMP: Stamp = Stamp { unix_ms: 1_760_000_000_123, count: 2, node: A };
const KEY: LeaderKey = LeaderKey { priority: 100, node: A };
const MARK: VotersMark = VotersMark { number: 3, term: Term(5) };

/// Compares one kind of document with its recording, both ways.
fn recorded<T>(name: &str, values: Vec<(&str, T)>)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1").join(format!("{name}.json"));
    let written: BTreeMap<&str, serde_json::Value> =
        values.iter().map(|(case, value)| (*case, serde_json::to_value(value).unwrap())).collect();
    assert_eq!(written.len(), values.len(), "{name}: two cases of one name");
    if std::env::var_os("REWRITE_FIXTURES").is_some() {
        fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&written).unwrap())).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    let kept: BTreeMap<&str, Box<serde_json::value::RawValue>> = serde_json::from_str(&text).unwrap();
    assert_eq!(kept.len(), values.len(), "{name}: cases");
    for (case, value) in values {
        let raw = kept[case].get();
        assert_eq!(serde_json::from_str::<T>(raw).unwrap(), value, "{name}: {case} reads otherwise");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(raw).unwrap(),
            written[case],
            "{name}: {case} is written otherwise"
        );
    }
}

fn voters() -> VoterRecord {
    VoterRecord { mark: MARK, old: vec![A], new: vec![A, B] }
}

fn view() -> LeaseView {
    LeaseView { holder: KEY, term: Term(5), strength: Strength::Strong, polling: true, renewal: Seq(8), left_ms: 3_800 }
}

fn facts(glance: Option<Glance>) -> Facts {
    Facts {
        generation: Generation(7),
        boot_ms: 123_456,
        unix_ms: 1_760_000_000_123,
        up_ms: 99,
        ready: true,
        reaches_voters: false,
        stopping: false,
        sees: 3,
        glance,
        disk: None,
    }
}

fn owner(removed: bool) -> OwnerRecord {
    OwnerRecord {
        node: B,
        stamp: STAMP,
        term: Term(5),
        name: "бета".into(),
        priority: 70,
        pin: Pin([0xd4; 32]),
        admitted_by: A,
        removed,
        more: More::none(),
    }
}

fn net(value: NetValue) -> NetRecord {
    NetRecord::new(STAMP, Term(5), value)
}

fn net_values() -> Vec<(&'static str, NetValue)> {
    let claim = Some(TokenHash([0xe5; 32]));
    vec![
        ("owner_unclaimed", NetValue::Owner { username: "owner".into(), telegram_id: None, claim }),
        ("owner_pinned", NetValue::Owner { username: "owner".into(), telegram_id: Some(42), claim: None }),
        ("token", NetValue::Token { token: Secret::new("123:abcdefgh".into()) }),
        ("message", NetValue::Message { chat: -5, message: 17 }),
        ("language", NetValue::Language { code: "ru".into() }),
        ("bot", NetValue::Bot { id: 123, username: "constella_bot".into() }),
        ("leaving", NetValue::Leaving {}),
    ]
}

fn alert(closed: bool) -> NetValue {
    let subject = Subject::part(B, Kind::DiskFull, "/var");
    NetValue::Alert(Box::new(AlertRecord {
        incident: IncidentId::of(&subject, 1_760_000_000_000),
        stage: if closed { AlertStage::Closed } else { AlertStage::Open },
        raised_unix_ms: 1_760_000_000_000,
        value: Value { amount: 921, unit: Unit::PercentTenths, mark: Some(900) },
        by: B,
        witnesses: closed.then_some(Witnesses { silent: 2, of: 3 }),
        cleared_unix_ms: closed.then_some(1_760_000_060_000),
        raises: vec![1_760_000_000_500],
        message: Some(MessageAt { chat: 42, message: 18 }),
        sounded: true,
        noted: closed,
        ack: (!closed).then(|| Ack { by: "owner".into(), at_unix_ms: 1_760_000_010_000 }),
        mute: (!closed).then(|| Mute { by: "owner".into(), until_unix_ms: Some(1_760_003_610_000) }),
        subject,
    }))
}

fn standing() -> Standing {
    let value = Value::of(965, Unit::PercentTenths);
    Standing { subject: Subject::whole(B, Kind::Cpu), since_unix_ms: 1_760_000_000_000, value }
}

fn records() -> Records {
    let words = SignedSelf { body: "{\"node\":\"..\"}".into(), cert: "MIIB".into(), signature: "00ff".into() };
    let spent = Some(Spent { node: B, pin: Pin([0xd4; 32]) });
    Records {
        selfs: vec![words],
        owners: vec![owner(false), owner(true)],
        // As it was recorded first; a kind that came later has a case of its own.
        net: net_values().into_iter().filter(|(case, _)| *case != "leaving").map(|(_, value)| net(value)).collect(),
        invites: vec![
            InviteRecord {
                token: TokenHash([1; 32]),
                stamp: STAMP,
                exp_ts: 1_760_000_900,
                spent: None,
                more: More::none(),
            },
            InviteRecord { token: TokenHash([2; 32]), stamp: STAMP, exp_ts: 1_760_000_900, spent, more: More::none() },
        ],
        voters: Some(voters()),
    }
}

fn command(content: CommandContent, stage: Stage) -> StoredCommand {
    StoredCommand {
        id: COMMAND,
        update_id: 1_001,
        user: 42,
        username: Some("owner".into()),
        language: Some("ru".into()),
        chat: 42,
        content,
        stage,
        taken_by: A,
        taken_unix_ms: 1_760_000_000_123,
        more: More::none(),
    }
}

fn commands() -> Vec<StoredCommand> {
    let text = CommandContent::Text { text: "/nodes".into() };
    let button = CommandContent::Button { callback_id: "77".into(), data: "r:b2b2b2b2".into(), message: 17 };
    let rebooting = |not_after_boot_ms| Stage::Rebooting {
        target: B,
        boot_id: Some("9d5e".into()),
        not_after_unix_ms: 1_760_000_060_123,
        not_after_boot_ms,
        asked_unix_ms: Some(1_760_000_001_000),
    };
    vec![
        command(text.clone(), Stage::Taken),
        command(button.clone(), rebooting(None)),
        command(button, rebooting(Some(123_456))),
        command(text.clone(), Stage::Testing { target: B, asked_unix_ms: 1_760_000_001_000 }),
        command(text, Stage::Done),
    ]
}

fn join_request() -> JoinRequest {
    JoinRequest {
        name: "gamma".into(),
        network_id: NetworkId([4; 32]),
        addr: Some("203.0.113.9:4747".into()),
        port: 4747,
        node_id: B,
        priority: 100,
        version: "0.1.0".into(),
        protocol: 1,
        cert: "MIIB".into(),
    }
}

fn join_answer() -> JoinAnswer {
    JoinAnswer {
        network_id: NetworkId([4; 32]),
        owner_username: "owner".into(),
        network_secret: Secret::new("5e".repeat(32)),
        secret_generation: 1,
        addr: "203.0.113.9:4747".into(),
        records: records(),
    }
}

fn figures() -> SpeedtestFigures {
    SpeedtestFigures { latency_ms: Some(12.5), jitter_ms: None, download_bps: Some(94_000_000), upload_bps: None }
}

fn speedtests() -> Vec<(&'static str, SpeedtestState)> {
    let running = SpeedtestState::Running {
        command_id: COMMAND,
        phase: SpeedtestPhase::Download,
        percent: 40,
        so_far: figures(),
    };
    vec![
        ("idle", SpeedtestState::Idle),
        ("running", running),
        ("done", SpeedtestState::Done { command_id: COMMAND, at_unix_s: 1_760_000_000, figures: figures() }),
        (
            "failed",
            SpeedtestState::Failed { command_id: COMMAND, at_unix_s: 1_760_000_000, message: "no route".into() },
        ),
    ]
}

fn stats() -> Stats {
    Stats {
        at_unix_s: 1_760_000_000,
        hostname: "beta".into(),
        boot_id: Some("9d5e".into()),
        uptime_s: Some(86_400),
        kernel: "6.1.0".into(),
        cpu_percent: Some(12.5),
        cores_percent: vec![25.0, 0.0],
        load: Some([0.5, 0.25, 0.125]),
        mem_total: Some(2_000_000_000),
        mem_used: Some(1_000_000_000),
        swap_total: Some(0),
        swap_used: Some(0),
        disks: vec![Disk {
            mount: "/".into(),
            device: "/dev/vda1".into(),
            fs: "ext4".into(),
            total: 10,
            used: 5,
            ..Disk::default()
        }],
        nets: vec![Net { name: "eth0".into(), rx_total: 1, tx_total: 2, rx_rate: 3, tx_rate: 4 }],
        temperatures: vec![Temperature { label: "cpu".into(), celsius: 40.5, critical: None }],
        agent_version: "0.1.0".into(),
        ..Stats::default()
    }
}

/// What agents of protocol 2 tell besides: figures that are absent, and why.
fn gaps() -> Stats {
    let missing = |figure: &str, why: &str| Missing { figure: figure.into(), why: why.into() };
    let disk = |disk| Disk { available: Some(4), ..disk };
    Stats {
        pid1_start: Some(4242),
        age_s: Some(40),
        load: None,
        mem_used: None,
        disks: stats().disks.into_iter().map(disk).collect(),
        missing: vec![missing("load", "cannot read /proc/loadavg"), missing("memory", "there is no MemAvailable")],
        ..stats()
    }
}

/// What alerts need besides.
fn marks() -> Stats {
    let disk = |disk| Disk { inodes_total: Some(64), inodes_used: Some(8), ..disk };
    let sensor = |sensor| Temperature { critical: Some(100.0), ..sensor };
    Stats {
        swap_rates: Some([4096, 8192]),
        disks: stats().disks.into_iter().map(disk).collect(),
        temperatures: stats().temperatures.into_iter().map(sensor).collect(),
        ..stats()
    }
}

fn series() -> Series {
    let point = Point { t: 1_760_000_000, v: vec![Some(MinAvgMax(0.5, 1.5, 2.5))] };
    Series { kind: SeriesKind::Cpu, step_s: 60, channels: vec!["cpu".into()], points: vec![point] }
}

fn reboots() -> Vec<(&'static str, RebootAnswer)> {
    let answer = |outcome| RebootAnswer { command_id: COMMAND, outcome };
    let failed = |status| RebootOutcome::Failed { status, stderr: "no".into() };
    vec![
        ("started", answer(RebootOutcome::Started)),
        ("accepted", answer(RebootOutcome::Accepted)),
        ("failed", answer(failed(Some(1)))),
        ("killed", answer(failed(None))),
    ]
}

#[test]
fn heartbeats() {
    let full = Heartbeat {
        swim: vec!["AAEC".into()],
        roster: Digest(0x0123_4567_89ab_cdef),
        view: Digest(1),
        lease: Some(view()),
        facts: facts(Some(Glance { cpu: 12, mem: 50 })),
    };
    let bare = Heartbeat { swim: Vec::new(), roster: Digest(0), view: Digest(0), lease: None, facts: facts(None) };
    recorded("heartbeat", vec![("full", full), ("bare", bare)]);
}

#[test]
fn announcements() {
    recorded("announce", vec![("full", records()), ("empty", Records::default())]);
    let alerts = [("alert_open", alert(false)), ("alert_closed", alert(true))];
    recorded("net_value", net_values().into_iter().chain(alerts).collect());
}

#[test]
fn requests() {
    let ask = LeaseAsk {
        holder: KEY,
        term: Term(5),
        seq: Seq(9),
        mark: MARK,
        voters: Some(voters()),
        grants: 2,
        held: None,
        polling: false,
    };
    let sync = RosterSync {
        buckets: vec![Digest(1), Digest(2)],
        have: vec![(RecordKey::Self_(A), STAMP), (RecordKey::Net("owner".into()), STAMP)],
        records: records(),
        want: vec![RecordKey::Owner(B), RecordKey::Invite(TokenHash([1; 32])), RecordKey::Voters],
    };
    let forward = JoinForward {
        token: TokenHash([1; 32]),
        pin: Pin([0xd4; 32]),
        addr: "203.0.113.9:4747".into(),
        request: join_request(),
    };
    let reboot = |not_after_boot_ms, boot_id: Option<&str>| Request::Reboot {
        command_id: COMMAND,
        term: Term(5),
        expires_in_ms: 60_000,
        not_after_boot_ms,
        boot_id: boot_id.map(Into::into),
    };
    recorded(
        "request",
        vec![
            ("get_peers", Request::GetPeers {}),
            ("get_stats", Request::GetStats {}),
            ("get_ts", Request::GetTs { kind: SeriesKind::Net, hours: 6, points: None }),
            ("get_ts_points", Request::GetTs { kind: SeriesKind::Net, hours: 6, points: Some(96) }),
            ("run_speedtest", Request::RunSpeedtest { command_id: COMMAND, term: Term(5) }),
            ("get_speedtest", Request::GetSpeedtest {}),
            ("reboot", reboot(Some(123_456), None)),
            ("reboot_of_a_boot", reboot(Some(123_456), Some("9d5e"))),
            ("reboot_by_hand", reboot(None, None)),
            ("join", Request::Join(forward)),
            ("lease_get", Request::LeaseGet { heir: Some(KEY), holder: Some(B) }),
            ("lease_get_bare", Request::LeaseGet { heir: None, holder: None }),
            ("lease_acquire", Request::LeaseAcquire(ask.clone())),
            ("lease_renew", Request::LeaseAcquire(LeaseAsk { voters: None, ..ask.clone() })),
            (
                "lease_renew_held",
                Request::LeaseAcquire(LeaseAsk { voters: None, held: Some(Strength::Strong), polling: true, ..ask }),
            ),
            (
                "lease_release",
                Request::LeaseRelease(LeaseRelease { holder: A, term: Term(5), seq: Seq(10), stopping: true }),
            ),
            ("bot_takeover", Request::BotTakeover { holder: KEY, term: Term(5) }),
            ("bot_offer", Request::BotOffer { term: Term(5) }),
            ("bot_handover", Request::BotHandover { term: Term(5) }),
            ("roster_sync", Request::RosterSync(sync)),
            ("roster_sync_empty", Request::RosterSync(RosterSync::default())),
            ("members_sync", Request::MembersSync { members: vec!["AAEC".into()] }),
            ("command_store", Request::CommandStore { commands: commands(), term: Term(5), adopt: false }),
            ("command_done", Request::CommandDone { ids: vec![COMMAND], ordered: Vec::new() }),
            ("command_done_ordered", Request::CommandDone { ids: vec![COMMAND], ordered: vec![COMMAND] }),
            ("alerts_witness", Request::AlertsWitness { nodes: vec![A, B] }),
            ("alerts_tell", Request::AlertsTell { standing: vec![standing()] }),
        ],
    );
}

#[test]
fn responses() {
    let row = PeerRow {
        name: "beta".into(),
        node_id: B,
        addr: "[2001:db8::2]:4747".into(),
        status: Status::Suspect,
        last_seen: 1_760_000_000,
        priority: 70,
        leader: false,
        version: "0.1.0".into(),
        rtt_ms: Some(23),
        reached: 1_759_999_990,
        skew_ms: Some(-1_250),
    };
    let refused = |reason| LeaseAnswer::Refused { reason, term: Term(6), voters: None };
    let vote = |answer| Response::Vote { answer, facts: facts(None) };
    let mut cases = vec![
        ("done", Response::Done),
        ("peers", Response::Peers { peers: vec![row] }),
        ("stats", Response::Stats { stats: stats(), controller_version: "0.1.0".into() }),
        ("series", Response::Series { series: series() }),
        ("joined", Response::Joined { answer: join_answer() }),
        (
            "lease",
            Response::Lease {
                state: LeaseState {
                    view: Some(view()),
                    term: Term(5),
                    voters: voters(),
                    would_grant: true,
                    granted: None,
                },
            },
        ),
        ("granted", vote(LeaseAnswer::Granted { mark: MARK })),
        ("held", vote(refused(LeaseRefusal::Held { rival: KEY, grants: 2, left_ms: 900 }))),
        (
            "older_voters",
            vote(LeaseAnswer::Refused { reason: LeaseRefusal::OlderVoters, term: Term(6), voters: Some(voters()) }),
        ),
        ("old_term", vote(refused(LeaseRefusal::OldTerm))),
        ("term_leap", vote(refused(LeaseRefusal::TermLeap))),
        ("old_seq", vote(refused(LeaseRefusal::OldSeq))),
        ("just_started", vote(refused(LeaseRefusal::JustStarted { left_ms: 900 }))),
        ("proof", Response::Proof { ready: true, majority: false }),
        ("sync", Response::Sync { sync: RosterSync::default() }),
        ("members", Response::Members { members: vec!["AAEC".into()] }),
        (
            "witnessed",
            Response::Witnessed {
                words: vec![
                    Word { heard_ms: Some(300), silent_ms: None },
                    Word { heard_ms: None, silent_ms: Some(31_000) },
                ],
            },
        ),
    ];
    let boot_id = Some("9d5e".to_owned());
    cases.extend(
        reboots().into_iter().map(|(name, answer)| (name, Response::Reboot { answer, boot_id: boot_id.clone() })),
    );
    recorded("response", cases);
    recorded("speedtest", speedtests().into_iter().map(|(name, test)| (name, Response::Speedtest { test })).collect());
}

#[test]
fn refusals() {
    use RpcCode::{
        AgentFailed, AgentUnreachable, BadHeaders, BadInvite, BadMac, BadRequest, Busy, ClockSkew, Disabled,
        EarlierBoot, NameTaken, NotAMember, NotHolder, OldTerm, OtherSecret, Protocol, Replayed, Starting, Stopping,
        TimedOut, TooLarge, TooLate, TooMany, UnknownMethod, Unreachable, WrongNetwork, WrongRecipient,
    };
    let codes = [
        BadRequest,
        UnknownMethod,
        WrongRecipient,
        NotAMember,
        BadMac,
        Replayed,
        ClockSkew,
        EarlierBoot,
        OtherSecret,
        BadHeaders,
        OldTerm,
        TooLate,
        Disabled,
        Busy,
        AgentUnreachable,
        AgentFailed,
        NotHolder,
        BadInvite,
        NameTaken,
        Unreachable,
        WrongNetwork,
        TooMany,
        TooLarge,
        TimedOut,
        Protocol,
        Starting,
        Stopping,
    ];
    let names: Vec<String> = codes.iter().map(|code| format!("{code:?}")).collect();
    let error = |code| RpcError { code, message: "one sentence".into() };
    recorded("refusal", names.iter().map(String::as_str).zip(codes.map(error)).collect());
}

#[test]
fn joining() {
    recorded(
        "join_request",
        vec![("with_addr", join_request()), ("without_addr", JoinRequest { addr: None, ..join_request() })],
    );
    recorded("join_answer", vec![("full", join_answer())]);
    let handshake = JoinHandshake { protocol_min: 1, protocol_max: 1, unix_s: 1_760_000_000, net_matches: true };
    recorded("join_handshake", vec![("matches", handshake)]);
    let rekey = RekeyAnswer { network_secret: Secret::new("5e".repeat(32)), secret_generation: 2 };
    recorded("rekey", vec![("answer", rekey)]);
}

#[test]
fn state_files() {
    let words = SignedSelf { body: "{}".into(), cert: "MIIB".into(), signature: "00".into() };
    recorded(
        "network_state",
        vec![(
            "full",
            NetworkState {
                format: STATE_FORMAT,
                network_id: NetworkId([4; 32]),
                owner_username: "owner".into(),
                network_secret: Secret::new("5e".repeat(32)),
                secret_generation: 1,
                own_token: Some(Secret::new("123:abcdefgh".into())),
                peers: vec![Peer { owner: owner(false), own: Some(words) }, Peer { owner: owner(true), own: None }],
                records: records().net,
                voters: voters(),
                more: More::none(),
            },
        )],
    );
    recorded(
        "invites",
        vec![("full", InvitesState { format: STATE_FORMAT, invites: records().invites, more: More::none() })],
    );
    let vote = VoteState {
        format: STATE_FORMAT,
        generation: Generation(7),
        term: Term(5),
        seq_reserved: Seq(1_000),
        starts: vec![1_760_000_000],
        granted: None,
        more: More::none(),
    };
    let granted = Some(LastGrant { holder: KEY, term: Term(5) });
    recorded("vote", vec![("full", vote.clone()), ("granted", VoteState { granted, ..vote })]);
    recorded(
        "commands",
        vec![
            (
                "full",
                CommandsState {
                    format: STATE_FORMAT,
                    open: commands(),
                    done: vec![COMMAND],
                    ordered: Vec::new(),
                    executed: vec![COMMAND],
                    refused: Vec::new(),
                    judge: JudgeState::empty(),
                    more: More::none(),
                },
            ),
            (
                "running",
                CommandsState {
                    open: vec![command(
                        CommandContent::Text { text: "/quota".into() },
                        Stage::Running { room: "quota".into(), data: r#"{"node":"b","step":2}"#.into() },
                    )],
                    ..CommandsState::empty()
                },
            ),
            (
                "ordered_and_refused",
                CommandsState {
                    done: vec![COMMAND],
                    ordered: vec![COMMAND],
                    refused: vec![COMMAND],
                    ..CommandsState::empty()
                },
            ),
        ],
    );
}

/// A node that judged itself.
fn judged() -> JudgeState {
    let part = Subject::part(A, Kind::DiskFull, "/srv");
    let value = Value { amount: 910, unit: Unit::PercentTenths, mark: Some(900) };
    let boots = BootsState { boot: Some("9d5e/4242".into()), ordered_unix_ms: Some(1_760_000_000_000) };
    let standing = vec![Standing { subject: part, since_unix_ms: 1_760_000_000_000, value }];
    JudgeState { standing, boots }
}

/// What alerts need on the wire and in the roster.
#[test]
fn alerts() {
    let event = Subject::whole(A, Kind::UnexpectedReboot);
    let seconds = Value::of(-5, Unit::Seconds);
    let change = |change| Transition { subject: event.clone(), at_unix_ms: 1_760_000_000_000, change };
    recorded(
        "../v2/alert_transition",
        vec![
            ("raised", change(Change::Raised(Value::none()))),
            ("worse", change(Change::Worse(seconds))),
            ("cleared", change(Change::Cleared)),
        ],
    );
    recorded("../v2/commands", vec![("judged", CommandsState { judge: judged(), ..CommandsState::empty() })]);
    recorded("../v2/alert_standing", vec![("part", judged().standing.remove(0))]);
    recorded(
        "../v2/net_value",
        vec![
            ("threshold", NetValue::AlertRule { on: Some(true), threshold: Some(850) }),
            ("off", NetValue::AlertRule { on: Some(false), threshold: None }),
            ("taken_back", NetValue::AlertRule { on: None, threshold: None }),
            ("quiet", NetValue::QuietHours { on: true, from_min: 1380, until_min: 420, zone: "Europe/Berlin".into() }),
        ],
    );
}

#[test]
fn agents_documents() {
    let health = |last_reboot| Health {
        ok: true,
        version: "0.1.0".into(),
        protocol: 1,
        reboot_allowed: true,
        speedtest_allowed: false,
        last_reboot,
        missing: Vec::new(),
    };
    let newest = reboots().into_iter().next().map(|(_, answer)| answer);
    recorded("agent_health", vec![("fresh", health(None)), ("after_a_reboot", health(newest))]);
    recorded("agent_stats", vec![("full", stats()), ("empty", Stats::default().for_protocol_1())]);
    recorded("agent_series", vec![("cpu", series())]);
    // Protocol 2 of the agent.
    let (absent, known) = (None, Some(MinAvgMax(0.5, 1.5, 2.5)));
    let channels = SeriesKind::Disk.channels().iter().map(|&name| name.to_owned()).collect();
    let disk = Series { kind: SeriesKind::Disk, channels, ..series() };
    let disk = Series { points: vec![Point { t: 1_760_000_000, v: vec![known, absent, absent] }], ..disk };
    assert_eq!(serde_json::to_value(gaps().for_protocol_1()).unwrap().as_object().unwrap().len(), 16, "as ever");
    let told = |stats| Response::Stats { stats, controller_version: "0.1.0".into() };
    assert_eq!(*Speaks::of(None).response(&told(gaps())), told(gaps().for_protocol_1()));
    assert_eq!(*Speaks::of(Some(2)).response(&told(gaps())), told(gaps()));
    let series = |series| Response::Series { series };
    let first = Speaks::of(Some(1));
    assert_eq!(*first.response(&series(disk.clone())), series(Series { points: vec![], ..disk.clone() }));
    recorded("../agent2/stats", vec![("gaps", gaps()), ("marks", marks()), ("nothing", Stats::default())]);
    recorded("../agent2/health", vec![("gaps", Health { protocol: 2, missing: gaps().missing, ..health(None) })]);
    recorded("../agent2/series", vec![("gaps", disk)]);
    recorded("agent_speedtest", speedtests());
    recorded("agent_speedtest_request", vec![("start", SpeedtestRequest { command_id: COMMAND })]);
    recorded("agent_reboot_request", vec![("now", RebootRequest { command_id: COMMAND, not_after_boottime_ms: 99 })]);
    recorded("agent_reboot", reboots());
    use AgentErrorCode::{BadRequest, Busy, Disabled, Failed, TooLarge, TooLate, TooSoon, UnknownPath};
    let codes = [Disabled, BadRequest, UnknownPath, TooLarge, Busy, TooLate, TooSoon, Failed];
    let names: Vec<String> = codes.iter().map(|code| format!("{code:?}")).collect();
    let error = |code| AgentError { code, message: "one sentence".into() };
    recorded("agent_error", names.iter().map(String::as_str).zip(codes.map(error)).collect());
}
