//! Gossip as it travels: base64 of foca's packets, and of lists of members. What comes in is looked through before foca sees it.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use constella_shared::ids::NodeId;
use constella_shared::limits::GOSSIP_PACKET_BYTES;
use foca::{Codec, Header, Member, Message, PostcardCodec};

use super::identity::SwimId;

/// A packet that may be handed to foca.
pub(super) struct Admitted {
    /// The packet, without the members that do not belong.
    pub(super) data: Vec<u8>,
    /// Members of a feed, taken out of the packet: they are no news to others, and foca would pass each of them on ten times.
    pub(super) fed: Vec<Member<SwimId>>,
    /// Who sent it.
    pub(super) header: Header<SwimId>,
    /// Whom it names.
    pub(super) named: Vec<SwimId>,
}

/// Text of a packet.
pub(super) fn encode(data: &[u8]) -> String {
    STANDARD.encode(data)
}

/// Looks through a packet of `from`. None where it cannot be read, or pretends to come from, go to, or ask for somebody else.
pub(super) fn admit(frame: &str, from: NodeId, me: &SwimId, belongs: impl Fn(&NodeId) -> bool) -> Option<Admitted> {
    if frame.len() > GOSSIP_PACKET_BYTES.div_ceil(3).saturating_mul(4) {
        return None;
    }
    let packet = STANDARD.decode(frame).ok()?;
    let mut rest = packet.as_slice();
    let header: Header<SwimId> = PostcardCodec.decode_header(&mut rest).ok()?;
    let third = match &header.message {
        Message::PingReq { target: third, .. }
        | Message::IndirectPing { origin: third, .. }
        | Message::IndirectAck { target: third, .. }
        | Message::ForwardedAck { origin: third, .. } => Some(third.node()),
        Message::Ping(_)
        | Message::Ack(_)
        | Message::Announce
        | Message::Feed
        | Message::Gossip
        | Message::Broadcast
        | Message::TurnUndead => None,
    };
    let well_addressed = header.src.node() == from && header.dst.node() == me.node();
    if !well_addressed || third.is_some_and(|third| !belongs(&third)) || header.message == Message::Broadcast {
        return None;
    }
    let named = named(rest)?;
    let keep = |member: &Member<SwimId>| member.id() == me || belongs(&member.id().node());
    let mut kept: Vec<Member<SwimId>> = named.iter().filter(|member| keep(member)).cloned().collect();
    let fed = if header.message == Message::Feed { core::mem::take(&mut kept) } else { Vec::new() };
    let mut data = packet.get(..packet.len() - rest.len())?.to_vec();
    if !rest.is_empty() {
        data.extend(u16::try_from(kept.len()).ok()?.to_be_bytes());
        for member in &kept {
            PostcardCodec.encode_member(member, &mut data).ok()?;
        }
    }
    Some(Admitted { data, fed, header, named: named.into_iter().map(|member| member.id().clone()).collect() })
}

/// The members at the end of a packet: none, or a count of two bytes and so many.
fn named(rest: &[u8]) -> Option<Vec<Member<SwimId>>> {
    let Some((count, mut rest)) = rest.split_first_chunk::<2>() else {
        return rest.is_empty().then(Vec::new);
    };
    let named = members(usize::from(u16::from_be_bytes(*count)), &mut rest)?;
    rest.is_empty().then_some(named)
}

/// Members, some dozens to a text.
pub(super) fn encode_members(members: &[Member<SwimId>]) -> Vec<String> {
    let text = |chunk: &[Member<SwimId>]| {
        let mut data = Vec::new();
        for member in chunk {
            PostcardCodec.encode_member(member, &mut data).ok()?;
        }
        Some(encode(&data))
    };
    members.chunks(CHUNK).filter_map(text).collect()
}

/// The members of a text of [`encode_members`]; None where it cannot be read.
pub(super) fn decode_members(text: &str) -> Option<Vec<Member<SwimId>>> {
    let data = STANDARD.decode(text).ok()?;
    let mut rest = data.as_slice();
    let mut members = Vec::new();
    while !rest.is_empty() {
        members.push(PostcardCodec.decode_member(&mut rest).ok()?);
    }
    Some(members)
}

fn members(count: usize, rest: &mut &[u8]) -> Option<Vec<Member<SwimId>>> {
    let mut members = Vec::new();
    for _ in 0..count {
        members.push(PostcardCodec.decode_member(&mut *rest).ok()?);
    }
    Some(members)
}

/// Members in one text: a thousand nodes are sixteen texts of 3 kB.
const CHUNK: usize = 64;
