//! Who gets in, and who does not: every refusal says why, and changes nothing.

use std::collections::BTreeSet;

use constella_shared::link::InviteLink;
use constella_tests::cluster::{Cut, Node};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Bench, PATIENCE, plan};

/// DESIGN 7: nodes that join at once, each with its link, all get in and see each other (`measure joins` does it with nine).
#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_join_at_once_all_get_in() {
    let bench = Bench::of(plan(5)).await;
    bench.found().await.unwrap();
    bench.join_at_once(1..5).await.unwrap();
    bench.network.settled(PATIENCE).await.unwrap();
}

/// DESIGN 7: each wrong link gets its own clear refusal; nobody was let in, and a good link still works.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_links_are_refused_and_change_nothing() {
    let bench = Bench::of(plan(3)).await;
    bench.found().await.unwrap();
    let (alpha, beta) = (bench.at(0).unwrap(), bench.at(1).unwrap());
    let link = short(&bench.invite(alpha, "15m").await.unwrap());
    let part = |name: &str| {
        let rest = link.split_once(&format!("{name}=")).unwrap().1;
        rest.split('&').next().unwrap().to_owned()
    };
    let (token, network, pin) = (part("token"), part("net"), part("fp"));
    let flipped = |hex: &str| hex.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect::<String>();
    let wrong = [
        ("a wrong token", link.replace(&token, &flipped(&token)), "invitation"),
        ("a wrong network", link.replace(&network, &flipped(&network)), "another network"),
        ("a wrong pin", link.replace(&pin, &flipped(&pin)), "another certificate"),
        ("no pin", link.replace(&format!("&fp={pin}"), ""), "ask for a new link"),
        ("no link at all", "hello".to_owned(), "join://"),
    ];
    for (what, link, words) in wrong {
        assert!(refusal(beta, &["join", "-"], &link).await.contains(words), "{what}");
        assert!(!beta.state_folder().join("network_state.json").exists(), "{what} left a network behind");
    }
    let taken = refusal(beta, &["join", "-", "--server-name", "alpha"], &link).await;
    assert!(taken.contains("alpha is taken") && taken.contains("is free"), "{taken}");
    assert_eq!(alpha.status().await.unwrap().members, 1, "somebody was let in");
    bench.join_with(1, &link).await.unwrap();
    let spent = refusal(bench.at(2).unwrap(), &["join", "-"], &link).await;
    assert!(spent.contains("used"), "{spent}");
    let expired = short(&bench.invite(alpha, "1s").await.unwrap());
    // The invitation's own second has to pass.
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    let expired = refusal(bench.at(2).unwrap(), &["join", "-"], &expired).await;
    assert!(expired.contains("expired"), "{expired}");
    assert_eq!(alpha.status().await.unwrap().members, 2);
}

/// DESIGN 7.4: a port that is closed at the dial-back is named, and the invitation is not spent.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_named_and_spends_nothing() {
    let bench = Bench::of(plan(2)).await;
    bench.found().await.unwrap();
    let link = bench.invite(bench.at(0).unwrap(), "15m").await.unwrap();
    bench.wires().cut(0, 1, Cut::Refuse);
    let closed = refusal(bench.at(1).unwrap(), &["join", "-"], &short(&link)).await;
    assert!(closed.contains("is closed from here") || closed.contains("no Constella node"), "{closed}");
    assert_eq!(bench.at(0).unwrap().status().await.unwrap().members, 1);
    bench.wires().heal();
    bench.join_with(1, &link).await.unwrap();
    bench.network.settled(PATIENCE).await.unwrap();
}

/// DESIGN 7: one link that two nodes use at two seeds at the very same moment lets one in, and is spent for the other, who reads why.
#[tokio::test(flavor = "multi_thread")]
async fn one_link_used_twice_at_once_at_two_seeds_lets_one_in() {
    let bench = Bench::of(plan(4)).await;
    bench.found().await.unwrap();
    bench.join(1).await.unwrap();
    bench.network.settled(PATIENCE).await.unwrap();
    let (alpha, beta) = (bench.at(0).unwrap(), bench.at(1).unwrap());
    let first_seed = |link: &str| link.parse::<InviteLink>().unwrap().seeds.remove(0);
    let at_beta = first_seed(&bench.invite(beta, "15m").await.unwrap());
    let link = bench.invite(alpha, "15m").await.unwrap();
    let through = |seed| {
        let mut only: InviteLink = link.parse().unwrap();
        only.seeds = vec![seed];
        only.to_string()
    };
    let (one, other) = (through(first_seed(&link)), through(at_beta));
    assert_ne!(one, other);
    let joined = tokio::join!(bench.join_with(2, &one), bench.join_with(3, &other));
    let (refused, why) = match joined {
        (Ok(()), Err(why)) => (3, why.to_string()),
        (Err(why), Ok(())) => (2, why.to_string()),
        both => panic!("{both:?}"),
    };
    assert!(why.contains("was used by another server; ask for a new link"), "{why}");
    let refused = bench.at(refused).unwrap();
    assert!(!refused.state_folder().join("network_state.json").exists(), "a network was left behind");
    bench.network.settled(PATIENCE).await.unwrap();
    for node in [alpha, beta] {
        assert_eq!(node.status().await.unwrap().members, 3);
    }
    bench.join(refused.index()).await.unwrap();
    bench.network.settled(PATIENCE).await.unwrap();
}

/// S1, S2: whatever a stranger sends to whatever path is refused in so many words, and the node goes on as before.
#[tokio::test(flavor = "multi_thread")]
async fn junk_at_each_endpoint_is_refused_and_changes_nothing() {
    let bench = Bench::of(plan(1)).await;
    bench.found().await.unwrap();
    let node = bench.at(0).unwrap();
    let before = state_files(node);
    // Another test may have installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    let url = |path: &str| format!("https://{}{path}", node.public());
    let bodies: [&[u8]; 5] = [b"", b"{", b"{\"method\":\"Reboot\"}", &[0xff; 64], &[b'['; 9_000]];
    for path in ["/health", "/announce", "/rpc", "/join", "/rekey", "/join_handshake", "/", "/state/node_key.pem"] {
        for body in bodies {
            let response = client.post(url(path)).body(body.to_vec()).send().await.unwrap();
            let status = response.status();
            let text = response.text().await.unwrap();
            assert!(status.is_client_error(), "{path}: {status} {text}");
            assert!(text.contains("\"ok\":false") && text.contains("message"), "{path}: {text}");
        }
    }
    assert_eq!(client.get(url("/health")).send().await.unwrap().text().await.unwrap(), "{\"ok\":true}");
    for junk in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), &[0; 512], b"\x16\x03\x01\xff\xff"] {
        let mut plain = TcpStream::connect(node.public()).await.unwrap();
        plain.write_all(junk).await.unwrap();
        plain.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A reset is as good an end as any.
        let _ = plain.read_to_end(&mut answer).await;
        assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1 200"));
    }
    assert_eq!(node.status().await.unwrap().members, 1);
    assert_eq!(state_files(node), before);
    bench.claim().await.unwrap();
}

/// A link that gives up soon: the joiner's patience is the link's, the seeds know the date.
fn short(link: &str) -> String {
    let mut parsed: InviteLink = link.parse().unwrap();
    parsed.ttl_s = 4;
    parsed.to_string()
}

/// Runs a verb that has to fail, and returns what it says.
async fn refusal(node: &Node, args: &[&str], stdin: &str) -> String {
    let output = node.cli_output(args, Some(stdin)).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{args:?} succeeded: {said}{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The names in a node's state folder: what a stranger could add to.
fn state_files(node: &Node) -> BTreeSet<String> {
    let files = std::fs::read_dir(node.state_folder()).unwrap();
    files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect()
}
