//! Who may command: the owner, known by the pinned id, or by name and code at first contact. Others read one refusal an hour.

use alloc::collections::VecDeque;
use alloc::string::ToString;

use constella_shared::ids::TokenHash;
use constella_shared::link::token_hash;
use constella_shared::secret::Secret;
use constella_shared::wire::command::CommandContent;

use super::route::verb;
use crate::bot::kit::world::Owner;
use crate::clock::Now;

/// What the gate says of a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// The pinned owner.
    Owner,
    /// Name and code fit: the owner's first contact.
    FirstContact,
    /// Anybody else.
    Stranger,
}

/// Whether this sender commands.
pub(super) fn passage(owner: &Owner, user: i64, username: Option<&str>, content: &CommandContent) -> Passage {
    match owner.telegram_id {
        Some(id) if id == user => Passage::Owner,
        Some(_) => Passage::Stranger,
        None => {
            let name_fits =
                username.is_some_and(|name| name.eq_ignore_ascii_case(owner.username.trim_start_matches('@')));
            let code_fits = owner.claim.is_some_and(|claim| start_code(content) == Some(claim));
            if name_fits && code_fits { Passage::FirstContact } else { Passage::Stranger }
        }
    }
}

/// The hash of the code in `/start <code>`.
fn start_code(content: &CommandContent) -> Option<TokenHash> {
    let CommandContent::Text { text } = content else { return None };
    let mut words = text.split_whitespace();
    let is_start = verb(words.next()?).as_deref() == Some("/start");
    let code = words.next()?;
    (is_start && words.next().is_none()).then(|| token_hash(&Secret::new(code.to_string())))
}

/// Strangers that were refused, or groups that were answered, within the last hour.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// User and CLOCK_BOOTTIME of the refusal, oldest first.
    users: VecDeque<(i64, u64)>,
}

impl Refused {
    /// Whether this user, or group, is to be told now; at most [`REFUSALS`] users are, within an hour.
    pub(super) fn tell(&mut self, now: Now, user: i64) -> bool {
        while self.users.front().is_some_and(|(_, at)| now.since(*at) >= REFUSAL_EVERY_MS) {
            self.users.pop_front();
        }
        if self.users.len() >= REFUSALS || self.users.iter().any(|(known, _)| *known == user) {
            return false;
        }
        self.users.push_back((user, now.boot_ms));
        true
    }
}

/// A stranger is told once within this.
const REFUSAL_EVERY_MS: u64 = 3_600_000;

/// Strangers remembered: a crowd at the door must not use up the bot's right to speak, nor memory.
const REFUSALS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn owner(telegram_id: Option<i64>) -> Owner {
        let claim = telegram_id.is_none().then(|| token_hash(&Secret::new("c0de".into())));
        Owner { username: "Olga".into(), telegram_id, claim }
    }

    fn text(text: &str) -> CommandContent {
        CommandContent::Text { text: String::from(text) }
    }

    #[test]
    fn name_and_code_must_both_fit_before_the_id_is_pinned() {
        let button = CommandContent::Button { callback_id: "1".into(), data: "ls:0".into(), message: 1 };
        let cases = [
            (Some("olga"), text("/start c0de"), Passage::FirstContact),
            (Some("OLGA"), text("/start@our_bot  c0de "), Passage::FirstContact),
            (Some("olga"), text("/START@Our_Bot c0de"), Passage::FirstContact),
            (Some("olga"), text("/start code"), Passage::Stranger),
            (Some("olga"), text("/start c0de more"), Passage::Stranger),
            (Some("olga"), text("/start"), Passage::Stranger),
            (Some("olga"), text("/nodes c0de"), Passage::Stranger),
            (Some("olga"), text("c0de"), Passage::Stranger),
            (Some("0lga"), text("/start c0de"), Passage::Stranger),
            (None, text("/start c0de"), Passage::Stranger),
            (Some("olga"), button, Passage::Stranger),
        ];
        for (name, content, expected) in cases {
            assert_eq!(passage(&owner(None), 7, name, &content), expected, "{name:?} {content:?}");
        }
    }

    #[test]
    fn once_pinned_the_id_alone_decides() {
        assert_eq!(passage(&owner(Some(7)), 7, None, &text("x")), Passage::Owner);
        assert_eq!(passage(&owner(Some(7)), 8, Some("olga"), &text("/start c0de")), Passage::Stranger);
    }

    #[test]
    fn without_a_claim_nobody_passes() {
        let owner = Owner { claim: None, ..owner(None) };
        assert_eq!(passage(&owner, 7, Some("olga"), &text("/start c0de")), Passage::Stranger);
    }

    #[test]
    fn a_stranger_is_told_once_an_hour_and_a_crowd_is_not_told_at_all() {
        let mut refused = Refused::default();
        let at = |boot_ms| Now { boot_ms, unix_ms: 0 };
        assert!(refused.tell(at(0), 1));
        assert!(!refused.tell(at(REFUSAL_EVERY_MS - 1), 1));
        assert!(refused.tell(at(REFUSAL_EVERY_MS), 1));
        for user in 2..2 * REFUSALS as i64 {
            refused.tell(at(REFUSAL_EVERY_MS), user);
        }
        assert_eq!(refused.users.len(), REFUSALS);
        assert!(!refused.tell(at(REFUSAL_EVERY_MS), 9_999));
    }
}
