//! The life of a member at the command line: its name, its rank, and its end.

use constella_tests::cluster::Node;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{Bench, PATIENCE, has_button, line_of};

/// R2, R4: a member is put out at the command line of the leading node. Nobody answers it any more, over open connections neither; it knows that it is
/// out; who was off at the time refuses it too.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_member_is_a_stranger_to_everybody_and_knows_it() {
    let bench = Bench::settled(4).await;
    let leader = bench.holder().await;
    let others: Vec<&Node> = bench.nodes().iter().map(AsRef::as_ref).filter(|node| node.name() != leader).collect();
    let leader: &Node = bench.node(&leader).unwrap();
    let (out, off) = (others[0], others[1]);
    let elsewhere = others[2].cli(&["remove", out.name()]).await.unwrap_err().to_string();
    assert!(elsewhere.contains("leads; ask there"), "{elsewhere}");
    off.kill().unwrap();
    let removed = json(leader, &["remove", out.name(), "--json"]).await;
    assert_eq!((&removed["name"], &removed["done"]), (&Value::from(out.name()), &Value::from(true)), "{removed}");
    let again = removed["node_id"].as_str().unwrap();
    assert_eq!(json(leader, &["remove", again, "--json"]).await["done"], true, "who asks again learns that it is out");

    for node in [leader, others[2]] {
        let addr = node.public().to_string();
        for method in ["GetPeers", "GetStats"] {
            let refused = out.cli(&["rpc", "--addr", &addr, method]).await.unwrap_err().to_string();
            assert!(refused.contains("a removed node needs an invitation"), "{refused}");
        }
    }
    until("the removed node knows it", async || {
        let status = json(out, &["status", "--json"]).await;
        status["removed"] == true && status["bot"] == "idle"
    })
    .await;
    off.start().unwrap();
    until("who was off has learned it", async || {
        let peers = off.cli(&["peers", "--json"]).await.unwrap_or_default();
        peers.contains(leader.name()) && !peers.contains(out.name())
    })
    .await;
    let list = bench.ask("/nodes").await;
    assert!(!list.text.contains(out.name()), "{}", list.screen());
    bench.nothing_is_lost().await;
}

/// R2, L6: the leading node itself is put out: it hands the bot over first.
#[tokio::test(flavor = "multi_thread")]
async fn the_leader_is_put_out_at_its_own_command_line() {
    let bench = Bench::settled(3).await;
    let name = bench.holder().await;
    let leader = bench.node(&name).unwrap();
    assert_eq!(json(leader, &["remove", &name, "--json"]).await["done"], true);
    let other = bench.nodes().iter().find(|node| node.name() != name).unwrap();
    until("the others go on", async || {
        let status = json(other, &["status", "--json"]).await;
        status["members"] == 2 && status["lease"]["strength"] == "strong"
    })
    .await;
    let list = bench.ask("/nodes").await;
    assert!(line_of(&list, &name).is_empty(), "{}", list.screen());
    bench.nothing_is_lost().await;
}

/// R4: names and priorities, the invitations, and the owner.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_renamed_and_ranked_and_an_invitation_is_revoked() {
    let bench = Bench::settled(2).await;
    let alpha = bench.node("alpha").unwrap();
    assert_eq!(json(alpha, &["rename", "beta", "web-1", "--json"]).await["name"], "web-1");
    let list = bench.ask("/nodes").await;
    assert!(list.text.contains("web-1") && !list.text.contains("beta"), "{}", list.screen());
    let taken = alpha.cli(&["rename", "web-1", "alpha"]).await.unwrap_err().to_string();
    assert!(taken.contains("the name is taken; alpha-2 is free"), "{taken}");

    let link = alpha.cli(&["invite"]).await.unwrap();
    assert!(link.contains("join://"), "no link");
    let listed = json(alpha, &["invites", "--json"]).await;
    let open = listed.as_array().unwrap().iter().find(|invite| invite["used_by"].is_null()).unwrap();
    let id = open["id"].as_str().unwrap();
    alpha.cli(&["invites", "revoke", &id[..8]]).await.unwrap();
    let refused = alpha.cli(&["invites", "revoke", &id[..8]]).await.unwrap_err().to_string();
    assert!(refused.contains("its time is over"), "{refused}");

    alpha.cli(&["priority", "web-1", "1"]).await.unwrap();
    let beta = bench.node("beta").unwrap();
    until("the better one leads", async || json(beta, &["status", "--json"]).await["bot"] == "polling").await;
    let link = json(beta, &["owner", "set", "@bob_2", "--json"]).await;
    assert!(link["link"].as_str().unwrap().contains("?start="), "no link");
    bench.owner().write("/nodes").await.unwrap();
    bench.sees("the former owner is turned away", |message| !message.text.contains("web-1")).await;
}

/// R2, R4: the owner does the same from a card, a name typed and a removal confirmed by a one-time button.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_renames_and_removes_a_member_from_its_card() {
    let bench = Bench::settled(3).await;
    let leader = bench.holder().await;
    let other = bench.nodes().iter().map(|node| node.name()).find(|name| *name != leader).unwrap();
    bench.open_card(other).await;
    bench.press("Manage").await;
    bench.sees("what can be changed", |message| has_button(message, "Rename")).await;
    bench.press("Rename").await;
    bench.sees("the question", |message| message.text.contains("Send the new name")).await;
    bench.owner().write("web-1").await.unwrap();
    bench.sees("the new name", |message| message.text.contains("is called web-1 now")).await;
    bench.press("To the node").await;
    bench.sees("the card", |message| message.text.contains("web-1") && has_button(message, "Manage")).await;
    bench.press("Manage").await;
    bench.sees("what can be changed", |message| has_button(message, "Remove")).await;
    bench.press("Remove").await;
    bench.sees("the confirmation", |message| has_button(message, "Yes, remove")).await;
    bench.press("Yes, remove").await;
    bench.sees("what comes of it", |message| message.text.contains("out")).await;
    until("it is out", async || !bench.ask("/nodes").await.text.contains("web-1")).await;
    bench.nothing_is_lost().await;
}

async fn json(node: &Node, args: &[&str]) -> Value {
    serde_json::from_str(&node.cli(args).await.unwrap()).unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let by = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < by, "{what}: not in time");
        sleep(std::time::Duration::from_millis(200)).await;
    }
}
