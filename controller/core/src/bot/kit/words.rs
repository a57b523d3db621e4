//! Words for what several rooms say, and the node beside the dialogue.

use crate::bot::kit::say::words;

words! {
    /// Button: read again.
    Refresh() {
        en: "🔄 Refresh",
        ru: "🔄 Обновить",
    }
    /// Button: start a speedtest.
    Speedtest() {
        en: "⚡ Speedtest",
        ru: "⚡ Тест скорости",
    }
    /// Button: ask for a reboot.
    Reboot() {
        en: "♻️ Reboot",
        ru: "♻️ Перезагрузить",
    }
    /// Button: the rules by which nodes judge themselves.
    Thresholds() {
        en: "🎚 Thresholds",
        ru: "🎚 Пороги",
    }
    /// Button: rather not.
    Cancel() {
        en: "Cancel",
        ru: "Отмена",
    }
    /// Button: to the list.
    ToList() {
        en: "☰ List",
        ru: "☰ Список",
    }
    /// Button: to the card.
    ToCard() {
        en: "‹ To the node",
        ru: "‹ К узлу",
    }
    /// Button: the help.
    Help() {
        en: "❓ Help",
        ru: "❓ Помощь",
    }
    /// The mark of the leader.
    Leader() {
        en: "“Host”",
        ru: "«Хост»",
    }
    /// Status of a node.
    Alive() {
        en: "up",
        ru: "на связи",
    }
    /// Status of a node.
    Left() {
        en: "stopped",
        ru: "остановлен",
    }
    /// When a node was last heard.
    LastSeen(ago) {
        en: "silent for {ago}",
        ru: "не отвечает {ago}",
    }
    /// A node that was never heard by this leader.
    NeverSeen() {
        en: "not heard yet",
        ru: "ещё не отвечал",
    }
    /// Label on a card.
    Cpu() {
        en: "CPU",
        ru: "CPU",
    }
    /// Label on a card.
    Memory() {
        en: "RAM",
        ru: "ОЗУ",
    }
    /// From a node that was removed: commands that it alone had in hand.
    Farewell(name, count) {
        en: concat!(
            "⚠️ <b>{name}</b> was removed from the network while it alone had commands of yours in hand ({count}). ",
            "What came of them is not known here; please ask again.",
        ),
        ru: concat!(
            "⚠️ <b>{name}</b> исключён из сети, а ваши команды ({count}) были только у него. Что с ними стало, здесь ",
            "неизвестно; пожалуйста, повторите их.",
        ),
    }
    /// A refusal, in words.
    WhyDisabled() {
        en: "switched off in the server's settings",
        ru: "запрещено в настройках узла",
    }
    /// A refusal, in words.
    WhyOldTerm() {
        en: "the node already follows another Host",
        ru: "узел уже слушает другого «Хоста»",
    }
    /// A refusal, in words.
    WhyTooLate() {
        en: "the confirmation is too old",
        ru: "подтверждение устарело",
    }
    /// A refusal, in words.
    WhyBusy() {
        en: "the node is busy with such a command, or has just finished one",
        ru: "узел занят такой же командой или выполнил её только что",
    }
    /// A refusal, in words.
    WhyAgentUnreachable() {
        en: "the agent on the server does not answer",
        ru: "агент на узле не отвечает",
    }
    /// A refusal, in words.
    WhyAgentFailed(message) {
        en: "the agent says: {message}",
        ru: "ответ агента: {message}",
    }
    /// A refusal, in words.
    WhyOther(message) {
        en: "the node says: {message}",
        ru: "ответ узла: {message}",
    }
    /// No answer came.
    WhyNoAnswer() {
        en: "the node did not answer in time",
        ru: "узел не ответил вовремя",
    }
    /// No connection came about.
    WhyNoConnection() {
        en: "no connection to the node",
        ru: "нет связи с узлом",
    }
    /// The node does not belong to the network any longer.
    NodeGone() {
        en: "This node is no longer in the network.",
        ru: "Этого узла больше нет в сети.",
    }
    /// Toast: a button of another version.
    UnknownButton() {
        en: "This button is of another version of the bot.",
        ru: "Эта кнопка от другой версии бота.",
    }
    /// Toast: a button for what a node that is down cannot do.
    NodeDown() {
        en: "This node is down: nothing can be asked of it now.",
        ru: "Этот узел не отвечает: сейчас у него ничего не запросить.",
    }
    /// A text that is no command.
    UnknownText() {
        en: "I know no such command, and no node of this name.",
        ru: "Нет ни такой команды, ни узла с таким именем.",
    }
    /// Another program polls with this token (F1).
    TokenElsewhere() {
        en: concat!(
            "⚠️ Another program uses this bot's token and takes your commands, so the bot stands aside. Stop that program, ",
            "or give it a bot of its own: two programs cannot share one token.",
        ),
        ru: concat!(
            "⚠️ Этим токеном пользуется ещё одна программа: она забирает ваши команды, и бот уступает ей. Остановите её ",
            "или дайте ей своего бота: две программы не делят один токен.",
        ),
    }
    /// That is over.
    TokenOursAgain() {
        en: "✅ No other program uses this bot's token any longer. Ask again what was not answered.",
        ru: "✅ Другая программа больше не пользуется токеном. Повторите то, что осталось без ответа.",
    }
    /// A webhook is set, so the bot gets no updates.
    WebhookSet() {
        en: concat!(
            "⚠️ A webhook is set for this bot, so what you write goes there and not here. Stop the program that set it, or ",
            "call deleteWebhook of the Bot API; everything goes on by itself then.",
        ),
        ru: concat!(
            "⚠️ Для бота задан вебхук: всё, что вы пишете, уходит туда, а не сюда. Остановите программу, которая его ",
            "задала, или вызовите deleteWebhook в Bot API; дальше всё пойдёт само.",
        ),
    }
    /// That is over.
    WebhookGone() {
        en: "✅ The webhook is gone, the bot answers again.",
        ru: "✅ Вебхук удалён, бот снова отвечает.",
    }
    /// A node stores nothing that is new.
    DiskTrouble(name, why) {
        en: concat!(
            "💾 <b>{name}</b>: {why}. It shows figures and can be rebooted, but takes no orders and no changes ",
            "until that is over; then it goes on by itself.",
        ),
        ru: concat!(
            "💾 <b>{name}</b>: {why}. Показатели видны, перезагрузить можно, но команды и изменения он не принимает, ",
            "пока это не пройдёт; дальше всё пойдёт само.",
        ),
    }
    /// It does again.
    DiskAgain(name) {
        en: "💾 <b>{name}</b>: the disk takes data again.",
        ru: "💾 <b>{name}</b>: на диск снова можно писать.",
    }
    /// In the list and on the card.
    DiskMark(why) {
        en: "💾 {why}",
        ru: "💾 {why}",
    }
    /// Why a node stores nothing.
    WhyDiskFull() {
        en: "the disk is full",
        ru: "диск заполнен",
    }
    /// Why a node stores nothing.
    WhyDiskReadOnly() {
        en: "the disk is read-only",
        ru: "диск доступен только для чтения",
    }
    /// Why a node stores nothing.
    WhyDiskDenied() {
        en: "the state folder cannot be written",
        ru: "в папку состояния нельзя писать",
    }
    /// Why a node stores nothing.
    WhyDiskFailing() {
        en: "the disk fails",
        ru: "диск сбоит",
    }
}
