//! Words for reboots.

use crate::bot::kit::say::words;

words! {
    /// Button: do reboot.
    RebootYes() {
        en: "♻️ Yes, reboot",
        ru: "♻️ Да, перезагрузить",
    }
    /// The confirmation of a reboot.
    ConfirmReboot(name, seconds) {
        en: "♻️ Reboot <b>{name}</b>?\nThe button works once, for {seconds} s.",
        ru: "♻️ Перезагрузить <b>{name}</b>?\nКнопка сработает один раз в течение {seconds} с.",
    }
    /// The confirmation of a reboot of the leader itself.
    ConfirmRebootLeader(name, seconds) {
        en: concat!(
            "♻️ Reboot <b>{name}</b>?\nIt is the Host now: another node will take over the bot.\nThe button ",
            "works once, for {seconds} s.",
        ),
        ru: concat!(
            "♻️ Перезагрузить <b>{name}</b>?\nСейчас это «Хост»: бот перейдёт к другому узлу.\nКнопка ",
            "сработает один раз в течение {seconds} с.",
        ),
    }
    /// The same where no other node could serve the owner meanwhile.
    ConfirmRebootAlone(name, seconds) {
        en: concat!(
            "♻️ Reboot <b>{name}</b>?\nIt is the Host now, and no other node can take over the bot: until it is back, ",
            "nobody answers here.\nThe button works once, for {seconds} s.",
        ),
        ru: concat!(
            "♻️ Перезагрузить <b>{name}</b>?\nСейчас это «Хост», и заменить его некому: пока он не вернётся, бот не ",
            "ответит.\nКнопка сработает один раз в течение {seconds} с.",
        ),
    }
    /// Toast: the one-time button's time is over.
    ConfirmExpired() {
        en: "The button's time is over, nothing was done. Open the node to ask again.",
        ru: "Время кнопки вышло, ничего не сделано. Откройте узел и запросите снова.",
    }
    /// A confirmation that was not pressed in time.
    ConfirmOver(name) {
        en: concat!(
            "⌛ <b>{name}</b>: the confirmation has run out, nothing was done. Open the node to ask for the reboot ",
            "again.",
        ),
        ru: concat!(
            "⌛ <b>{name}</b>: время подтверждения вышло, ничего не сделано. Чтобы перезагрузить, откройте узел и ",
            "запросите снова.",
        ),
    }
    /// Toast: the one-time button was pressed before, or a newer one took its place.
    ConfirmUsed() {
        en: "This button was used before, or a newer one took its place: nothing was done by this press.",
        ru: "Эта кнопка уже использована, или её сменила новая: это нажатие ничего не сделало.",
    }
    /// Toast: another leader showed the one-time button.
    ConfirmElsewhere() {
        en: concat!(
            "An earlier Host showed this button; whether it took your press is not known here. Look at the node ",
            "first.",
        ),
        ru: concat!(
            "Эту кнопку показал прежний «Хост»; принял ли он нажатие, здесь неизвестно. Сначала взгляните на ",
            "узел.",
        ),
    }
    /// Another leader showed the one-time button, and may have taken the press and given the order.
    ConfirmTaken(name) {
        en: concat!(
            "⚠️ <b>{name}</b>: an earlier Host showed this button; whether it took your confirmation and gave the ",
            "order is not known here. Look at the node before you confirm again.",
        ),
        ru: concat!(
            "⚠️ <b>{name}</b>: эту кнопку показал прежний «Хост»; принял ли он подтверждение и отдал ли команду, ",
            "здесь неизвестно. Взгляните на узел, прежде чем подтвердить ещё раз.",
        ),
    }
    /// A reboot is being asked for.
    RebootAsking(name) {
        en: "♻️ <b>{name}</b>: asking it to reboot…",
        ru: "♻️ <b>{name}</b>: прошу перезагрузиться…",
    }
    /// The host took the command; it still answers.
    RebootGoing(name, waited) {
        en: "♻️ <b>{name}</b>: the command was taken, the server has not gone down yet ({waited}).",
        ru: "♻️ <b>{name}</b>: команда принята, узел ещё не выключился ({waited}).",
    }
    /// The host does not answer: it is on its way down or up.
    RebootAway(name, waited) {
        en: "♻️ <b>{name}</b>: the server does not answer, waiting for it to come back ({waited}).",
        ru: "♻️ <b>{name}</b>: узел не отвечает, жду его возвращения ({waited}).",
    }
    /// It is not known whether the host took the command.
    RebootUnsure(name, why) {
        en: "⚠️ <b>{name}</b>: it is not known whether the command arrived ({why}). Watching the server.",
        ru: "⚠️ <b>{name}</b>: неизвестно, дошла ли команда ({why}). Слежу за узлом.",
    }
    /// Another leader asked, and is gone.
    RebootViaGone(name, via) {
        en: concat!(
            "⚠️ The reboot was asked through {via}, which died; watching <b>{name}</b>. It is not asked ",
            "again.",
        ),
        ru: concat!(
            "⚠️ Перезагрузка запрошена через {via}, который пропал; слежу за <b>{name}</b>. Второй раз не ",
            "прошу.",
        ),
    }
    /// Another leader asked, and leads no longer.
    RebootVia(name, via) {
        en: concat!(
            "⚠️ The reboot was asked through {via}, which is the Host no longer; watching <b>{name}</b>. It is not ",
            "asked again.",
        ),
        ru: concat!(
            "⚠️ Перезагрузка запрошена через {via}, он больше не «Хост»; слежу за <b>{name}</b>. Второй раз ",
            "не прошу.",
        ),
    }
    /// This node asked in an earlier life or an earlier lease.
    RebootSelf(name) {
        en: concat!(
            "⚠️ The reboot was asked before the Host changed or started again, its outcome is not known; watching ",
            "<b>{name}</b>. It is not asked again.",
        ),
        ru: concat!(
            "⚠️ Перезагрузка запрошена до смены или перезапуска «Хоста», её исход неизвестен; слежу за <b>{name}</b>. Второй ",
            "раз не прошу.",
        ),
    }
    /// The host answers, and it is not known whether it took the command.
    RebootStillUp(name, waited) {
        en: "♻️ <b>{name}</b>: the server answers and has not rebooted yet ({waited}).",
        ru: "♻️ <b>{name}</b>: узел отвечает и пока не перезагружался ({waited}).",
    }
    /// The host has another boot id.
    RebootBack(name, took) {
        en: "✅ <b>{name}</b> is back after {took}.",
        ru: "✅ <b>{name}</b> снова работает, через {took}.",
    }
    /// The same where nobody knows how long it took.
    RebootBackSometime(name) {
        en: "✅ <b>{name}</b> is back.",
        ru: "✅ <b>{name}</b> снова работает.",
    }
    /// The host does not answer, and is not watched any longer.
    RebootNotBack(name, waited) {
        en: "🔴 <b>{name}</b> did not come back in {waited}. No longer watching; look at its console.",
        ru: "🔴 <b>{name}</b> не вернулся за {waited}. Больше не слежу; проверьте узел в консоли хостера.",
    }
    /// The host answers, with the boot id that it had.
    RebootNotDone(name, waited) {
        en: "⚠️ <b>{name}</b> did not reboot: after {waited} it still runs as before.",
        ru: "⚠️ <b>{name}</b> не перезагрузился: и через {waited} он работает без перерыва.",
    }
    /// The host answers, and tells neither boot id nor uptime.
    RebootUntold(name, waited) {
        en: "❓ <b>{name}</b> answers, but whether it rebooted is not known after {waited}: it tells neither its boot nor its uptime.",
        ru: "❓ <b>{name}</b> отвечает, но и через {waited} неизвестно, перезагрузился ли он: он не сообщает ни номера загрузки, ни времени работы.",
    }
    /// The host's command failed.
    RebootFailed(name, why) {
        en: "🔴 <b>{name}</b>: the server's reboot command failed: {why}",
        ru: "🔴 <b>{name}</b>: команда перезагрузки на узле не удалась: {why}",
    }
    /// Refused; nothing was done.
    RebootRefused(name, why) {
        en: "🔴 <b>{name}</b> refused to reboot: {why}. Nothing was done.",
        ru: "🔴 <b>{name}</b> отказал в перезагрузке: {why}. Ничего не сделано.",
    }
    /// The node could not be reached; nothing was done.
    RebootNotSent(name, why) {
        en: "🔴 <b>{name}</b>: the reboot was not asked for: {why}. Nothing was done.",
        ru: "🔴 <b>{name}</b>: перезагрузка не запрошена: {why}. Ничего не сделано.",
    }
    /// A new leader found it too late to ask.
    RebootTooLate(name) {
        en: concat!(
            "⚠️ <b>{name}</b>: the Host changed and the confirmation ran out. Nothing was done; confirm ",
            "again if you still want it.",
        ),
        ru: concat!(
            "⚠️ <b>{name}</b>: сменился «Хост», и время подтверждения вышло. Ничего не сделано; если нужно, ",
            "подтвердите снова.",
        ),
    }
    /// An exit status and the end of standard error.
    WhyExit(status, message) {
        en: "status {status}, {message}",
        ru: "код {status}, {message}",
    }
    /// A signal ended the command.
    WhySignal(message) {
        en: "ended by a signal, {message}",
        ru: "прервана сигналом, {message}",
    }
}
