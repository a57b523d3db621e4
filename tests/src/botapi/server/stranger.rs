//! Another program that has the same token: it polls like any bot, and so disturbs ours.

use std::sync::Arc;

use serde_json::Value;

use super::hub::Hub;
use super::{StrangerSlot, slot};
use crate::botapi::model::{Args, Call, Source};

/// Starts it, in place of one that runs.
pub(super) fn start(hub: &Arc<Hub>, running: &StrangerSlot, timeout_s: u64) {
    stop(running);
    let task = tokio::spawn(poll(Arc::clone(hub), timeout_s));
    *slot(running) = Some(task.abort_handle());
}

/// Kills it; its poll stays parked.
pub(super) fn stop(running: &StrangerSlot) {
    if let Some(task) = slot(running).take() {
        task.abort();
    }
}

async fn poll(hub: Arc<Hub>, timeout_s: u64) {
    let mut offset = 0;
    loop {
        let source = Source { addr: String::new(), prefix: STRANGER.to_owned() };
        let token = hub.read(|model, _| model.config().token.clone());
        let args = Args::default().with("offset", offset).with("timeout", timeout_s);
        let call = Call { source, token, method: "getUpdates".to_owned(), args };
        let Ok(answer) = hub.call(&call).await else {
            return;
        };
        let updates = answer.body.get("result").and_then(Value::as_array);
        let last = updates.and_then(|updates| updates.last()).and_then(|update| update.get("update_id")?.as_i64());
        offset = last.map_or(offset, |last| last + 1);
        if answer.status != 200 || timeout_s == 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Its calls' prefix in the log.
const STRANGER: &str = "stranger";
/// What polling libraries wait after an error.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);
