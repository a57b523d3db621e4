//! `/status`: each sentence by what makes it true, and the agents that are asked.

use crate::bot::bench::*;
use crate::io::Trouble;
use crate::voters::Shortage;

/// Presses a button that stands for `/status`, and tells what the screen says.
fn status(bench: &mut Bench) -> Message {
    bench.text("/status");
    last_screen(&bench.telegram())
}

fn agent(version: &str) -> Result<Response, CallError> {
    let stats = Stats { agent_version: version.into(), ..Stats::default() };
    Ok(Response::Stats { stats, controller_version: "0.1.0".into() })
}

fn value<'a>(say: &'a Say, slot: &str) -> &'a Value {
    &say.values.iter().find(|(name, _)| *name == slot).unwrap().1
}

fn names(names: &[&str]) -> Value {
    Value::Several(names.iter().map(|name| Value::Text((*name).into())).collect())
}

#[test]
fn a_network_in_order_is_told_at_once_and_its_agents_when_they_answered() {
    // issue 15, point 4
    let mut bench = Bench::new();
    let id = bench.text("/status");
    let first = last_screen(&bench.telegram());
    let rest = [Key::StatusController, Key::StatusAgentsAsked, Key::StatusClocks, Key::StatusDisks, Key::StatusTime];
    let begin = [Key::StatusTitle, Key::StatusStrong, Key::StatusVoters, Key::StatusTelegram];
    assert_eq!(keys(&first), [&begin[..], &rest[..]].concat());
    assert_eq!(said(&first, Key::StatusStrong), Say::new(Key::StatusStrong).text("name", "alpha").span("left", 9_000));
    assert_eq!(value(&said(&first, Key::StatusVoters), "names"), &names(&["alpha", "beta", "gamma"]));
    assert_eq!((bench.done(id), bench.asks.len()), (0, 3));
    assert_eq!(bench.reply("stats", &agent("0.2.0")), 3);
    let second = last_screen(&bench.telegram());
    let say = Say::new(Key::StatusAgent).text("version", "0.2.0").with("count", Value::Count(3));
    assert_eq!(said(&second, Key::StatusAgent), say);
    assert_eq!(bench.done(id), 1);
    let presses: Vec<&str> = second.buttons.iter().flatten().map(|button| button.press.data()).collect();
    assert_eq!(presses, ["ss", "ls:0"]);
}

#[test]
fn a_weak_host_names_the_voters_that_are_missing() {
    // R4: without a majority no edit
    let mut bench = Bench::new();
    (bench.world.strong, bench.world.lease_left_ms) = (false, None);
    bench.world.voters[1].there = false;
    bench.world.voters[2].there = false;
    let missing = vec![node("beta"), node("gamma")];
    bench.world.shortage = Some(Shortage { missing, total: 3, needed: 2 });
    let screen = status(&mut bench);
    assert_eq!(said(&screen, Key::StatusWeak), Say::new(Key::StatusWeak).text("name", "alpha"));
    let voters = said(&screen, Key::StatusVoters);
    let counts = ["there", "total", "needed"].map(|slot| value(&voters, slot).clone());
    assert_eq!(counts, [Value::Count(1), Value::Count(3), Value::Count(2)]);
    assert_eq!(value(&said(&screen, Key::StatusMissing), "names"), &names(&["beta", "gamma"]));
}

#[test]
fn a_majority_that_lacks_a_voter_names_it_too() {
    // L2: one of three may be missing
    let mut bench = Bench::new();
    bench.world.voters[2].there = false;
    let screen = status(&mut bench);
    assert!(keys(&screen).contains(&Key::StatusStrong));
    assert_eq!(value(&said(&screen, Key::StatusMissing), "names"), &names(&["gamma"]));
    assert_eq!(value(&said(&screen, Key::StatusVoters), "there"), &Value::Count(2));
}

#[test]
fn from_where_telegram_answers_is_told_of_nodes_that_are_up() {
    // L4: a node that is no voter need not have called; one whose disk is full says of itself that it does not serve
    let mut bench = Bench::new();
    for (at, reaches) in [(0, Some(true)), (1, Some(false)), (2, Some(true))] {
        bench.world.nodes[at].reaches_bot = reaches;
    }
    bench.world.nodes[2].status = Status::Down;
    let screen = status(&mut bench);
    assert_eq!(value(&said(&screen, Key::StatusTelegram), "names"), &names(&["alpha"]));
    assert_eq!(value(&said(&screen, Key::StatusNoTelegram), "names"), &names(&["beta"]));
    bench.world.nodes[1].disk = Some(Trouble::Full);
    let screen = status(&mut bench);
    assert!(!keys(&screen).contains(&Key::StatusNoTelegram));
    bench.world.nodes[1].disk = None;
    bench.world.voters.retain(|voter| voter.node != node("beta"));
    assert!(!keys(&status(&mut bench)).contains(&Key::StatusNoTelegram));
}

#[test]
fn versions_clocks_and_disks_that_differ_are_named() {
    // S7: a rolling upgrade has two versions for a while
    let mut bench = Bench::new();
    bench.world.nodes[1].version = "0.2.0".into();
    let now_ms = bench.world.now.unix_ms;
    bench.world.nodes[0].unix_ms = Some(now_ms);
    bench.world.nodes[1].unix_ms = Some(now_ms + 5_000);
    bench.world.nodes[2].unix_ms = Some(now_ms - 61_000);
    bench.world.nodes[2].disk = Some(Trouble::ReadOnly);
    let screen = status(&mut bench);
    let version = |version: &str, of: &[&str]| {
        Value::Say(Say::new(Key::StatusVersion).text("version", version).with("names", names(of)))
    };
    let versions = Value::Several(vec![version("0.1.0", &["alpha", "gamma"]), version("0.2.0", &["beta"])]);
    assert_eq!(value(&said(&screen, Key::StatusControllers), "versions"), &versions);
    let clock = |key, name: &str, by| Value::Say(Say::new(key).text("name", name).span("by", by));
    let behind = clock(Key::StatusBehind, "gamma", 61_000);
    let clocks = Value::Several(vec![behind, clock(Key::StatusAhead, "beta", 5_000)]);
    assert_eq!(value(&said(&screen, Key::StatusClocksDiffer), "clocks"), &clocks);
    let why = Value::Say(Say::new(Key::WhyDiskReadOnly));
    let disk = Value::Say(Say::new(Key::StatusDisk).text("name", "gamma").with("why", why));
    assert_eq!(value(&said(&screen, Key::StatusDisksFull), "disks"), &Value::Several(vec![disk]));
}

#[test]
fn a_clock_that_seems_behind_by_its_way_is_equal() {
    // L2: what is heard of a clock is a round trip old
    let mut bench = Bench::new();
    let now_ms = bench.world.now.unix_ms;
    (bench.world.nodes[1].unix_ms, bench.world.nodes[1].rtt_ms) = (Some(now_ms - 3_000), Some(1_200));
    assert!(keys(&status(&mut bench)).contains(&Key::StatusClocks));
    bench.world.nodes[1].rtt_ms = Some(900);
    assert!(keys(&status(&mut bench)).contains(&Key::StatusClocksDiffer));
}

#[test]
fn agents_that_differ_are_named_and_those_that_do_not_answer_hold_nothing_up() {
    // issue 15, point 4
    let mut bench = Bench::new();
    let id = bench.text("/status");
    bench.telegram();
    bench.nodes(&mut |to, _| {
        Some(if *to == node("alpha") {
            agent("0.1.0")
        } else if *to == node("beta") {
            agent("0.2.0")
        } else {
            lost()
        })
    });
    let screen = last_screen(&bench.telegram());
    assert!(keys(&screen).contains(&Key::StatusAgents), "{screen:?}");
    assert_eq!(bench.done(id), 1);
    bench.text("/status");
    bench.telegram();
    bench.reply("stats", &lost());
    assert!(keys(&last_screen(&bench.telegram())).contains(&Key::StatusNoAgents));
}

#[test]
fn whoever_went_on_keeps_the_newer_screen() {
    // F6: a view that comes late takes no newer screen away
    let mut bench = Bench::new();
    let id = bench.text("/status");
    bench.telegram();
    bench.press(&ways::list(0));
    bench.telegram();
    bench.reply("stats", &agent("0.1.0"));
    assert!(bench.telegram().iter().all(|call| screen(call).is_none()));
    assert_eq!(bench.done(id), 1);
}
