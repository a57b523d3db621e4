//! Recorded screens. `CONSTELLA_REWRITE=1 cargo test -p constella-controller --lib render` records them anew; the commit says why.

mod alerts;
mod charts;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use constella_core::alerts::Kind;
use constella_core::alerts::choice::{Choice, Quiet, Scope};
use constella_core::bot::desk::act::{Act, Answer};
use constella_core::bot::desk::dialogue::Settings;
use constella_core::bot::kit::graph::Graph;
use constella_core::bot::kit::page::{Button, Card, Disk, Figures, Label, LastSpeedtest};
use constella_core::bot::kit::press::Press;
use constella_core::bot::kit::world::{NodeRow, Owner, Voter, World};
use constella_core::bot::rooms::{dialogue, reboot, ways};
use constella_core::clock::Now;
use constella_core::io::{BotCall, BotReply};
use constella_shared::agent::SpeedtestFigures;
use constella_shared::ids::{CommandId, NodeId, Term};
use constella_shared::secret::Secret;
use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
use constella_shared::wire::heartbeat::Glance;
use sha2::{Digest, Sha256};
use teloxide::types::InlineKeyboardButtonKind;

use super::*;

/// As install.sh takes it: its tests paste the recorded block.
const LINK: &str = concat!(
    "join://203.0.113.7:4747?net=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "&token=c0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0de&ttl=900s",
    "&fp=0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
);

fn node(n: u8) -> NodeId {
    NodeId([n; 32])
}

fn row(n: u8, name: &str, status: Status) -> Row {
    let alive = status == Status::Alive;
    Row {
        disk: None,
        node: node(n),
        name: name.to_owned(),
        is_alike: n == 6,
        status,
        leader: n == 1,
        rtt_ms: (n != 1).then_some(21),
        glance: Some(Glance { cpu: 12, mem: 43 }),
        silent_ms: if alive { Some(0) } else { Some(125_000) },
        listened_ms: 7_300_000,
    }
}

fn text_button(key: Key, press: Press) -> Button {
    Button { label: Label::Text(key), press }
}

fn message(language: Language, notices: Vec<Say>, body: Body, buttons: Vec<Vec<Button>>) -> Screen {
    Screen::Message(Box::new(Message { language, notices, body, at_unix_s: 1_800_000_123, buttons }))
}

fn list(voters_missing: Option<VotersMissing>) -> Body {
    let rows = vec![
        row(1, "alpha", Status::Alive),
        row(2, "beta <b>&", Status::Suspect),
        Row { silent_ms: None, ..row(3, "gamma", Status::Down) },
        row(4, &"very-long-name-of-a-node-".repeat(3), Status::Alive),
        Row { glance: None, rtt_ms: None, ..row(5, "quiet", Status::Alive) },
        row(6, "gone", Status::Left),
    ];
    Body::List(List { rows, alive: 3, total: 6, voters_missing })
}

fn voters() -> VotersMissing {
    VotersMissing { missing: 3, total: 5, needed: 3 }
}

fn list_buttons() -> Vec<Vec<Button>> {
    let node = |n, name: &str, status| Button {
        label: Label::Node { name: name.to_owned(), id: (n == 2).then_some(node(n)), status },
        press: ways::card(node(n)),
    };
    let turn = |label, page| Button { label, press: ways::list(page) };
    vec![
        vec![node(1, "alpha", Status::Alive), node(2, "beta <b>&", Status::Suspect)],
        vec![
            turn(Label::Earlier, 2),
            Button { label: Label::Page { page: 1, pages: 3 }, press: Press::nothing() },
            turn(Label::Later, 1),
        ],
        vec![text_button(Key::Refresh, ways::list(0)), text_button(Key::Help, ways::help())],
    ]
}

fn figures() -> Figures {
    let gib = 1_024 * 1_024 * 1_024;
    Figures {
        cpu: Ok((12.4, 4)),
        load: Ok([0.12, 1.5, 10.0]),
        mem: Ok((gib * 17 / 10, 4 * gib)),
        swap: Ok((0, gib)),
        disks: vec![
            Disk { mount: "/".into(), used: 10 * gib, total: 100 * gib, percent: 10 },
            Disk { mount: "/a<b>&very/long/mount/point".into(), used: 94 * gib, total: 100 * gib, percent: 99 },
        ],
        disks_missing: None,
        net: Ok((1_250_000, 300_000)),
        uptime_s: Ok(1_051_200),
        age_s: None,
        controller: "0.1.0".into(),
        agent: "0.1.0".into(),
    }
}

/// A host that does not tell what it has.
fn gaps() -> Figures {
    let why = || "cannot read /proc/<x>: No such file".to_owned();
    Figures {
        cpu: Err(why()),
        load: Err(why()),
        mem: Err(why()),
        swap: Err(why()),
        disks_missing: Some("/mnt/nfs does not answer within 2 s".into()),
        net: Err("eth1: new, or its counters began anew".into()),
        uptime_s: Err(String::new()),
        age_s: Some(42),
        ..figures()
    }
}

fn graph(average: f32) -> Graph {
    let columns = (0..24u8).map(|at| (at % 9 != 8).then_some(at % 8)).collect();
    Graph { columns, average, peak: average * 3.0 }
}

fn card(figures: Result<Figures, Say>, speedtest: LastSpeedtest) -> Body {
    let with = figures.is_ok().then_some(());
    Body::Card(Box::new(Card {
        row: row(2, "beta", if with.is_some() { Status::Alive } else { Status::Down }),
        figures,
        cpu: with.map(|()| graph(12.0)),
        received: with.map(|()| graph(1_250_000.0)),
        sent: with.map(|()| graph(30_000.0)),
        hours: 6,
        speedtest: Some(speedtest),
    }))
}

/// A node that was down before this leader began to listen.
fn never_heard(why: Say) -> Body {
    let Body::Card(card) = card(Err(why), LastSpeedtest::Never) else { panic!("no card") };
    let row = Row { silent_ms: None, is_alike: true, ..card.row.clone() };
    Body::Card(Box::new(Card { row, speedtest: None, ..*card }))
}

fn measured() -> SpeedtestFigures {
    SpeedtestFigures { latency_ms: Some(12.34), jitter_ms: Some(0.5), download_bps: Some(93_100_000), upload_bps: None }
}

fn screens(language: Language) -> Vec<(&'static str, Screen)> {
    let back = || vec![vec![text_button(Key::ToCard, ways::card(node(2))), text_button(Key::ToList, ways::list(0))]];
    let done = LastSpeedtest::Done { ago_ms: 7_300_000, figures: measured() };
    let failed = LastSpeedtest::Failed { message: "no <route>\nto host".into() };
    let no_answer = || Say::new(Key::WhyNoAnswer);
    let running = Speedtest {
        say: Say::new(Key::SpeedtestTitle).text("name", "beta"),
        progress: Some((SpeedtestPhase::Upload, 73)),
        figures: measured(),
    };
    let confirm = Say::new(Key::ConfirmReboot).text("name", "beta").with("seconds", Value::Count(45));
    let yes = reboot::confirm(node(2), "0123456789abcdef");
    let yes = vec![vec![text_button(Key::RebootYes, yes)]];
    let notice = Say::new(Key::RebootBack).text("name", "beta").span("took", 43_000);
    let help = [Key::HelpText, Key::HelpNodes, Key::HelpInvite, Key::HelpLang, Key::HelpHelp, Key::HelpEnd];
    let help = Body::Says(help.map(Say::new).to_vec());
    let says = |say: Say| Body::Says(vec![say]);
    vec![
        ("list", message(language, vec![], list(None), list_buttons())),
        ("list_weak_notice", message(language, vec![notice], list(Some(voters())), list_buttons())),
        (
            "list_empty",
            message(
                language,
                vec![],
                Body::List(List { rows: vec![], alive: 0, total: 0, voters_missing: None }),
                vec![],
            ),
        ),
        ("card", message(language, vec![], card(Ok(figures()), done), back())),
        ("card_gaps", message(language, vec![], card(Ok(gaps()), LastSpeedtest::Never), back())),
        ("card_no_answer", message(language, vec![], card(Err(no_answer()), failed), back())),
        ("card_never_heard", message(language, vec![], never_heard(no_answer()), back())),
        ("card_loading", message(language, vec![], card(Err(Say::new(Key::Loading)), LastSpeedtest::Never), back())),
        ("speedtest", message(language, vec![], Body::Speedtest(running), back())),
        ("confirm", message(language, vec![], says(confirm), yes)),
        ("help", message(language, vec![], help, back())),
        ("invite", Screen::Invite { language, link: Secret::new(LINK.into()), ttl_s: 900 }),
        ("stranger", Screen::Note { language, say: Say::new(Key::Stranger) }),
    ]
}

/// What a person would see, with each button's data.
fn picture(rendered: &Rendered) -> String {
    let mut text = rendered.html.clone();
    text.push_str("\n---\n");
    for row in rendered.keyboard.iter().flat_map(|keyboard| &keyboard.inline_keyboard) {
        for button in row {
            let InlineKeyboardButtonKind::CallbackData(data) = &button.kind else { panic!("{button:?}") };
            write!(text, "[{} | {data}] ", button.text).unwrap();
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

fn compare(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/telegram/render/golden").join(format!("{name}.txt"));
    if std::env::var_os("CONSTELLA_REWRITE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let recorded = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, recorded, "{name} differs from its record; look, then CONSTELLA_REWRITE=1");
}

#[test]
fn screens_are_as_recorded() {
    for language in Language::ALL {
        for (name, screen) in screens(language) {
            compare(&format!("{name}.{}", language.code()), &picture(&render(&screen)));
        }
    }
}

/// A node that was installed from a release sends new servers there. The script's hash and the version change with each release.
#[test]
fn an_invitation_of_a_released_node_fetches_checks_and_joins() {
    let script = std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../compose/get.sh")).unwrap();
    let hash = hex::encode(Sha256::digest(script));
    let source = Source::Release("https://releases.example/constella/1".into());
    for language in Language::ALL {
        let screen = Screen::Invite { language, link: Secret::new(LINK.into()), ttl_s: 900 };
        let picture = picture(&source.render(&screen));
        assert!(
            picture.contains(&format!("{hash} *$d/get.sh")) && picture.contains(&format!("$u {} join", crate::VERSION))
        );
        let picture = picture.replace(&hash, "HASH").replace(crate::VERSION, "VERSION");
        compare(&format!("invite-release.{}", language.code()), &picture);
    }
}

/// A value for every slot, whatever its name.
fn whole(key: Key) -> Say {
    key.slots().iter().fold(Say::new(key), |say, slot| match *slot {
        "alive" | "total" | "missing" | "needed" | "hours" | "seconds" | "count" => say.with(slot, Value::Count(3)),
        "ago" | "waited" | "took" | "ttl" | "least" | "most" | "wait" | "span" => say.span(slot, 125_000),
        "download" | "upload" => say.with(slot, Value::Bits(Some(93_100_000))),
        _ => say.text(slot, format!("<{slot}>")),
    })
}

#[test]
fn every_sentence_is_as_recorded() {
    for language in Language::ALL {
        let mut text = String::new();
        for key in &constella_core::bot::rooms::words() {
            writeln!(text, "{key:?}: {}", fill(language, &whole(*key), Markup::Html)).unwrap();
        }
        compare(&format!("words.{}", language.code()), &text);
    }
}

#[test]
fn toasts_have_no_markup_and_fit() {
    let keys = [
        Key::ConfirmExpired,
        Key::ConfirmUsed,
        Key::ConfirmElsewhere,
        Key::NodeDown,
        Key::UnknownButton,
        Key::OldMessage,
        Key::NodeGone,
        Key::PrivateOnly,
        Key::Stranger,
        Key::LanguageSet,
    ];
    for key in keys {
        for language in Language::ALL {
            let text = toast(&Screen::Note { language, say: Say::new(key) });
            assert!(!text.contains('<') && !text.contains('…') && !text.is_empty(), "{text}");
            assert!(text.encode_utf16().count() <= 200);
        }
    }
}

#[test]
fn nothing_is_longer_than_telegram_takes() {
    let long = "я<&".repeat(5_000);
    let says = (0..60).map(|_| Say::new(Key::WhyOther).text("message", long.clone())).collect();
    let notices = vec![Say::new(Key::RebootBack).text("name", long.clone()).span("took", 1); 5];
    let label = Button {
        label: Label::Node { name: long.clone(), id: Some(node(1)), status: Status::Alive },
        press: ways::help(),
    };
    let screen = message(Language::Ru, notices, Body::Says(says), vec![vec![label; 20]; 40]);
    let rendered = render(&screen);
    let units = rendered.html.encode_utf16().count();
    assert!((2_000..=TEXT_UNITS).contains(&units), "{units}");
    assert!(rendered.html.ends_with('…'));
    assert_eq!(rendered.html.matches("<b>").count(), rendered.html.matches("</b>").count());
    let rows = rendered.keyboard.unwrap().inline_keyboard;
    assert!(rows.len() * 8 <= 100 && rows.iter().all(|row| row.len() <= 8));
    let words = Screen::Words { language: "en".into(), text: long.clone() };
    assert!(render(&words).html.encode_utf16().count() <= TEXT_UNITS);
    assert!(toast(&words).encode_utf16().count() <= 200);
}

#[test]
fn nothing_is_empty() {
    for text in ["", " ", "\n\n", "\u{0}"] {
        let words = Screen::Words { language: "en".into(), text: text.to_owned() };
        assert!(!render(&words).html.trim().is_empty());
    }
    let blank = message(Language::En, vec![], Body::Says(vec![]), vec![vec![]]);
    assert_eq!(render(&blank), Rendered { html: "…".into(), keyboard: None });
}

/// What a phone shows without wrapping; sentences may wrap, rows of figures should not.
#[test]
fn rows_of_figures_fit_a_phone() {
    for language in Language::ALL {
        for (name, screen) in screens(language).into_iter().filter(|(name, _)| ["list", "card"].contains(name)) {
            for line in render(&screen).html.lines().filter(|line| !line.contains("very")) {
                let mut shown = line.to_owned();
                for tag in ["<b>", "</b>", "<i>", "</i>", "<code>", "</code>"] {
                    shown = shown.replace(tag, "");
                }
                let shown = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
                assert!(shown.chars().count() <= 36, "{name} {}: {shown}", shown.chars().count());
            }
        }
    }
}

/// 200 nodes with the longest names, through the dialogue itself: every page is one message that Telegram takes, and every node has a button.
#[test]
fn two_hundred_nodes_are_paged_within_telegrams_limits() {
    for language in Language::ALL {
        let mut dialogue = dialogue(Settings { language, seed: [1; 32] });
        let mut world = crowd(200, language);
        let mut buttons = BTreeSet::new();
        for page in 0..25 {
            world.now.boot_ms += 60_000;
            let command = press(i64::from(page), &ways::list(page as usize));
            let shown = dialogue.command(&world, &command).into_iter().find_map(|act| match act {
                Act::Bot { ask, call: BotCall::Edit { screen, .. } } => Some((ask, screen)),
                _ => None,
            });
            let (ask, screen) = shown.unwrap();
            dialogue.answer(&world, ask, Answer::Bot(Ok(BotReply::Done)));
            let Rendered { html, keyboard } = render(&screen);
            assert!(
                html.encode_utf16().count() <= TEXT_UNITS && html.matches("<b>").count() == 9,
                "page {page}: {html}"
            );
            let rows = keyboard.unwrap().inline_keyboard;
            assert!(rows.len() <= 12 && rows.iter().all(|row| row.len() <= 8));
            for button in rows.iter().flatten() {
                let InlineKeyboardButtonKind::CallbackData(data) = &button.kind else { panic!("{button:?}") };
                assert!((1..=64).contains(&data.len()) && !button.text.trim().is_empty(), "{button:?}");
                buttons.insert(data.clone());
            }
        }
        assert_eq!(buttons.iter().filter(|data| data.starts_with("cd:")).count(), 200);
    }
}

/// `/status` of a network of one, of seven with a voter missing and differing builds and clocks, and of 200, before its agents answered.
#[test]
fn the_status_is_as_recorded() {
    for language in Language::ALL {
        for nodes in [1, 7, 200] {
            let mut world = crowd(nodes, language);
            let ids: Vec<NodeId> = world.nodes.iter().map(|row| row.node).collect();
            let last = ids.len().min(7) - 1;
            for (at, row) in world.nodes.iter_mut().enumerate() {
                row.name = format!("node-{at:03}");
                row.unix_ms = Some(world.now.unix_ms + if at % 7 == 3 { 65_000 } else { 0 });
                row.rtt_ms = Some(21);
                row.status = if at == last && at > 0 { Status::Down } else { Status::Alive };
                row.version = if at % 7 == 5 { "0.2.0".into() } else { "0.1.0".into() };
                row.disk = (at % 50 == 4).then_some(constella_core::io::Trouble::Full);
            }
            (world.strong, world.lease_left_ms) = (true, Some(9_000));
            world.voters =
                ids.iter().take(7).map(|node| Voter { node: *node, there: *node != ids[last] || last == 0 }).collect();
            let mut dialogue = dialogue(Settings { language, seed: [1; 32] });
            let (content, taken_unix_ms) = (CommandContent::Text { text: "/status".into() }, world.now.unix_ms);
            let acts = dialogue.command(&world, &StoredCommand { content, taken_unix_ms, ..press(1, &ways::help()) });
            let screen = acts.iter().find_map(|act| match act {
                Act::Bot { call: BotCall::Send { screen, .. }, .. } => Some(screen),
                _ => None,
            });
            let rendered = render(screen.unwrap());
            assert!(rendered.html.encode_utf16().count() <= TEXT_UNITS);
            compare(&format!("status_{nodes}.{}", language.code()), &picture(&rendered));
        }
    }
}

/// The rules for all nodes, those of one with choices, one rule, and the quiet hours.
#[test]
fn rules_and_quiet_hours_are_as_recorded() {
    for language in Language::ALL {
        let mut world = crowd(7, language);
        let beta = world.nodes[1].node;
        world.nodes[1].name = "beta".into();
        let choice = |on, threshold| Choice { on, threshold };
        world.choices.insert(Scope::All.which(&Kind::DiskFull), choice(true, Some(800)));
        world.choices.insert(Scope::All.which(&Kind::Cpu), choice(false, None));
        world.choices.insert(Scope::Node(beta).which(&Kind::Memory), choice(true, Some(980)));
        world.quiet = Some(Quiet { on: true, from_min: 1_380, until_min: 420, zone: "Europe/Berlin".into() });
        let rule = |which: &str| Press::parse(&format!("{}:{which}", ways::THRESHOLDS)).unwrap();
        let screens = [
            ("thresholds", ways::thresholds(None)),
            ("thresholds_node", ways::thresholds(Some(beta))),
            ("thresholds_rule", rule("all:disk_full")),
            ("thresholds_off", rule("all:cpu")),
            ("quiet", Press::parse("qh").unwrap()),
        ];
        for (name, asked) in screens {
            let mut dialogue = dialogue(Settings { language, seed: [1; 32] });
            let acts = dialogue.command(&world, &press(1, &asked));
            let screen = acts.iter().find_map(|act| match act {
                Act::Bot { call: BotCall::Send { screen, .. } | BotCall::Edit { screen, .. }, .. } => Some(screen),
                _ => None,
            });
            compare(&format!("{name}.{}", language.code()), &picture(&render(screen.unwrap())));
        }
    }
}

fn crowd(nodes: u32, language: Language) -> World {
    let row = |n: u32| NodeRow {
        disk: None,
        node: NodeId::over(&[&n.to_be_bytes()]),
        name: format!("{n:03}-{}", "Ж".repeat(59)),
        priority: n,
        status: [Status::Alive, Status::Suspect, Status::Down][n as usize % 3],
        leader: n == 0,
        version: "0.1.0".into(),
        rtt_ms: Some(u32::MAX),
        boot_ms: None,
        unix_ms: None,
        up_ms: None,
        last_seen_unix_ms: 1,
        reaches_bot: Some(n < 5),
        glance: Some(Glance { cpu: 100, mem: 100 }),
    };
    World {
        now: Now { boot_ms: 1, unix_ms: 1_800_000_000_000 },
        me: NodeId::over(&[&0_u32.to_be_bytes()]),
        term: Term(1),
        strong: false,
        lease_left_ms: None,
        voters: Vec::new(),
        shortage: None,
        has_heir: true,
        nodes: (0..nodes).map(row).collect(),
        owner: Owner { username: "anna".into(), telegram_id: Some(7), claim: None },
        language: Some(language.code().into()),
        message: Some((7, 1)),
        bot_username: None,
        invites: Vec::new(),
        choices: std::collections::BTreeMap::new(),
        quiet: None,
        alerts: Vec::new(),
        polls: true,
        strayed: Vec::new(),
        unsettled: Vec::new(),
    }
}

fn press(update_id: i64, press: &Press) -> StoredCommand {
    StoredCommand {
        id: CommandId::over(&[&update_id.to_be_bytes()]),
        update_id,
        user: 7,
        username: None,
        language: None,
        chat: 7,
        content: CommandContent::Button { callback_id: "1".into(), data: press.data().to_owned(), message: 1 },
        stage: Stage::Taken,
        taken_by: node(1),
        taken_unix_ms: 0,
        more: constella_shared::wire::more::More::none(),
    }
}
