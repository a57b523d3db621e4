//! The control socket: private, one answer a question, and never in the way of a second start.

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use constella_controller::agent::Agent;
use constella_controller::control::{Behind, BotDocument, Control, ControlError, Question, Told, ask};
use constella_controller::inbox::{Event, Inbox};
use constella_controller::peer::Peers;
use constella_controller::runner::BotClient;
use constella_core::io::{BotCall, BotError, BotReply, OperatorAnswer, OperatorRequest};
use constella_shared::secret::Secret;
use constella_shared::wire::rpc::{Request, Response, RpcCode, RpcError};

use crate::rig::pair;

/// A Telegram that says of itself what it is told to.
#[derive(Debug, Default)]
struct Telegram(Mutex<Option<BotError>>);

impl BotClient for Telegram {
    async fn call(&self, call: BotCall, _: Duration) -> Result<BotReply, BotError> {
        match (self.0.lock().unwrap().clone(), call) {
            (Some(error), _) => Err(error),
            (None, BotCall::GetMe) => Ok(BotReply::Me { id: 1, username: "our_bot".into() }),
            (None, BotCall::GetWebhookInfo) => Ok(BotReply::Webhook { pending: 2, set: true }),
            (None, call) => panic!("a look must not disturb: {call:?}"),
        }
    }

    fn set_token(&self, _: Secret) {}
}

fn behind(peers: Arc<Peers>) -> Behind<Telegram> {
    let agent = Agent::new("/nowhere".into());
    Behind { inbox: core(), peers, bot: Arc::new(Telegram::default()), agent }
}

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
                    OperatorRequest::Invites => Ok(OperatorAnswer::Invites(Vec::new())),
                    OperatorRequest::OwnerLink
                    | OperatorRequest::Status
                    | OperatorRequest::OwnerSet { .. }
                    | OperatorRequest::SetToken(_)
                    | OperatorRequest::Revoke(_)
                    | OperatorRequest::Edit { .. } => {
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
    let control = Control::start(&path, behind(peers)).unwrap();
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
async fn a_look_at_telegram_tells_the_token_from_the_way_there() {
    let (alpha, _) = pair().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let behind = behind(Arc::new(Peers::new(alpha.members.clone(), alpha.dial.clone())));
    let bot = Arc::clone(&behind.bot);
    let _control = Control::start(&path, behind).unwrap();
    let answers = BotDocument::Answers { username: "our_bot".into(), webhook: true, pending: 2 };
    let why = |why: &str| BotDocument::Unreachable { why: why.into() };
    let cases = [
        (None, answers),
        (Some(BotError::NoToken), BotDocument::NoToken),
        (Some(BotError::Unauthorized), BotDocument::BadToken),
        (Some(BotError::Unreachable("refused".into())), why("refused")),
        (Some(BotError::Server), why("it answers Server")),
    ];
    for (error, expected) in cases {
        *bot.0.lock().unwrap() = error;
        assert_eq!(ask(&path, &Question::Bot {}).await.unwrap(), Told::Bot(expected));
    }
}

#[tokio::test]
async fn a_socket_left_by_a_crash_is_replaced() {
    let (alpha, _) = pair().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(matches!(ask(&path, &Question::Peers {}).await, Err(ControlError::NotRunning(_))));
    let peers = Arc::new(Peers::new(alpha.members.clone(), alpha.dial.clone()));
    let _control = Control::start(&path, behind(peers)).unwrap();
    assert!(ask(&path, &Question::Peers {}).await.is_ok());
}

#[tokio::test]
async fn junk_on_the_control_socket_is_refused() {
    let (alpha, _) = pair().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let peers = Arc::new(Peers::new(alpha.members.clone(), alpha.dial.clone()));
    let _control = Control::start(&path, behind(peers)).unwrap();
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
