//! The listener on 4747/tcp: TLS, then HTTP/1.1 by hyper under warp's filters. Connections, heads, bodies and time are bounded.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use constella_shared::limits::{PEER_HEAD_BYTES, PEER_HEAD_MS, PEER_IDLE_MS, PEER_REQUEST_MS};
use constella_shared::wire::rpc::RpcCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use nix::sys::socket::{setsockopt, sockopt};
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use crate::admission::{Connections, Place};
use crate::answer::{Refusal, refused};
use crate::identity::pin_of;
use crate::routes::{Caller, Context, routes};

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program has the port, or the address is not this host's. The operator's to mend.
    #[error(
        "cannot listen on {addr} (LISTEN_ADDR); stop the program that has the port, or set another address of this host"
    )]
    Bind {
        /// What was tried.
        addr: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// Binds the address. `[::]` answers IPv4 too, and falls back to `0.0.0.0` on a host without IPv6.
///
/// # Errors
/// [`ListenError::Bind`].
pub async fn bind(addr: SocketAddr) -> Result<TcpListener, ListenError> {
    let failed = |source| ListenError::Bind { addr, source };
    match listen(addr) {
        Ok(listener) => Ok(listener),
        Err(error) if addr.is_ipv6() && addr.ip().is_unspecified() && has_no_ipv6(&error) => {
            listen((std::net::Ipv4Addr::UNSPECIFIED, addr.port()).into()).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// What `TcpListener::bind` does, and one thing more: whether a socket of IPv6 takes IPv4 too is said here, and not left to the default of its
/// kernel (`net.ipv6.bindv6only`, ipv6(7)).
fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
    socket.set_reuseaddr(true)?;
    if addr.is_ipv6() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &false)?;
    }
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Connections that the kernel holds until they are accepted: as many as tokio's own `bind` asks for.
const BACKLOG: u32 = 1_024;

/// EAFNOSUPPORT and EADDRNOTAVAIL: what bind(2) says of `[::]` where IPv6 is not there or switched off.
fn has_no_ipv6(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(nix::errno::Errno::from_raw);
    matches!(errno, Some(nix::errno::Errno::EAFNOSUPPORT | nix::errno::Errno::EADDRNOTAVAIL))
}

/// A listener that serves.
#[derive(Debug)]
pub struct Server {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Begins to accept.
    #[must_use]
    pub fn start(listener: TcpListener, tls: Arc<ServerConfig>, context: Arc<Context>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, TlsAcceptor::from(tls), context, stopped));
        Self { stop, task }
    }

    /// Accepts no more, lets answers that are on their way finish for at most `grace`, and returns.
    pub async fn stop(self, grace: Duration) {
        self.stop.send_replace(true);
        let abort = self.task.abort_handle();
        // Who has not finished by then is cut off: the process is about to exit.
        if timeout(grace, self.task).await.is_err() {
            abort.abort();
        }
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, context: Arc<Context>, mut stopped: watch::Receiver<bool>) {
    let filter = routes(Arc::clone(&context));
    let connections = Connections::default();
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // A refused connection is closed at once: its owner sees it, and it takes no memory.
                let Some(place) = connections.enter(peer.ip().into()) else { continue };
                let connection =
                    Connection { tls: tls.clone(), context: Arc::clone(&context), filter: filter.clone(), place };
                let needed = connection.place.is_needed();
                let served = connection.serve(stream, peer, graceful.watcher());
                tokio::spawn(async move {
                    tokio::select! {
                        () = served => {}
                        () = needed => {}
                    }
                });
            }
            // Out of file descriptors, or the connection died before it was taken: neither ends the listener, and the first needs a pause.
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

struct Connection {
    tls: TlsAcceptor,
    context: Arc<Context>,
    filter: BoxedFilter<(Response,)>,
    place: Place,
}

impl Connection {
    async fn serve(self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        // Small documents both ways: waiting for more to send only adds delay. A failure leaves the slower default.
        let _ = stream.set_nodelay(true);
        let head = Duration::from_millis(PEER_HEAD_MS);
        let Ok(Ok(stream)) = timeout(head, self.tls.accept(stream)).await else { return };
        let caller = caller(stream.get_ref().1.peer_certificates(), peer);
        let known = self.context.verifier.member(caller.pin).is_ok();
        if known {
            self.place.is_members();
        }
        let begun = Arc::new(AtomicBool::new(false));
        let service = bounded(self.filter, caller, Arc::clone(&begun));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(PEER_IDLE_MS))
            .max_buf_size(PEER_HEAD_BYTES)
            // A stranger has one request at a time and no place to wait in.
            .keep_alive(known);
        let connection = watcher.watch(http.serve_connection(TokioIo::new(stream), service));
        let mut connection = std::pin::pin!(connection);
        // A member's connection may be made for a call that is not made any more: it is kept as long as an idle one.
        let first = if known { Duration::from_millis(PEER_IDLE_MS) } else { head };
        tokio::select! {
            // An error here is the other side's: it went away, or spoke no HTTP and was told so.
            _ = &mut connection => return,
            () = sleep(first) => if !begun.load(Ordering::Relaxed) { return },
        }
        let _ = connection.await;
        drop(self.place);
    }
}

fn caller(certs: Option<&[CertificateDer<'static>]>, peer: SocketAddr) -> Caller {
    let cert = certs.and_then(<[_]>::first);
    Caller { pin: cert.map(pin_of), cert: cert.map(|cert| STANDARD.encode(cert).into()), source: peer.ip() }
}

/// The filters with the caller beside each request and a limit on the whole of it, a slow body included.
fn bounded(
    filter: BoxedFilter<(Response,)>,
    caller: Caller,
    begun: Arc<AtomicBool>,
) -> impl Service<hyper::Request<Incoming>, Response = Response, Error = std::convert::Infallible, Future: Send> {
    let inner = TowerToHyperService::new(warp::service(filter));
    service_fn(move |mut request: hyper::Request<Incoming>| {
        begun.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(caller.clone());
        let answer = inner.call(request);
        async move {
            match timeout(Duration::from_millis(PEER_REQUEST_MS), answer).await {
                Ok(answer) => answer,
                Err(_) => {
                    let late = Refusal::new(RpcCode::TimedOut, format!("the request took over {PEER_REQUEST_MS} ms"));
                    Ok(refused(&late))
                }
            }
        }
    })
}
