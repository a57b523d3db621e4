//! S7: what a newer version wrote is kept, digested, passed on and bounded by a version that does not know it.

use constella_shared::limits::{MORE_BYTES, OPAQUE_RECORDS};
use constella_shared::wire::records::NetRecord;
use serde_json::{Value, json};

use super::*;

/// A record of the network as a newer node writes it.
fn newer(which: Option<&str>, ms: u64, writer: u64, value: &Value) -> NetRecord {
    let stamp = Stamp { unix_ms: at(ms).unix_ms, count: 0, node: node(writer) };
    let mut record = json!({ "stamp": stamp, "term": 1, "value": value });
    if let Some(which) = which {
        record["which"] = which.into();
    }
    serde_json::from_value(record).unwrap()
}

fn mute(which: &str, ms: u64, until: u64) -> NetRecord {
    newer(Some(which), ms, 1, &json!({ "kind": "mute", "until": until, "by": ["owner"] }))
}

fn net(record: &NetRecord) -> Records {
    Records { net: Vec::from([record.clone()]), ..Records::default() }
}

#[test]
fn a_record_of_an_unknown_kind_goes_from_node_to_node_and_over_a_restart() {
    // S7, R3
    let (mut one, mut two) = pair();
    let record = mute("b2", 10, 7);
    let merged = two.merge(at(11), net(&record), &keys(2));
    assert_eq!((merged.news.net.as_slice(), merged.network_changed), ([record.clone()].as_slice(), true));
    assert_ne!(one.digest(), two.digest());
    assert_eq!(exchange(at(12), &mut one, &mut two), (2, 1));
    assert_eq!(one.digest(), two.digest());
    assert_eq!(one.records().net, two.records().net, "a joiner is given it too");
    let text = serde_json::to_string(&one.to_network_state()).unwrap();
    let again = open(1, serde_json::from_str(&text).unwrap());
    assert_eq!((again.digest(), again.records()), (one.digest(), one.records()));
    assert!(again.records().net.contains(&record));
}

#[test]
fn of_an_unknown_kind_the_last_writer_wins_and_each_which_is_a_record() {
    // S7, R3: last writer wins, in whatever order they come
    let records = [mute("b2", 10, 1), mute("b2", 12, 2), mute("c3", 11, 3), mute("b2", 11, 4)];
    let outcome = |order: [usize; 4]| {
        let (mut one, _) = pair();
        for index in order {
            one.merge(at(20), net(&records[index]), &keys(1));
        }
        (one.digest(), one.records().net)
    };
    let first = outcome([0, 1, 2, 3]);
    assert_eq!(first, outcome([3, 2, 1, 0]));
    assert!(first.1.contains(&records[1]) && first.1.contains(&records[2]));
    assert!(!first.1.contains(&records[0]) && !first.1.contains(&records[3]));
}

#[test]
fn what_is_added_to_a_known_record_stays_when_this_version_writes_it_anew() {
    // S7
    let (mut one, _) = pair();
    let owner = newer(
        None,
        10,
        1,
        &json!({ "kind": "owner", "username": "owner", "telegram_id": 5, "claim": null, "roles": ["x"] }),
    );
    assert!(one.merge(at(11), net(&owner), &keys(1)).network_changed);
    assert_eq!(one.owner().telegram_id, Some(5));
    one.write_net(at(12), Term(1), NetValue::Owner { username: "owner".into(), telegram_id: Some(6), claim: None });
    let text = serde_json::to_value(one.records().net).unwrap().to_string();
    assert!(text.contains(r#""roles":["x"]"#) && text.contains(r#""telegram_id":6"#), "{text}");
    let mut beta = serde_json::to_value(&one.records().owners[1]).unwrap();
    beta["stamp"]["count"] = 9.into();
    beta["site"] = json!({ "rack": 3 });
    let owners = Vec::from([serde_json::from_value(beta).unwrap()]);
    assert!(one.merge(at(13), Records { owners, ..Records::default() }, &keys(1)).network_changed);
    let written = one.edit(at(14), Term(1), &node(2), Edit::Priority(3)).unwrap();
    assert_eq!(serde_json::to_value(&written.owners[0]).unwrap()["site"], json!({ "rack": 3 }));
}

#[test]
fn what_a_newer_version_wrote_into_the_state_files_is_still_there_after_a_downgrade() {
    // S7
    let (one, _) = pair();
    let mut state = serde_json::to_value(one.to_network_state()).unwrap();
    state["retired_secrets"] = json!(["x"]);
    let again = open(1, serde_json::from_value(state.clone()).unwrap());
    assert_eq!(serde_json::to_value(again.to_network_state()).unwrap(), state);
}

#[test]
fn what_is_not_known_is_bounded_for_each_writer() {
    // S7: tolerance is no door
    let (mut one, _) = pair();
    let refused = |roster: &mut Roster, record: &NetRecord| {
        let before = roster.digest();
        let why = roster.merge(at(50), net(record), &keys(1)).refused.first().map(|refused| refused.why);
        assert!(why.is_none() || roster.digest() == before, "a refusal changes nothing");
        why
    };
    let long = json!({ "kind": "mute", "text": "x".repeat(MORE_BYTES) });
    assert!(matches!(refused(&mut one, &newer(None, 10, 1, &long)), Some(Refusal::Unsound(_))));
    let deep = (0..64).fold(json!(1), |inner, _| json!([inner]));
    let deep = json!({ "kind": "mute", "deep": deep });
    assert!(matches!(refused(&mut one, &newer(None, 10, 1, &deep)), Some(Refusal::Unsound(_))));
    for kind in ["", "Mute", "a/b", "m\u{0}"] {
        let record = newer(None, 10, 1, &json!({ "kind": kind }));
        assert!(matches!(refused(&mut one, &record), Some(Refusal::Unsound(_))), "{kind:?}");
    }
    assert_eq!(refused(&mut one, &newer(None, 10, 77, &json!({ "kind": "mute" }))), Some(Refusal::UnknownNode));
    for number in 0..OPAQUE_RECORDS {
        assert_eq!(refused(&mut one, &mute(&format!("{number}"), 10, 1)), None);
    }
    assert_eq!(refused(&mut one, &mute("one more", 10, 1)), Some(Refusal::TooMany));
    assert_eq!(refused(&mut one, &mute("7", 11, 2)), None, "in the place of its own");
    let others = newer(Some("x"), 10, 2, &json!({ "kind": "mute" }));
    assert_eq!(refused(&mut one, &others), None, "another member has its own room");
    let large = |number: usize| {
        let value = json!({ "kind": "note", "text": "x".repeat(MORE_BYTES - 100) });
        newer(Some(&format!("{number}")), 10, 2, &value)
    };
    let taken = (0..OPAQUE_RECORDS).take_while(|number| refused(&mut one, &large(*number)).is_none()).count();
    assert!((60..66).contains(&taken), "{taken} of 4 kB: a quarter of 1 MiB");
}

#[test]
fn with_a_node_of_protocol_1_no_exchange_is_begun_for_what_it_cannot_keep() {
    // S7, R3: its digest counts what it keeps, and it would be asked with every heartbeat
    let (mut one, mut two) = pair();
    one.merge(at(10), two.write_self(at(10), "203.0.113.2:4747", "0.0.9", 1, &keys(2)), &keys(1));
    one.merge(at(11), net(&mute("b2", 11, 7)), &keys(1));
    assert_ne!(one.digest(), two.digest());
    assert_eq!(one.digest_for(&node(2)), two.digest());
    assert_eq!(one.sync_due(at(12), node(2), two.digest()), None);
    let newer = one.edit(at(13), Term(1), &node(2), Edit::Priority(3)).unwrap();
    assert!(one.sync_due(at(14), node(2), two.digest()).is_some(), "what both keep is exchanged");
    two.merge(at(15), newer, &keys(2));
    assert_eq!(one.digest_for(&node(2)), two.digest());
    one.merge(at(16), two.write_self(at(16), "203.0.113.2:4747", "0.1.0", PROTOCOL, &keys(2)), &keys(1));
    assert!(one.sync_due(at(17), node(2), two.digest()).is_some(), "it was upgraded: now it gets the rest");
}
