//! The failure table on real processes: every row, each on a network of its own.

use clap::Args;
use constella_tests::cluster::clocks_can_be_set;

use super::Failure;
use super::costs::Costs;
use super::failover::Failover;
use super::figures::Times;
use super::how::How;
use super::trouble::{Trouble, What};

/// What is measured.
#[derive(Args)]
pub(crate) struct Table {
    /// How many times each row
    #[arg(long, default_value_t = 10)]
    runs: usize,
    /// Only rows whose text contains this
    #[arg(long)]
    only: Option<String>,
}

/// A row: what happens, and with how many nodes.
struct Row {
    about: &'static str,
    what: Kind,
    nodes: &'static [u16],
}

#[derive(Clone, Copy)]
enum Kind {
    End(How),
    Trouble(What),
}

impl Kind {
    fn sets_clocks(self) -> bool {
        match self {
            Self::End(how) => how.sets_clocks(),
            Self::Trouble(_) => false,
        }
    }
}

impl Table {
    /// A row that fails is printed as such, and the rest is measured all the same.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        println!(
            "| what | nodes | median, s | worst, s | runs | 409s | updates | destroyed | unanswered | reboots | done | told | lost | twice | denied | itself late, s |"
        );
        println!("|{}", "---|".repeat(16));
        let mut failed = 0;
        for row in ROWS.iter().filter(|row| self.only.as_ref().is_none_or(|only| row.about.contains(only.as_str()))) {
            for nodes in row.nodes {
                if row.what.sets_clocks() && !clocks_can_be_set() {
                    println!("| {} | {nodes} | SKIPPED: no C compiler (cc), so no clock can be set |", row.about);
                    continue;
                }
                match self.measure(row, *nodes).await {
                    Ok((times, costs)) => println!("{}", self.line(row, *nodes, &times, &costs)),
                    Err(error) => {
                        failed += 1;
                        println!("| {} | {nodes} | broke off: {error} |", row.about);
                    }
                }
            }
        }
        if failed == 0 { Ok(()) } else { Err(format!("{failed} measurements broke off").into()) }
    }

    async fn measure(&self, row: &Row, nodes: u16) -> Result<(Times, Costs), Failure> {
        let runs = self.runs;
        match row.what {
            Kind::End(how) => Failover { nodes, runs, how, trace: false }.measure().await,
            Kind::Trouble(what) => Trouble { nodes, runs, what }.measure().await,
        }
    }

    fn line(&self, row: &Row, nodes: u16, times: &Times, costs: &Costs) -> String {
        format!(
            "| {} | {nodes} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.2} |",
            row.about,
            times.cells(),
            self.runs,
            costs.conflicts,
            costs.commands,
            costs.destroyed,
            costs.unanswered,
            costs.reboots,
            costs.recorded,
            costs.told,
            costs.lost,
            costs.twice,
            costs.denied,
            costs.late.as_secs_f64()
        )
    }
}

/// The rows of the first kind count until another node answers, with a reboot in the leader's hands; the others the owner's longest wait.
const ROWS: [Row; 18] = [
    Row { about: "the leader is killed", what: Kind::End(How::Kill), nodes: &[2, 3, 5, 10] },
    Row { about: "SIGTERM", what: Kind::End(How::Term), nodes: &[2, 3, 5] },
    Row { about: "frozen for 2 s", what: Kind::End(How::FreezeShort), nodes: &[2, 3, 5] },
    Row { about: "frozen for 20 s", what: Kind::End(How::Freeze), nodes: &[2, 3, 5] },
    Row { about: "cut off for 30 s", what: Kind::End(How::Cut), nodes: &[2, 3, 5] },
    Row { about: "Telegram refuses the leader", what: Kind::End(How::ApiRefused), nodes: &[2, 3, 5] },
    Row { about: "Telegram is silent to the leader", what: Kind::End(How::ApiSilent), nodes: &[2, 3, 5] },
    Row { about: "all nodes but one are gone", what: Kind::End(How::Gone), nodes: &[2, 3, 5] },
    Row { about: "the leader's clock is an hour ahead for 30 s", what: Kind::End(How::ClockAhead), nodes: &[2, 3, 5] },
    Row {
        about: "the leader's clock is an hour behind for 30 s",
        what: Kind::End(How::ClockBehind),
        nodes: &[2, 3, 5],
    },
    Row { about: "another clock is an hour ahead for 30 s", what: Kind::End(How::OtherClockAhead), nodes: &[2, 3, 5] },
    Row {
        about: "another clock is an hour behind for 30 s",
        what: Kind::End(How::OtherClockBehind),
        nodes: &[2, 3, 5],
    },
    Row { about: "equal sides for 30 s", what: Kind::Trouble(What::EqualSides), nodes: &[2, 4] },
    Row { about: "all restart at once", what: Kind::Trouble(What::AllRestart), nodes: &[2, 3, 5] },
    Row { about: "the leader restarts every 15 s", what: Kind::Trouble(What::Restarts), nodes: &[2, 3, 5] },
    Row { about: "only the last node has the token, and restarts", what: Kind::Trouble(What::OneToken), nodes: &[3] },
    Row { about: "two networks share one token for 60 s", what: Kind::Trouble(What::TwoNetworks), nodes: &[3] },
    Row { about: "a webhook is set for 30 s", what: Kind::Trouble(What::Webhook), nodes: &[3] },
];
