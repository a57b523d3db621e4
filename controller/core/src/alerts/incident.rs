//! One incident: the alerts that one message tells, and what a reader sees of them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use constella_shared::wire::alert::{Severity, Subject};
use constella_shared::wire::incident::{AlertRecord, AlertStage, IncidentId, MessageAt};

/// The alerts that one message tells, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// Its alerts; at least one.
    pub alerts: Vec<AlertRecord>,
}

impl Incident {
    /// All incidents of these records, by id.
    pub(super) fn all<'a>(records: impl Iterator<Item = &'a AlertRecord>) -> BTreeMap<IncidentId, Self> {
        let mut incidents: BTreeMap<IncidentId, Self> = BTreeMap::new();
        for record in records {
            let of = |id| Self { id, alerts: Vec::new() };
            incidents.entry(record.incident).or_insert_with_key(|id| of(*id)).alerts.push(record.clone());
        }
        for incident in incidents.values_mut() {
            incident.alerts.sort_by_key(|alert| (alert.raised_unix_ms, alert.subject.clone()));
        }
        incidents
    }

    /// The message that tells it; None until Telegram named the message.
    #[must_use]
    pub fn message(&self) -> Option<MessageAt> {
        self.alerts.iter().find_map(|alert| alert.message)
    }

    /// Whether all of it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.alerts.iter().all(|alert| alert.cleared_unix_ms.is_some())
    }

    /// Whether the owner's phone made a sound for it.
    #[must_use]
    pub fn sounded(&self) -> bool {
        self.alerts.iter().any(|alert| alert.sounded)
    }

    /// Whether a note on its end was sent.
    #[must_use]
    pub fn noted(&self) -> bool {
        self.alerts.iter().any(|alert| alert.noted)
    }

    /// Its worst.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.alerts.iter().map(severity).max().unwrap_or(Severity::Note)
    }

    /// From its first raise to its last recovery, milliseconds; None while something of it stands.
    #[must_use]
    pub fn lasted_ms(&self) -> Option<u64> {
        let cleared = self.alerts.iter().map(|alert| alert.cleared_unix_ms).collect::<Option<Vec<u64>>>()?;
        let raised = self.alerts.iter().map(|alert| alert.raised_unix_ms).min()?;
        Some(cleared.into_iter().max()?.saturating_sub(raised))
    }

    /// The part of its records that a reader sees: two incidents with equal faces have equal messages.
    pub(super) fn face(&self) -> Vec<AlertRecord> {
        let face = |alert: &AlertRecord| AlertRecord {
            stage: AlertStage::Open,
            message: None,
            sounded: false,
            noted: false,
            ..alert.clone()
        };
        self.alerts.iter().map(face).collect()
    }
}

/// The severity of an alert.
#[must_use]
pub fn severity(alert: &AlertRecord) -> Severity {
    alert.subject.kind.severity(&alert.value)
}

/// Whether something is still to be told of it.
#[must_use]
pub(super) const fn is_live(alert: &AlertRecord) -> bool {
    is_unsent(alert) || matches!(alert.stage, AlertStage::Open | AlertStage::Clearing)
}

/// Whether a reader sees it as something that is not over.
pub(super) fn stands(alert: &AlertRecord) -> bool {
    alert.cleared_unix_ms.is_none() && alert.subject.kind.has_state()
}

/// Whether its message is not known to be in the chat.
#[must_use]
pub(super) const fn is_unsent(alert: &AlertRecord) -> bool {
    matches!(alert.stage, AlertStage::Sending | AlertStage::Waiting)
}

/// Whether two subjects may share a message.
pub(super) fn is_alike(one: &Subject, other: &Subject) -> bool {
    one.kind == other.kind
}
