//! F5, F6: the core's own store of commands, Telegram's queue, and a target, with crashes at every point, two sides of a cut, lost, late and
//! doubled messages.
//!
//! The lease is taken as what the other model shows: at most one node of a side serves. Both sides of a cut may, so up to two nodes have a
//! title at one time; when it moves is nobody's choice. Whether an answer is late or lost is a letter that is not delivered.

use std::sync::Arc;

use constella_core::bot::desk::room::Kind;
use constella_core::commands::Commands;
use constella_core::commands::batch::Batch;
use constella_shared::ids::{CommandId, NodeId, Term};
use constella_shared::state::CommandsState;
use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
use stateright::{Model, Property};

/// A rule that can be switched off: then a counterexample must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// What was taken is on disk before it is confirmed.
    ContentOnDisk,
    /// Two pollers make the same id of one update.
    SameIds,
    /// A target remembers on disk what it executed.
    ExecutedOnDisk,
    /// What somebody keeps for another is passed on to whoever serves.
    PassedOn,
    /// Nothing is confirmed before it was taken: an offset is the one after the last taken.
    TakenFirst,
    /// A view is confirmed after something of it was shown.
    ShownFirst,
}

/// How often each thing happens at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    pub(crate) updates: u8,
    pub(crate) titles: u8,
    pub(crate) restarts: u8,
    pub(crate) twice: u8,
    pub(crate) lost: u8,
}

/// What is explored.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) nodes: u8,
    pub(crate) most: Bounds,
    /// The owner's first updates are views, so many of them; the others are orders.
    pub(crate) views: u8,
    pub(crate) without: Option<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    hosts: Vec<Arc<Host>>,
    /// Telegram's queue: what nobody confirmed.
    pending: Vec<i64>,
    letters: Vec<Letter>,
    /// How often each update's reboot was executed.
    executed: Vec<u8>,
    /// How often something of each update's view was shown, up to twice.
    shown: Vec<u8>,
    left: Bounds,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Host {
    title: bool,
    disk: CommandsState,
    commands: Commands,
    /// Updates below this were taken and are not confirmed yet; and whether a copy was made, or given up.
    in_hand: Option<i64>,
    copied: bool,
    /// Of these, what is to be shown first.
    batch: Option<Batch>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Letter {
    /// To node 0: reboot.
    Reboot { from: u8, id: CommandId, update: i64 },
    /// It was asked, or was before.
    Rebooting { to: u8, id: CommandId },
    /// A keeper of a copy is told.
    Done { to: u8, id: CommandId, ordered: Vec<CommandId> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The owner asks for a view, or confirms a reboot of node 0.
    Press,
    /// A node begins or ends to serve.
    Title(u8),
    /// Its poll is answered: what waits is taken, and stored.
    Poll(u8),
    /// Another node keeps a copy.
    Copy(u8, u8),
    /// Nobody is in reach: the own disk must do.
    NoCopy(u8),
    /// Telegram hears the confirmation; `heard`: the node hears its answer.
    Confirm { node: u8, heard: bool },
    /// The oldest command is begun.
    Begin(u8),
    /// Something of the oldest view in hand is shown.
    Show(u8),
    /// What could not be shown in time is stored.
    Store(u8),
    /// The first node passes what is open there on to the second, which serves.
    PassOn(u8, u8),
    /// The letter arrives; `again` leaves it under way as well.
    Deliver { at: usize, again: bool },
    /// It never does.
    Lose(usize),
    /// A process dies and starts from its disk.
    Restart(u8),
}

impl Queue {
    fn off(&self, rule: Rule) -> bool {
        self.without == Some(rule)
    }

    fn command(&self, update: i64, taker: u8) -> StoredCommand {
        let who = if self.off(Rule::SameIds) { taker } else { 0 };
        StoredCommand {
            id: CommandId::over(&[&update.to_be_bytes(), &[who]]),
            update_id: update,
            user: 1,
            username: None,
            language: None,
            chat: 1,
            content: CommandContent::Text {
                text: String::from(if self.is_view(update) { "/nodes" } else { "/invite" }),
            },
            stage: Stage::Taken,
            taken_by: id(taker),
            taken_unix_ms: 0,
            more: constella_shared::wire::more::More::none(),
        }
    }

    fn is_view(&self, update: i64) -> bool {
        update <= i64::from(self.views)
    }

    /// As `Node::take_commands`: one answer brings all that waits.
    fn poll(&self, state: &mut State, node: u8) {
        let Some(upto) = state.pending.iter().max().map(|update| update + 1) else { return };
        let new: Vec<StoredCommand> = state.pending.iter().map(|update| self.command(*update, node)).collect();
        let host = host(state, node);
        let known = |command: &StoredCommand| host.commands.knows(&command.id);
        if new.iter().all(|command| !known(command) && self.is_view(command.update_id)) {
            (host.in_hand, host.copied) = (Some(upto), self.off(Rule::ShownFirst));
            host.batch = Some(Batch::new(upto, 0, new.into_iter().map(|view| (view, Kind::View)).collect()));
            return;
        }
        let taken = new.into_iter().filter(|command| host.commands.take(command.clone())).count();
        host.in_hand = Some(upto);
        // Where all of it is known already there is nothing to copy: the next poll's offset confirms.
        host.copied = taken == 0;
        if !self.off(Rule::ContentOnDisk) {
            persist(host);
        }
    }

    /// As `Node::shown`: of the batch, or of what was stored because it could not be shown in time.
    fn show(&self, state: &mut State, node: u8) -> bool {
        let host = host(state, node);
        let (update, keepers, done) = match host.batch.as_mut().and_then(Batch::start_next) {
            Some(view) => {
                let batch = host.batch.take_if(|batch| batch.shown(view.id).is_some() && batch.is_shown());
                host.copied |= batch.is_some();
                (view.update_id, Vec::new(), view.id)
            }
            None => {
                let is_view = |open: &&StoredCommand| self.is_view(open.update_id);
                let Some(view) = host.disk.open.iter().find(is_view).cloned() else { return false };
                let keepers = host.commands.stage(view.id, Stage::Done).unwrap_or_default();
                persist(host);
                (view.update_id, keepers, view.id)
            }
        };
        state.letters.extend(keepers.iter().map(|to| Letter::Done { to: to.0[0] - 1, id: done, ordered: Vec::new() }));
        let shown = &mut state.shown[usize::try_from(update).unwrap_or(0)];
        *shown = (*shown + 1).min(2);
        true
    }

    /// As `Node::batch_due`.
    fn store(state: &mut State, node: u8) -> bool {
        let host = host(state, node);
        let Some(batch) = host.batch.take() else { return false };
        let stored = batch.into_unshown().filter(|(view, _)| host.commands.take_begun(view.clone())).count();
        // Where another one showed all of it meanwhile there is nothing to copy.
        host.copied = stored == 0;
        persist(host);
        true
    }

    /// As `Node::copy_due` and `Node::keep_commands`.
    fn copy(state: &mut State, from: u8, to: u8) {
        let Some(upto) = state.hosts[usize::from(from)].in_hand else { return };
        let commands: Vec<StoredCommand> =
            state.hosts[usize::from(from)].disk.open.iter().filter(|open| open.update_id < upto).cloned().collect();
        let ids: Vec<CommandId> = commands.iter().map(|command| command.id).collect();
        let keeper = host(state, to);
        for command in commands {
            keeper.commands.keep(command, id(from), Some((id(from), Term(1))));
        }
        persist(keeper);
        let taker = host(state, from);
        taker.commands.kept_by(&ids, id(to));
        taker.copied = true;
    }

    fn confirm(&self, state: &mut State, node: u8, heard: bool) {
        let newest = state.pending.iter().max().map(|update| update + 1);
        let upto = if self.off(Rule::TakenFirst) { newest } else { state.hosts[usize::from(node)].in_hand };
        let Some(upto) = upto else { return };
        state.pending.retain(|update| *update >= upto);
        if heard {
            let host = host(state, node);
            host.in_hand = None;
            host.commands.confirmed(upto);
        }
    }

    /// As `Node::carry_out`: the stage is on disk before the act behind it.
    fn begin(&self, state: &mut State, node: u8) -> bool {
        let host = host(state, node);
        let Some(command) = host.commands.start_next() else { return false };
        if self.is_view(command.update_id) {
            return true;
        }
        let stage = Stage::Rebooting {
            target: id(0),
            boot_id: None,
            not_after_unix_ms: 60_000,
            not_after_boot_ms: None,
            asked_unix_ms: Some(0),
        };
        host.commands.stage(command.id, stage);
        persist(host);
        state.letters.push(Letter::Reboot { from: node, id: command.id, update: command.update_id });
        true
    }

    /// As `Node::pass_commands_on` and `Node::keep_commands` with `adopt`.
    fn pass_on(state: &mut State, from: u8, to: u8) -> bool {
        let passed = host(state, from).commands.pass_on(id(to), Term(1));
        let holder = host(state, to);
        let mut done = Vec::new();
        for command in &passed {
            if !holder.commands.keep(command.clone(), id(from), None) {
                done.push(command.id);
            }
        }
        persist(holder);
        let ordered = holder.commands.ordered_among(&done);
        let giver = host(state, from);
        giver.commands.done_elsewhere(&done, &ordered);
        persist(giver);
        !passed.is_empty()
    }

    fn arrive(&self, state: &mut State, letter: Letter) {
        match letter {
            Letter::Reboot { from, id, update } => {
                let target = host(state, 0);
                let fresh = target.commands.execute_once(id);
                if !self.off(Rule::ExecutedOnDisk) {
                    persist(target);
                }
                if fresh {
                    state.executed[usize::try_from(update).unwrap_or(0)] += 1;
                }
                state.letters.push(Letter::Rebooting { to: from, id });
            }
            Letter::Rebooting { to, id } => self.done(state, to, id),
            Letter::Done { to, id, ordered } => {
                let keeper = host(state, to);
                keeper.commands.done_elsewhere(&[id], &ordered);
                persist(keeper);
            }
        }
    }

    /// The owner was told how it ended.
    fn done(&self, state: &mut State, node: u8, done: CommandId) {
        let host = host(state, node);
        if !host.title {
            return;
        }
        let keepers = host.commands.stage(done, Stage::Done).unwrap_or_default();
        let ordered = host.commands.ordered_among(&[done]);
        persist(host);
        for keeper in keepers {
            let to = (0..self.nodes).find(|node| id(*node) == keeper).unwrap_or(0);
            state.letters.push(Letter::Done { to, id: done, ordered: ordered.clone() });
        }
    }

    /// Everything heals, and this node serves: whether every command comes to its end, and none is executed twice.
    fn ends_well(&self, last: &State, server: u8) -> bool {
        let mut state = last.clone();
        for node in 0..self.nodes {
            if node == server {
                host(&mut state, node).title = true;
            } else {
                lose_title(&mut state, node);
            }
        }
        for _ in 0..ROUNDS {
            for letter in std::mem::take(&mut state.letters) {
                self.arrive(&mut state, letter);
            }
            for node in (0..self.nodes).filter(|node| *node != server && !self.off(Rule::PassedOn)) {
                host(&mut state, node).commands.doubt();
                Self::pass_on(&mut state, node, server);
            }
            self.poll(&mut state, server);
            while self.show(&mut state, server) {}
            host(&mut state, server).copied = true;
            self.confirm(&mut state, server, true);
            while self.begin(&mut state, server) {}
            while self.show(&mut state, server) {}
            // An answer that did not come is asked for again.
            let mut open = state.hosts[usize::from(server)].disk.open.clone();
            open.retain(|open| !self.is_view(open.update_id));
            let ask = |open: &StoredCommand| Letter::Reboot { from: server, id: open.id, update: open.update_id };
            state.letters.extend(open.iter().map(ask));
        }
        let open = state.hosts.iter().any(|host| !host.disk.open.is_empty());
        let pressed = usize::from(self.most.updates - state.left.updates);
        let views = usize::from(self.views);
        let each_once = state.executed.iter().take(pressed + 1).skip(1 + views).all(|times| *times == 1);
        let all_shown = state.shown.iter().take(pressed + 1).skip(1).take(views).all(|times| *times > 0);
        !open && state.pending.is_empty() && each_once && all_shown
    }
}

impl Model for Queue {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let disk = CommandsState::empty();
        let fresh = Host {
            title: false,
            commands: Commands::new(disk.clone()),
            disk,
            in_hand: None,
            copied: false,
            batch: None,
        };
        let hosts = (0..self.nodes).map(|_| Arc::new(fresh.clone())).collect();
        let executed = vec![0; usize::from(self.most.updates) + 1];
        Vec::from([State {
            hosts,
            pending: Vec::new(),
            letters: Vec::new(),
            shown: executed.clone(),
            executed,
            left: self.most,
        }])
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let titles = state.hosts.iter().filter(|host| host.title).count();
        if state.left.updates > 0 {
            actions.push(Action::Press);
        }
        for node in 0..self.nodes {
            let host = &state.hosts[usize::from(node)];
            if state.left.titles > 0 && (host.title || titles < 2) {
                actions.push(Action::Title(node));
            }
            if state.left.restarts > 0 {
                actions.push(Action::Restart(node));
            }
            let others = (0..self.nodes).filter(|other| *other != node);
            if !host.title {
                let serve = others.filter(|other| state.hosts[usize::from(*other)].title);
                actions.extend(serve.filter(|_| host.commands.any_open()).map(|other| Action::PassOn(node, other)));
                continue;
            }
            actions.extend([Action::Begin(node), Action::Show(node)]);
            if host.batch.is_some() && !host.copied {
                actions.push(Action::Store(node));
                continue;
            }
            match (host.in_hand, host.copied) {
                (None, _) if !state.pending.is_empty() => {
                    actions.push(Action::Poll(node));
                    if self.off(Rule::TakenFirst) {
                        actions.push(Action::Confirm { node, heard: true });
                    }
                }
                (Some(_), false) => {
                    actions.push(Action::NoCopy(node));
                    actions.extend(others.map(|other| Action::Copy(node, other)));
                }
                (Some(_), true) => {
                    actions.extend([true, false].map(|heard| Action::Confirm { node, heard }));
                }
                (None, _) => {}
            }
        }
        for at in 0..state.letters.len() {
            actions.push(Action::Deliver { at, again: false });
            if state.left.twice > 0 {
                actions.push(Action::Deliver { at, again: true });
            }
            if state.left.lost > 0 {
                actions.push(Action::Lose(at));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Press => {
                state.left.updates -= 1;
                state.pending.push(i64::from(self.most.updates - state.left.updates));
            }
            Action::Title(node) => {
                state.left.titles -= 1;
                if state.hosts[usize::from(node)].title {
                    lose_title(&mut state, node);
                } else {
                    host(&mut state, node).title = true;
                }
            }
            Action::Poll(node) => self.poll(&mut state, node),
            Action::Copy(from, to) => Self::copy(&mut state, from, to),
            Action::NoCopy(node) => host(&mut state, node).copied = true,
            Action::Confirm { node, heard } => self.confirm(&mut state, node, heard),
            Action::Begin(node) => {
                self.begin(&mut state, node);
            }
            Action::Show(node) => {
                self.show(&mut state, node);
            }
            Action::Store(node) => {
                Self::store(&mut state, node);
            }
            Action::PassOn(from, to) => {
                Self::pass_on(&mut state, from, to);
            }
            Action::Deliver { at, again } => {
                let letter = if again { state.letters[at].clone() } else { state.letters.remove(at) };
                state.left.twice -= u8::from(again);
                self.arrive(&mut state, letter);
            }
            Action::Lose(at) => {
                state.left.lost -= 1;
                state.letters.remove(at);
            }
            Action::Restart(node) => {
                state.left.restarts -= 1;
                let host = host(&mut state, node);
                let disk = host.disk.clone();
                *host = Host {
                    title: false,
                    commands: Commands::new(disk.clone()),
                    disk,
                    in_hand: None,
                    copied: false,
                    batch: None,
                };
            }
        }
        state.letters.sort();
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("none is executed twice", |_, state: &State| {
                state.executed.iter().all(|times| *times < 2)
            }),
            Property::always("every command can end well", |model: &Self, state: &State| {
                (0..model.nodes).all(|server| model.ends_well(state, server))
            }),
            Property::sometimes("two serve at once", |_, state: &State| {
                state.hosts.iter().filter(|host| host.title).count() > 1
            }),
            Property::sometimes("a successor finishes what another began", |model: &Self, state: &State| {
                model.most.updates == model.views
                    || state.executed.contains(&1)
                        && state.hosts.iter().skip(1).any(|host| host.title && !host.disk.done.is_empty())
            }),
        ]
    }
}

/// As `Node::follow_serving` where the title is gone: what is in hand comes again, to whoever polls next.
fn lose_title(state: &mut State, node: u8) {
    let host = host(state, node);
    host.title = false;
    host.in_hand = None;
    host.copied = false;
    host.batch = None;
    host.commands.put_down();
}

fn host(state: &mut State, node: u8) -> &mut Host {
    Arc::make_mut(&mut state.hosts[usize::from(node)])
}

fn persist(host: &mut Host) {
    if let Some(state) = host.commands.take_dirty() {
        host.disk = state;
        host.commands.written();
    }
}

fn id(node: u8) -> NodeId {
    NodeId([node + 1; 32])
}

/// Letters, their answers, and what those lead to.
const ROUNDS: usize = 6;
