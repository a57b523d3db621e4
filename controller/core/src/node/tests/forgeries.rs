//! Records that a member makes up: what is the owner's stays as the holder has it, and whatever comes, the rosters agree again.

use alloc::string::ToString;
use alloc::vec::Vec;

use constella_shared::ids::{NodeId, Term, TokenHash};
use constella_shared::limits::{ADDED_AT_ONCE, OPEN_INVITES, RULES_TAKEN_BACK};
use constella_shared::wire::alert::Kind;
use constella_shared::wire::more::More;
use constella_shared::wire::records::{
    InviteRecord, NetRecord, NetValue, OwnerRecord, Records, Stamp, VoterRecord, VotersMark,
};

use super::bench::Bench;
use crate::alerts::choice::Choice;
use crate::bot::desk::act::Act;
use crate::io::{InboundId, Input, OperatorAnswer, OperatorRequest, PeerRequest};
use crate::roster::Edit;
use crate::roster::fake::{node, pin};

/// A network of so many where node 1 has held strongly for long.
fn settled(nodes: u64) -> Bench {
    let mut bench = Bench::of(nodes);
    bench.run_ms(120_000);
    bench
}

fn announce(bench: &mut Bench, from: u64, records: &Records) {
    let all: Vec<u64> = (1..=bench.nodes().len() as u64).filter(|number| *number != from).collect();
    for at in all {
        let request = PeerRequest::Announce(records.clone());
        bench.input(at, Input::Peer { inbound: InboundId(0), from: node(from), request });
    }
}

fn stamp(bench: &Bench, by: u64) -> Stamp {
    Stamp { unix_ms: 1_700_000_000_000 + bench.now + 20_000, count: 0, node: node(by) }
}

fn net(bench: &Bench, value: NetValue) -> Records {
    let term = Term(bench.node(1).durable.term().0 + 1);
    Records { net: [NetRecord::new(stamp(bench, 1), term, value)].into(), ..Records::default() }
}

fn agree(bench: &Bench) -> bool {
    bench.nodes().iter().all(|each| each.roster.digest() == bench.node(1).roster.digest())
}

#[test]
fn no_member_makes_itself_the_owner_or_gives_the_bot_another_token() {
    // R4
    let mut bench = settled(3);
    let evil = NetValue::Owner { username: "mallory".into(), telegram_id: Some(66), claim: None };
    let token = NetValue::Token { token: constella_shared::secret::Secret::new("66:evil".into()) };
    for value in [evil, token] {
        let records = net(&bench, value);
        announce(&mut bench, 3, &records);
        bench.run_ms(30_000);
        for each in bench.nodes() {
            assert_eq!((each.roster.owner().username, each.roster.owner().telegram_id), ("owner", Some(7)));
            assert_eq!(each.roster.token().map(|token| token.expose()), Some("123:token"));
        }
        assert!(agree(&bench));
    }
    let counted = bench.node(2).refused.counts();
    assert!(counted.iter().any(|(kind, count)| *kind == "records_not_of_the_holder" && *count >= 2), "{counted:?}");
}

/// A choice of the owner's as a record, by whoever says that it is node 1.
fn rule(bench: &Bench, which: &str, on: bool) -> Records {
    let mut records = net(bench, NetValue::AlertRule { on: Some(on), threshold: None });
    records.net[0].which = Some(which.into());
    records
}

#[test]
fn no_member_switches_alerts_off_or_makes_them_silent() {
    // R4: neither in the place of a choice of the owner's nor where there is none
    let mut bench = settled(3);
    let quiet = |from_min| NetValue::QuietHours { on: true, from_min, until_min: 420, zone: "UTC".into() };
    let chosen = NetValue::AlertRule { on: Some(true), threshold: Some(800) };
    for forged_before in [false, true] {
        if forged_before {
            bench.act(1, Act::RecordOf { which: "all/cpu".into(), value: chosen.clone() });
            bench.act(1, Act::Record(quiet(1_320)));
            bench.run_ms(5_000);
        }
        let forged = [
            rule(&bench, "all/cpu", false),
            rule(&bench, &alloc::format!("{}/cpu", node(2)), false),
            net(&bench, quiet(0)),
        ];
        for records in forged {
            announce(&mut bench, 3, &records);
        }
        bench.run_ms(30_000);
        let held = (forged_before).then_some(Choice { on: true, threshold: Some(800) });
        for each in bench.nodes() {
            assert_eq!(each.roster.alert_choice(&node(2), &Kind::Cpu), held.unwrap_or(Choice::PRESET));
            assert_eq!(
                each.roster.quiet_choice().filter(|quiet| quiet.on).map(|quiet| quiet.from_min),
                held.map(|_| 1_320)
            );
        }
        assert!(agree(&bench));
    }
    let counted = bench.node(2).refused.counts();
    assert!(counted.iter().any(|(kind, count)| *kind == "records_not_of_the_holder" && *count >= 6), "{counted:?}");
}

#[test]
fn a_flood_of_forged_rules_takes_no_room_from_the_owners() {
    // R4, S6
    let mut bench = settled(3);
    for number in 0..(2 * RULES_TAKEN_BACK) {
        let records = rule(&bench, &alloc::format!("all/made_up{number}"), false);
        announce(&mut bench, 3, &records);
        bench.run_ms(AGAIN_MS);
    }
    let rules = bench.node(1).roster.records().net.iter().filter(|record| record.value.kind() == "alert_rule").count();
    assert!((1..=RULES_TAKEN_BACK).contains(&rules), "{rules}");
    bench.act(
        1,
        Act::RecordOf { which: "all/cpu".into(), value: NetValue::AlertRule { on: Some(false), threshold: None } },
    );
    bench.run_ms(5_000);
    assert!(bench.nodes().iter().all(|each| !each.roster.alert_choice(&node(2), &Kind::Cpu).on));
}

#[test]
fn a_choice_that_only_a_dead_holders_disk_has_gives_way_when_it_comes_late() {
    // R3, R4: also one of which its successor never heard
    let mut bench = settled(3);
    let mut late = rule(&bench, "all/cpu", false).net;
    late.extend(net(&bench, NetValue::QuietHours { on: true, from_min: 0, until_min: 420, zone: "UTC".into() }).net);
    late.iter_mut().for_each(|record| record.stamp.unix_ms -= 20_000);
    bench.kill(1);
    assert!(bench.run_until(60_000, |bench| bench.strong() == [2]));
    bench.run_ms(90_000);
    bench.disks.get_mut(&1).unwrap().network.records.extend(late);
    bench.restart(1);
    bench.run_ms(9_000);
    assert!(bench.run_until(40_000, agree));
    for each in bench.nodes() {
        assert_eq!(each.roster.alert_choice(&node(2), &Kind::Cpu), Choice::PRESET);
        assert!(each.roster.quiet_hours().is_none());
    }
}

#[test]
fn no_member_renames_ranks_or_removes_another() {
    // R2, R4
    let mut bench = settled(4);
    let held = bench.node(1).roster.records().owners;
    let of = |number: u64| held.iter().find(|owner| owner.node == node(number)).cloned().unwrap();
    let forged = [
        OwnerRecord { name: "evil".into(), ..of(2) },
        OwnerRecord { priority: 0, ..of(3) },
        OwnerRecord { removed: true, ..of(2) },
        OwnerRecord { removed: true, ..of(1) },
    ];
    let stamp = stamp(&bench, 1);
    for record in forged {
        let records = Records { owners: [OwnerRecord { stamp, ..record }].into(), ..Records::default() };
        announce(&mut bench, 3, &records);
    }
    let value = NetRecord { which: Some(node(2).to_string()), ..NetRecord::new(stamp, Term(99), NetValue::Leaving {}) };
    announce(&mut bench, 3, &Records { net: [value].into(), ..Records::default() });
    bench.run_ms(30_000);
    for each in bench.nodes() {
        assert!((1..=4).all(|number| each.roster.is_member(&node(number)) && !each.roster.is_leaving(&node(number))));
        assert_eq!(each.roster.member(&node(2)).map(|member| member.name), Some("node2"));
        assert_eq!(each.roster.member(&node(3)).map(|member| member.priority), Some(100));
    }
    assert!(agree(&bench));
    assert!(bench.edit(1, 4, Edit::Rename("delta".into())).is_ok());
    bench.run_ms(5_000);
    assert!(agree(&bench) && bench.node(3).roster.named("delta").is_some(), "the holder's edits go on");
}

#[test]
fn thirty_thousand_forged_members_do_not_keep_the_rosters_apart() {
    // R3, S6
    let mut bench = settled(3);
    let stamp = stamp(&bench, 1);
    let ghost = |number: u64| OwnerRecord {
        node: node(1_000 + number),
        stamp,
        term: Term(99),
        name: alloc::format!("ghost{number}"),
        priority: 1,
        pin: pin(1_000 + number),
        admitted_by: node(1),
        removed: false,
        more: More::none(),
    };
    for part in 0..30 {
        let owners = (0..1_000).map(|number| ghost(part * 1_000 + number)).collect();
        announce(&mut bench, 3, &Records { owners, ..Records::default() });
    }
    bench.run_ms(60_000);
    assert!(agree(&bench));
    let most = 3 + 4 * ADDED_AT_ONCE as usize;
    assert!(bench.nodes().iter().all(|each| each.roster.len() <= most), "{}", bench.node(2).roster.len());
    assert_eq!(bench.pollers(), [1]);
}

#[test]
fn no_invitation_holds_for_ever_and_a_flood_of_them_blocks_nobody() {
    // S6
    let mut bench = settled(3);
    let written = stamp(&bench, 1);
    let invite = |number: u8, exp_ts: u64| InviteRecord {
        token: TokenHash([number; 32]),
        stamp: written,
        exp_ts,
        spent: None,
        more: More::none(),
    };
    let endless = (0..=255).map(|number| invite(number, u64::MAX)).collect();
    announce(&mut bench, 3, &Records { invites: endless, ..Records::default() });
    assert_eq!(bench.node(1).roster.invites().count(), 0);
    let week = written.unix_ms / 1_000 + 600_000;
    let flood = (0..=255).map(|number| invite(number, week)).collect();
    announce(&mut bench, 3, &Records { invites: flood, ..Records::default() });
    assert!(bench.node(1).roster.invites().count() <= OPEN_INVITES);
    bench.input(1, Input::Operator { inbound: InboundId(0), request: OperatorRequest::Invite { ttl_s: 900 } });
    assert!(matches!(bench.told.pop(), Some(Ok(OperatorAnswer::Link(_)))));
    bench.run_ms(30_000);
    assert!(bench.nodes().iter().all(|each| each.roster.invites().any(|invite| invite.by == node(1))));
}

#[test]
fn no_member_changes_the_voters() {
    // L1, S6: neither by a record of its own choice nor by a number that nothing comes after
    let mut bench = settled(3);
    let number = bench.node(1).roster.voters().mark.number;
    let evil = |number: u64, old: &[NodeId], new: &[NodeId]| VoterRecord {
        mark: VotersMark { number, term: Term(1_000) },
        old: old.into(),
        new: new.into(),
    };
    let all = [node(1), node(2), node(3)];
    let records = [
        evil(number + 1, &all, &[node(3)]),
        evil(number + 2, &[], &[node(3)]),
        evil(number + 3, &[], &[node(3)]),
        evil((1 << 48) - 1, &[], &all),
        evil(u64::MAX, &[], &all),
    ];
    for record in records {
        announce(&mut bench, 3, &Records { voters: Some(record), ..Records::default() });
        bench.run_ms(2_000);
        assert_eq!((bench.strong(), bench.pollers()), ([1].into(), [1].into()));
    }
    bench.run_ms(30_000);
    assert!(bench.nodes().iter().all(|each| each.roster.voters().new == all && each.roster.voters().old.is_empty()));
    assert!(agree(&bench));
}

#[test]
fn what_a_holder_wrote_before_it_was_followed_is_taken_late_and_what_comes_later_gives_way() {
    // R3: rosters agree in the end, whichever of the two it is
    for (late_ms, name) in [(20_000, "web"), (90_000, "node2")] {
        let mut bench = settled(3);
        let mut record = bench.node(1).roster.records().owners.into_iter().find(|owner| owner.node == node(2)).unwrap();
        (record.stamp, record.term) = (stamp(&bench, 1), bench.node(1).claim.term());
        record.stamp.unix_ms -= 20_000;
        record.name = "web".into();
        bench.kill(1);
        assert!(bench.run_until(60_000, |bench| bench.strong() == [2]));
        bench.run_ms(late_ms);
        // Its disk had the edit, and nobody else.
        bench.disks.get_mut(&1).unwrap().network.peers.iter_mut().for_each(|peer| {
            if peer.owner.node == node(2) {
                peer.owner = record.clone();
            }
        });
        bench.restart(1);
        bench.run_ms(9_000);
        assert!(bench.run_until(40_000, agree), "{late_ms}");
        assert_eq!(bench.node(3).roster.member(&node(2)).map(|member| member.name), Some(name));
    }
}

/// Between two writes of the holder's own because of refused records.
const AGAIN_MS: u64 = 5_000;
