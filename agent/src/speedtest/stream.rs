//! One connection's part of a speedtest: round trips, a stream of downloads, a stream of uploads.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use constella_shared::limits::{SPEEDTEST_IDLE_MS, SPEEDTEST_PHASE_MS};
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use super::Failure;
use super::server::Server;

/// The first request of a stream; each that took under half a second is followed by one twice as large.
const FIRST: u64 = 64 * 1024;
/// The largest: servers refuse more (Cloudflare's at 100 MB), and what is under way at the end of the phase is lost.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Milliseconds of each round trip. The first one warms up and does not count.
pub(super) async fn pings(server: &Server, count: usize) -> Result<Vec<f32>, Failure> {
    let mut connection = server.connect().await?;
    let mut times = Vec::new();
    for _ in 0..=count {
        let begun = Instant::now();
        let response = within(connection.send_request(server.get(0))).await??;
        times.push(begun.elapsed().as_secs_f32() * 1000.0);
        body(response, 0, None).await?;
    }
    times.remove(0);
    Ok(times)
}

/// Bytes a second that this stream received.
pub(super) async fn download(server: &Server, budget: &AtomicU64) -> Result<f64, Failure> {
    let mut connection = server.connect().await?;
    let begun = Instant::now();
    let end = begun + Duration::from_millis(SPEEDTEST_PHASE_MS);
    let (mut received, mut size) = (0, FIRST);
    loop {
        let bytes = claim(budget, size);
        if bytes == 0 || Instant::now() >= end {
            return Ok(received as f64 / begun.elapsed().as_secs_f64());
        }
        let asked = Instant::now();
        let response = within(connection.send_request(server.get(bytes))).await??;
        received += body(response, bytes, Some(end)).await?;
        size = next(size, asked);
    }
}

/// Bytes a second that the server took from this stream; only what it acknowledged counts, for the rest may still be in a buffer here.
pub(super) async fn upload(server: &Server, budget: &AtomicU64) -> Result<f64, Failure> {
    let mut connection = server.connect().await?;
    let begun = Instant::now();
    let end = begun + Duration::from_millis(SPEEDTEST_PHASE_MS);
    let (mut sent, mut size, mut last) = (0, FIRST, begun);
    loop {
        let bytes = claim(budget, size);
        if bytes == 0 || Instant::now() >= end {
            break;
        }
        let asked = Instant::now();
        let Ok(response) = tokio::time::timeout_at(end, connection.send_request(server.post(bytes))).await else {
            break;
        };
        // What the server writes about it is not wanted, but must end.
        body(response?, FIRST, Some(end))
            .await
            .or_else(|error| if let Failure::TooLittle = error { Ok(0) } else { Err(error) })?;
        (sent, last) = (sent + bytes, Instant::now());
        size = next(size, asked);
    }
    if last.elapsed() >= Duration::from_millis(SPEEDTEST_IDLE_MS) {
        return Err(Failure::Silent);
    }
    Ok(sent as f64 / (last - begun).as_secs_f64().max(0.001))
}

/// Reads a body of exactly `bytes`, or until the end of the phase, and says how many came.
async fn body(response: Response<Incoming>, bytes: u64, end: Option<Instant>) -> Result<u64, Failure> {
    if response.status() != 200 {
        return Err(Failure::Status(response.status().as_u16()));
    }
    let (mut body, mut received) = (response.into_body(), 0);
    while let Some(frame) = within(body.frame()).await? {
        received += frame?.data_ref().map_or(0, |data| data.len() as u64);
        if received > bytes {
            return Err(Failure::TooMuch);
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            return Ok(received);
        }
    }
    if received < bytes { Err(Failure::TooLittle) } else { Ok(received) }
}

/// Takes up to `bytes` from what is left of the test's bytes.
fn claim(budget: &AtomicU64, bytes: u64) -> u64 {
    let before = budget.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(bytes)));
    before.unwrap_or(0).min(bytes)
}

fn next(size: u64, asked: Instant) -> u64 {
    if asked.elapsed() < Duration::from_millis(500) { (size * 2).min(LARGEST) } else { size }
}

/// The future's result, unless nothing comes for too long.
pub(super) async fn within<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    timeout(Duration::from_millis(SPEEDTEST_IDLE_MS), future).await.map_err(|_| Failure::Silent)
}
