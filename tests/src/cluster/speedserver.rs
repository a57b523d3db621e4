//! A speedtest server of one's own on loopback: `__down?bytes=` and `__up`, as Cloudflare's.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::botapi::server::accept;

/// A running server; dropping it closes it.
#[derive(Debug)]
pub(super) struct SpeedServer {
    addr: SocketAddr,
    _task: JoinSet<()>,
}

impl SpeedServer {
    /// Takes a free port and serves.
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let bytes = Bytes::from(vec![b'x'; LARGEST]);
        let mut task = JoinSet::new();
        task.spawn(accept(listener, |_| false, move |_, request| serve(bytes.clone(), request)));
        Ok(Self { addr, _task: task })
    }

    /// `SPEEDTEST_URL`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

async fn serve(bytes: Bytes, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, mut body) = request.into_parts();
    // What is uploaded is read and forgotten; a client that goes away misses no answer.
    while let Some(Ok(_)) = body.frame().await {}
    let wanted = parts.uri.query().and_then(|query| query.strip_prefix("bytes=")?.parse::<usize>().ok());
    let (status, body) = match (parts.uri.path(), wanted) {
        ("/__down", Some(wanted)) if wanted <= LARGEST => (StatusCode::OK, bytes.slice(..wanted)),
        ("/__up", _) => (StatusCode::OK, Bytes::new()),
        _ => (StatusCode::NOT_FOUND, Bytes::new()),
    };
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    Ok(answer)
}

/// The agent asks for no more at once.
const LARGEST: usize = 16 << 20;
