//! Captions and buttons of charts, through the dialogue itself, in networks of 1, 7 and 200 nodes.

use constella_shared::agent::{MinAvgMax, Point, Series};
use constella_shared::wire::rpc::{Request, Response};

use super::*;

/// What is shown where this button is pressed and every node answers.
fn shown(world: &World, data: &str) -> Screen {
    let mut dialogue = dialogue(Settings { language: Language::En, seed: [1; 32] });
    let command = StoredCommand { taken_unix_ms: world.now.unix_ms, ..press(1, &Press::parse(data).unwrap()) };
    let mut acts = dialogue.command(world, &command);
    while let Some(act) = (!acts.is_empty()).then(|| acts.remove(0)) {
        match act {
            Act::Ask { ask, request: Request::GetTs { kind, .. }, .. } => {
                let v = vec![Some(MinAvgMax(1.0, 2.0, 3.0)); kind.channels().len()];
                let channels = kind.channels().iter().map(|&name| name.to_owned()).collect();
                let points = vec![Point { t: world.now.unix_ms / 1_000 - 60, v }];
                let response = Response::Series { series: Series { kind, step_s: 60, channels, points } };
                acts.extend(dialogue.answer(world, ask, Answer::Peer(Ok(response))));
            }
            Act::Bot { call: BotCall::Edit { screen, .. }, .. } => return screen,
            _ => {}
        }
    }
    panic!("nothing is shown for {data}")
}

fn rendered(screen: &Screen) -> Rendered {
    let Captioned { html, keyboard, .. } = captioned(screen).expect("a chart");
    assert!(html.encode_utf16().count() <= CAPTION_UNITS);
    Rendered { html, keyboard }
}

#[test]
fn charts_are_as_recorded_at_one_seven_and_two_hundred_nodes() {
    // C1: every button fits, whatever the names and however many nodes there are
    for language in Language::ALL {
        for nodes in [1, 7, 200] {
            let world = crowd(nodes, language);
            let first = ways::chart(world.nodes[0].node);
            let others: String =
                world.nodes.iter().skip(1).take(5).map(|row| row.node.to_string()[..7].to_owned()).collect();
            let data = |head: &str, others: &str| first.data().replace("acaa00", head) + others;
            let cases =
                [("chart", data("eeba00", "")), ("pick", data("acab01", "")), ("compare", data("acac00", &others))];
            for (name, data) in cases {
                let shown = rendered(&shown(&world, &data));
                for row in &shown.keyboard.as_ref().unwrap().inline_keyboard {
                    assert!(row.len() <= 8, "{row:?}");
                }
                compare(&format!("charts_{name}_{nodes}.{}", language.code()), &picture(&shown));
            }
        }
    }
}
