//! stub
use super::Node;
use crate::clock::Now;
use crate::io::*;
use alloc::string::String;
use alloc::vec::Vec;
use constella_shared::ids::Pin;
impl Node {
    pub(super) fn take_join_outputs(&mut self, _: Now, o: Vec<Output>) {
        self.out.extend(o);
    }
    pub(super) fn dialed_back(&mut self, _: Now, _: CallId, _: Result<Pin, String>) {}
    pub(super) fn join_answered(&mut self, _: Now, _: CallId, _: Result<PeerResponse, CallError>) {}
}
