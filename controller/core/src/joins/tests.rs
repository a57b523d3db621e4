//! Joining, DESIGN 7: points 1, 4 and 5, from the refusals on.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use constella_shared::ids::NetworkId;
use constella_shared::link::{InviteId, InviteLink, join_mac, token_hash};
use constella_shared::secret::Secret;
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::rpc::RpcCode;

use super::*;
use crate::roster::fake::{FakeKeys, alone, at, keys, node, open, pin};
use crate::roster::{Edit, adopt};

/// A seed that holds the lease itself, with one open invitation.
struct Seed {
    joins: Joins,
    roster: Roster,
    calls: Calls,
    link: InviteLink,
}

impl Seed {
    fn new() -> Self {
        let mut roster = alone();
        let (_, link) = invite(at(0), &mut roster, [7; 32], 900, &[]).unwrap();
        Self { joins: Joins::new(), roster, calls: Calls::new(), link }
    }

    fn more(&mut self, entropy: u8) -> InviteLink {
        invite(at(0), &mut self.roster, [entropy; 32], 900, &[]).unwrap().1
    }

    fn attempt_as(&mut self, now: Now, holder: Holder, join: &JoinAttempt) -> Vec<Effect> {
        self.joins.attempt(now, &mut self.roster, holder, InboundId(1), join, &mut self.calls)
    }

    fn attempt(&mut self, join: &JoinAttempt) -> Vec<Effect> {
        self.attempt_as(at(10), ME, join)
    }

    /// The whole way, the dial-back meeting the right certificate.
    fn join(&mut self, number: u64, join: &JoinAttempt) -> Result<JoinAnswer, RpcError> {
        let mut effects = self.attempt(join);
        if let [Effect::DialBack { call, .. }] = effects[..] {
            effects = self.joins.dialed(at(20), &mut self.roster, ME, call, Ok(pin(number)), &mut self.calls);
        }
        answer_of(&effects)
    }

    /// Digest and open invitations: what a refusal must leave alone.
    fn state(&self) -> (constella_shared::wire::heartbeat::Digest, usize) {
        (self.roster.digest(), self.roster.open_invites(0))
    }
}

const ME: Holder = Holder::Me(Term(3));

fn answer_of(effects: &[Effect]) -> Result<JoinAnswer, RpcError> {
    match effects.last() {
        Some(Effect::Reply { result, .. }) => result.clone(),
        other => panic!("no reply but {other:?}"),
    }
}

fn code(effects: &[Effect]) -> RpcCode {
    answer_of(effects).unwrap_err().code
}

fn request(number: u64) -> JoinRequest {
    JoinRequest {
        name: format!("node-{number}"),
        network_id: NetworkId([9; 32]),
        addr: None,
        port: 4747,
        node_id: node(number),
        priority: 100,
        version: "0.1.0".to_string(),
        protocol: PROTOCOL,
        cert: FakeKeys::cert(number),
    }
}

fn join_with(link: &InviteLink, number: u64, request: &JoinRequest) -> JoinAttempt {
    let body = serde_json::to_vec(request).unwrap();
    let token = token_hash(&link.token);
    let mac = join_mac(&token, &pin(number), &body);
    JoinAttempt {
        pin: pin(number),
        cert: FakeKeys::cert(number),
        source: format!("203.0.113.{number}"),
        invite: InviteId::of(&token),
        mac,
        body,
    }
}

fn join(link: &InviteLink, number: u64) -> JoinAttempt {
    join_with(link, number, &request(number))
}

#[test]
fn a_joiner_with_a_link_is_dialed_back_and_let_in() {
    // DESIGN 7.4, 7.5
    let mut seed = Seed::new();
    let effects = seed.attempt(&join(&seed.link.clone(), 2));
    let [Effect::DialBack { call, addr }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(addr, "203.0.113.2:4747", "where it came from, with its port");
    let effects = seed.joins.dialed(at(20), &mut seed.roster, ME, *call, Ok(pin(2)), &mut seed.calls);
    let Effect::Admitted { node: Some(who), records } = &effects[0] else { panic!("{effects:?}") };
    assert_eq!((*who, records.owners.len(), records.invites.len()), (node(2), 1, 1));
    let answer = answer_of(&effects).unwrap();
    assert_eq!(answer.addr, "203.0.113.2:4747");
    let (network, invites) = adopt(node(2), pin(2), answer, None).unwrap();
    let (joined, refused) = Roster::open(node(2), pin(2), network, invites, 30_000, &keys(2)).unwrap();
    assert_eq!(refused, []);
    assert_eq!(joined.digest(), seed.roster.digest());
    assert_eq!(joined.token().unwrap().expose(), "123:token");
}

#[test]
fn an_ipv6_source_is_dialed_in_brackets_and_a_given_address_as_given() {
    // S5
    let mut seed = Seed::new();
    let link = seed.link.clone();
    let from_v6 = JoinAttempt { source: "2001:db8::7".to_string(), ..join(&link, 2) };
    assert!(matches!(&seed.attempt(&from_v6)[..], [Effect::DialBack { addr, .. }] if addr == "[2001:db8::7]:4747"));
    let named = JoinRequest { addr: Some("beta.example:5000".to_string()), ..request(2) };
    let effects = seed.attempt(&join_with(&link, 2, &named));
    assert!(matches!(&effects[..], [Effect::DialBack { addr, .. }] if addr == "beta.example:5000"));
}

#[test]
fn whoever_lacks_the_token_is_refused_before_the_body_is_read() {
    // S2
    let mut seed = Seed::new();
    let (link, before) = (seed.link.clone(), seed.state());
    let good = join(&link, 2);
    let other = InviteLink { token: Secret::new("00".repeat(32)), ..link.clone() };
    let mut flipped = good.clone();
    flipped.mac[0] ^= 1;
    let unreadable = |mut join: JoinAttempt| {
        join.body = b"not json".to_vec();
        join
    };
    for join in [
        join(&other, 2),
        flipped,
        JoinAttempt { pin: pin(3), cert: FakeKeys::cert(3), ..good.clone() },
        unreadable(good.clone()),
        JoinAttempt { invite: InviteId([0; 16]), ..good.clone() },
    ] {
        let refusal = answer_of(&seed.attempt(&join)).unwrap_err();
        assert_eq!(refusal, refuse::bad_invite(), "one refusal for all: nothing is told apart");
    }
    let long = JoinAttempt { body: vec![b' '; 9_000], ..good };
    assert_eq!(code(&seed.attempt(&long)), RpcCode::TooLarge);
    assert_eq!(seed.state(), before);
}

#[test]
fn what_the_body_says_must_hold() {
    // DESIGN 7.4
    let mut seed = Seed::new();
    let (link, before) = (seed.link.clone(), seed.state());
    let with = |change: &dyn Fn(&mut JoinRequest)| {
        let mut changed = request(2);
        change(&mut changed);
        join_with(&link, 2, &changed)
    };
    let cases = [
        (with(&|r| r.network_id = NetworkId([1; 32])), RpcCode::WrongNetwork),
        (with(&|r| r.protocol = PROTOCOL + 1), RpcCode::Protocol),
        (with(&|r| r.name = "<b>".to_string()), RpcCode::BadRequest),
        (with(&|r| r.name = String::new()), RpcCode::BadRequest),
        (with(&|r| r.cert = FakeKeys::cert(3)), RpcCode::BadRequest),
        (with(&|r| r.port = 0), RpcCode::BadRequest),
        (with(&|r| r.addr = Some("user@host:1".to_string())), RpcCode::BadRequest),
        (with(&|r| r.addr = Some("host".to_string())), RpcCode::BadRequest),
        (with(&|r| r.version = "\n".to_string()), RpcCode::BadRequest),
        (with(&|r| r.node_id = node(1)), RpcCode::BadRequest),
        (with(&|r| r.name = "ALPHA".to_string()), RpcCode::NameTaken),
    ];
    for (at, (join, expected)) in cases.iter().enumerate() {
        assert_eq!(code(&seed.attempt(join)), *expected, "case {at}");
    }
    let mut unknown_field = serde_json::to_value(request(2)).unwrap();
    unknown_field["extra"] = 1.into();
    let body = serde_json::to_vec(&unknown_field).unwrap();
    let mac = join_mac(&token_hash(&link.token), &pin(2), &body);
    let extra = JoinAttempt { body, mac, ..join(&link, 2) };
    assert_eq!(code(&seed.attempt(&extra)), RpcCode::BadRequest);
    assert_eq!(seed.state(), before, "nothing was spent, nobody came in");
}

#[test]
fn a_taken_name_is_refused_with_a_free_one_and_the_link_still_holds() {
    // DESIGN 7.4
    let mut seed = Seed::new();
    let link = seed.link.clone();
    let taken = JoinRequest { name: "alpha".to_string(), ..request(2) };
    let refusal = answer_of(&seed.attempt(&join_with(&link, 2, &taken))).unwrap_err();
    assert!(refusal.message.contains("alpha-2"), "{}", refusal.message);
    let free = JoinRequest { name: "alpha-2".to_string(), ..request(2) };
    assert!(seed.join(2, &join_with(&link, 2, &free)).is_ok());
}

#[test]
fn a_closed_port_or_another_server_there_costs_nothing() {
    // DESIGN 7.4
    let mut seed = Seed::new();
    let (link, before) = (seed.link.clone(), seed.state());
    for result in [Err("connection refused".to_string()), Ok(pin(5))] {
        let effects = seed.attempt(&join(&link, 2));
        let [Effect::DialBack { call, .. }] = effects[..] else { panic!("{effects:?}") };
        let effects = seed.joins.dialed(at(20), &mut seed.roster, ME, call, result, &mut seed.calls);
        let refusal = answer_of(&effects).unwrap_err();
        assert_eq!(refusal.code, RpcCode::Unreachable);
        assert!(refusal.message.contains("203.0.113.2"), "{}", refusal.message);
        assert!(!seed.joins.awaits(call));
        assert_eq!(seed.joins.dialed(at(30), &mut seed.roster, ME, call, Ok(pin(2)), &mut seed.calls), []);
    }
    assert_eq!(seed.state(), before);
    assert!(seed.join(2, &join(&link, 2)).is_ok(), "the link still holds");
}

#[test]
fn one_token_lets_in_one_node_and_that_one_again() {
    // DESIGN 7.4
    let mut seed = Seed::new();
    let link = seed.link.clone();
    // Two at once: both are dialed before either is admitted.
    let (one, two) = (seed.attempt(&join(&link, 2)), seed.attempt(&join(&link, 3)));
    let ([Effect::DialBack { call: one, .. }], [Effect::DialBack { call: two, .. }]) = (&one[..], &two[..]) else {
        panic!("both are dialed")
    };
    let first = seed.joins.dialed(at(20), &mut seed.roster, ME, *one, Ok(pin(2)), &mut seed.calls);
    let second = seed.joins.dialed(at(21), &mut seed.roster, ME, *two, Ok(pin(3)), &mut seed.calls);
    let answer = answer_of(&first).unwrap();
    assert_eq!(answer_of(&second), Err(refuse::spent()));
    assert!(!seed.roster.is_member(&node(3)));
    // The answer was lost: the same node gets it again, also after the link's end, and nothing new is written.
    let late = seed.attempt_as(at(2_000_000), ME, &join(&link, 2));
    assert_eq!(answer_of(&late), Ok(answer));
    assert!(matches!(&late[0], Effect::Admitted { node: None, .. }));
    // The same certificate with another id, and the same id with another certificate, are others.
    let other_id = JoinRequest { node_id: node(4), ..request(2) };
    assert_eq!(code(&seed.attempt(&join_with(&link, 2, &other_id))), RpcCode::BadInvite);
    let other_pin = JoinRequest { node_id: node(2), ..request(5) };
    assert_eq!(code(&seed.attempt(&join_with(&link, 5, &other_pin))), RpcCode::BadInvite);
    let fresh = seed.more(8);
    assert_eq!(code(&seed.attempt(&join_with(&fresh, 5, &other_pin))), RpcCode::BadRequest);
}

#[test]
fn an_expired_invitation_is_refused() {
    // DESIGN 7.1
    let mut seed = Seed::new();
    let link = seed.link.clone();
    assert!(matches!(seed.attempt_as(at(900_000), ME, &join(&link, 2))[..], [Effect::DialBack { .. }]));
    assert_eq!(answer_of(&seed.attempt_as(at(901_000), ME, &join(&link, 2))), Err(refuse::expired()));
}

#[test]
fn a_removed_node_needs_a_new_id() {
    // R2
    let mut seed = Seed::new();
    let link = seed.link.clone();
    seed.join(2, &join(&link, 2)).unwrap();
    seed.roster.edit(at(50), Term(3), &node(2), Edit::Remove).unwrap();
    assert_eq!(code(&seed.attempt(&join(&link, 2))), RpcCode::NotAMember);
    let fresh = seed.more(8);
    assert_eq!(code(&seed.attempt(&join(&fresh, 2))), RpcCode::NotAMember);
}

#[test]
fn nine_that_join_at_once_all_get_in() {
    // DESIGN 7.5
    let mut seed = Seed::new();
    let links: Vec<InviteLink> = (0..9).map(|number| seed.more(20 + number)).collect();
    let calls: Vec<CallId> = links
        .iter()
        .zip(2..)
        .map(|(link, number)| match seed.attempt(&join(link, number))[..] {
            [Effect::DialBack { call, .. }] => call,
            ref other => panic!("{other:?}"),
        })
        .collect();
    for (call, number) in calls.iter().zip(2..) {
        let effects = seed.joins.dialed(at(30), &mut seed.roster, ME, *call, Ok(pin(number)), &mut seed.calls);
        assert!(answer_of(&effects).is_ok(), "node {number}");
    }
    assert_eq!(seed.roster.len(), 10);
}

#[test]
fn a_seed_passes_the_join_on_and_the_holder_spends() {
    // DESIGN 7.4
    let mut holder = Seed::new();
    let link = holder.link.clone();
    let (second, third) = (holder.more(8), holder.more(9));
    let joined = holder.join(2, &join(&link, 2)).unwrap();
    let (network, invites) = adopt(node(2), pin(2), joined, None).unwrap();
    let (roster, _) = Roster::open(node(2), pin(2), network, invites, 30_000, &keys(2)).unwrap();
    let mut seed = Seed { joins: Joins::new(), roster, calls: Calls::new(), link: second.clone() };
    let pass_on = |seed: &mut Seed, link: &InviteLink, number: u64| {
        let effects = seed.attempt_as(at(40), Holder::Other(node(1)), &join(link, number));
        let [Effect::DialBack { call, .. }] = effects[..] else { panic!("{effects:?}") };
        let other = Holder::Other(node(1));
        let effects = seed.joins.dialed(at(41), &mut seed.roster, other, call, Ok(pin(number)), &mut seed.calls);
        let [Effect::Forward { call, to, forward }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(*to, node(1));
        (*call, forward.clone())
    };
    let (call, forward) = pass_on(&mut seed, &second, 3);
    let (effects, result) = forwarded(at(42), &mut holder.roster, ME, node(2), &forward);
    let [Effect::Admitted { records, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(records.owners[0].admitted_by, node(2));
    let replies = seed.joins.answered(call, result.map_err(CallError::Refused));
    assert!(answer_of(&replies).is_ok());
    // Another comes with the same token to a seed that has not heard yet: the holder has the last word.
    let (call, forward) = pass_on(&mut seed, &second, 4);
    let before = holder.state();
    let (effects, result) = forwarded(at(43), &mut holder.roster, ME, node(2), &forward);
    assert_eq!((effects.len(), holder.state()), (0, before));
    assert_eq!(answer_of(&seed.joins.answered(call, result.map_err(CallError::Refused))), Err(refuse::spent()));
    // A forged forward, one to a node that does not hold, a lost and an unsent one: refused, and nothing changes.
    let (call, forward) = pass_on(&mut seed, &third, 5);
    let forged = JoinForward { pin: pin(6), ..forward.clone() };
    assert_eq!(forwarded(at(44), &mut holder.roster, ME, node(2), &forged), (vec![], Err(refuse::other_certificate())));
    let (_, result) = forwarded(at(44), &mut holder.roster, Holder::Other(node(2)), node(2), &forward);
    assert_eq!(result, Err(refuse::not_holder()));
    assert_eq!(holder.state(), before);
    let lost = seed.joins.answered(call, Err(CallError::Lost("time-out".to_string())));
    assert_eq!(code(&lost), RpcCode::NotHolder);
}

#[test]
fn without_a_holder_nothing_is_spent() {
    let mut seed = Seed::new();
    let (link, before) = (seed.link.clone(), seed.state());
    let effects = seed.attempt_as(at(10), Holder::Nobody, &join(&link, 2));
    let [Effect::DialBack { call, .. }] = effects[..] else { panic!("{effects:?}") };
    let effects = seed.joins.dialed(at(20), &mut seed.roster, Holder::Nobody, call, Ok(pin(2)), &mut seed.calls);
    assert_eq!(code(&effects), RpcCode::NotHolder);
    assert_eq!(seed.state(), before);
}

#[test]
fn joins_in_hand_are_bounded() {
    let mut seed = Seed::new();
    let link = seed.link.clone();
    for number in 0..64 {
        assert!(matches!(seed.attempt(&join(&link, 2 + number))[..], [Effect::DialBack { .. }]));
    }
    assert_eq!(code(&seed.attempt(&join(&link, 2))), RpcCode::TooMany);
}

#[test]
fn a_link_names_this_node_and_two_more_that_have_an_address() {
    // DESIGN 7.1
    let mut seed = Seed::new();
    for number in 2..=5 {
        let link = seed.more(30 + u8::try_from(number).unwrap());
        seed.join(number, &join(&link, number)).unwrap();
        let mut own = open(number, seed.roster.to_network_state());
        let records = own.write_self(at(30), &format!("203.0.113.{number}:4747"), "0.1.0", PROTOCOL, &keys(number));
        if number != 3 {
            seed.roster.merge(at(31), records, &keys(1));
        }
    }
    let others = [node(1), node(2), node(3), node(4), node(5)];
    let (records, link) = invite(at(40), &mut seed.roster, [99; 32], 900, &others).unwrap();
    let addrs: Vec<&str> = link.seeds.iter().map(|seed| seed.addr.as_str()).collect();
    assert_eq!(addrs, ["203.0.113.1:4747", "203.0.113.2:4747", "203.0.113.4:4747"]);
    assert_eq!(records.invites[0].exp_ts, at(900_040).unix_ms / 1_000);
    assert_eq!(link.to_string().parse::<InviteLink>(), Ok(link));
    assert_eq!(invite(at(40), &mut seed.roster, [98; 32], 0, &[]).unwrap_err(), InviteError::Ttl);
    assert_eq!(invite(at(40), &mut seed.roster, [98; 32], 40 * 86_400, &[]).unwrap_err(), InviteError::Ttl);
}
