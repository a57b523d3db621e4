//! List, card, help, invitations, languages, first contact and strangers.

use crate::bot::bench::*;
use crate::bot::desk::room::Kind;
use crate::bot::kit::page::{Card, Label, LastSpeedtest, List};
use crate::voters::Shortage;
use constella_shared::agent::{Disk, MinAvgMax, Missing, Net, Point, SeriesKind, SpeedtestFigures};

fn list(message: &Message) -> List {
    match &message.body {
        Body::List(list) => list.clone(),
        other => panic!("{other:?}"),
    }
}

fn card(message: &Message) -> Card {
    match &message.body {
        Body::Card(card) => (**card).clone(),
        other => panic!("{other:?}"),
    }
}

fn shown(bench: &mut Bench, press: &Press) -> Message {
    bench.pass(10_000);
    bench.press(press);
    last_screen(&bench.telegram())
}

#[test]
fn a_language_counts_from_its_choice_on_though_it_is_not_on_record_yet() {
    // F6: the record waits behind the copy of an order, and the owner has asked for more meanwhile
    let mut bench = Bench::new();
    let [choice, list] =
        ["/lang ru", "/nodes"].map(|text| bench.stored(CommandContent::Text { text: text.to_string() }));
    let mut acts = bench.dialogue.command(&bench.world, &choice);
    acts.extend(bench.dialogue.command(&bench.world, &list));
    bench.perform(acts);
    let screen = last_screen(&bench.telegram());
    assert!(matches!(screen.body, Body::List(_)) && screen.language == Language::Ru, "{screen:?}");
}

#[test]
fn the_list_is_sorted_by_name_and_paged_by_eight() {
    let mut bench = Bench::new();
    bench.world.nodes = (0..20).map(|n| row(&alloc::format!("Node{:02}", 19 - n))).collect();
    bench.world.nodes[3].status = Status::Down;
    let first = list(&shown(&mut bench, &ways::list(0)));
    assert_eq!((first.rows.len(), first.alive, first.total), (8, 19, 20));
    assert_eq!(first.rows[0].name, "Node00");
    let screen = shown(&mut bench, &ways::list(2));
    assert_eq!(
        list(&screen).rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
        ["Node16", "Node17", "Node18", "Node19"]
    );
    let pager: Vec<Press> =
        screen.buttons[screen.buttons.len() - 2].iter().map(|button| button.press.clone()).collect();
    assert_eq!(pager, [ways::list(1), Press::nothing(), ways::list(0)]);
    // A page that is gone is the last one.
    assert_eq!(list(&shown(&mut bench, &ways::list(99))).rows[0].name, "Node16");
}

#[test]
fn a_network_without_nodes_and_long_names_are_drawn() {
    let mut bench = Bench::new();
    bench.world.nodes = vec![row(&"n".repeat(63)), row("b")];
    let screen = shown(&mut bench, &ways::list(0));
    assert!(screen.buttons[..2].iter().all(|row| row.len() == 1));
    bench.world.nodes.clear();
    assert_eq!(list(&shown(&mut bench, &ways::list(0))).total, 0);
}

#[test]
fn an_older_wish_of_another_leader_does_not_take_a_newer_screen_away() {
    // F6: it is done all the same
    let mut bench = Bench::new();
    let text = |text: &str| CommandContent::Text { text: text.into() };
    let taken_elsewhere = |bench: &mut Bench, content| {
        let taken_by = node("beta");
        StoredCommand { taken_by, ..bench.stored(content) }
    };
    let wish = taken_elsewhere(&mut bench, text("/nodes"));
    let press = ways::card(node("gamma")).data().to_string();
    let button = CommandContent::Button { callback_id: "cb".into(), data: press, message: MESSAGE };
    let look = taken_elsewhere(&mut bench, button);
    let order = taken_elsewhere(&mut bench, text("/invite"));
    bench.text("/help");
    let help = last_screen(&bench.telegram());
    bench.pass(10_000);
    for command in [&wish, &look] {
        bench.give(command);
        assert!(bench.stages.contains(&(command.id, Stage::Done)), "{command:?}");
    }
    assert!(!bench.telegram().iter().any(|call| matches!(call, BotCall::Edit { .. } | BotCall::Send { .. })));
    bench.give(&order);
    let (ask, _) = bench.invites.pop().expect("an order is carried out");
    bench.answer(ask, Answer::Link(Ok(crate::bot::rooms::invite::tests::link(1))));
    bench.telegram();
    let newer = taken_elsewhere(&mut bench, text("/nodes"));
    bench.give(&newer);
    assert_ne!(last_screen(&bench.telegram()).body, help.body, "a newer wish is heard");
}

#[test]
fn an_older_choice_of_language_takes_no_newer_screen_and_no_newer_choice_away() {
    // F6: what another leader took and left
    let mut bench = Bench::new();
    let choice = |bench: &mut Bench, text: &str| {
        let content = CommandContent::Text { text: text.into() };
        StoredCommand { taken_by: node("beta"), ..bench.stored(content) }
    };
    let (first, second) = (choice(&mut bench, "/lang en"), choice(&mut bench, "/lang ru"));
    bench.text("/nodes");
    bench.telegram();
    bench.pass(3_000);
    bench.give(&second);
    bench.pass(3_000);
    let screen = last_screen(&bench.telegram());
    assert!(matches!(screen.body, Body::List(_)), "{screen:?}");
    assert_eq!((screen.language, keys(&screen)), (Language::Ru, alloc::vec![Key::LanguageSet]));
    bench.give(&first);
    bench.pass(3_000);
    assert!(!bench.telegram().iter().any(|call| crate::bot::bench::screen(call).is_some()), "the later choice holds");
    assert_eq!((bench.done(first.id), bench.done(second.id)), (1, 1));
    assert_eq!(bench.records.iter().filter(|value| matches!(value, NetValue::Language { .. })).count(), 1);
}

#[test]
fn what_has_a_message_of_its_own_takes_no_screen_from_an_older_wish() {
    // F6: only what is on the screen overtakes
    let mut bench = Bench::new();
    let press = ways::card(node("gamma")).data().to_string();
    let button = CommandContent::Button { callback_id: "cb".into(), data: press, message: MESSAGE };
    let look = StoredCommand { taken_by: node("beta"), ..bench.stored(button) };
    bench.text("/invite");
    bench.telegram();
    bench.give(&look);
    bench.pass(3_500);
    assert!(matches!(last_screen(&bench.telegram()).body, Body::Card(_)));
}

#[test]
fn a_weak_leader_says_which_voters_it_lacks() {
    let mut bench = Bench::new();
    bench.world.strong = false;
    let shortage = Shortage { missing: vec![node("gamma"), node("beta")], total: 3, needed: 2 };
    bench.world.shortage = Some(shortage);
    let missing = list(&shown(&mut bench, &ways::list(0))).voters_missing.unwrap();
    assert_eq!((missing.missing, missing.total, missing.needed), (2, 3, 2));
    bench.world.strong = true;
    assert_eq!(list(&shown(&mut bench, &ways::list(0))).voters_missing, None);
}

#[test]
fn who_is_silent_is_told_since_when() {
    let mut bench = Bench::new();
    bench.world.nodes[1].status = Status::Down;
    bench.world.nodes[1].last_seen_unix_ms = bench.world.now.unix_ms - 60_000;
    bench.world.nodes[2].status = Status::Down;
    bench.world.nodes[2].last_seen_unix_ms = 0;
    let rows = list(&shown(&mut bench, &ways::list(0))).rows;
    assert_eq!(rows.iter().map(|row| row.silent_ms).collect::<Vec<_>>(), [Some(0), Some(70_000), None]);
    // Nobody measures a round trip to oneself.
    assert_eq!((rows[0].rtt_ms, rows[1].rtt_ms), (None, Some(21)));
}

fn full_stats() -> Stats {
    let disk = |mount: &str, device: &str, used, total| Disk {
        mount: mount.into(),
        device: device.into(),
        fs: "ext4".into(),
        total,
        used,
        ..Disk::default()
    };
    let net = |name: &str, rx_rate| Net { name: name.into(), rx_total: 0, tx_total: 0, rx_rate, tx_rate: 1 };
    Stats {
        boot_id: Some("boot-1".into()),
        cpu_percent: Some(12.5),
        cores_percent: vec![1.0, 2.0],
        mem_total: Some(8),
        mem_used: Some(3),
        disks: vec![
            disk("/data", "/dev/b", 90, 100),
            disk("/", "/dev/a", 10, 100),
            disk("/var/lib/x", "/dev/a", 10, 100),
            disk("/empty", "none", 0, 0),
            disk("/m1", "/dev/c", 20, 100),
            disk("/m2", "/dev/d", 30, 100),
            disk("/m3", "/dev/e", 5, 100),
        ],
        nets: vec![net("eth0", 100), net("eth1", 7)],
        agent_version: "0.1.0".into(),
        ..Stats::default()
    }
}

fn answer_card(bench: &mut Bench) {
    let now_s = bench.world.now.unix_ms / 1_000;
    bench.nodes(&mut |_, request| {
        Some(Ok(match request {
            Request::GetStats {} => Response::Stats { stats: full_stats(), controller_version: "0.1.0".into() },
            Request::GetTs { kind, hours, points } => {
                // C3: no more points travel than the card's columns need.
                assert_eq!((*hours, *points), (6, Some(96)));
                let v = Some(MinAvgMax(1.0, 50.0, 60.0));
                let v = if *kind == SeriesKind::Net { vec![v, v] } else { vec![v] };
                let points = vec![Point { t: now_s - 60, v }];
                Response::Series { series: Series { kind: *kind, step_s: 60, channels: vec![], points } }
            }
            _ => Response::Speedtest {
                test: SpeedtestState::Done {
                    command_id: CommandId([0; 32]),
                    at_unix_s: now_s - 100,
                    figures: SpeedtestFigures::default(),
                },
            },
        }))
    });
}

#[test]
fn a_card_has_figures_graphs_and_the_last_speedtest() {
    let mut bench = Bench::new();
    let id = bench.press(&ways::card(node("beta")));
    assert_eq!(bench.asks.len(), 4);
    answer_card(&mut bench);
    let screen = last_screen(&bench.telegram());
    let card = card(&screen);
    let figures = card.figures.unwrap();
    assert_eq!(figures.net, Ok((107, 2)), "all that the agent tells, which its series sums up too");
    let mounts: Vec<&str> = figures.disks.iter().map(|disk| disk.mount.as_str()).collect();
    assert_eq!(mounts, ["/", "/data", "/m2", "/m1"]);
    assert!(card.cpu.is_some() && card.received.is_some() && card.sent.is_some());
    assert!(matches!(card.speedtest, Some(LastSpeedtest::Done { ago_ms: 100_000, .. })));
    assert_eq!(bench.done(id), 1);
    let data: Vec<Press> = screen.buttons.iter().flatten().map(|button| button.press.clone()).collect();
    let node = || node("beta");
    let (thresholds, manage) = (ways::thresholds(Some(node())), ways::manage(node()));
    assert_eq!(
        data,
        [
            ways::card(node()),
            ways::chart(node()),
            ways::speedtest(node()),
            thresholds,
            ways::ask_reboot(node()),
            manage,
            ways::list(0)
        ]
    );
}

#[test]
fn a_card_says_why_a_figure_is_not_there() {
    let mut bench = Bench::new();
    bench.press(&ways::card(node("beta")));
    let missing =
        [("load", "no load"), ("net", "eth1 is new"), ("disks", "/x does not answer"), ("uptime", "no uptime")];
    let missing = missing.map(|(figure, why)| Missing { figure: figure.into(), why: why.into() }).into();
    let stats = Stats { missing, age_s: Some(40), ..full_stats() };
    bench.nodes(&mut |_, request| {
        Some(match request {
            Request::GetStats {} => Ok(Response::Stats { stats: stats.clone(), controller_version: "0.1.0".into() }),
            _ => lost(),
        })
    });
    let figures = card(&last_screen(&bench.telegram())).figures.unwrap();
    assert_eq!((figures.cpu, figures.mem), (Ok((12.5, 2)), Ok((3, 8))));
    assert_eq!((figures.load, figures.net), (Err("no load".into()), Err("eth1 is new".into())));
    assert_eq!((figures.uptime_s, figures.swap), (Err("no uptime".into()), Err(String::new())));
    assert_eq!((figures.disks_missing.as_deref(), figures.age_s), (Some("/x does not answer"), Some(40)));
    assert_eq!(figures.disks[0].mount, "/", "the others are told");
}

#[test]
fn a_disk_is_as_full_as_df_says() {
    // 08-reserved-blocks
    let mut bench = Bench::new();
    bench.press(&ways::card(node("beta")));
    let disk = |mount: &str, used, available| Disk {
        mount: mount.into(),
        device: mount.into(),
        fs: "ext4".into(),
        total: 1_000,
        used,
        available,
        ..Disk::default()
    };
    let disks = vec![disk("/old", 901, None), disk("/full", 950, Some(0)), disk("/", 1, Some(949))];
    bench.nodes(&mut |_, request| {
        Some(match request {
            Request::GetStats {} => {
                let stats = Stats { disks: disks.clone(), ..full_stats() };
                Ok(Response::Stats { stats, controller_version: "0.1.0".into() })
            }
            _ => lost(),
        })
    });
    let figures = card(&last_screen(&bench.telegram())).figures.unwrap();
    let rows: Vec<(&str, u8)> = figures.disks.iter().map(|disk| (disk.mount.as_str(), disk.percent)).collect();
    assert_eq!(rows, [("/", 1), ("/full", 100), ("/old", 91)]);
}

#[test]
fn a_slow_card_is_shown_with_what_is_there_and_again_when_it_is_whole() {
    let mut bench = Bench::new();
    let id = bench.press(&ways::card(node("beta")));
    bench.telegram();
    bench.pass(700);
    let first = card(&last_screen(&bench.telegram()));
    assert_eq!(first.figures.unwrap_err().key, Key::Loading);
    assert_eq!(bench.done(id), 1, "something of it was shown, so the next update need not wait");
    bench.nodes(&mut |_, _| Some(lost()));
    let second = card(&last_screen(&bench.telegram()));
    assert_eq!(second.figures.unwrap_err().key, Key::WhyNoAnswer);
    assert_eq!(bench.done(id), 1, "once");
}

#[test]
fn every_refusal_of_figures_is_a_sentence() {
    let cases = [
        (not_sent(), Key::WhyNoConnection),
        (lost(), Key::WhyNoAnswer),
        (refused(RpcCode::AgentUnreachable), Key::WhyAgentUnreachable),
        (refused(RpcCode::AgentFailed), Key::WhyAgentFailed),
        (refused(RpcCode::Protocol), Key::WhyOther),
        (Ok(Response::Done), Key::WhyOther),
    ];
    for (answer, expected) in cases {
        let mut bench = Bench::new();
        bench.press(&ways::card(node("beta")));
        bench.nodes(&mut |_, _| Some(answer.clone()));
        assert_eq!(card(&last_screen(&bench.telegram())).figures.unwrap_err().key, expected);
    }
}

#[test]
fn a_card_that_the_owner_left_does_not_come_back() {
    let mut bench = Bench::new();
    let left = bench.press(&ways::card(node("beta")));
    bench.press(&ways::list(0));
    bench.telegram();
    answer_card(&mut bench);
    bench.pass(5_000);
    assert!(bench.telegram().is_empty());
    assert_eq!(bench.done(left), 1);
}

#[test]
fn a_button_of_a_removed_node_shows_the_list_and_says_why() {
    for press in [ways::card(node("gone")), ways::speedtest(node("gone")), ways::ask_reboot(node("gone"))] {
        let mut bench = Bench::new();
        let id = bench.press(&press);
        let calls = bench.telegram();
        assert_eq!(toast(&calls), Some(Key::NodeGone));
        list(&last_screen(&calls));
        assert_eq!(bench.done(id), 1);
        assert!(bench.asks.is_empty());
    }
}

#[test]
fn every_text_has_its_answer() {
    let cases: [(&str, &[Key]); 11] = [
        ("/start", &[]),
        ("/start c0de", &[]),
        ("/nodes@our_bot", &[]),
        ("/help", &[Key::HelpText]),
        ("/lang", &[Key::AskLanguage]),
        ("/lang xx", &[Key::AskLanguage]),
        ("/beta", &[Key::UnknownText, Key::HelpText]),
        ("/alpha@our_bot", &[Key::UnknownText, Key::HelpText]),
        ("/lang en", &[Key::LanguageSet, Key::HelpText]),
        ("hello", &[Key::UnknownText, Key::HelpText]),
        ("", &[Key::UnknownText, Key::HelpText]),
    ];
    for (text, expected) in cases {
        let mut bench = Bench::new();
        let id = bench.text(text);
        let screen = last_screen(&bench.telegram());
        assert_eq!(keys(&screen), expected, "{text}");
        assert_eq!(matches!(screen.body, Body::List(_)), expected.is_empty(), "{text}");
        assert_eq!(bench.done(id), 1, "{text}");
    }
}

#[test]
fn a_name_that_is_typed_opens_its_card_and_one_of_several_nodes_lists_them() {
    let mut bench = Bench::new();
    bench.world.nodes = ["web-1", "web-2", "Web", "db"].map(row).into();
    for (text, name) in [("web-2", "web-2"), ("WEB", "Web"), ("WEB-1", "web-1"), (" d", "db")] {
        let id = bench.text(text);
        for kind in ["series", "test"] {
            bench.reply(kind, &lost());
        }
        bench.reply("stats", &stats("boot-1", 5));
        bench.pass(5_000);
        let calls = bench.telegram();
        assert!(calls.iter().any(|call| matches!(call, BotCall::Send { .. })), "at the end of the chat: {text}");
        assert_eq!(card(&last_screen(&calls)).row.name, name, "{text}");
        assert_eq!(bench.done(id), 1);
    }
    let id = bench.text("we");
    let screen = last_screen(&bench.telegram());
    assert_eq!(said(&screen, Key::SeveralMeant).values[1].1, Value::Count(3));
    let presses: Vec<&Press> = screen.buttons.iter().flatten().map(|button| &button.press).collect();
    let tags = ["Web", "web-1", "web-2"].map(|name| ways::card(node(name)));
    assert_eq!(presses, [&tags[0], &tags[1], &tags[2], &ways::list(0)]);
    assert_eq!(bench.done(id), 1);
}

#[test]
fn ids_are_shown_only_where_names_are_alike() {
    let mut bench = Bench::new();
    let screen = shown(&mut bench, &ways::list(0));
    assert!(list(&screen).rows.iter().all(|row| !row.is_alike));
    bench.world.nodes[1].name = "Gamma".into();
    let screen = shown(&mut bench, &ways::list(0));
    assert_eq!(list(&screen).rows.iter().map(|row| row.is_alike).collect::<Vec<_>>(), [false, true, true]);
    let ids = screen.buttons.iter().flatten().filter_map(|button| match &button.label {
        Label::Node { id, .. } => Some(*id),
        _ => None,
    });
    assert_eq!(ids.collect::<Vec<_>>(), [None, Some(node("beta")), Some(node("gamma"))]);
    let confirmation = shown(&mut bench, &ways::ask_reboot(node("gamma")));
    let name = said(&confirmation, Key::ConfirmReboot).values[0].1.clone();
    assert_eq!(name, Value::Text(alloc::format!("gamma ({})", node("gamma").short())));
}

#[test]
fn a_node_that_is_down_is_offered_nothing_that_cannot_work() {
    for (status, offers) in
        [(Status::Alive, true), (Status::Suspect, true), (Status::Down, false), (Status::Left, false)]
    {
        let mut bench = Bench::new();
        bench.world.nodes[1].status = status;
        bench.world.nodes[1].last_seen_unix_ms = bench.world.now.unix_ms - 60_000;
        bench.press(&ways::card(node("beta")));
        bench.reply("stats", &not_sent());
        bench.pass(2_000);
        let screen = last_screen(&bench.telegram());
        assert_eq!(card(&screen).row.silent_ms.unwrap() > 0, status != Status::Alive);
        let orders = screen
            .buttons
            .iter()
            .flatten()
            .filter(|button| [ways::ASK_REBOOT, ways::SPEEDTEST, reboot::CONFIRM].contains(&button.press.verb()));
        assert_eq!(orders.count(), if offers { 2 } else { 0 }, "{status:?}");
    }
    // A button from before it was down
    for press in [ways::ask_reboot(node("beta")), ways::speedtest(node("beta"))] {
        let mut bench = Bench::new();
        bench.world.nodes[1].status = Status::Down;
        let id = bench.press(&press);
        bench.reply("stats", &not_sent());
        bench.pass(4_000);
        let calls = bench.telegram();
        assert_eq!(toast(&calls), Some(Key::NodeDown));
        card(&last_screen(&calls));
        assert!(bench.asks.iter().all(|(_, _, request)| !["reboot", "run"].contains(&request_name(request))));
        bench.reply("series", &not_sent());
        bench.reply("test", &not_sent());
        bench.pass(4_000);
        bench.telegram();
        assert_eq!(bench.done(id), 1);
    }
}

#[test]
fn the_menu_follows_the_language_that_the_owner_chose() {
    let mut bench = Bench::new();
    let menu = |calls: &[BotCall]| {
        calls.iter().find_map(|call| match call {
            BotCall::SetCommands { chosen, .. } => Some(*chosen),
            _ => None,
        })
    };
    bench.text("/lang ru");
    assert_eq!(menu(&bench.telegram()), Some(Some((OWNER, Language::Ru))));
    let acts = bench.dialogue.elected(&bench.world, None);
    bench.perform(acts);
    assert_eq!(menu(&bench.telegram()), Some(Some((OWNER, Language::Ru))), "the next leader knows it");
    bench.world.language = None;
    bench.dialogue.deposed();
    let acts = bench.dialogue.elected(&bench.world, None);
    bench.perform(acts);
    assert_eq!(menu(&bench.telegram()), Some(None), "nobody chose");
}

#[test]
fn unknown_data_and_labels_are_answered() {
    let mut bench = Bench::new();
    let id = bench.press_on(MESSAGE, "zz:1");
    let calls = bench.telegram();
    assert_eq!(toast(&calls), Some(Key::UnknownButton));
    list(&last_screen(&calls));
    let label = bench.press(&Press::nothing());
    assert_eq!(bench.telegram().len(), 1);
    assert_eq!((bench.done(id), bench.done(label)), (1, 1));
}

#[test]
fn a_choice_of_language_is_recorded_and_spoken_at_once() {
    let mut bench = Bench::new();
    bench.press(&Press::with(settings::LANGUAGE, "ru"));
    let screen = last_screen(&bench.telegram());
    assert_eq!(screen.language, Language::Ru);
    assert_eq!(bench.records, [NetValue::Language { code: "ru".into() }]);
    let languages: Vec<&Label> = screen.buttons[1].iter().map(|button| &button.label).collect();
    assert_eq!(languages, [&Label::Language(Language::Ru), &Label::Language(Language::En)]);
    bench.text("/lang en");
    assert_eq!(last_screen(&bench.telegram()).language, Language::En);
}

#[test]
fn a_message_of_its_own_is_tried_again_until_it_arrives() {
    for (error, again) in [
        (BotError::RetryAfter { ms: 3_000 }, true),
        (BotError::Unreachable("x".into()), true),
        (BotError::Server, true),
        (BotError::ChatGone, false),
    ] {
        let mut bench = Bench::new();
        let id = bench.text("/invite soon");
        let (ask, _) = bench.calls.pop().unwrap();
        bench.answer(ask, Answer::Bot(Err(error.clone())));
        assert_eq!(bench.done(id), usize::from(!again), "{error:?}");
        bench.pass(5_000);
        assert_eq!(bench.calls.len(), usize::from(again), "{error:?}");
        bench.telegram();
        assert_eq!(bench.done(id), 1, "{error:?}");
    }
}

fn unclaimed() -> Bench {
    let mut bench = Bench::new();
    let claim = Some(token_hash(&Secret::new("c0de".into())));
    bench.world.owner = Owner { username: "olga".into(), telegram_id: None, claim };
    bench.world.message = None;
    bench.world.language = None;
    bench
}

fn update(user: i64, username: &str, content: CommandContent, private: bool) -> Update {
    let (username, language) = (Some(username.to_string()), Some("en".into()));
    let event = UpdateEvent { user, username, language, chat: user, private, thread: None, forwarded: false, content };
    Update { id: 1, event: Some(event) }
}

fn typed(text: &str) -> CommandContent {
    CommandContent::Text { text: text.to_string() }
}

#[test]
fn first_contact_pins_the_id_and_keeps_the_language() {
    let mut bench = unclaimed();
    let hello = update(OWNER, "OLGA", typed("/start c0de"), true);
    assert_eq!(bench.dialogue.admit(&bench.world, &hello), Admission::Command);
    let id = bench.text("/start c0de");
    let screen = last_screen(&bench.telegram());
    assert_eq!((screen.language, keys(&screen)), (Language::En, vec![Key::Welcome]));
    assert_eq!(
        bench.records,
        [
            NetValue::Owner { username: "olga".into(), telegram_id: Some(OWNER), claim: None },
            NetValue::Language { code: "en".into() },
            NetValue::Message { chat: OWNER, message: 901 },
        ]
    );
    assert_eq!(bench.done(id), 1);
    // The same update at a successor, after the record: the list.
    let again = bench.text("/start c0de");
    bench.pass(5_000);
    bench.telegram();
    assert_eq!((bench.done(again), bench.records.len()), (1, 4));
}

#[test]
fn only_the_owner_in_a_private_chat_is_admitted() {
    let button = CommandContent::Button { callback_id: "cb".into(), data: "ls:0".into(), message: 1 };
    let mut bench = Bench::new();
    let nothing = Update { id: 1, event: None };
    assert_eq!(bench.dialogue.admit(&bench.world, &nothing), Admission::Ignore);
    let group = update(OWNER, "olga", typed("/nodes"), false);
    assert!(matches!(bench.dialogue.admit(&bench.world, &group), Admission::Refuse(_)), "it reads one line");
    let owner = update(OWNER, "renamed", typed("/nodes"), true);
    assert_eq!(bench.dialogue.admit(&bench.world, &owner), Admission::Command);
    let stranger = update(5, "olga", typed("/start c0de"), true);
    let Admission::Refuse(acts) = bench.dialogue.admit(&bench.world, &stranger) else { panic!() };
    assert!(matches!(&acts[..], [Act::Bot { call: BotCall::Send { chat: 5, .. }, .. }]));
    assert_eq!(bench.dialogue.admit(&bench.world, &stranger), Admission::Ignore);
    let Admission::Refuse(acts) = bench.dialogue.admit(&bench.world, &update(6, "eve", button, true)) else { panic!() };
    assert!(matches!(&acts[..], [Act::Bot { call: BotCall::AnswerCallback { toast: Some(_), .. }, .. }]));
    // The answer to a refusal is nobody's business.
    let Act::Bot { ask, .. } = acts[0] else { panic!() };
    bench.answer(ask, Answer::Bot(Err(BotError::ChatGone)));
    assert!(bench.order.is_empty());
}

#[test]
fn a_stored_command_of_somebody_who_is_no_owner_any_longer_is_refused_in_words() {
    let mut bench = Bench::new();
    let text = StoredCommand { user: 5, chat: 5, ..bench.stored(typed("/nodes")) };
    let id = bench.give(&text);
    assert!(matches!(&bench.telegram()[..], [BotCall::Send { chat: 5, screen: Screen::Note { .. }, .. }]));
    assert_eq!(bench.done(id), 1);
    let content = CommandContent::Button { callback_id: "cb".into(), data: "ls:0".into(), message: 1 };
    let button = StoredCommand { user: 5, chat: 5, ..bench.stored(content) };
    let id = bench.give(&button);
    assert_eq!(toast(&bench.telegram()), Some(Key::Stranger));
    assert_eq!(bench.done(id), 1);
}

#[test]
fn no_two_rooms_share_a_name_a_verb_or_a_command() {
    // S7: a name stands in stages on the wire, and a verb in buttons that are weeks old
    let rooms = crate::bot::rooms::all([0; 32]);
    let mut taken: Vec<&str> = vec!["no"];
    taken.extend(rooms.iter().map(|room| room.name()));
    taken.extend(rooms.iter().flat_map(|room| room.presses()).copied());
    taken.extend(rooms.iter().flat_map(|room| room.commands()).map(|command| command.verb));
    let mut once = taken.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), taken.len(), "{taken:?}");
    for room in &rooms {
        assert!(room.presses().iter().all(|verb| verb.len() == 2), "{}: a tag and a nonce go beside it", room.name());
        assert!(room.commands().iter().all(|command| command.verb.starts_with('/')), "{}", room.name());
    }
}

#[test]
fn each_wish_is_a_view_an_edit_or_an_order() {
    // F6: an order is given at most once, an edit may be written again, a view changes nothing
    let dialogue = Bench::new().dialogue;
    let text = |text: &str| dialogue.kind(&CommandContent::Text { text: text.into() });
    for view in ["/nodes", "/start", "/status", "/help", "/lang", "/lang xx", "beta", "", "/beta"] {
        assert_eq!(text(view), Kind::View, "{view}");
    }
    assert_eq!([text("/start c0de"), text("/lang ru"), text("/LANG@our_bot en")], [Kind::Edit; 3]);
    assert_eq!([text("/invite"), text("/invite 5m")], [Kind::Order; 2]);
    let press = |press: Press| {
        let data = press.data().to_string();
        dialogue.kind(&CommandContent::Button { callback_id: "cb".into(), data, message: MESSAGE })
    };
    let views =
        [ways::list(3), ways::card(node("beta")), ways::ask_reboot(node("beta")), ways::help(), Press::nothing()];
    assert_eq!(views.map(press), [Kind::View; 5]);
    assert_eq!(press(Press::with(settings::LANGUAGE, "en")), Kind::Edit);
    let confirmed = reboot::confirm(node("beta"), "0123456789abcdef");
    assert_eq!([press(confirmed), press(ways::speedtest(node("beta")))], [Kind::Order; 2]);
    assert_eq!(press(Press::parse("zz:1").unwrap()), Kind::View, "of another version");
}
