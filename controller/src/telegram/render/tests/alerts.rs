//! Recorded messages of alerts, from the raise to the note, and the list of all.

use constella_core::alerts::incident::Incident;
use constella_core::bot::rooms::alerts::message;
use constella_shared::wire::alert::{Kind as AlertKind, Subject, Unit, Value as Amount};
use constella_shared::wire::incident::{Ack, AlertRecord, AlertStage, IncidentId, Mute, Witnesses};

use super::*;

/// One alert of each node: nodes that are down, then in turn disks, memory and clocks.
fn alerts(nodes: u32, only_down: bool) -> Vec<AlertRecord> {
    let raised_unix_ms = 1_800_000_000_000 - 3_600_000;
    let kinds = [AlertKind::NodeDown, AlertKind::DiskFull, AlertKind::Memory, AlertKind::ClockSkew];
    let one = |n: u32| {
        let node = NodeId::over(&[&n.to_be_bytes()]);
        let kind = if only_down { AlertKind::NodeDown } else { kinds[n as usize % 4].clone() };
        let value = match kind {
            AlertKind::ClockSkew => Amount::of(95, Unit::Seconds),
            _ => Amount::of(954, Unit::PercentTenths),
        };
        AlertRecord {
            subject: if kind == AlertKind::DiskFull {
                Subject::part(node, kind, "/var/<lib>")
            } else {
                Subject::whole(node, kind)
            },
            incident: IncidentId(u64::from(n)),
            stage: AlertStage::Open,
            raised_unix_ms: raised_unix_ms + u64::from(n) * 1_000,
            value,
            by: NodeId::over(&[&1_u32.to_be_bytes()]),
            witnesses: Some(Witnesses { silent: 3, of: 4 }),
            cleared_unix_ms: None,
            raises: Vec::new(),
            message: None,
            sounded: true,
            noted: false,
            ack: (n == 1).then(|| Ack { by: "@anna".into(), at_unix_ms: raised_unix_ms }),
            mute: (n == 2).then(|| Mute { by: "@anna".into(), until_unix_ms: Some(raised_unix_ms) }),
        }
    };
    (0..nodes).map(one).collect()
}

/// Messages of incidents, from the raise to the note, with 1, 7 and 200 nodes; and the list of all.
#[test]
fn alerts_are_as_recorded() {
    let name = |node: &NodeId| {
        (0..200_u32)
            .find(|n| NodeId::over(&[&n.to_be_bytes()]) == *node)
            .map_or_else(String::new, |n| format!("node-{n:03}"))
    };
    for language in Language::ALL {
        for nodes in [1, 7, 200] {
            let mut text = String::new();
            for only_down in [true, false] {
                let mut incident = Incident { id: IncidentId(0xab), alerts: alerts(nodes, only_down) };
                for over in [0, nodes / 2, nodes] {
                    for alert in incident.alerts.iter_mut().take(over as usize) {
                        alert.cleared_unix_ms = Some(1_800_000_000_000);
                    }
                    let rendered = render(&message::screen(language, &incident, name));
                    assert!(rendered.html.encode_utf16().count() <= TEXT_UNITS);
                    text.push_str(&picture(&rendered));
                    text.push_str("\n====\n");
                }
                text.push_str(&picture(&render(&message::note(language, &incident, name))));
                text.push_str("\n====\n");
            }
            let mut world = crowd(nodes, language);
            let records = alerts(nodes, false).into_iter();
            let cleared = |n: usize| (n % 3 == 2).then_some(1_800_000_000_000);
            world.alerts = records
                .enumerate()
                .map(|(n, alert)| AlertRecord { cleared_unix_ms: cleared(n), ..alert })
                .map(|alert| Incident { id: alert.incident, alerts: vec![alert] })
                .collect();
            for (at, row) in world.nodes.iter_mut().enumerate() {
                row.name = format!("node-{at:03}");
            }
            let mut dialogue = dialogue(Settings { language, seed: [1; 32] });
            let content = CommandContent::Text { text: "/alerts".into() };
            let acts = dialogue.command(&world, &StoredCommand { content, ..press(1, &ways::help()) });
            let screen = acts.iter().find_map(|act| match act {
                Act::Bot { call: BotCall::Send { screen, .. }, .. } => Some(screen),
                _ => None,
            });
            text.push_str(&picture(&render(screen.unwrap())));
            compare(&format!("alerts_{nodes}.{}", language.code()), &text);
        }
    }
}

/// Every kind of alert has words, and no number without its unit.
#[test]
fn every_kind_of_alert_is_told_in_words() {
    for language in Language::ALL {
        for kind in AlertKind::all().chain([AlertKind::of("of_tomorrow").unwrap()]) {
            let mut incident = Incident { id: IncidentId(1), alerts: alerts(1, true) };
            let alert = incident.alerts.first_mut().unwrap();
            alert.subject = Subject::part(alert.subject.node, kind.clone(), "part");
            for cleared in [None, Some(1_800_000_000_000)] {
                incident.alerts.first_mut().unwrap().cleared_unix_ms = cleared;
                let rendered = render(&message::screen(language, &incident, |_| "beta".to_owned()));
                assert!(rendered.html.contains("beta") && !rendered.html.contains('{'), "{kind:?}: {}", rendered.html);
                let note = render(&message::note(language, &incident, |_| "beta".to_owned()));
                assert!(note.html.contains("beta") && !note.html.contains('{'), "{kind:?}: {}", note.html);
            }
        }
    }
}
