//! Chromium on a leash: the DevTools protocol over its pipe, as much of it as the page's tests need.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A browser without a window and one tab in it; it ends with the value.
pub(super) struct Browser {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    session: Option<String>,
    sent: u64,
    // Killed when dropped.
    _child: Child,
    _profile: TempDir,
}

impl Browser {
    /// Starts Chromium and opens `url`.
    pub(super) async fn open(url: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // --remote-debugging-pipe reads from descriptor 3 and writes to 4; the shell only renames them.
        let mut child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 >/dev/null 2>&1 </dev/null", "sh"])
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--lang=ru", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut browser = Self { stdin, stdout, session: None, sent: 0, _child: child, _profile: profile };
        let target = browser.ask("Target.createTarget", json!({"url": "about:blank"})).await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.ask("Target.attachToTarget", attach).await;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        browser.ask("Page.navigate", json!({"url": url})).await;
        browser
    }

    /// Evaluates an expression in the page.
    pub(super) async fn eval(&mut self, expression: &str) -> Value {
        let answer = self.ask("Runtime.evaluate", json!({"expression": expression, "returnByValue": true})).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true in the page; while it throws, the page is not there yet.
    pub(super) async fn until(&mut self, expression: &str) {
        let attempt = format!("(() => {{ try {{ return {expression}; }} catch {{ return false; }} }})()");
        for _ in 0..TRIES {
            if self.eval(&attempt).await == json!(true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let shown = self.eval("document.body.innerText").await;
        assert_eq!(shown, Value::Null, "waited for {expression}");
    }

    /// The page's picture as a PNG, at this size, light or dark.
    pub(super) async fn shot(&mut self, (width, height): (u32, u32), dark: bool, mobile: bool) -> Vec<u8> {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.ask("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = json!([{"name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" }}]);
        self.ask("Emulation.setEmulatedMedia", json!({"features": scheme})).await;
        let shot = self.ask("Page.captureScreenshot", json!({"format": "png"})).await;
        BASE64_STANDARD.decode(shot["data"].as_str().unwrap()).unwrap()
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.stdin.write_all(format!("{message}\0").as_bytes()).await.unwrap();
        loop {
            let mut answer = Vec::new();
            let read = self.stdout.read_until(0, &mut answer);
            let read = tokio::time::timeout(Duration::from_secs(60), read).await;
            assert_ne!(read.unwrap().unwrap(), 0, "Chromium ended; is it on the PATH?");
            let answer: Value = serde_json::from_slice(answer.strip_suffix(&[0]).unwrap()).unwrap();
            if answer["id"] == json!(self.sent) {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }
}

/// Times 20 ms is the deadline of a wait.
const TRIES: u32 = 1_000;
