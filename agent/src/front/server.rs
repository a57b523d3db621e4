//! The unix socket: who may connect, for how long, and how much. One request on each connection.

use super::{Front, answer::answer};
use constella_shared::{agent::AgentError, limits::AGENT_REQUEST_BYTES, limits::AGENT_REQUEST_MS};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use std::os::unix::{fs::FileTypeExt, net::UnixListener, net::UnixStream};
use std::{io, io::Read, io::Write, path::Path, time::Duration, time::Instant};

const LIMIT: Duration = Duration::from_millis(AGENT_REQUEST_MS);

/// Binds the socket, for its owner and group only from its first moment on.
pub(super) fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.symlink_metadata().is_ok_and(|file| file.file_type().is_socket()) {
        // The agent's last run left it; two agents on one socket would be two compose projects in one folder.
        std::fs::remove_file(path)?;
    }
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o117));
    UnixListener::bind(path)
}

/// One of the threads that serve: one connection at a time, while others wait in the kernel's queue.
pub(super) fn serve(front: &Front, listener: &UnixListener) {
    loop {
        let Ok((stream, _)) = listener.accept() else {
            // Out of descriptors or memory: both pass.
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        // The kernel's word, not the caller's. Nobody's uid is the greatest number.
        let uid = getsockopt(&stream, PeerCredentials).map_or(u32::MAX, |peer| peer.uid());
        if front.config.allowed_uids.contains(&uid) {
            // How a connection ends is the caller's affair.
            let _ = converse(front, &stream, uid);
        } else {
            eprintln!("constella-agent: connection refused, this uid is not in AGENT_ALLOWED_UIDS: {uid}");
        }
    }
}

fn converse(front: &Front, mut stream: &UnixStream, uid: u32) -> io::Result<()> {
    let (status, body) = match receive(stream).and_then(|(line, body)| answer(front, uid, &line, &body)) {
        Ok(body) => (200, body),
        // It has strings only, and cannot fail.
        Err(error) => (error.code.http_status(), serde_json::to_vec(&error).unwrap_or_default()),
    };
    let head = "Content-Type: application/json\r\nConnection: close\r\nContent-Length";
    stream.set_write_timeout(Some(LIMIT))?;
    stream.write_all(&[format!("HTTP/1.1 {status} \r\n{head}: {}\r\n\r\n", body.len()).as_bytes(), &body].concat())
}

/// Reads until the request is whole, or too large, or the time is up.
fn receive(mut stream: &UnixStream) -> Result<(String, Vec<u8>), AgentError> {
    let (end, mut bytes, mut length) = (Instant::now() + LIMIT, vec![0; AGENT_REQUEST_BYTES], 0);
    loop {
        // Where no time is left this is an error, as it should be: zero is no time-out to the kernel.
        let timed = stream.set_read_timeout(Some(end.saturating_duration_since(Instant::now())));
        length += match timed.and_then(|()| stream.read(bytes.get_mut(length..).unwrap_or_default())) {
            Ok(more @ 1..) => more,
            Ok(0) if length == bytes.len() => return Err(AgentError::too_large()),
            Ok(_) | Err(_) => return Err(AgentError::bad_request("the request did not arrive whole in time")),
        };
        if let Some(request) = parse(bytes.get(..length).unwrap_or_default())? {
            return Ok(request);
        }
    }
}

/// Method and target, as `GET /v1/health`, and body, once all is there. A body is what Content-Length says of a POST, and nothing else.
fn parse(bytes: &[u8]) -> Result<Option<(String, Vec<u8>)>, AgentError> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(at) = head.parse(bytes).map_err(AgentError::bad_request)? else { return Ok(None) };
    let (method, target) = (head.method.unwrap_or_default(), head.path.unwrap_or_default());
    let length = match head.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length")) {
        Some(length) if method == "POST" => str::from_utf8(length.value).ok().and_then(|text| text.parse().ok()),
        _ => Some(0),
    };
    let end = at.saturating_add(length.ok_or_else(|| AgentError::bad_request("Content-Length is no number"))?);
    if end > AGENT_REQUEST_BYTES {
        return Err(AgentError::too_large());
    }
    Ok(bytes.get(at..end).map(|body| (format!("{method} {target}"), body.to_vec())))
}
