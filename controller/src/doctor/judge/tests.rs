//! Tables: a reading, its verdict, and the words that the operator reads.

use constella_shared::agent::{AgentError, AgentErrorCode};
use constella_shared::ids::NodeId;
use nix::errno::Errno;

use super::*;

fn row(name: &str, status: Status, skew_ms: Option<i64>) -> PeerRow {
    PeerRow {
        name: name.into(),
        node_id: NodeId::over(&[name.as_bytes()]),
        addr: "203.0.113.7:4747".into(),
        status,
        last_seen: 0,
        priority: 100,
        leader: false,
        version: "0.1.0".into(),
        rtt_ms: None,
        reached: 0,
        skew_ms,
    }
}

fn health(reboot_allowed: bool) -> Health {
    Health {
        ok: true,
        version: "0.1.0".into(),
        protocol: 1,
        reboot_allowed,
        speedtest_allowed: true,
        last_reboot: None,
        missing: Vec::new(),
    }
}

fn answers(webhook: bool, pending: u32) -> BotDocument {
    BotDocument::Answers { username: "our_bot".into(), webhook, pending }
}

/// The verdict, and that whatever is not in order comes with something to do.
fn verdict(finding: &Finding) -> Verdict {
    assert_eq!(finding.todo.is_none(), finding.verdict == Verdict::Ok, "{finding:?}");
    finding.verdict
}

#[test]
fn a_state_folder_must_be_writable_and_have_room() {
    let at = Path::new("/state");
    let room = |bytes| Ok(Space(bytes));
    let cases = [
        (Ok(()), room(LITTLE), Verdict::Ok, "200 MiB are left"),
        (Ok(()), room(LITTLE - 1), Verdict::Note, "only 199 MiB"),
        (Ok(()), room(TOO_LITTLE - 1), Verdict::Fail, "15 MiB"),
        (Err(Errno::EROFS), room(LITTLE), Verdict::Fail, "cannot be written"),
        (Ok(()), Err(Errno::ENOENT), Verdict::Fail, "cannot be measured"),
    ];
    for (writable, space, expected, words) in cases {
        let finding = state(at, writable, space);
        assert_eq!(verdict(&finding), expected, "{finding:?}");
        assert!(finding.found.contains(words), "{finding:?}");
    }
    assert_eq!((verdict(&user(0)), verdict(&user(10_001))), (Verdict::Note, Verdict::Ok));
}

#[test]
fn an_agent_answers_or_it_is_said_why_not() {
    let at = Path::new("/run/agent.sock");
    let refused = AgentError { code: AgentErrorCode::Disabled, message: "uid 7 is not allowed".into() };
    assert_eq!(verdict(&agent(Ok(health(true)), at)), Verdict::Ok);
    assert!(agent(Ok(health(false)), at).found.contains("switched off here: reboot"));
    let gone = agent(Err(AgentFailure::Unreachable("no such file".into())), at);
    assert_eq!(verdict(&gone), Verdict::Fail);
    assert!(gone.found.contains("/run/agent.sock: no such file"), "{gone:?}");
    let refused = agent(Err(AgentFailure::Refused(refused)), at);
    assert!(verdict(&refused) == Verdict::Fail && refused.found.contains("uid 7"), "{refused:?}");
}

/// Check, verdict, words.
type Lines = &'static [(&'static str, Verdict, &'static str)];

#[test]
fn telegram_the_token_and_a_webhook_are_judged_each_for_itself() {
    let gone = BotDocument::Unreachable { why: "refused".into() };
    let cases: [(BotDocument, Lines); 6] = [
        (
            answers(false, 0),
            &[
                ("telegram", Verdict::Ok, "answers"),
                ("token", Verdict::Ok, "@our_bot"),
                ("webhook", Verdict::Ok, "none"),
            ],
        ),
        (
            answers(false, 3),
            &[
                ("telegram", Verdict::Ok, "answers"),
                ("token", Verdict::Ok, "@our_bot"),
                ("webhook", Verdict::Note, "3 updates wait"),
            ],
        ),
        (
            answers(true, 3),
            &[
                ("telegram", Verdict::Ok, "answers"),
                ("token", Verdict::Ok, "@our_bot"),
                ("webhook", Verdict::Fail, "one is set"),
            ],
        ),
        (
            BotDocument::BadToken,
            &[("telegram", Verdict::Ok, "answers"), ("token", Verdict::Fail, "does not know this bot token")],
        ),
        (BotDocument::NoToken, &[("token", Verdict::Note, "no bot token")]),
        (gone, &[("telegram", Verdict::Note, "from here: refused"), ("token", Verdict::Note, "cannot be checked")]),
    ];
    for (bot, expected) in cases {
        let findings = telegram(&bot);
        assert_eq!(findings.len(), expected.len(), "{findings:?}");
        for (finding, (check, wanted, words)) in findings.iter().zip(expected) {
            assert_eq!((finding.check, verdict(finding)), (*check, *wanted), "{finding:?}");
            assert!(finding.found.contains(words), "{finding:?}");
        }
    }
}

#[test]
fn members_that_are_not_up_are_named_and_none_at_all_is_this_nodes_fault() {
    let (up, down) = (row("beta", Status::Alive, None), row("gamma", Status::Down, None));
    assert_eq!(verdict(&members(&[&up])), Verdict::Ok);
    assert_eq!(verdict(&members(&[])), Verdict::Note);
    let some = members(&[&up, &down]);
    assert!(
        verdict(&some) == Verdict::Note && some.found.contains("1 of 2") && some.found.contains("gamma"),
        "{some:?}"
    );
    assert_eq!(verdict(&members(&[&down])), Verdict::Fail);
    let many: Vec<PeerRow> = (0..9).map(|n| row(&format!("n{n}"), Status::Down, None)).collect();
    assert!(members(&many.iter().collect::<Vec<_>>()).found.ends_with("n4 and 4 more"));
}

#[test]
fn a_closed_port_is_seen_by_the_others_only() {
    let said = |name: &str, reaches_us| Reached { name: name.into(), reaches_us };
    let addr = "203.0.113.7:4747";
    assert_eq!(reach(&[], addr), None);
    assert_eq!(verdict(&reach(&[said("beta", Ok(true))], addr).unwrap()), Verdict::Ok);
    let closed =
        reach(&[said("beta", Ok(true)), said("gamma", Ok(false)), said("delta", Err("x".into()))], addr).unwrap();
    assert_eq!(verdict(&closed), Verdict::Fail);
    assert!(closed.found.contains("from 1 of 2 members: gamma"), "{closed:?}");
    let nobody = reach(&[said("delta", Err("no answer".into()))], addr).unwrap();
    assert!(verdict(&nobody) == Verdict::Note && nobody.found.ends_with("no answer"), "{nobody:?}");
}

#[test]
fn a_wrong_clock_is_this_ones_where_most_differ() {
    let clocks_of = |skews: &[Option<i64>]| {
        let rows: Vec<PeerRow> =
            skews.iter().enumerate().map(|(n, skew)| row(&format!("n{n}"), Status::Alive, *skew)).collect();
        clocks(&rows.iter().collect::<Vec<_>>(), 30_000)
    };
    assert_eq!(verdict(&clocks_of(&[None])), Verdict::Note);
    let good = clocks_of(&[Some(-1_200), Some(30), None]);
    assert!(
        verdict(&good) == Verdict::Ok && good.found == "n0 -1.2 s, n1 +0.0 s, against this one; 30 s are allowed",
        "{good:?}"
    );
    let other = clocks_of(&[Some(0), Some(3_600_000), Some(10)]);
    assert!(verdict(&other) == Verdict::Note && other.found == "n1 is 3600 s ahead", "{other:?}");
    let own = clocks_of(&[Some(-3_600_000), Some(-3_599_000), Some(10)]);
    assert!(verdict(&own) == Verdict::Fail && own.found.ends_with("n0 is 3600 s behind"), "{own:?}");
}

#[test]
fn an_overlay_must_be_there_with_its_address() {
    let wanted = Overlay { interface: "wg0".into(), address: "10.42.0.1".parse().unwrap() };
    let missing = overlay(&wanted, false, false);
    assert_eq!(verdict(&missing), Verdict::Fail);
    // S3: wg-quick's PostUp is code that runs as root, and what is in the state folder is this controller's to replace.
    assert!(
        !missing.todo.unwrap_or_default().contains("state/"),
        "root would be told to run a file of the controller's"
    );
    assert_eq!(verdict(&overlay(&wanted, true, false)), Verdict::Fail);
    assert_eq!(verdict(&overlay(&wanted, true, true)), Verdict::Ok);
    let v4: SockaddrStorage = std::net::SocketAddrV4::new("10.42.0.1".parse().unwrap(), 0).into();
    let v6: SockaddrStorage = std::net::SocketAddrV6::new("fd00::1".parse().unwrap(), 0, 0, 0).into();
    assert!(is_address(Some(&v4), wanted.address) && is_address(Some(&v6), "fd00::1".parse().unwrap()));
    assert!(!is_address(Some(&v6), wanted.address) && !is_address(None, wanted.address));
}
