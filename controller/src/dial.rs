//! Connecting to another node: the address is checked (S5), the name resolved at each dial, the certificate met before anything is sent.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use constella_core::io::{CallId, Input};
use constella_shared::ids::Pin;
use rustls::pki_types::{IpAddr as TlsIp, ServerName};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::address::{AddressError, HostPort, check};
use crate::identity::pin_of;
use crate::tls::{Dialler, Expected};

/// Connects.
#[derive(Debug, Clone)]
pub struct Dial {
    tls: Dialler,
    loopback: bool,
}

/// Whose word an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A peer's: S5 applies.
    Peer,
    /// This host's operator typed it, or carried the link that has it.
    Operator,
}

/// Why there is no connection. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The text or the address is not one to dial.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The name has no address here.
    #[error("the name {0} cannot be resolved from here")]
    Name(String),
    /// Nothing listens there, or nothing comes back.
    #[error("port {} of {} is closed from here", .0.port, .0.host)]
    Closed(HostPort),
    /// The host refuses the connection, or what stands before it takes it and resets it at once: no process has the port.
    #[error("port {} of {} is closed from here", .0.port, .0.host)]
    Refused(HostPort),
    /// Somebody else answers.
    #[error("who answers at {0} shows another certificate than expected")]
    WrongPin(HostPort),
    /// Something answers that is no node.
    #[error("who answers at {0} is no Constella node")]
    NoNode(HostPort),
}

impl Dial {
    /// `own_addr` is what this node publishes: whether loopback may be dialled follows from it.
    #[must_use]
    pub const fn new(tls: Dialler, publishes_loopback: bool) -> Self {
        Self { tls, loopback: publishes_loopback }
    }

    /// Connects and answers the certificate that was met. The caller bounds the time.
    ///
    /// # Errors
    /// [`DialError`].
    pub async fn connect(
        &self,
        addr: &str,
        origin: Origin,
        expected: Expected,
    ) -> Result<(TlsStream<TcpStream>, Pin), DialError> {
        let target: HostPort = addr.parse()?;
        let stream = self.tcp(&target, origin).await?;
        // Small documents both ways; a failure leaves the slower default.
        let _ = stream.set_nodelay(true);
        let connector = TlsConnector::from(self.tls.config(expected));
        let stream = connector.connect(no_name(), stream).await.map_err(|error| refusal(&error, &target))?;
        let pin = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).map(pin_of);
        pin.map(|pin| (stream, pin)).ok_or(DialError::NoNode(target))
    }

    /// Answers an [`constella_core::io::Output::DialBack`].
    pub async fn dial_back(&self, call: CallId, addr: &str, limit: Duration) -> Input {
        let met = timeout(limit, self.connect(addr, Origin::Peer, Expected::Anybody)).await;
        let result = match met {
            Ok(Ok((_, pin))) => Ok(pin),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(match addr.parse::<HostPort>() {
                Ok(target) => DialError::Closed(target).to_string(),
                Err(error) => error.to_string(),
            }),
        };
        Input::DialedBack { call, result }
    }

    async fn tcp(&self, target: &HostPort, origin: Origin) -> Result<TcpStream, DialError> {
        let found = lookup_host((target.host.as_str(), target.port)).await;
        let found: Vec<SocketAddr> = found.map_err(|_| DialError::Name(target.host.clone()))?.take(ADDRESSES).collect();
        let mut failure = DialError::Name(target.host.clone());
        // RFC 8305: each address is begun a little after the one before, and none is given up for the next.
        let (mut tries, mut wait) = (JoinSet::new(), Duration::ZERO);
        let mut refused = found.len() == 1;
        for addr in found {
            if origin == Origin::Peer
                && let Err(error) = check(addr.ip(), self.loopback)
            {
                failure = error.into();
                continue;
            }
            tries.spawn(async move {
                sleep(wait).await;
                TcpStream::connect(addr).await
            });
            wait += STAGGER;
        }
        while let Some(tried) = tries.join_next().await {
            match tried {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => {
                    refused &= error.kind() == ErrorKind::ConnectionRefused;
                    failure = DialError::Closed(target.clone());
                }
                Err(_) => refused = false,
            }
        }
        // Of several addresses one that refuses says nothing of the others.
        Err(if refused && matches!(failure, DialError::Closed(_)) {
            DialError::Refused(target.clone())
        } else {
            failure
        })
    }
}

/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;

/// Between two of several addresses, so that one that swallows packets leaves time for the next (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

fn refusal(error: &std::io::Error, target: &HostPort) -> DialError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure)) => {
            DialError::WrongPin(target.clone())
        }
        None if matches!(
            error.kind(),
            ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe
        ) =>
        {
            DialError::Refused(target.clone())
        }
        Some(_) | None => DialError::NoNode(target.clone()),
    }
}

/// Names play no part: the pin alone says who it is, and no name is sent (SNI is off).
fn no_name() -> ServerName<'static> {
    ServerName::IpAddress(TlsIp::from(std::net::Ipv4Addr::UNSPECIFIED))
}
