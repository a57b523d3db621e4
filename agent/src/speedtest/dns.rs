//! A name's address from the host's name servers (RFC 1035): a static binary in an empty image has no resolver of its own, and the
//! container's would not be the host's.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::Failure;

const A: u16 = 1;
const AAAA: u16 = 28;
/// Each name server is asked twice, so that one lost datagram is no error.
const TRIES: usize = 2;
const PATIENCE: Duration = Duration::from_secs(2);

/// The first address of the name, v4 before v6.
pub(super) async fn resolve(name: &str, resolv_conf: &str) -> Result<IpAddr, Failure> {
    if let Ok(address) = name.parse() {
        return Ok(address);
    }
    let servers: Vec<IpAddr> =
        resolv_conf.lines().filter_map(|line| line.strip_prefix("nameserver")?.trim().parse().ok()).collect();
    for kind in [A, AAAA] {
        for server in servers.iter().cycle().take(servers.len() * TRIES) {
            // A server that fails is passed over; the last word is "unknown".
            if let Ok(Ok(Some(address))) = timeout(PATIENCE, ask(*server, name, kind)).await {
                return Ok(address);
            }
        }
    }
    Err(Failure::Unknown(name.to_owned()))
}

async fn ask(server: IpAddr, name: &str, kind: u16) -> std::io::Result<Option<IpAddr>> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(SocketAddr::new(server, 53)).await?;
    let id = RandomState::new().hash_one(0) as u16;
    socket.send(&question(id, name, kind)).await?;
    // Without EDNS no answer is longer than this.
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).await?;
    Ok(answer.get(..length).and_then(|answer| address(answer, id, kind)))
}

fn question(id: u16, name: &str, kind: u16) -> Vec<u8> {
    // Recursion desired, one question, nothing else.
    let mut query: Vec<u8> = [id, 0x0100, 1, 0, 0, 0].into_iter().flat_map(u16::to_be_bytes).collect();
    for label in name.trim_end_matches('.').split('.') {
        query.push(label.len().min(63) as u8);
        query.extend(label.bytes().take(63));
    }
    query.push(0);
    query.extend([kind, 1].into_iter().flat_map(u16::to_be_bytes));
    query
}

/// The first address of the kind in an answer; none where it is not one to our question.
fn address(answer: &[u8], id: u16, kind: u16) -> Option<IpAddr> {
    let mut rest = answer;
    let [got, flags, questions, answers, ..] = [(); 6].map(|()| number(&mut rest).unwrap_or(0));
    if got != id || flags & 0x800F != 0x8000 || questions != 1 {
        return None;
    }
    skip_name(&mut rest)?;
    take(&mut rest, 4)?;
    for _ in 0..answers {
        skip_name(&mut rest)?;
        let found = number(&mut rest)?;
        // Class and time to live.
        take(&mut rest, 6)?;
        let length = number(&mut rest)?;
        let data = take(&mut rest, usize::from(length))?;
        match found {
            A if kind == A => return Some(IpAddr::from(*data.first_chunk::<4>()?)),
            AAAA if kind == AAAA => return Some(IpAddr::from(*data.first_chunk::<16>()?)),
            _ => {}
        }
    }
    None
}

/// Labels up to an empty one, or to a pointer to others (two bytes, the upper bits set).
fn skip_name(rest: &mut &[u8]) -> Option<()> {
    loop {
        match *take(rest, 1)?.first()? {
            0 => return Some(()),
            pointer if pointer >= 0xC0 => return take(rest, 1).map(|_| ()),
            length => take(rest, usize::from(length)).map(|_| ())?,
        }
    }
}

fn number(rest: &mut &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(*take(rest, 2)?.first_chunk()?))
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    rest.split_off(..count)
}
