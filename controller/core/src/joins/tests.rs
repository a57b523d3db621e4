//! DESIGN 7, refusals first: each has its code and a sentence, and changes nothing.

use super::*;
use constella_shared::ids::{NetworkId, TokenHash};
use constella_shared::link::{InviteId, join_mac};

use crate::roster::fake::{FakeKeys, alone, at, node, pin};

/// What is wrong with a request.
type Damage = fn(&mut JoinRequest);

struct Bench {
    roster: Roster,
    joins: Joins,
    calls: Calls,
    link: InviteLink,
}

fn bench() -> Bench {
    let mut roster = alone();
    let (_, link) = invite(at(0), &mut roster, [7; 32], 900, &[]).unwrap();
    Bench { roster, joins: Joins::new(), calls: Calls::new(), link }
}

fn request(number: u64, name: &str) -> JoinRequest {
    JoinRequest {
        name: name.into(),
        network_id: NetworkId([9; 32]),
        addr: Some("203.0.113.9:4747".into()),
        port: 4747,
        node_id: node(number),
        priority: 100,
        version: "0.1.0".into(),
        protocol: PROTOCOL,
        cert: FakeKeys::cert(number),
    }
}

fn attempt(token: &TokenHash, number: u64, request: &JoinRequest) -> JoinAttempt {
    let body = serde_json::to_vec(request).unwrap();
    JoinAttempt {
        pin: pin(number),
        cert: FakeKeys::cert(number),
        source: "198.51.100.4".into(),
        invite: InviteId::of(token),
        mac: join_mac(token, &pin(number), &body),
        body,
    }
}

impl Bench {
    fn token(&self) -> TokenHash {
        token_hash(&self.link.token)
    }

    fn try_at(&mut self, ms: u64, join: &JoinAttempt) -> Result<JoinAnswer, RpcError> {
        let outputs = self.joins.attempt(at(ms), &self.roster, InboundId(1), join, &mut self.calls);
        match outputs.into_iter().next() {
            Some(Output::JoinReply { result, .. }) => result,
            Some(Output::DialBack { call, .. }) => self.dialed(ms, call, Ok(join.pin)),
            other => panic!("{other:?}"),
        }
    }

    fn dialed(&mut self, ms: u64, call: CallId, met: Result<Pin, String>) -> Result<JoinAnswer, RpcError> {
        let me = Spender::Me(Term(3));
        let step = self.joins.dialed_back(at(ms), &mut self.roster, call, met, me, &mut self.calls);
        match step.outputs.into_iter().next() {
            Some(Output::JoinReply { result, .. }) => result,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn each_refusal_has_its_code_and_changes_nothing() {
    // S2, DESIGN 7
    let strange = token_hash(&Secret::new("ef".repeat(32)));
    let cases: [(RpcCode, Damage); 6] = [
        (RpcCode::WrongNetwork, |r| r.network_id = NetworkId([1; 32])),
        (RpcCode::Protocol, |r| r.protocol = 9),
        (RpcCode::BadRequest, |r| r.name = "<b>".into()),
        (RpcCode::BadRequest, |r| r.cert = "other".into()),
        (RpcCode::BadRequest, |r| r.addr = Some("nowhere".into())),
        (RpcCode::NameTaken, |r| r.name = "Alpha".into()),
    ];
    let mut bench = bench();
    let before = bench.roster.digest();
    for (code, damage) in cases {
        let mut request = request(2, "beta");
        damage(&mut request);
        let join = attempt(&bench.token(), 2, &request);
        assert_eq!(bench.try_at(0, &join).map_err(|error| error.code), Err(code));
    }
    let join = attempt(&strange, 2, &request(2, "beta"));
    assert_eq!(bench.try_at(0, &join).map_err(|error| error.code), Err(RpcCode::BadInvite), "an unknown token");
    let mut join = attempt(&bench.token(), 2, &request(2, "beta"));
    join.pin = pin(3);
    assert_eq!(bench.try_at(0, &join).map_err(|error| error.code), Err(RpcCode::BadInvite), "another's certificate");
    let mut join = attempt(&bench.token(), 2, &request(2, "beta"));
    join.body = b"{\"name\":1}".to_vec();
    join.mac = join_mac(&bench.token(), &pin(2), &join.body);
    assert_eq!(bench.try_at(0, &join).map_err(|error| error.code), Err(RpcCode::BadRequest), "junk");
    let join = attempt(&bench.token(), 2, &request(2, "beta"));
    assert_eq!(bench.try_at(901_000, &join).map_err(|error| error.code), Err(RpcCode::BadInvite), "expired");
    assert_eq!(bench.roster.digest(), before);
}

#[test]
fn a_holder_refuses_an_invitation_that_expired_on_its_way() {
    // DESIGN 7: the seed checked it in time, and passed the join on to the holder, which spends it
    let mut bench = bench();
    let before = bench.roster.digest();
    let join = attempt(&bench.token(), 2, &request(2, "beta"));
    let forward = check(at(899_000), &bench.roster, &join).unwrap();
    let late = admit(at(901_000), &mut bench.roster, &forward, Term(3), node(1));
    assert_eq!(late.map_err(|error| error.code).map(|_| ()), Err(RpcCode::BadInvite));
    assert_eq!(bench.roster.digest(), before);
    assert!(admit(at(899_500), &mut bench.roster, &forward, Term(3), node(1)).is_ok());
}

#[test]
fn a_token_lets_one_node_in_and_the_same_node_again() {
    // DESIGN 7.4
    let mut bench = bench();
    let join = attempt(&bench.token(), 2, &request(2, "beta"));
    let answer = bench.try_at(0, &join).unwrap();
    assert_eq!((answer.addr.as_str(), answer.network_id), ("203.0.113.9:4747", NetworkId([9; 32])));
    assert_eq!(answer.records.owners.len(), 2);
    let again = bench.try_at(5_000_000, &join).unwrap();
    assert_eq!(
        again.records.owners, answer.records.owners,
        "a lost answer, asked for again after the end of the invitation"
    );
    let other = attempt(&bench.token(), 3, &request(3, "gamma"));
    let refused = bench.try_at(10, &other).unwrap_err();
    assert!(refused.code == RpcCode::BadInvite && refused.message.contains("used by another"));
    assert_eq!(bench.roster.len(), 2);
}

#[test]
fn a_closed_port_or_another_certificate_spends_nothing() {
    // DESIGN 7.4
    let mut bench = bench();
    let join = attempt(&bench.token(), 2, &request(2, "beta"));
    let closed = "port 4747 of 203.0.113.9 is closed from here";
    for met in [Err(String::from(closed)), Ok(pin(9))] {
        let outputs = bench.joins.attempt(at(0), &bench.roster, InboundId(1), &join, &mut bench.calls);
        let Some(Output::DialBack { call, .. }) = outputs.into_iter().next() else { panic!("no dial-back") };
        let error = bench.dialed(0, call, met).unwrap_err();
        assert_eq!(error.code, RpcCode::Unreachable);
        assert_eq!(error.message.matches("203.0.113.9").count(), 1, "said once: {}", error.message);
    }
    assert!(bench.try_at(0, &join).is_ok(), "the token is still good");
}

#[test]
fn a_joiner_without_an_address_is_dialled_where_it_came_from() {
    // DESIGN 7.3
    let mut bench = bench();
    for (source, expected) in [("198.51.100.4", "198.51.100.4:4747"), ("2001:db8::4", "[2001:db8::4]:4747")] {
        let mut join = attempt(&bench.token(), 2, &JoinRequest { addr: None, ..request(2, "beta") });
        join.source = source.into();
        let outputs = bench.joins.attempt(at(0), &bench.roster, InboundId(1), &join, &mut bench.calls);
        assert!(matches!(outputs.first(), Some(Output::DialBack { addr, .. }) if addr == expected), "{outputs:?}");
    }
}

#[test]
fn a_seed_passes_the_join_on_to_the_holder() {
    // DESIGN 7.4
    let mut bench = bench();
    let join = attempt(&bench.token(), 2, &request(2, "beta"));
    let outputs = bench.joins.attempt(at(0), &bench.roster, InboundId(8), &join, &mut bench.calls);
    let Some(Output::DialBack { call, .. }) = outputs.into_iter().next() else { panic!("no dial-back") };
    let holder = Spender::Holder(node(5));
    let step = bench.joins.dialed_back(at(0), &mut bench.roster, call, Ok(pin(2)), holder, &mut bench.calls);
    let Some(Output::Call { call, to, request: PeerRequest::Rpc(Request::Join(forward)), .. }) =
        step.outputs.into_iter().next()
    else {
        panic!("not passed on")
    };
    assert_eq!((to, forward.pin), (node(5), pin(2)));
    let lost = bench.joins.answered(call, Err(CallError::Lost("gone".into())));
    assert!(matches!(lost, Some(Output::JoinReply { inbound: InboundId(8), result: Err(_) })));
}

#[test]
fn nine_joins_at_once_with_nine_links_all_get_in() {
    // DESIGN 7.5: "Any number of nodes may join at once"
    let mut bench = bench();
    let mut waiting = Vec::new();
    for number in 2..=10_u64 {
        let entropy = [u8::try_from(number).unwrap(); 32];
        let (_, link) = invite(at(0), &mut bench.roster, entropy, 900, &[]).unwrap();
        let join = attempt(&token_hash(&link.token), number, &request(number, &format!("node{number}")));
        let outputs = bench.joins.attempt(at(0), &bench.roster, InboundId(number), &join, &mut bench.calls);
        let Some(Output::DialBack { call, .. }) = outputs.into_iter().next() else { panic!("no dial-back") };
        waiting.push((number, call));
    }
    for (number, call) in waiting {
        assert!(bench.dialed(10, call, Ok(pin(number))).is_ok(), "{number}");
    }
    assert_eq!(bench.roster.len(), 10);
}

#[test]
fn a_link_names_two_more_seeds_and_its_length_is_bounded() {
    // DESIGN 7.1
    let mut bench = bench();
    assert!(invite(at(0), &mut bench.roster, [1; 32], 0, &[]).is_err());
    assert!(invite(at(0), &mut bench.roster, [1; 32], INVITE_TTL_S + 1, &[]).is_err());
    assert_eq!(bench.link.seeds.len(), 1);
    assert_eq!(bench.link.to_string().parse::<InviteLink>(), Ok(bench.link));
}
