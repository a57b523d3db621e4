//! Taking records in: the thousand that a joiner is given, and a single piece of news.

use constella_controller::identity::Identity;
use constella_core::clock::Now;
use constella_core::keys::Keys as _;
use constella_core::roster::{Founding, Roster, found};
use constella_shared::ids::{NetworkId, Term};
use constella_shared::secret::Secret;
use constella_shared::state::{InvitesState, STATE_FORMAT};
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::records::{OwnerRecord, Records, SelfRecord, Stamp};

use super::{Failure, print, times};

pub(super) fn run() -> Result<(), Failure> {
    let now = Now { boot_ms: 1, unix_ms: 1_767_225_600_000 };
    let founder = Identity::generate("founder")?;
    let mut records = Records::default();
    for count in 0..NODES {
        let (own, owner) = admitted(&founder, now, count, 0)?;
        records.selfs.extend(own.selfs);
        records.owners.push(owner);
    }
    let mut rosters: Vec<Roster> = (0..ROUNDS).map(|_| fresh(&founder, now)).collect::<Result<_, _>>()?;
    let mut next = rosters.iter_mut();
    let all = times(ROUNDS, || {
        if let Some(roster) = next.next() {
            roster.merge(now, records.clone(), &founder);
        }
    });
    print(&format!("{} records of {NODES} nodes into a roster of one", 2 * NODES), all);

    let mut roster = fresh(&founder, now)?;
    roster.merge(now, records, &founder);
    let mut news = Vec::new();
    for count in 0..NEWS {
        news.push(admitted(&founder, now, count, 1)?.0);
    }
    let mut each = news.into_iter();
    let single = times(NEWS as usize, || {
        if let Some(news) = each.next() {
            roster.merge(now, news, &founder);
        }
    });
    print(&format!("one `self` record into a roster of {}", roster.len()), single);
    Ok(())
}

fn fresh(founder: &Identity, now: Now) -> Result<Roster, Failure> {
    let founding = Founding {
        network_id: NetworkId::over(&[b"bench"]),
        secret: Secret::new("5e".repeat(32)),
        node: founder.node,
        name: "founder".to_owned(),
        priority: 100,
        pin: founder.pin,
        addr: "203.0.113.1:4747".to_owned(),
        version: "0.1.0".to_owned(),
        owner_username: "owner".to_owned(),
        claim: None,
        token: None,
        share_token: true,
    };
    let state = found(now, founding, founder)?;
    let invites =
        InvitesState { format: STATE_FORMAT, invites: Vec::new(), more: constella_shared::wire::more::More::none() };
    Ok(Roster::open(founder.node, founder.pin, state, invites, 30_000, founder)?.0)
}

/// The records of a node with a certificate of its own; `later` sets a later stamp.
fn admitted(founder: &Identity, now: Now, count: u32, later: u64) -> Result<(Records, OwnerRecord), Failure> {
    let stamp = |node| Stamp { unix_ms: now.unix_ms + 1 + later, count, node };
    thread_local!(static KNOWN: std::cell::RefCell<Vec<Identity>> = const { std::cell::RefCell::new(Vec::new()) });
    KNOWN.with_borrow_mut(|known| {
        let at = usize::try_from(count)?;
        if known.len() <= at {
            known.push(Identity::generate(&format!("node{count}"))?);
        }
        let identity = known.get(at).ok_or("identities are made in order")?;
        let own = SelfRecord {
            node: identity.node,
            stamp: stamp(identity.node),
            addr: format!("203.0.113.{}:{}", count % 250, 4_747 + later),
            version: "0.1.0".to_owned(),
            protocol: PROTOCOL,
        };
        let owner = OwnerRecord {
            node: identity.node,
            stamp: stamp(founder.node),
            term: Term(0),
            name: format!("node{count}"),
            priority: 100,
            pin: identity.pin,
            admitted_by: founder.node,
            removed: false,
            more: constella_shared::wire::more::More::none(),
        };
        let signed = identity.sign(serde_json::to_string(&own)?);
        Ok((Records { selfs: vec![signed], ..Records::default() }, owner))
    })
}

const NODES: u32 = 1_000;

const NEWS: u32 = 500;

const ROUNDS: usize = 20;
