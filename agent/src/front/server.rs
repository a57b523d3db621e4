//! The unix socket: who may connect, for how long, and how much. One thread a connection, one request on each.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};
use std::{path::Path, sync::Arc, thread};

use constella_shared::agent::{AgentError, AgentErrorCode as Code};
use constella_shared::limits::{AGENT_BODY_BYTES, AGENT_CONNECTIONS, AGENT_HEAD_BYTES, AGENT_REQUEST_MS};
use httparse::{EMPTY_HEADER, Status};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use super::{Front, answer};

/// A request that arrived whole.
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) body: Vec<u8>,
}

/// Binds the socket, for its owner and group only from its first moment on.
pub(super) fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.symlink_metadata().is_ok_and(|file| file.file_type().is_socket()) {
        // The agent's last run left it; two agents on one socket would be two compose projects in one folder.
        std::fs::remove_file(path)?;
    }
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

pub(super) fn serve(front: &Arc<Front>, listener: &UnixListener) {
    let places = Arc::new(());
    loop {
        let Ok((stream, _)) = listener.accept() else {
            // Out of descriptors or memory: both pass.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        // The kernel's word, not the caller's. Nobody's uid is the greatest number.
        let uid = getsockopt(&stream, PeerCredentials).map_or(u32::MAX, |peer| peer.uid());
        if !front.config.allowed_uids.contains(&uid) {
            front.warn("connection refused, this uid is not in AGENT_ALLOWED_UIDS", uid);
        } else if Arc::strong_count(&places) > AGENT_CONNECTIONS {
            front.warn("connection refused, there are too many, here of uid", uid);
        } else {
            let (front, place) = (front.clone(), places.clone());
            let converse = move || {
                // How a connection ends is the caller's affair.
                let _ = converse(&front, &stream, uid);
                // In this order: who has seen the end of one connection can have another.
                drop((place, stream));
            };
            if let Err(error) = thread::Builder::new().spawn(converse) {
                eprintln!("constella-agent: connection refused, no thread for it: {error}");
            }
        }
    }
}

fn converse(front: &Front, mut stream: &UnixStream, uid: u32) -> io::Result<()> {
    let limit = Duration::from_millis(AGENT_REQUEST_MS);
    let request = receive(stream, Instant::now() + limit);
    let whole = request.is_ok();
    let (status, body) = match request.and_then(|request| answer::answer(front, uid, &request)) {
        Ok(body) => (200, body),
        // It has strings only, and cannot fail.
        Err(error) => (error.code.http_status(), serde_json::to_vec(&error).unwrap_or_default()),
    };
    let head = "Content-Type: application/json\r\nConnection: close\r\nContent-Length";
    stream.set_write_timeout(Some(limit))?;
    stream.write_all(&[format!("HTTP/1.1 {status} \r\n{head}: {}\r\n\r\n", body.len()).as_bytes(), &body].concat())?;
    if !whole {
        // What is still coming is taken off for a while, or the kernel would throw the refusal away with it.
        stream.shutdown(Shutdown::Write)?;
        let (end, mut rest) = (Instant::now() + limit, [0; 4096]);
        while read(stream, end, &mut rest)? > 0 {}
    }
    Ok(())
}

/// Reads until the request is whole, or too large, or the time is up.
fn receive(stream: &UnixStream, end: Instant) -> Result<Request, AgentError> {
    let (mut bytes, mut more) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(request) = parse(&bytes)? {
            return Ok(request);
        }
        match read(stream, end, &mut more) {
            Ok(length @ 1..) => bytes.extend(more.iter().take(length)),
            Ok(0) | Err(_) => {
                return Err(AgentError::new(Code::BadRequest, "the request did not arrive whole in time"));
            }
        }
    }
}

/// The request, once it is there. No body is waited for where none is taken.
fn parse(bytes: &[u8]) -> Result<Option<Request>, AgentError> {
    let too_large = |what: &str| Err(AgentError::new(Code::TooLarge, what));
    let mut headers = [EMPTY_HEADER; 32];
    let mut head = httparse::Request::new(&mut headers);
    let at = match head.parse(bytes) {
        Ok(Status::Complete(at)) if at <= AGENT_HEAD_BYTES => at,
        Ok(Status::Partial) if bytes.len() <= AGENT_HEAD_BYTES => return Ok(None),
        Ok(_) => return too_large("the head is too large"),
        Err(error) => return Err(AgentError::new(Code::BadRequest, error.to_string())),
    };
    let (method, target) = (head.method.unwrap_or_default().to_owned(), head.path.unwrap_or_default().to_owned());
    let length = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length =
        length.filter(|_| method == "POST").map_or(Some(0), |length| str::from_utf8(length.value).ok()?.parse().ok());
    match length {
        None => Err(AgentError::new(Code::BadRequest, "the length of the body is no number")),
        Some(length) if length > AGENT_BODY_BYTES as usize => too_large("the body is too large"),
        Some(length) => Ok(bytes.get(at..at + length).map(|body| Request { method, target, body: body.to_vec() })),
    }
}

fn read(mut stream: &UnixStream, end: Instant, bytes: &mut [u8]) -> io::Result<usize> {
    // Where no time is left this is an error, as it should be: zero is no time-out to the kernel.
    stream.set_read_timeout(Some(end.saturating_duration_since(Instant::now())))?;
    stream.read(bytes)
}
