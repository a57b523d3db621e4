//! S7: how a document looks for the reader that it goes to, by the protocol which that reader announces. The only place that knows what an older
//! reader refuses; `docs/wire.md` says how a field is added.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::command::{CommandContent, Stage, StoredCommand};
use super::heartbeat::{Facts, Heartbeat};
use super::join::JoinAnswer;
use super::lease::LeaseState;
use super::more::More;
use super::records::{RecordKey, Records, Stamp};
use super::rpc::{Request, Response, RosterSync};

/// What a reader understands. An older one comes before a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speaks {
    /// Protocol 1 refuses a document with a field, or a record of a kind, that it does not know; of a host it wants every figure.
    First,
    /// Protocol 2 ignores unknown fields, and carries records of unknown kinds on.
    Second,
}

impl Speaks {
    /// Of a reader that announces this protocol. One that announces none is the oldest: every reader understands what is written for it.
    #[must_use]
    pub const fn of(protocol: Option<u32>) -> Self {
        match protocol {
            None | Some(0 | 1) => Self::First,
            Some(_) => Self::Second,
        }
    }

    /// Whether the reader keeps records with this key; its digest counts no others.
    #[must_use]
    pub fn keeps(self, key: &RecordKey) -> bool {
        match (self, key) {
            (Self::First, RecordKey::Net(name)) => FIRST_KINDS.contains(&name.as_str()),
            (Self::First | Self::Second, _) => true,
        }
    }

    /// The body of `POST /health`, and of its answer.
    #[must_use]
    pub fn heartbeat(self, heartbeat: &Heartbeat) -> Cow<'_, Heartbeat> {
        match self {
            Self::First if heartbeat.facts.disk.is_some() => {
                Cow::Owned(Heartbeat { facts: facts_for_first(heartbeat.facts.clone()), ..heartbeat.clone() })
            }
            Self::First | Self::Second => Cow::Borrowed(heartbeat),
        }
    }

    /// The body of `POST /announce`.
    #[must_use]
    pub fn records(self, records: &Records) -> Cow<'_, Records> {
        match self {
            Self::First => Cow::Owned(records_for_first(records.clone())),
            Self::Second => Cow::Borrowed(records),
        }
    }

    /// The body of `POST /rpc`; None where the reader has no words for it, and would refuse the whole.
    #[must_use]
    pub fn request(self, request: &Request) -> Option<Cow<'_, Request>> {
        let first = match (self, request) {
            (Self::Second, _) => return Some(Cow::Borrowed(request)),
            (Self::First, Request::GetTs { kind, hours, points: Some(_) }) => {
                Request::GetTs { kind: *kind, hours: *hours, points: None }
            }
            (Self::First, Request::RosterSync(sync)) => Request::RosterSync(sync_for_first(sync.clone())),
            (Self::First, Request::CommandStore { commands, term, adopt }) => {
                let commands: Option<Vec<_>> = commands.iter().cloned().map(command_for_first).collect();
                Request::CommandStore { commands: commands?, term: *term, adopt: *adopt }
            }
            (Self::First, Request::AlertsWitness { .. } | Request::AlertsTell { .. }) => return None,
            (
                Self::First,
                Request::GetPeers {}
                | Request::GetStats {}
                | Request::GetTs { points: None, .. }
                | Request::RunSpeedtest { .. }
                | Request::GetSpeedtest {}
                | Request::Reboot { .. }
                | Request::Join(_)
                | Request::LeaseGet { .. }
                | Request::LeaseAcquire(_)
                | Request::LeaseRelease(_)
                | Request::BotTakeover { .. }
                | Request::BotOffer { .. }
                | Request::BotHandover { .. }
                | Request::MembersSync { .. }
                | Request::CommandDone { .. },
            ) => return Some(Cow::Borrowed(request)),
        };
        Some(Cow::Owned(first))
    }

    /// The answer to `POST /rpc`.
    #[must_use]
    pub fn response(self, response: &Response) -> Cow<'_, Response> {
        match (self, response) {
            (Self::Second, _) => Cow::Borrowed(response),
            (Self::First, Response::Sync { sync }) => Cow::Owned(Response::Sync { sync: sync_for_first(sync.clone()) }),
            (Self::First, Response::Joined { answer }) => {
                Cow::Owned(Response::Joined { answer: self.join_answer(answer).into_owned() })
            }
            (Self::First, Response::Vote { answer, facts }) if facts.disk.is_some() => {
                Cow::Owned(Response::Vote { answer: answer.clone(), facts: facts_for_first(facts.clone()) })
            }
            (Self::First, Response::Stats { stats, controller_version }) => {
                let (stats, controller_version) = (stats.clone().for_protocol_1(), controller_version.clone());
                Cow::Owned(Response::Stats { stats, controller_version })
            }
            (Self::First, Response::Lease { state }) if state.granted.is_some() => {
                Cow::Owned(Response::Lease { state: LeaseState { granted: None, ..state.clone() } })
            }
            (Self::First, Response::Series { series }) => {
                Cow::Owned(Response::Series { series: series.clone().for_protocol_1() })
            }
            (
                Self::First,
                Response::Done
                | Response::Peers { .. }
                | Response::Speedtest { .. }
                | Response::Reboot { .. }
                | Response::Lease { .. }
                | Response::Vote { .. }
                | Response::Proof { .. }
                | Response::Members { .. }
                | Response::Witnessed { .. },
            ) => Cow::Borrowed(response),
        }
    }

    /// The answer to `POST /join`.
    #[must_use]
    pub fn join_answer(self, answer: &JoinAnswer) -> Cow<'_, JoinAnswer> {
        match self {
            Self::First => {
                let records = records_for_first(answer.records.clone());
                Cow::Owned(JoinAnswer { records, ..answer.clone() })
            }
            Self::Second => Cow::Borrowed(answer),
        }
    }
}

/// Known kinds only, and no field beyond those of protocol 1.
pub(crate) fn records_for_first(mut records: Records) -> Records {
    records.net.retain(|record| Speaks::First.keeps(&RecordKey::Net(record.name())));
    for record in &mut records.net {
        (record.more, record.more_in_value) = (More::none(), More::none());
    }
    for record in &mut records.owners {
        record.more = More::none();
    }
    for record in &mut records.invites {
        record.more = More::none();
    }
    records
}

/// No field beyond those of protocol 1.
fn facts_for_first(facts: Facts) -> Facts {
    Facts { disk: None, ..facts }
}

fn sync_for_first(mut sync: RosterSync) -> RosterSync {
    sync.have.retain(|(key, _): &(RecordKey, Stamp)| Speaks::First.keeps(key));
    sync.want.retain(|key| Speaks::First.keeps(key));
    sync.records = records_for_first(sync.records);
    sync
}

/// A copy that its keeper could not carry out is none.
pub(crate) fn command_for_first(mut command: StoredCommand) -> Option<StoredCommand> {
    command.more = More::none();
    let unknown = matches!(command.content, CommandContent::Other(_))
        || matches!(command.stage, Stage::Running { .. } | Stage::Other(_));
    (!unknown).then_some(command)
}

/// The network's records of protocol 1, each the only one of its kind.
const FIRST_KINDS: [&str; 5] = ["owner", "token", "message", "language", "bot"];
