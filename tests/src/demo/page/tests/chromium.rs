//! The page in a real browser. Needs Chromium on the PATH:
//! `cargo test -p constella-tests --lib chromium -- --ignored`, with SHOTS=<folder> to keep the screenshots.

use std::path::PathBuf;

use super::browser::Browser;
use super::*;
use crate::botapi::model::{Config, check_png};

/// A chat with everything that the bot sends, nothing of which may become markup.
async fn furnished() -> Bench {
    let bench = Bench::new().await;
    bench.post("write", json!({"text": "/start c0de"})).await;
    let commands = json!([{"command": "nodes", "description": "Узлы"}, {"command": "help", "description": "Помощь"}]);
    bench.bot("setMyCommands", Args::default().with("commands", commands)).await;
    bench.bot("sendPhoto", to("").with("caption", "CPU, 24 h").with_file("photo", &png(800, 400, 190))).await;
    let list = "<b>Узлы</b> · 3\n🟢 <b>alpha</b> <code>3f9a01c2</code> <i>Хост</i>\n   CPU 4 % · RAM 31 % · 12 ms\n🟢 <b>beta</b> <code>77b0aa31</code>\n   CPU 1 % · RAM 22 % · 9 ms\n🟡 <b>&lt;img src=x onerror=alert(1)&gt;</b>\n<pre>cpu ▁▂▃▅▇▆▃▂  12 %\nnet ▂▂▂▃▃▂▁▁   2 Mbit/s</pre>\n<a href=\"https://example.org/\">docs</a> <tg-spoiler>secret</tg-spoiler>";
    let keyboard = json!({"inline_keyboard": [
        [{"text": "alpha", "callback_data": "n:1"}, {"text": "beta", "callback_data": "n:2"}, {"text": "gamma", "callback_data": "n:3"}],
        [{"text": "🔄 Обновить", "callback_data": "r"}, {"text": "📖", "url": "https://example.org/"}],
        [{"text": "<script>alert(2)</script> и очень длинная надпись на кнопке, которой мало места", "callback_data": "x"}],
    ]});
    bench.bot("sendMessage", to(list).with("parse_mode", "HTML").with("reply_markup", keyboard)).await;
    bench.nodes.kill("gamma").unwrap();
    let poll =
        format!("{}/bot{}/getUpdates?offset=731000002&timeout=50", bench.double.url("alpha"), Config::default().token);
    tokio::spawn(bench.http.get(poll).send());
    while bench.double.summary().poller.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bench
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn chromium_shows_the_chat_and_runs_nothing_of_it() {
    let bench = furnished().await;
    let mut browser = Browser::open(bench.page.url()).await;
    browser.until("document.querySelectorAll('.message').length === 3").await;
    let html = browser.eval("document.querySelector('main').innerHTML").await;
    let html = html.as_str().unwrap();
    for shown in [
        "<b>alpha</b>",
        "<code>3f9a01c2</code>",
        "&lt;img src=x onerror=alert(1)&gt;",
        "&lt;script&gt;alert(2)&lt;/script&gt;",
        "<a href=\"https://example.org/\" target=\"_blank\" rel=\"noopener noreferrer\"",
        "CPU, 24 h",
        "<b>/nodes</b>",
        "class=\"polls\"",
    ] {
        assert!(html.contains(shown), "{shown} is missing in {html}");
    }
    browser.until("document.querySelector('.bubble img').naturalWidth === 800").await;
    assert_eq!(browser.eval("document.querySelectorAll('main img, main script').length").await, json!(1));
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_person_in_chromium_writes_taps_kills_and_starts() {
    let bench = Bench::new().await;
    let mut browser = Browser::open(bench.page.url()).await;
    browser.until("!document.getElementById('begin').hidden").await;
    browser.eval("document.getElementById('begin').click()").await;
    browser.until("document.querySelectorAll('.mine').length === 1").await;
    assert_eq!(bench.double.chat(OWNER).messages[0].text, "/start c0de");

    let keyboard = json!({"inline_keyboard": [[{"text": "Refresh", "callback_data": "r"}]]});
    let message = bench.bot("sendMessage", to("3 nodes").with("reply_markup", keyboard)).await;
    browser.until("document.querySelectorAll('.key').length === 1").await;
    browser.eval("document.querySelector('.key').click()").await;
    browser.until("document.querySelectorAll('.busy').length === 1").await;
    let query = pressed(&bench).await;
    let answer = Args::default().with("callback_query_id", &query).with("text", "<b>fresh</b>");
    bench.bot("answerCallbackQuery", answer).await;
    browser.until("document.querySelector('#toast.on')?.textContent === '<b>fresh</b>'").await;
    browser.until("document.querySelectorAll('.busy').length === 0").await;
    bench.bot("editMessageText", to("2 nodes").with("message_id", &message["message_id"])).await;
    browser.until("document.querySelector('.bot .body').textContent.startsWith('2 nodes')").await;
    bench.bot("deleteMessage", to("").with("message_id", &message["message_id"])).await;
    browser.until("document.querySelectorAll('.bot').length === 0").await;

    browser.eval("document.getElementById('text').value = '/nodes'; document.getElementById('send').click()").await;
    browser.until("document.querySelectorAll('.mine').length === 2").await;
    browser.eval("document.querySelector('button.kill[data-node=beta]').click()").await;
    browser.until("document.querySelectorAll('li.stopped').length === 1").await;
    assert_eq!(bench.nodes.list()[1].state, NodeState::Stopped);
    browser.eval("document.querySelector('button.start[data-node=beta]').click()").await;
    browser.until("document.querySelectorAll('li.starting').length === 1").await;
}

/// The query of the first press. The page shows it as busy before the server has heard of it.
async fn pressed(bench: &Bench) -> String {
    let by = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        if let Some(toast) = bench.double.chat(OWNER).toasts.first() {
            return toast.query.clone();
        }
        assert!(tokio::time::Instant::now() < by, "the press did not arrive");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn chromium_draws_the_page_at_every_width() {
    let bench = furnished().await;
    let kept = std::env::var_os("SHOTS").map(PathBuf::from);
    let mut browser = Browser::open(bench.page.url()).await;
    browser.until("document.querySelector('.bubble img')?.naturalWidth === 800").await;
    let shots = [("wide", (1_100, 900), false), ("dark", (1_100, 900), true), ("phone", (375, 800), false)];
    for (name, size, dark) in shots.into_iter().chain([("phone_dark", (320, 640), true)]) {
        let shot = browser.shot(size, dark, size.0 < 800).await;
        assert_eq!(check_png(&shot).unwrap().width, size.0, "{name}");
        let wider = browser.eval("document.documentElement.scrollWidth > innerWidth").await;
        assert_eq!(wider, json!(false), "{name} scrolls sideways");
        if let Some(folder) = &kept {
            std::fs::write(folder.join(format!("{name}.png")), shot).unwrap();
        }
    }
}
