//! The owner, the bot's token and the invitations, as the operator sets them at the command line.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use constella_shared::link::{InviteId, token_hash};
use constella_shared::secret::Secret;
use constella_shared::wire::records::{NetValue, Records};
use constella_shared::wire::rpc::{RpcCode, RpcError};
use rand::RngExt as _;

use super::Node;
use super::requests::refusal;
use crate::clock::Now;
use crate::io::{InviteRow, OperatorAnswer, Progress};
use crate::roster::Revoke;

impl Node {
    /// A new code in place of the one before: only its hash was ever stored, so the old link cannot be printed again.
    pub(super) fn owner_link(&mut self, now: Now) -> Result<OperatorAnswer, RpcError> {
        let owner = self.roster.owner();
        if owner.telegram_id.is_some() {
            return Err(refusal(RpcCode::BadRequest, "the owner is known already; send /start to the bot"));
        }
        let username = owner.username.to_string();
        self.claimed_by_link(now, username)
    }

    /// R4: somebody else is the owner from now on: the first who opens the link under this user name. The one before is turned away at once.
    pub(super) fn owner_set(&mut self, now: Now, username: String) -> Result<OperatorAnswer, RpcError> {
        self.may_edit(now)?;
        self.claimed_by_link(now, username)
    }

    fn claimed_by_link(&mut self, now: Now, username: String) -> Result<OperatorAnswer, RpcError> {
        self.may_store()?;
        let bot = self.roster.bot().map(|bot| bot.username.to_string());
        let Some(bot) = bot.or_else(|| self.bot.as_ref().map(|(_, name)| name.clone())) else {
            return Err(refusal(
                RpcCode::AgentUnreachable,
                "Telegram was not reached yet, so the bot's name is not known; try again in a minute",
            ));
        };
        let bytes: [u8; 16] = self.rng.random();
        let code: String = hex::encode(bytes);
        let claim = Some(token_hash(&Secret::new(code.clone())));
        self.write_and_announce(now, NetValue::Owner { username, telegram_id: None, claim });
        Ok(OperatorAnswer::Link(Secret::new(format!("https://t.me/{bot}?start={code}"))))
    }

    /// R4: the token goes to every member, or stays with this node in a network that does not share it.
    pub(super) fn set_token(&mut self, now: Now, token: Secret) -> Result<OperatorAnswer, RpcError> {
        self.may_store()?;
        if self.roster.shares_token() {
            self.may_edit(now)?;
            self.write_and_announce(now, NetValue::Token { token });
        } else {
            self.roster.set_own_token(token);
            self.network_dirty = true;
            self.publish_members(now);
        }
        Ok(OperatorAnswer::Edited(Progress::Done))
    }

    /// The invitations that are on record, the one that ends last first.
    pub(super) fn invite_rows(&self) -> Vec<InviteRow> {
        let mut rows: Vec<InviteRow> = self
            .roster
            .invites()
            .map(|invite| InviteRow {
                id: InviteId::of(&invite.token),
                exp_ts: invite.exp_unix_s,
                by: self.shown_name(&invite.by),
                used_by: invite.spent_by.map(|node| self.shown_name(&node)),
            })
            .collect();
        rows.sort_by(|one, other| (other.exp_ts, one.id.0).cmp(&(one.exp_ts, other.id.0)));
        rows
    }

    /// Ends an invitation. Any member may: it makes the network smaller, never larger.
    pub(super) fn revoke(&mut self, now: Now, invite: InviteId) -> Result<OperatorAnswer, RpcError> {
        self.may_store()?;
        let known = self.roster.invite(&invite).map(|invite| invite.token);
        let token = known.ok_or_else(|| refusal(RpcCode::BadInvite, "no invitation with this id is known here"))?;
        self.hear_clocks(now);
        let records = self.roster.revoke(now, &Revoke::Token(token));
        if records == Records::default() {
            return Err(refusal(RpcCode::BadInvite, "this invitation was used, or its time is over"));
        }
        self.announce(now, &records);
        Ok(OperatorAnswer::Edited(Progress::Done))
    }

    fn write_and_announce(&mut self, now: Now, value: NetValue) {
        self.hear_clocks(now);
        let records = self.roster.write_net(now, self.claim.term().max(self.durable.term()), value);
        self.announce(now, &records);
    }
}
