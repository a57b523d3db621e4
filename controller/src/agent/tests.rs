//! The agent's client against a socket that answers by hand.

use std::sync::atomic::{AtomicUsize, Ordering};

use constella_shared::agent::{AgentErrorCode, RebootOutcome, RebootRequest, SeriesKind};
use constella_shared::ids::CommandId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::*;

/// An agent that gives one answer, and what it was asked.
async fn answered(status: &str, body: &str, call: AgentCall) -> (Result<AgentReply, AgentFailure>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let serving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4_096];
        let read = stream.read(&mut asked).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        asked.truncate(read);
        String::from_utf8(asked).unwrap()
    };
    let agent = Agent::new(path);
    tokio::join!(agent.call(&call), serving)
}

#[tokio::test]
async fn a_reboot_carries_its_command_and_brings_the_outcome() {
    let command_id = CommandId([7; 32]);
    let call = AgentCall::Reboot(RebootRequest { command_id, not_after_boottime_ms: 99 });
    let body = format!(r#"{{"command_id":"{command_id}","outcome":{{"outcome":"accepted"}}}}"#);
    let (reply, asked) = answered("200 OK", &body, call).await;
    assert!(matches!(reply, Ok(AgentReply::Reboot(answer)) if answer.outcome == RebootOutcome::Accepted));
    assert!(asked.starts_with("POST /v1/reboot HTTP/1.1\r\n"), "{asked}");
    assert!(asked.ends_with(&format!(r#"{{"command_id":"{command_id}","not_after_boottime_ms":99}}"#)), "{asked}");
}

#[tokio::test]
async fn a_series_is_asked_by_kind_and_hours() {
    let body = r#"{"kind":"temp","step_s":60,"channels":["t"],"points":[{"t":1,"v":[[1.0,2.0,3.0]]}]}"#;
    let (reply, asked) = answered("200 OK", body, AgentCall::Series { kind: SeriesKind::Temp, hours: 6 }).await;
    assert!(matches!(reply, Ok(AgentReply::Series(series)) if series.points.len() == 1));
    assert!(asked.starts_with("GET /v1/series?kind=temp&hours=6 HTTP/1.1\r\n"), "{asked}");
}

#[tokio::test]
async fn a_refusal_keeps_the_agents_own_words() {
    let body = r#"{"code":"disabled","message":"reboots are switched off on this host"}"#;
    let (reply, _) = answered("403 Forbidden", body, AgentCall::Stats).await;
    let Err(AgentFailure::Refused(error)) = reply else { unreachable!("{reply:?}") };
    assert_eq!(
        (error.code, error.message.as_str()),
        (AgentErrorCode::Disabled, "reboots are switched off on this host")
    );
}

#[tokio::test]
async fn answers_that_cannot_be_read_count_as_no_agent() {
    let large = " ".repeat(MAX_ANSWER + 1);
    for (status, body) in
        [("200 OK", "{}"), ("200 OK", "junk"), ("500 Internal Server Error", "junk"), ("200 OK", &large)]
    {
        let (reply, _) = answered(status, body, AgentCall::Stats).await;
        assert!(matches!(reply, Err(AgentFailure::Unreachable(_))), "{status}: {reply:?}");
    }
}

#[tokio::test]
async fn more_askers_than_the_agent_takes_wait_for_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, highest) = (Arc::clone(&open), Arc::clone(&most));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            highest.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4_096]).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"state\":\"idle\"}").await.unwrap();
                // Everybody else gets to the door meanwhile: an agent that was answered from is not free before it has closed.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                counted.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    let agent = Agent::new(path);
    let asking: Vec<_> = (0..64)
        .map(|_| {
            let agent = agent.clone();
            tokio::spawn(async move { agent.call(&AgentCall::GetSpeedtest).await })
        })
        .collect();
    for asked in asking {
        let reply = asked.await.unwrap();
        assert!(matches!(reply, Ok(AgentReply::Speedtest(_))), "{reply:?}");
    }
    let most = most.load(Ordering::SeqCst);
    assert!(most < constella_shared::limits::AGENT_CONNECTIONS, "{most} at once leave the operator no connection");
}

#[tokio::test]
async fn who_wants_the_figures_at_once_shares_an_answer_that_is_not_older_than_the_question() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4_096]).await.unwrap();
            let uptime_s = Some(counted.fetch_add(1, Ordering::SeqCst) as u64);
            let body = serde_json::to_string(&Stats { uptime_s, ..Stats::default() }).unwrap();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    let agent = Agent::new(path);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let agent = agent.clone();
        all.spawn(async move { agent.call(&AgentCall::Stats).await });
    }
    while let Some(reply) = all.join_next().await {
        assert!(matches!(reply, Ok(Ok(AgentReply::Stats(_)))), "{reply:?}");
    }
    let once = asked.load(Ordering::SeqCst);
    assert!((1..=2).contains(&once), "32 askers cost {once} calls");
    let Ok(AgentReply::Stats(later)) = agent.call(&AgentCall::Stats).await else { unreachable!("it answers") };
    assert_eq!(later.uptime_s, Some(once as u64), "who asks later is not told what was asked before");
}

#[tokio::test]
async fn no_socket_is_told_with_the_settings_name() {
    let agent = Agent::new("/nonexistent/agent.sock".into());
    let Err(AgentFailure::Unreachable(text)) = agent.call(&AgentCall::GetSpeedtest).await else {
        unreachable!("nobody listens there")
    };
    assert!(text.contains("AGENT_SOCKET"), "{text}");
}
