//! The unix socket: who may connect, and for how long. (HTTP itself is hyper's.)

use std::convert::Infallible;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream as StdStream;
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use constella_shared::limits::{AGENT_CONNECTION_MS, AGENT_CONNECTIONS, AGENT_HEAD_BYTES, AGENT_REQUEST_MS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::fs::Mode;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Front, answer};
use crate::log::{Level, say};

/// Binds the socket, for its owner and group only from its first moment on.
pub(super) fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.symlink_metadata().is_ok_and(|file| file.file_type().is_socket()) {
        if StdStream::connect(path).is_ok() {
            return Err(io::Error::other("another agent serves this socket"));
        }
        // What an agent left behind that did not stop by itself.
        std::fs::remove_file(path)?;
    }
    rustix::process::umask(Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

pub(super) async fn serve(front: Rc<Front>, listener: UnixListener) {
    let places = Arc::new(Semaphore::new(AGENT_CONNECTIONS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                say(Level::Warn, "no connection taken", error);
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // The kernel's word, not the caller's.
        let uid = match stream.peer_cred() {
            Ok(peer) if front.config.allowed_uids.contains(&peer.uid()) => peer.uid(),
            Ok(peer) => {
                say(Level::Warn, "connection refused, uid not in AGENT_ALLOWED_UIDS", peer.uid());
                continue;
            }
            Err(_) => continue,
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            say(Level::Warn, "connection refused, too many of them", uid);
            continue;
        };
        let front = front.clone();
        tokio::task::spawn_local(async move {
            converse(front, stream, uid).await;
            drop(place);
        });
    }
}

async fn converse(front: Rc<Front>, stream: UnixStream, uid: u32) {
    let limit = Duration::from_millis(AGENT_REQUEST_MS);
    let service = service_fn(|request| {
        let front = front.clone();
        async move {
            let answer = timeout(limit, answer::answer(&front, u64::from(uid), request)).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(|_| answer::too_slow()))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limit)
        .max_buf_size(AGENT_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = match timeout(Duration::from_millis(AGENT_CONNECTION_MS), connection.as_mut()).await {
        Ok(ended) => ended,
        Err(_) => {
            connection.as_mut().graceful_shutdown();
            // One that does not end now is dropped, which ends it.
            timeout(limit, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        say(Level::Debug, "connection ended", error);
    }
}
