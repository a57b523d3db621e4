//! Words for what no room says.

use crate::bot::kit::say::words;

words! {
    /// Toast: a button on an older message.
    OldMessage() {
        en: "This message is old, the current one is below.",
        ru: "Это старое сообщение, новое ниже.",
    }
    /// Toast: Telegram lets the bot show nothing for so long (429).
    FloodWait(wait) {
        en: "Telegram lets the bot show nothing for {wait}. The answer comes then.",
        ru: "Telegram не даёт боту ничего показать ещё {wait}. Ответ придёт после этого.",
    }
    /// A forwarded text that would have done something.
    Forwarded() {
        en: "This was forwarded, so it is not your own command and nothing was done. Send it yourself if you want it.",
        ru: "Это пересланное сообщение, а не ваша команда: ничего не сделано. Если нужно, отправьте её сами.",
    }
    /// What a group reads.
    PrivateOnly() {
        en: "I answer in a private chat.",
        ru: "Я отвечаю в личном чате.",
    }
    /// Telegram refused an answer for good; its own words.
    AnswerRefused(why) {
        en: "🔴 Telegram did not take the answer: {why}",
        ru: "🔴 Telegram не принял ответ: {why}",
    }
    /// What was asked while Telegram took no message.
    WhileRefused(from, to, span, asked) {
        en: concat!(
            "⚠️ While Telegram refused the bot's messages, from {from} to {to} UTC ({span}), you asked: {asked}. What is ",
            "below is of now; ask again for the rest.",
        ),
        ru: concat!(
            "⚠️ Пока Telegram не принимал сообщений бота, с {from} до {to} UTC ({span}), вы спрашивали: {asked}. Ниже то, ",
            "что есть сейчас; остальное спросите ещё раз.",
        ),
    }
    /// What was asked long ago, for whatever reason it was not answered.
    AnsweredLate(from, to, span, asked) {
        en: concat!(
            "⚠️ Asked between {from} and {to} UTC ({span}) and not answered in time: {asked}. What is below is of now; ",
            "ask again for the rest.",
        ),
        ru: concat!(
            "⚠️ Спрошено с {from} до {to} UTC ({span}) и вовремя не отвечено: {asked}. Ниже то, что есть сейчас; ",
            "остальное спросите ещё раз.",
        ),
    }
    /// So many more than are named.
    AndMore(count) {
        en: "and {count} more",
        ru: "и ещё {count}",
    }
    /// A newer version began it, and this one cannot know its outcome.
    OtherVersion() {
        en: concat!(
            "⚠️ A newer version of Constella began what you asked for, and this one cannot know what came of it. ",
            "Look before you ask again.",
        ),
        ru: concat!(
            "⚠️ То, о чём вы просили, начала более новая версия Constella, и этой версии не узнать, чем оно ",
            "кончилось. Проверьте, прежде чем просить снова.",
        ),
    }
    /// What the owner reads at first contact.
    Welcome(name) {
        en: "Hello @{name}. The network now obeys you alone.",
        ru: "Здравствуйте, @{name}. Сеть теперь слушается только вас.",
    }
    /// What a stranger reads.
    Stranger() {
        en: concat!(
            "This bot serves its owner only. If that is you, open the link that constella-controller ",
            "owner-link prints.",
        ),
        ru: concat!(
            "Этот бот служит только своему владельцу. Если это вы, откройте ссылку, которую печатает ",
            "constella-controller owner-link.",
        ),
    }
    /// An order, or an edit, while the node that serves stores nothing: nothing was done.
    DiskRefuses(name, why) {
        en: "⛔ Nothing was done: <b>{name}</b> leads, and {why}. Views work. Make room on it, then ask again.",
        ru: concat!(
            "⛔ Ничего не сделано: ведёт <b>{name}</b>, а {why}. Смотреть можно. Освободите место на нём и ",
            "попросите снова.",
        ),
    }
}
