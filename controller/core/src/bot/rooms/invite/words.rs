//! Words for invitations.

use crate::bot::kit::say::words;

words! {
    /// Help.
    HelpInvite() {
        en: "/invite 15m — a link for a new server; units: s, m, h, d",
        ru: "/invite 15m — ссылка для нового сервера; срок: s, m, h, d",
    }
    /// An invitation, above the link.
    InviteReady(ttl) {
        en: "🔑 <b>Invitation</b>, valid for {ttl}, for one server:",
        ru: "🔑 <b>Приглашение</b>, действует {ttl}, для одного сервера:",
    }
    /// An invitation, below the link.
    InviteWhatNow() {
        en: concat!(
            "On the new server, in Constella's folder, paste the whole block into a shell. It keeps the link out of ",
            "the shell's history. Show it to nobody: whoever has it can enter the network. This message will say ",
            "when the invitation is used or over.",
        ),
        ru: concat!(
            "На новом сервере, в папке с Constella, вставьте весь блок в командную строку. Ссылка не попадёт в её ",
            "историю. Никому её не показывайте: с ней любой войдёт в сеть. Когда приглашение используют или его ",
            "срок выйдет, это сообщение скажет об этом.",
        ),
    }
    /// The same where the block fetches a release.
    InviteWhatNowRelease() {
        en: concat!(
            "On the new server, paste the whole block into a shell. It fetches Constella, checks it and joins, and keeps the ",
            "link out of the shell's history. Show it to nobody: whoever has it can enter the network. This message will ",
            "say when the invitation is used or over.",
        ),
        ru: concat!(
            "На новом сервере вставьте весь блок в командную строку. Он скачает Constella, проверит её и присоединит сервер, ",
            "а ссылка не попадёт в историю. Никому её не показывайте: с ней любой войдёт в сеть. Когда приглашение используют ",
            "или его срок выйдет, это сообщение скажет об этом.",
        ),
    }
    /// `/invite` with something that is no duration.
    InviteUsage() {
        en: "That is no duration. Example: /invite 15m (s, m, h, d).",
        ru: "Срок приглашения не понят. Пример: /invite 15m (s, m, h, d).",
    }
    /// `/invite` with a duration that is too short or too long.
    InviteBounds(least, most) {
        en: "An invitation holds for {least} to {most}. Example: /invite 15m.",
        ru: "Срок приглашения: от {least} до {most}. Пример: /invite 15m.",
    }
    /// No invitation.
    InviteFailed(why) {
        en: "🔴 No invitation: {why}",
        ru: "🔴 Приглашения нет: {why}",
    }
    /// Why there is none, in words.
    InviteTooMany(count) {
        en: "{count} of them are open. Wait until one is used or expires.",
        ru: "их уже {count}. Подождите, пока одно используют или его срок выйдет.",
    }
    /// Why there is none, in words.
    InviteNoAddress() {
        en: "this node does not know its own address yet. Try again in a minute.",
        ru: "этот узел ещё не знает своего адреса. Попробуйте через минуту.",
    }
    /// In the place of an invitation: a server came in with it.
    InviteUsed(name) {
        en: "🔑 The invitation is used: <b>{name}</b> joined with it.",
        ru: "🔑 Приглашение использовано: по нему вошёл <b>{name}</b>.",
    }
    /// In the place of an invitation: nobody used it in time.
    InviteOver() {
        en: "🔑 The invitation has expired, nobody used it. For a new one: /invite",
        ru: "🔑 Срок приглашения вышел, никто им не воспользовался. Новое: /invite",
    }
    /// Command menu.
    MenuInvite() {
        en: "Invite a server: /invite 15m",
        ru: "Пригласить сервер: /invite 15m",
    }
}
