//! Words for the life of a member.

use crate::bot::kit::say::words;

words! {
    /// Button: what can be changed about a node.
    Manage() {
        en: "⚙️ Manage",
        ru: "⚙️ Управление",
    }
    /// What can be changed about a node: its priority is told.
    ManageText(name, count) {
        en: "⚙️ <b>{name}</b>\nPriority {count}: of the servers that are up, the smallest leads.",
        ru: "⚙️ <b>{name}</b>\nПриоритет {count}: из работающих серверов ведёт наименьший.",
    }
    /// Button: another name.
    Rename() {
        en: "✏️ Rename",
        ru: "✏️ Переименовать",
    }
    /// Button: another priority.
    Priority() {
        en: "↕️ Priority",
        ru: "↕️ Приоритет",
    }
    /// Button: ask for a removal.
    Remove() {
        en: "🗑 Remove from the network",
        ru: "🗑 Исключить из сети",
    }
    /// Button: do remove.
    RemoveYes() {
        en: "🗑 Yes, remove for ever",
        ru: "🗑 Да, исключить навсегда",
    }
    /// The next text is the node's new name.
    AskName(name) {
        en: "Send the new name of <b>{name}</b>: letters, digits, - _ and .",
        ru: "Пришлите новое имя узла <b>{name}</b>: буквы, цифры, - _ и .",
    }
    /// The next text is the node's new priority.
    AskPriority(name) {
        en: "Send the new priority of <b>{name}</b>, a number. Of the servers that are up, the smallest leads.",
        ru: "Пришлите новый приоритет узла <b>{name}</b>, число. Из работающих серверов ведёт наименьший.",
    }
    /// A removal waits for its confirmation.
    ConfirmRemove(name, seconds) {
        en: concat!(
            "🗑 Remove <b>{name}</b> from the network for ever? It comes back only with a new invitation.\n",
            "The button works once, for {seconds} s.",
        ),
        ru: concat!(
            "🗑 Исключить <b>{name}</b> из сети навсегда? Вернуть его можно только новым приглашением.\n",
            "Кнопка сработает один раз в течение {seconds} с.",
        ),
    }
    /// The same for the node that leads.
    ConfirmRemoveLeader(name, seconds) {
        en: concat!(
            "🗑 Remove <b>{name}</b>, which leads now, from the network for ever? It hands the bot over first.\n",
            "The button works once, for {seconds} s.",
        ),
        ru: concat!(
            "🗑 Исключить <b>{name}</b>, который сейчас ведёт, из сети навсегда? Сначала он передаст бота.\n",
            "Кнопка сработает один раз в течение {seconds} с.",
        ),
    }
    /// A node has its new name.
    Renamed(name) {
        en: "✅ The server is called <b>{name}</b> now.",
        ru: "✅ Теперь узел называется <b>{name}</b>.",
    }
    /// A node has its new priority.
    Ranked(name, count) {
        en: "✅ <b>{name}</b> has priority {count} now.",
        ru: "✅ Приоритет узла <b>{name}</b> теперь {count}.",
    }
    /// A node gives its vote and its lease away, and is out then.
    Removing(name) {
        en: concat!(
            "🗑 <b>{name}</b> is on its way out: it gives its vote, and the bot if it leads, to another first. That takes some seconds.\n",
            "It had the bot's token, where the network shares it: if the server may be in wrong hands, send /revoke to @BotFather and give the ",
            "network the new token with set-token.",
        ),
        ru: concat!(
            "🗑 <b>{name}</b> выходит из сети: сначала он отдаёт голос, а если ведёт — и бота. Это несколько секунд.\n",
            "Токен бота у него был, если сеть им делится: если сервер мог попасть в чужие руки, отправьте /revoke в @BotFather и дайте сети ",
            "новый токен командой set-token.",
        ),
    }
    /// A node is out.
    Removed(name) {
        en: "✅ <b>{name}</b> is out of the network.",
        ru: "✅ <b>{name}</b> исключён из сети.",
    }
    /// An edit of a node was refused.
    EditRefused(message) {
        en: "Nothing was changed: {message}.",
        ru: "Ничего не изменено: {message}.",
    }
}
