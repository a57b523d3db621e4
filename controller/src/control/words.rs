//! A node's status in words, for `status` and `doctor`.

use constella_shared::wire::lease::Strength;

use super::{StatusDocument, VoterDocument};

impl StatusDocument {
    /// Who holds the lease, and whether strong or weak.
    #[must_use]
    pub fn who_leads(&self) -> String {
        let Some(view) = &self.lease else { return "nobody holds the lease".to_owned() };
        let holder = self.holder.clone().unwrap_or_else(|| view.holder.node.short());
        let strength = match (view.strength, &self.shortage) {
            (Strength::Strong, _) => "strong".to_owned(),
            (Strength::Weak, Some(shortage)) => format!("weak: {shortage}"),
            (Strength::Weak, None) => "weak".to_owned(),
        };
        format!("{holder} holds the lease, term {}, {strength}", view.term)
    }

    /// The voters by name, and which of them are missing.
    #[must_use]
    pub fn who_votes(&self) -> String {
        let names = |is: &dyn Fn(&&VoterDocument) -> bool| {
            self.electors.iter().filter(is).map(|voter| voter.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (all, missing) = (names(&|_| true), names(&|voter| voter.missing));
        if missing.is_empty() { all } else { format!("{all}; missing: {missing}") }
    }
}
