//! stub
use crate::{calls::Calls, clock::Now, io::*, roster::Roster};
use alloc::string::String;
use alloc::vec::Vec;
use constella_shared::{
    ids::*,
    link::InviteLink,
    wire::{join::JoinForward, records::Records},
};
pub struct Joins;
impl Joins {
    pub fn new() -> Self {
        Self
    }
    pub fn attempt(&mut self, _: Now, _: &Roster, _: InboundId, _: JoinAttempt, _: &mut Calls) -> Vec<Output> {
        Vec::new()
    }
    pub fn forwarded(
        &mut self,
        _: Now,
        _: &mut Roster,
        _: InboundId,
        _: NodeId,
        _: JoinForward,
        _: Option<Term>,
    ) -> Vec<Output> {
        Vec::new()
    }
    pub fn invite(
        &mut self,
        _: Now,
        _: &mut Roster,
        _: [u8; 32],
        _: u64,
        _: &[NodeId],
    ) -> Result<(Records, InviteLink), String> {
        Err(String::new())
    }
}
