//! F6 at a target: which orders it carries out, and what it tells of those that it did or refused before.

use alloc::format;
use alloc::string::String;

use constella_shared::agent::{RebootAnswer, RebootOutcome, is_same_boot};
use constella_shared::ids::{CommandId, Term};
use constella_shared::wire::rpc::{Response, RpcCode, RpcError};

use super::Node;
use super::requests::refusal;
use crate::clock::Now;

impl Node {
    /// F6: "refuses terms below the highest it has seen". One that is far behind comes up by a leap an order.
    pub(super) fn check_term(&mut self, term: Term) -> Result<(), RpcError> {
        let highest = self.durable.term();
        if term < highest {
            let message = format!("term {term} is over, term {highest} was seen here; ask the present holder");
            return Err(RpcError { code: RpcCode::OldTerm, message });
        }
        if term.0 > highest.0.saturating_add(constella_shared::limits::TERM_LEAP) {
            self.durable.raise_near(term);
            return Err(refusal(RpcCode::OldTerm, "the term is too far above the highest that was seen here"));
        }
        self.durable.raise(term);
        Ok(())
    }

    /// F6: whether a reboot may be performed now; false where this id was executed before. That, or that it was refused as late, comes first: who
    /// asks again learns it at any time, and a later refusal means that it never was.
    pub(super) fn may_reboot(
        &mut self,
        now: Now,
        id: CommandId,
        term: Term,
        not_after: u64,
        boot_id: Option<&str>,
    ) -> Result<bool, RpcError> {
        if self.commands.is_executed(&id) {
            return Ok(false);
        }
        if self.commands.is_refused(&id) {
            return Err(refusal(RpcCode::TooLate, "this node refused it before, as too late"));
        }
        self.check_term(term)?;
        if let Some(meant) = boot_id {
            let present = self.host.boot_id.as_deref();
            let present = present.ok_or_else(|| refusal(RpcCode::Starting, "this node has just started; ask again"))?;
            if !is_same_boot(present, meant) {
                return Err(self.too_late(id, "the boot that was to be ended is over".into()));
            }
        }
        let waited_until = now.boot_ms.saturating_add(self.host.slept.lately_ms(now));
        if waited_until > not_after {
            let late = waited_until.saturating_sub(not_after);
            return Err(self.too_late(id, format!("the confirmation expired {late} ms ago")));
        }
        if not_after > now.boot_ms.saturating_add(REBOOT_LIFE_MS) {
            return Err(refusal(RpcCode::BadRequest, "a reboot is asked for within 60 s of its confirmation"));
        }
        Ok(self.commands.execute_once(id))
    }

    /// For good: its holder tells the owner that nothing was done. What a machine stood still counts for a minute and is forgotten by a restart,
    /// so another holder that asks later would find time left.
    fn too_late(&mut self, id: CommandId, message: String) -> RpcError {
        if let Err(refused) = self.may_store() {
            return refused;
        }
        self.commands.refuse(id);
        RpcError { code: RpcCode::TooLate, message }
    }

    pub(super) fn asked_before(&self, command_id: CommandId) -> Response {
        let answer = RebootAnswer { command_id, outcome: RebootOutcome::Started };
        Response::Reboot { answer, boot_id: self.host.boot_id.clone() }
    }
}

/// F6: a reboot later than 60 s after its confirmation was shown is refused.
const REBOOT_LIFE_MS: u64 = 60_000;
