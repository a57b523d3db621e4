//! Charts as pictures, from the agents' samples to the phone, and on the command line.

use constella_tests::botapi::model::check_png;
use constella_tests::botapi::view::{MessageView, PhotoView};
use constella_tests::cluster::Node;
use tokio::time::{Instant, sleep};

use super::{Bench, PATIENCE, has_button};

/// C1, C2: a card becomes a picture in the same message, every button makes another one of it, and a card takes its place again.
#[tokio::test(flavor = "multi_thread")]
async fn a_card_becomes_a_chart_and_a_card_again() {
    let bench = Bench::settled(2).await;
    let card = bench.open_card("beta").await;
    bench.press("Charts").await;
    let chart = bench.sees("the chart", |message| message.photo.is_some()).await;
    assert_eq!(chart.id, card.id, "the same message");
    assert!(chart.text.contains("beta") && chart.text.contains("24 h"), "{}", chart.screen());
    let picture = bench.double().photo(&photo(&chart).file_id).unwrap();
    let size = check_png(&picture).unwrap();
    assert_eq!((size.width, size.height), (1_280, 720));
    assert!(picture.len() <= constella_shared::limits::CHART_BYTES, "{}", picture.len());

    let mut before = photo(&chart).file_id;
    for label in ["1 h", "Network", "☀", "Refresh"] {
        bench.press(label).await;
        let after = bench.sees(label, |message| message.photo.as_ref().is_some_and(|it| it.file_id != before)).await;
        assert_eq!(after.id, card.id, "{label}");
        before = photo(&after).file_id;
    }
    bench.press("Compare").await;
    bench.sees("the other node", |message| has_button(message, "To the chart") && has_button(message, "alpha")).await;
    bench.press("alpha").await;
    let both = bench.sees("both", |message| message.text.contains("beta, alpha")).await;
    assert!(both.photo.is_some() && has_button(&both, "• alpha"), "{}", both.screen());
    bench.press("To the chart").await;
    bench.sees("the chart's buttons", |message| has_button(message, "90 d")).await;

    bench.press("Node").await;
    bench.sees("a list of nodes", |message| has_button(message, "To the chart")).await;
    bench.press("To the chart").await;
    bench.sees("the chart's buttons", |message| has_button(message, "90 d")).await;
    bench.press("‹").await;
    let back = bench.sees("the card", |message| has_button(message, "Reboot")).await;
    assert!(back.photo.is_none() && back.text.contains("CPU"), "{}", back.screen());
    let gone = |chat: &constella_tests::botapi::view::ChatView| {
        let pictures = chat.messages.iter().filter(|message| message.photo.is_some()).count();
        (pictures == 0).then_some(())
    };
    bench.owner().wait_for("that the picture is gone", PATIENCE, gone).await.unwrap();
    bench.message_is_known().await;
    bench.nothing_is_lost().await;
}

/// C2: the leader that drew the picture is gone; the next one does not know that the message is one.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_leader_puts_a_text_in_a_pictures_place() {
    let bench = Bench::settled(3).await;
    bench.open_card("gamma").await;
    bench.press("Charts").await;
    bench.sees("the chart", |message| message.photo.is_some()).await;
    bench.node(&bench.holder().await).unwrap().kill().unwrap();
    bench.press("List").await;
    let list = bench.sees("the list", |message| message.photo.is_none() && has_button(message, "gamma")).await;
    assert!(list.text.contains("of 3"), "{}", list.screen());
    bench.nothing_is_lost().await;
}

/// C3: one's own series and a member's, in every form.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_tells_what_nodes_measured() {
    let bench = Bench::settled(2).await;
    let alpha = bench.node("alpha").unwrap();
    for node in ["alpha", "BETA"] {
        let table = until_measured(alpha, node).await;
        assert!(table.starts_with("time,memory_min,memory_avg,memory_max\n20"), "{table}");
    }
    let json = alpha.cli(&["series", "beta", "net", "--hours", "1", "--json"]).await.unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["node"].as_str(), json["unit"].as_str()), (Some("beta"), Some("bytes/s")));
    assert_eq!(json["channels"], serde_json::json!(["received", "sent"]));
    let summary = alpha.cli(&["series", "beta", "mem", "--hours", "1"]).await.unwrap();
    assert!(summary.starts_with("memory: avg") && summary.contains("peak"), "{summary}");
    let file = alpha.folder().join("chart.png");
    let path = file.to_str().unwrap();
    alpha
        .cli(&["series", "beta", "cpu", "--hours", "6", "--png", path, "--zone", "Europe/Berlin", "--light"])
        .await
        .unwrap();
    check_png(&std::fs::read(&file).unwrap()).unwrap();

    for (args, why) in [
        (vec!["series", "nobody", "cpu"], "there is no node nobody; there are"),
        (vec!["series", "beta", "gpu"], "there are cpu, mem, swap"),
        (vec!["series", "beta", "cpu", "--hours", "2161"], "2161"),
    ] {
        let output = alpha.cli_output(&args, None).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{args:?}: {said}");
    }
}

/// Asks until its agent has taken a sample.
async fn until_measured(asked: &Node, node: &str) -> String {
    let by = Instant::now() + PATIENCE;
    loop {
        let table = asked.cli(&["series", node, "mem", "--hours", "1", "--csv"]).await.unwrap();
        if table.lines().count() > 1 {
            return table;
        }
        assert!(Instant::now() < by, "{node} measured nothing: {table}");
        sleep(std::time::Duration::from_millis(200)).await;
    }
}

fn photo(message: &MessageView) -> PhotoView {
    message.photo.clone().unwrap()
}
