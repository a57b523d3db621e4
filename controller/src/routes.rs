//! What the listener answers, as warp filters. Everything outside is verified, then parsed, then handed to the core; nothing acts here.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use constella_core::io::{JoinAttempt, PeerRequest};
use constella_shared::ids::Pin;
use constella_shared::limits::{JOIN_BODY_BYTES, PEER_BODY_BYTES};
use constella_shared::sign::{INVITE, MAC, Message, bytes};
use constella_shared::wire::join::JoinHandshake;
use constella_shared::wire::rekey::RekeyAnswer;
use constella_shared::wire::rpc::RpcCode;
use constella_shared::wire::speaks::Speaks;
use constella_shared::wire::{PROTOCOL, PROTOCOL_HEADER};
use serde::Serialize;
use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Buf, Filter, Rejection, Stream};

use crate::admission::Joins;
use crate::answer::{Good, Refusal, answered, good, refused};
use crate::bodies::{Bodies, collect};
use crate::clock;
use crate::http::announced;
use crate::inbox::Inbox;
use crate::members::Members;
use crate::parse;
use crate::verify::{ClockCheck, Verifier};

/// Who is at the other end of a connection; put into each request's extensions by the server.
#[derive(Debug, Clone)]
pub struct Caller {
    /// SHA-256 of its certificate; the handshake proved that the key is its own. None for a stranger without one.
    pub pin: Option<Pin>,
    /// That certificate, base64 of DER.
    pub cert: Option<Arc<str>>,
    /// Where it comes from.
    pub source: IpAddr,
}

/// What the routes need.
#[derive(Debug)]
pub struct Context {
    /// Who belongs.
    pub members: Members,
    /// S1.
    pub verifier: Verifier,
    /// The way to the core.
    pub inbox: Inbox,
    /// Large bodies on their way in.
    pub bodies: Bodies,
    /// Tries at `/join`.
    pub joins: Joins,
    /// This controller's version.
    pub version: String,
}

/// A path whose requests carry the signature of S1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signed {
    Heartbeat,
    Announce,
    Rpc,
}

/// All routes. Whatever happens, the answer is a typed document.
#[must_use]
pub fn routes(context: Arc<Context>) -> BoxedFilter<(Response,)> {
    let with = warp::any().map(move || Arc::clone(&context));
    let caller = warp::ext::get::<Caller>();
    let query = warp::query::raw().or_else(|_| async { Ok::<_, Infallible>((String::new(),)) });

    let health = warp::path!("health").and(warp::get()).and(with.clone()).and(caller).map(health);
    let handshake = warp::path!("join_handshake").and(warp::get()).and(with.clone()).and(query).map(handshake);
    let rekey = warp::path!("rekey").and(warp::post()).and(with.clone()).and(caller).map(rekey);
    let join = warp::path!("join")
        .and(warp::post())
        .and(with.clone())
        .and(caller)
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(|context: Arc<Context>, caller: Caller, headers: HeaderMap, body| async move {
            settle(join(&context, &caller, &headers, body).await)
        });
    let signed =
        warp::path!("health")
            .map(|| Signed::Heartbeat)
            .or(warp::path!("announce").map(|| Signed::Announce))
            .unify()
            .or(warp::path!("rpc").map(|| Signed::Rpc))
            .unify()
            .and(warp::post())
            .and(with)
            .and(caller)
            .and(warp::path::full())
            .and(query)
            .and(warp::header::headers_cloned())
            .and(warp::body::stream())
            .then(
                |kind,
                 context: Arc<Context>,
                 caller: Caller,
                 path: FullPath,
                 query: String,
                 headers: HeaderMap,
                 body| async move {
                    let head = Head { path: path.as_str(), query: &query, headers: &headers };
                    let answer = settle(member(kind, &context, &caller, head, body).await);
                    announce_protocol(&context, &caller, answer)
                },
            );
    health.or(signed).unify().or(handshake).unify().or(join).unify().or(rekey).unify().recover(unknown).unify().boxed()
}

fn settle(result: Result<Response, Refusal>) -> Response {
    result.unwrap_or_else(|refusal| refused(&refusal))
}

/// S7: members learn from every answer what this node understands. S2: strangers do not.
fn announce_protocol(context: &Context, caller: &Caller, mut answer: Response) -> Response {
    if context.verifier.member(caller.pin).is_ok() {
        answer.headers_mut().insert(PROTOCOL_HEADER, PROTOCOL.into());
    }
    answer
}

async fn unknown(rejection: Rejection) -> Result<Response, Infallible> {
    let refusal = if rejection.is_not_found() || rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        Refusal::new(RpcCode::UnknownMethod, "there is nothing at this path for this method")
    } else {
        Refusal::new(RpcCode::BadRequest, "the request cannot be read")
    };
    Ok(refused(&refusal))
}

/// S2: a stranger learns that something is alive here, a member learns what.
fn health(context: Arc<Context>, caller: Caller) -> Response {
    #[derive(Serialize)]
    struct Nothing {}
    #[derive(Serialize)]
    struct About {
        name: String,
        node_id: constella_shared::ids::NodeId,
        version: String,
        protocol: u32,
    }
    let network = context.verifier.member(caller.pin).ok().and_then(|_| context.members.network());
    match network {
        None => good(&Good { ok: true, answer: Nothing {} }),
        Some(network) => good(&Good {
            ok: true,
            answer: About {
                name: network.name,
                node_id: context.members.me().node,
                version: context.version.clone(),
                protocol: PROTOCOL,
            },
        }),
    }
}

/// S2: versions, time, and whether the asker means this network.
fn handshake(context: Arc<Context>, query: String) -> Response {
    let asked = query.split('&').find_map(|part| part.strip_prefix("net=")).and_then(|net| net.parse().ok());
    settle(context.members.network().ok_or_else(Refusal::starting).map(|network| {
        // There is no protocol before the first.
        good(&JoinHandshake {
            protocol_min: PROTOCOL.saturating_sub(1).max(1),
            protocol_max: PROTOCOL,
            unix_s: clock::now().unix_ms / 1_000,
            net_matches: asked == Some(network.id),
        })
    }))
}

/// S2: a member that slept through a rotation gets today's secret; its certificate is the proof.
fn rekey(context: Arc<Context>, caller: Caller) -> Response {
    settle(context.verifier.member(caller.pin).and_then(|_| {
        let network = context.members.network();
        let network = network.ok_or_else(Refusal::starting)?;
        let answer = RekeyAnswer { network_secret: network.secret, secret_generation: network.secret_generation };
        Ok(good(&answer))
    }))
}

/// A request's head, as it was received.
#[derive(Clone, Copy)]
struct Head<'a> {
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
}

impl Head<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        header(self.headers, name)
    }
}

async fn member(
    kind: Signed,
    context: &Context,
    caller: &Caller,
    head: Head<'_>,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Result<Response, Refusal> {
    let member = context.verifier.member(caller.pin)?;
    let (body, _place) = context.bodies.collect(member, body, PEER_BODY_BYTES).await?;
    // The roster may have changed while the body came in.
    let from = context.verifier.member(caller.pin)?;
    let message = Message { method: "POST", path: head.path, query: head.query, body: &body };
    let clock = if kind == Signed::Heartbeat { ClockCheck::Exempt } else { ClockCheck::Strict };
    context.verifier.check(clock::now(), from, clock, &message, |name| head.header(name))?;
    let protocol = announced(head.headers);
    context.members.hear_protocol(from, protocol);
    let request = match kind {
        Signed::Heartbeat => parse::document(&body).map(PeerRequest::Heartbeat),
        Signed::Announce => parse::document(&body).map(PeerRequest::Announce),
        Signed::Rpc => parse::request(&body).map(PeerRequest::Rpc),
    };
    let request = request.inspect_err(|refusal| {
        tracing::warn!(
            node = from.short(),
            path = head.path,
            why = refusal.error.message,
            "unreadable request of a member"
        );
    })?;
    Ok(answered(context.inbox.peer(from, request).await, Speaks::of(protocol)))
}

async fn join(
    context: &Context,
    caller: &Caller,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Result<Response, Refusal> {
    if !context.joins.may_try(caller.source.into(), clock::now().boot_ms) {
        return Err(Refusal::new(RpcCode::TooMany, "too many tries from this address; wait a minute"));
    }
    let (Some(pin), Some(cert)) = (caller.pin, &caller.cert) else {
        return Err(Refusal::new(RpcCode::BadHeaders, "joining needs a client certificate"));
    };
    if context.members.network().is_none() {
        return Err(Refusal::starting());
    }
    let bad = |error: constella_shared::sign::HeaderError| Refusal::new(RpcCode::BadHeaders, error.to_string());
    let value = |name: &str| header(headers, name);
    let invite = constella_shared::link::InviteId(bytes(&value, INVITE).map_err(bad)?);
    let mac = bytes(&value, MAC).map_err(bad)?;
    let body = collect(body, JOIN_BODY_BYTES).await?;
    let source = caller.source.to_canonical().to_string();
    let attempt = JoinAttempt { pin, cert: cert.to_string(), source, invite, mac, body };
    let answer = context.inbox.join(attempt).await?;
    Ok(good(&*Speaks::of(announced(headers)).join_answer(&answer)))
}

/// A header that is there exactly once and is text.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}
