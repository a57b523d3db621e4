//! The unix socket: who may connect, for how long, and how much. (HTTP itself is hyper's.)

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::{convert::Infallible, io, path::Path, rc::Rc, sync::Arc, time::Duration};

use constella_shared::limits::{AGENT_CONNECTION_MS, AGENT_CONNECTIONS, AGENT_HEAD_BYTES, AGENT_REQUEST_MS};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};
use tokio::{sync::Semaphore, task::spawn_local};

use super::{Front, answer};

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

pub(super) async fn serve(front: Rc<Front>, listener: UnixListener) {
    let places = Arc::new(Semaphore::new(AGENT_CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors or memory: both pass.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        // The kernel's word, not the caller's.
        let uid = stream.peer_cred().map(|peer| peer.uid());
        match (uid, places.clone().try_acquire_owned()) {
            (Ok(uid), Ok(place)) if front.config.allowed_uids.contains(&uid) => {
                let front = front.clone();
                spawn_local(async move {
                    converse(front, stream, uid).await;
                    drop(place);
                });
            }
            (Ok(uid), Ok(_)) => front.warn("connection refused, this uid is not in AGENT_ALLOWED_UIDS", uid),
            (Err(error), _) => front.warn("connection refused, the caller is unknown", error),
            (Ok(uid), Err(_)) => front.warn("connection refused, there are too many, here of uid", uid),
        }
    }
}

async fn converse(front: Rc<Front>, stream: UnixStream, uid: u32) {
    let limit = Duration::from_millis(AGENT_REQUEST_MS);
    let service = service_fn(|request| {
        let front = front.clone();
        async move { Ok::<_, Infallible>(answer::answer(&front, uid, request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limit).max_buf_size(AGENT_HEAD_BYTES);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // How a connection ends is the caller's affair.
    if timeout(Duration::from_millis(AGENT_CONNECTION_MS), connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(limit, connection).await;
    }
}
