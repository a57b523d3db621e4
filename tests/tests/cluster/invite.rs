//! Invitations of the bot, from the owner's command to what became of them.

use constella_tests::botapi::model::Args;
use constella_tests::botapi::view::MessageView;
use constella_tests::cluster::{Plan, clocks_can_be_set};

use super::{Bench, PATIENCE, plan};

/// DESIGN 7, 9: the link of the message lets one server in, and the same message then says which, without the link.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_says_in_its_message_who_used_it() {
    let bench = founded(plan(2)).await;
    let message = invited(&bench).await;
    assert!(message.text.contains("./install.sh join --join -"), "{}", message.screen());
    bench.join_with(1, &link(&message)).await.unwrap();
    let told = bench.sees_in(&message, "beta joined with it").await;
    assert!(!told.text.contains("join://"), "the link is still there: {}", told.screen());
    bench.network.settled(PATIENCE).await.unwrap();
    bench.nothing_is_lost().await;
}

/// DESIGN 9: an invitation that nobody used says so in its message when its time is over.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_nobody_used_says_that_it_is_over() {
    if !clocks_can_be_set() {
        eprintln!("skipped: no C compiler here, so no clock can be set");
        return;
    }
    let mut plan = plan(1);
    plan.clocks = true;
    let bench = founded(plan).await;
    let message = invited(&bench).await;
    bench.at(0).unwrap().set_wall_clock(3_600).unwrap();
    // A clock that is set wakes nobody: the node sees it when it has something to do.
    bench.ask("/nodes").await;
    let told = bench.sees_in(&message, "has expired").await;
    assert!(!told.text.contains("join://"), "the link is still there: {}", told.screen());
    bench.nothing_is_lost().await;
}

/// DESIGN 9: an invitation whose message the owner deleted is used all the same, and its message is tried once and not again.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_invitation_is_edited_once_at_most() {
    let bench = founded(plan(3)).await;
    let deleted = invited(&bench).await;
    let kept = invited(&bench).await;
    let args = Args::default().with("chat_id", 77).with("message_id", deleted.id.0);
    bench.double().call("deleteMessage", args).await.unwrap();
    bench.join_with(1, &link(&deleted)).await.unwrap();
    bench.join_with(2, &link(&kept)).await.unwrap();
    // One edit at a time, in the order of the invitations: when the second is told, the first was tried.
    bench.sees_in(&kept, "gamma joined with it").await;
    bench.ask("/nodes").await;
    bench.nothing_is_lost().await;
    let refused = bench
        .double()
        .stats()
        .calls
        .iter()
        .filter(|call| call.method == "editmessagetext" && call.status == Some(400))
        .count();
    assert_eq!(refused, 1, "an edit of a message that is gone");
}

/// DESIGN 9: what is too short or too long to be of use is refused in the owner's language, with the bounds.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_out_of_bounds_is_refused_in_the_owners_language() {
    let bench = founded(plan(1)).await;
    for text in ["/invite 1s", "/invite 8d"] {
        let refusal = bench.ask(text).await;
        assert!(refusal.text.contains("An invitation holds for 1 min to 7 d"), "{}", refusal.screen());
    }
    bench.ask("/lang ru").await;
    bench.sees("Russian", |message| message.text.contains("Теперь по-русски")).await;
    let refusal = bench.ask("/invite 1s").await;
    assert!(refusal.text.contains("Срок приглашения: от 1 мин до 7 д"), "{}", refusal.screen());
}

/// The first of these nodes serves the owner; the others have not joined.
async fn founded(plan: Plan) -> Bench {
    let bench = Bench::of(plan).await;
    bench.found().await.unwrap();
    bench.claim().await.unwrap();
    bench
}

async fn invited(bench: &Bench) -> MessageView {
    let before = bench.owner().chat().await.unwrap().messages.last().map(|message| message.id);
    bench.owner().write("/invite 15m").await.unwrap();
    bench.sees("an invitation", |message| Some(message.id) > before && message.text.contains("join://")).await
}

fn link(message: &MessageView) -> String {
    message.text.lines().find(|line| line.starts_with("join://")).unwrap().to_owned()
}

impl Bench {
    /// Waits for this very message to say so.
    async fn sees_in(&self, message: &MessageView, words: &str) -> MessageView {
        let told = |seen: &MessageView| seen.id == message.id && seen.text.contains(words);
        self.owner().sees(words, PATIENCE, told).await.unwrap().value
    }
}
