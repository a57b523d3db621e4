//! The control socket: private, one answer a question, and never in the way of a second start.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use constella_controller::control::{Control, ControlError, Question, Told, ask};
use constella_controller::inbox::{Event, Inbox};
use constella_controller::peer::Peers;
use constella_core::io::{OperatorAnswer, OperatorRequest};
use constella_shared::secret::Secret;
use constella_shared::wire::rpc::{Request, Response, RpcCode, RpcError};

use crate::rig::pair;

/// A core that makes links and refuses the rest.
fn core() -> Inbox {
    let (inbox, mut events) = Inbox::new();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let Event::Operator(request, reply) = event {
                let _ = reply.send(match request {
                    OperatorRequest::Invite { ttl_s } => {
                        Ok(OperatorAnswer::Link(Secret::new(format!("join://{ttl_s}"))))
                    }
                    OperatorRequest::Peers => Ok(OperatorAnswer::Peers(Vec::new())),
                    OperatorRequest::OwnerLink | OperatorRequest::Status | OperatorRequest::Edit { .. } => {
                        Err(RpcError { code: RpcCode::NotHolder, message: "the owner is pinned".into() })
                    }
                });
            }
        }
    });
    inbox
}

#[tokio::test]
async fn questions_are_answered_over_a_private_socket() {
    let (alpha, beta) = pair().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let peers = Arc::new(Peers::new(alpha.members.clone(), alpha.dial.clone()));
    let control = Control::start(&path, core(), Arc::clone(&peers)).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let link = ask(&path, &Question::Invite { ttl_s: 900 }).await.unwrap();
    assert_eq!(link, Told::Link { link: Secret::new("join://900".into()) });
    assert_eq!(ask(&path, &Question::Peers {}).await.unwrap(), Told::Peers { peers: Vec::new() });
    let refused = ask(&path, &Question::OwnerLink {}).await.unwrap();
    assert!(matches!(refused, Told::Refused { error } if error.message == "the owner is pinned"));
    let rpc = Question::Rpc { addr: beta.addr.to_string(), request: Request::GetPeers {} };
    assert_eq!(ask(&path, &rpc).await.unwrap(), Told::Rpc { response: Response::Peers { peers: Vec::new() } });
    let nobody = Question::Rpc { addr: "127.0.0.1:1".into(), request: Request::GetPeers {} };
    assert!(
        matches!(ask(&path, &nobody).await.unwrap(), Told::Refused { error } if error.code == RpcCode::Unreachable)
    );

    drop(control);
    assert!(!path.exists());
    assert!(matches!(ask(&path, &rpc).await, Err(ControlError::NotRunning(_))));
}

#[tokio::test]
async fn a_socket_left_by_a_crash_is_replaced() {
    let (alpha, _) = pair().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(matches!(ask(&path, &Question::Peers {}).await, Err(ControlError::NotRunning(_))));
    let peers = Arc::new(Peers::new(alpha.members.clone(), alpha.dial.clone()));
    let _control = Control::start(&path, core(), peers).unwrap();
    assert!(ask(&path, &Question::Peers {}).await.is_ok());
}

#[tokio::test]
async fn junk_on_the_control_socket_is_refused() {
    let (alpha, _) = pair().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let peers = Arc::new(Peers::new(alpha.members.clone(), alpha.dial.clone()));
    let _control = Control::start(&path, core(), peers).unwrap();
    for junk in
        ["\n", "{}\n", "[]\n", "{\"ask\":\"exec\"}\n", "{\"ask\":\"invite\"}\n", "{\"ask\":\"peers\",\"more\":1}\n"]
    {
        let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, junk.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
        let told: Told = serde_json::from_str(&answer).unwrap();
        assert!(matches!(told, Told::Refused { error } if error.code == RpcCode::BadRequest), "{junk}: {answer}");
    }
}
