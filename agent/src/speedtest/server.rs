//! The speedtest server: where it is, how to connect, and the requests that it understands.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::stream::within;
use super::{Failure, dns};

pub(super) struct Server {
    uri: Uri,
    host: String,
    address: SocketAddr,
    tls: Option<TlsConnector>,
}

impl Server {
    /// Resolves the server's name.
    pub(super) async fn find(url: &str, resolv_conf: &str) -> Result<Self, Failure> {
        let uri: Uri = url.parse().map_err(|_| Failure::Address)?;
        let secure = uri.scheme_str() == Some("https");
        let host = uri.host().ok_or(Failure::Address)?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let address = SocketAddr::new(dns::resolve(&host, resolv_conf).await?, port);
        let tls = secure.then(|| {
            let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            TlsConnector::from(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
        });
        Ok(Self { uri, host, address, tls })
    }

    pub(super) async fn connect(&self) -> Result<SendRequest<Zeros>, Failure> {
        let failed = |error| Failure::Connect(self.address.to_string(), error);
        let stream = within(TcpStream::connect(self.address)).await?.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let Some(tls) = &self.tls else {
            return speak(stream).await;
        };
        let name = ServerName::try_from(self.host.clone()).map_err(|_| Failure::Address)?;
        speak(within(tls.connect(name, stream)).await?.map_err(failed)?).await
    }

    pub(super) fn get(&self, bytes: u64) -> Request<Zeros> {
        self.request(Method::GET, &format!("__down?bytes={bytes}"), 0)
    }

    pub(super) fn post(&self, bytes: u64) -> Request<Zeros> {
        self.request(Method::POST, "__up", bytes)
    }

    fn request(&self, method: Method, path: &str, bytes: u64) -> Request<Zeros> {
        let mut request = Request::new(Zeros(bytes));
        *request.method_mut() = method;
        // Both were parsed once, so that neither can fail here; an empty target would be refused by the server.
        *request.uri_mut() = format!("{}/{path}", self.uri.path().trim_end_matches('/')).parse().unwrap_or_default();
        if let Some(host) = self.uri.authority().and_then(|a| a.as_str().parse().ok()) {
            request.headers_mut().insert(HOST, host);
        }
        request
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<SendRequest<Zeros>, Failure> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // How the connection ends is told to whoever waits for an answer on it.
    tokio::spawn(async { drop(connection.await) });
    Ok(sender)
}

/// A body of that many zeros, without the memory.
pub(super) struct Zeros(u64);

impl Body for Zeros {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static BLOCK: [u8; 16 * 1024] = [0; 16 * 1024];
        let block = BLOCK.get(..self.0.min(BLOCK.len() as u64) as usize).unwrap_or_default();
        self.0 -= block.len() as u64;
        Poll::Ready((!block.is_empty()).then(|| Ok(Frame::data(Bytes::from_static(block)))))
    }

    fn is_end_stream(&self) -> bool {
        self.0 == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}
