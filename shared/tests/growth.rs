//! S7: documents between members and state files may grow. Every recorded document is read with an unknown field at every level, what must pass
//! through a version that does not know it is written again, and a kind that is not known has a fall-back that keeps the rules.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::PathBuf;

use constella_shared::agent::{RebootRequest, SpeedtestRequest};
use constella_shared::state::{CommandsState, InvitesState, NetworkState, Plain, VoteState};
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
use constella_shared::wire::heartbeat::{DiskTrouble, Heartbeat};
use constella_shared::wire::join::{JoinAnswer, JoinHandshake, JoinRequest};
use constella_shared::wire::lease::{LeaseAnswer, LeaseRefusal, Strength};
use constella_shared::wire::records::{NetRecord, NetValue, RecordKey, Records, SelfRecord};
use constella_shared::wire::rekey::RekeyAnswer;
use constella_shared::wire::rpc::{Request, Response, RosterSync, RpcCode, RpcError, Status};
use constella_shared::wire::speaks::Speaks;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Reads a document and writes it again.
type Through = fn(&Value) -> Result<Value, serde_json::Error>;

fn through<T: DeserializeOwned + Serialize>(document: &Value) -> Result<Value, serde_json::Error> {
    // From its text, as it comes from the wire and the disk.
    serde_json::from_str::<T>(&document.to_string()).and_then(serde_json::to_value)
}

/// Documents between members, and state files.
const TOLERANT: [(&str, Through); 15] = [
    ("heartbeat", through::<Heartbeat>),
    ("announce", through::<Records>),
    ("net_value", through::<NetValue>),
    ("request", through::<Request>),
    ("response", through::<Response>),
    ("speedtest", through::<Response>),
    ("refusal", through::<RpcError>),
    ("join_request", through::<JoinRequest>),
    ("join_answer", through::<JoinAnswer>),
    ("join_handshake", through::<JoinHandshake>),
    ("rekey", through::<RekeyAnswer>),
    ("network_state", through::<NetworkState>),
    ("invites", through::<InvitesState>),
    ("vote", through::<VoteState>),
    ("commands", through::<CommandsState>),
];

/// Requests on the agent's socket.
const STRICT: [(&str, Through); 2] =
    [("agent_speedtest_request", through::<SpeedtestRequest>), ("agent_reboot_request", through::<RebootRequest>)];

fn recorded(name: &str) -> Vec<(String, Value)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1").join(format!("{name}.json"));
    let Value::Object(cases) = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap() else {
        panic!("{name} is no object of cases")
    };
    cases.into_iter().collect()
}

/// Where objects are in a document, as JSON pointers.
fn objects(document: &Value, at: &str, found: &mut Vec<String>) {
    match document {
        Value::Object(fields) => {
            found.push(at.to_owned());
            fields.iter().for_each(|(name, value)| objects(value, &format!("{at}/{name}"), found));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(n, value)| objects(value, &format!("{at}/{n}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The document once for each of its objects, with an unknown field in that one.
fn grown(document: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    objects(document, "", &mut places);
    let with_field = |place: String| {
        let mut document = document.clone();
        let Some(Value::Object(fields)) = document.pointer_mut(&place) else { panic!("{place} is no object") };
        fields.insert(FIELD.to_owned(), json!({ "of": ["a", { "later": null }], "version": 1.5 }));
        (place, document)
    };
    places.into_iter().map(with_field).collect()
}

const FIELD: &str = "not_known_yet";

#[test]
fn every_recorded_document_is_read_with_an_unknown_field_at_every_level() {
    let mut tried = 0;
    for (name, read) in TOLERANT {
        for (case, document) in recorded(name) {
            let plain = read(&document).unwrap();
            for (place, grown) in grown(&document) {
                let again = read(&grown).unwrap_or_else(|error| panic!("{name} {case} at {place:?}: {error}"));
                // Either it was kept where it was, or it left no trace; nothing else changed.
                assert!(again == grown || again == plain, "{name} {case} at {place:?}: {again}");
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried} places: the recordings are not where they were");
}

#[test]
fn what_others_still_need_passes_through_a_version_that_does_not_know_it() {
    // For each recording: the places whose unknown fields are written again.
    let kept: [(&str, &[&str]); 6] = [
        ("announce", &["/owners/", "/net/", "/invites/"]),
        ("network_state", &["", "/records/", "/peers/0/owner", "/peers/1/owner"]),
        ("invites", &["", "/invites/"]),
        ("vote", &[""]),
        ("commands", &["", "/open/"]),
        ("request", &["/params/commands/"]),
    ];
    for (name, places) in kept {
        let (_, read) = TOLERANT.into_iter().find(|(known, _)| *known == name).unwrap();
        let mut tried = 0;
        for (case, document) in recorded(name) {
            for (place, grown) in grown(&document) {
                let wanted = places.iter().any(|start| match place.strip_prefix(start) {
                    Some(rest) if start.ends_with('/') => rest.trim_end_matches("/value").parse::<usize>().is_ok(),
                    Some(rest) => rest.is_empty(),
                    None => false,
                });
                if wanted {
                    assert_eq!(read(&grown).unwrap(), grown, "{name} {case} at {place:?}");
                    tried += 1;
                }
            }
        }
        assert!(tried > 0, "{name} has none of {places:?}");
    }
}

#[test]
fn the_agents_socket_takes_no_unknown_field() {
    for (name, read) in STRICT {
        for (case, document) in recorded(name) {
            read(&document).unwrap();
            for (place, grown) in grown(&document) {
                assert!(read(&grown).is_err(), "{name} {case} at {place:?}");
            }
        }
    }
}

#[test]
fn a_nodes_own_words_are_read_with_a_field_that_is_not_known() {
    let stamp = json!({ "unix_ms": 1, "count": 0, "node": "a1".repeat(32) });
    let words = json!({
        "node": "a1".repeat(32), "stamp": stamp, "addr": "203.0.113.1:4747", "version": "0.9.0", "protocol": 7, FIELD: [1],
    });
    let record: SelfRecord = serde_json::from_value(words).unwrap();
    assert_eq!((record.protocol, record.version.as_str()), (7, "0.9.0"));
}

#[test]
fn a_record_of_an_unknown_kind_is_written_as_it_came_and_named_by_kind_and_which() {
    let text = format!(
        r#"{{"stamp":{{"unix_ms":7,"count":1,"node":"{}"}},"term":3,"which":"b2","value":{{"kind":"mute","until":18446744073709551615,"by":{{"x":[null,-1,0.5]}}}},"seen":true}}"#,
        "a1".repeat(32)
    );
    let record: NetRecord = serde_json::from_str(&text).unwrap();
    assert_eq!(record.name(), "mute/b2");
    assert!(matches!(record.value, NetValue::Other(_)));
    assert_eq!(serde_json::to_value(&record).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
    assert!(!format!("{record:?}").contains("18446744073709551615"), "S3: a value may be a secret");
}

#[test]
fn a_kind_that_is_not_known_has_a_safe_meaning() {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let of = |document: &Value| document.to_string();
    let strength: Strength = serde_json::from_str(r#""absolute""#).unwrap();
    assert_eq!(strength, Strength::Weak, "no majority was heard of");
    let status: Status = serde_json::from_str(r#""sleeping""#).unwrap();
    assert_eq!(status, Status::Suspect);
    let code: RpcError = serde_json::from_str(r#"{"code":"moved","message":"ask beta"}"#).unwrap();
    assert_eq!(code, RpcError { code: RpcCode::Unknown, message: "ask beta".into() });
    let refused = r#"{"answer":"refused","reason":{"reason":"overloaded","for_ms":5},"term":6}"#;
    let answer: LeaseAnswer = serde_json::from_str(refused).unwrap();
    assert!(matches!(answer, LeaseAnswer::Refused { reason: LeaseRefusal::Unknown, .. }), "{answer:?}");
    let answer: LeaseAnswer = serde_json::from_str(r#"{"answer":"later","in_ms":5}"#).unwrap();
    assert_eq!(answer, LeaseAnswer::Unknown);
    let (_, command) = recorded("commands").remove(0);
    let mut command = command.pointer("/open/0").unwrap().clone();
    *command.pointer_mut("/stage").unwrap() = read(r#"{"stage":"upgrading","target":"x","step":2}"#);
    *command.pointer_mut("/content").unwrap() = read(r#"{"kind":"place","north":60.1}"#);
    let stored: StoredCommand = serde_json::from_str(&of(&command)).unwrap();
    assert!(matches!((&stored.stage, &stored.content), (Stage::Other(_), CommandContent::Other(_))));
    assert_eq!(serde_json::to_value(&stored).unwrap(), command, "kept for a successor that knows it");
    let node = "b2".repeat(32);
    let sync = format!(r#"{{"want":[{{"of":"device","id":7}},{{"of":"owner","id":"{node}"}},{{"of":"voters"}}]}}"#);
    let sync: RosterSync = serde_json::from_str(&sync).unwrap();
    assert!(matches!(sync.want.as_slice(), [RecordKey::Owner(_), RecordKey::Voters]), "{:?}", sync.want);
}

#[test]
fn what_is_damaged_is_not_taken_for_something_new() {
    let (_, command) = recorded("commands").remove(0);
    for (place, damaged) in [
        ("/open/0/stage", json!({ "stage": "testing", "target": true })),
        ("/open/0/stage", json!({ "stage": "running", "room": "quota" })),
        ("/open/0/stage", json!({ "target": "x" })),
        ("/open/0/content", json!({ "kind": "text", "text": 5 })),
    ] {
        let mut command = command.clone();
        *command.pointer_mut(place).unwrap() = damaged;
        assert!(through::<CommandsState>(&command).is_err(), "{place}");
    }
    let (_, state) = recorded("network_state").remove(0);
    let mut damaged = state;
    *damaged.pointer_mut("/records/0/value").unwrap() = json!({ "kind": "owner", "username": 5 });
    assert!(through::<NetworkState>(&damaged).is_err());
}

/// Reads a document and writes it for a reader of protocol 1; None where that one has no words for it.
fn for_first(name: &str, document: &Value) -> Option<Value> {
    let text = document.to_string();
    let first = Speaks::of(None);
    Some(match name {
        "heartbeat" => json!(&*first.heartbeat(&serde_json::from_str(&text).unwrap())),
        "announce" => json!(&*first.records(&serde_json::from_str(&text).unwrap())),
        "request" => json!(&*first.request(&serde_json::from_str(&text).unwrap())?),
        "response" | "speedtest" => json!(&*first.response(&serde_json::from_str(&text).unwrap())),
        "join_answer" => json!(&*first.join_answer(&serde_json::from_str(&text).unwrap())),
        _ => panic!("{name}"),
    })
}

#[test]
fn a_reader_of_protocol_1_is_sent_nothing_that_it_would_refuse() {
    // S7: every document that leaves for a peer, whatever of a newer version is in it
    for name in ["heartbeat", "announce", "request", "response", "speedtest", "join_answer"] {
        let (_, read) = TOLERANT.into_iter().find(|(known, _)| *known == name).unwrap();
        for (case, document) in recorded(name) {
            // That one has no words for it.
            let is_later = name == "request" && case.starts_with("alerts_");
            let mut plain = Some(read(&document).unwrap()).filter(|_| !is_later);
            // That one thins nothing, and answers with all points.
            if let Some(params) =
                plain.as_mut().and_then(|plain| plain.pointer_mut("/params")).filter(|_| case == "get_ts_points")
            {
                params.as_object_mut().unwrap().remove("points");
            }
            assert_eq!(for_first(name, &document), plain, "{name} {case}");
            for (place, grown) in grown(&document) {
                assert_eq!(for_first(name, &grown), plain, "{name} {case} at {place:?}");
            }
        }
    }
    let (_, mut records) = recorded("announce").into_iter().find(|(case, _)| case == "full").unwrap();
    let known = for_first("announce", &records).unwrap();
    let mut newer = records.pointer("/net/0").unwrap().clone();
    newer["value"] = json!({ "kind": "mute" });
    let mut one_more = records.pointer("/net/0").unwrap().clone();
    one_more["which"] = "b2".into();
    records.pointer_mut("/net").unwrap().as_array_mut().unwrap().extend([newer, one_more]);
    assert_eq!(for_first("announce", &records), Some(known));
    let (_, mut lease) = recorded("response").into_iter().find(|(case, _)| case == "lease").unwrap();
    let known = for_first("response", &lease).unwrap();
    lease.pointer_mut("/state").unwrap()["granted"] = json!({ "to": "ab".repeat(32) });
    assert_eq!(for_first("response", &lease), Some(known), "whom a voter granted");
    let (_, mut store) = recorded("request").into_iter().find(|(case, _)| case == "command_store").unwrap();
    for stage in [json!({ "stage": "upgrading" }), json!({ "stage": "running", "room": "quota", "data": "2" })] {
        *store.pointer_mut("/params/commands/0/stage").unwrap() = stage;
        assert_eq!(for_first("request", &store), None, "a keeper that cannot carry it out is none");
    }
}

#[test]
fn who_announces_no_protocol_is_taken_for_the_oldest() {
    let spoken = [None, Some(0), Some(1), Some(PROTOCOL), Some(u32::MAX)].map(Speaks::of);
    assert_eq!(spoken, [Speaks::First, Speaks::First, Speaks::First, Speaks::Second, Speaks::Second]);
}

#[test]
fn a_state_file_of_protocol_1_has_nothing_that_it_would_refuse() {
    // S7: a network can go back
    fn plain<T: Plain + DeserializeOwned>(document: &Value) -> Value {
        json!(serde_json::from_str::<T>(&document.to_string()).unwrap().plain())
    }
    type AsPlain = fn(&Value) -> Value;
    let files: [(&str, AsPlain); 4] = [
        ("network_state", plain::<NetworkState>),
        ("invites", plain::<InvitesState>),
        ("vote", plain::<VoteState>),
        ("commands", plain::<CommandsState>),
    ];
    for (name, plain) in files {
        for (case, document) in recorded(name) {
            let known = plain(&document);
            for (place, grown) in grown(&document) {
                assert_eq!(plain(&grown), known, "{name} {case} at {place:?}");
            }
        }
    }
    let (_, mut vote) = recorded("vote").remove(0);
    vote["granted"] = json!({ "holder": { "priority": 1, "node": "a1".repeat(32) }, "term": 3 });
    assert!(plain::<VoteState>(&vote).get("granted").is_none(), "protocol 1 has no such field");
}

#[test]
fn a_disk_that_takes_nothing_is_told_to_readers_of_protocol_2() {
    // S7
    let second = Speaks::of(Some(PROTOCOL));
    let (_, mut heartbeat) = recorded("heartbeat").into_iter().next().unwrap();
    let plain = for_first("heartbeat", &heartbeat);
    heartbeat["facts"]["disk"] = "full".into();
    assert_eq!(for_first("heartbeat", &heartbeat), plain);
    let read: Heartbeat = serde_json::from_str(&heartbeat.to_string()).unwrap();
    assert_eq!(read.facts.disk, Some(DiskTrouble::Full));
    assert_eq!(json!(&*second.heartbeat(&read)), heartbeat);
    heartbeat["facts"]["disk"] = "something of a later version".into();
    let read: Heartbeat = serde_json::from_str(&heartbeat.to_string()).unwrap();
    assert_eq!(read.facts.disk, Some(DiskTrouble::Failing));
    let votes = recorded("response").into_iter().filter(|(_, response)| response.pointer("/facts").is_some());
    let mut votes = votes.peekable();
    assert!(votes.peek().is_some());
    for (case, mut vote) in votes {
        let plain = for_first("response", &vote);
        vote["facts"]["disk"] = "full".into();
        assert_eq!(for_first("response", &vote), plain, "{case}");
    }
}
