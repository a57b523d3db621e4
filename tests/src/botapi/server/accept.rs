//! Accepting and serving HTTP/1.1 connections, for the double's ports and for the demo's page.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Accepts and serves connections, for ever; a client's errors are its own business.
pub(crate) async fn accept<S, F, E>(listener: TcpListener, refuses: impl Fn(SocketAddr) -> bool, serve: S)
where
    S: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<Full<Bytes>>, E>> + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) if !refuses(peer) => {
                    connections.spawn(connection(stream, peer, serve.clone()));
                }
                Ok(_) => {}
                // Out of descriptors, or the client is gone already: the next accept may be better.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection<S, F, E>(stream: TcpStream, peer: SocketAddr, serve: S)
where
    S: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<Full<Bytes>>, E>> + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let service = service_fn(move |request| serve(peer, request));
    let served = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    // A broken connection is the fault that a test asked for, or a client that went away: nothing to do about either.
    let _ = served.await;
}

/// Long enough not to spin, short enough not to be seen by a test.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
