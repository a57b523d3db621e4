//! Words for the network's state.

use crate::bot::kit::say::words;

words! {
    /// Title.
    StatusTitle(alive, total) {
        en: "<b>Status</b>: {alive} of {total} up\n",
        ru: "<b>Состояние</b>: работает {alive} из {total}\n",
    }
    /// Who holds a strong lease.
    StatusStrong(name, left) {
        en: "“Host”: <b>{name}</b>, with a majority of the voters; if they stop answering, for {left} more",
        ru: "«Хост»: <b>{name}</b>, за него большинство голосующих; если они замолчат, ещё {left}",
    }
    /// Who holds a weak lease.
    StatusWeak(name) {
        en: "⚠️ “Host”: <b>{name}</b>, without a majority of the voters: no node can be renamed or removed",
        ru: "⚠️ «Хост»: <b>{name}</b>, без большинства голосующих: узлы нельзя переименовать или удалить",
    }
    /// The voters that are there.
    StatusVoters(there, total, needed, names) {
        en: "Voters: {there} of {total} up, needed: {needed} ({names})",
        ru: "Голосующие: на связи {there} из {total}, нужно: {needed} ({names})",
    }
    /// The voters that are not there.
    StatusMissing(names) {
        en: "⚠️ Voters missing: {names}",
        ru: "⚠️ Нет голосующих: {names}",
    }
    /// From where Telegram answers.
    StatusTelegram(names) {
        en: "Telegram answers: {names}",
        ru: "Telegram отвечает: {names}",
    }
    /// From where it does not.
    StatusNoTelegram(names) {
        en: "⚠️ Telegram does not answer: {names}",
        ru: "⚠️ Telegram не отвечает: {names}",
    }
    /// All controllers are of one version.
    StatusController(version) {
        en: "Controllers: {version}",
        ru: "Контроллеры: {version}",
    }
    /// They are of several.
    StatusControllers(versions) {
        en: "⚠️ Controllers differ: {versions}",
        ru: "⚠️ Контроллеры разных версий: {versions}",
    }
    /// The agents are still asked.
    StatusAgentsAsked() {
        en: "Agents: the nodes are still answering…",
        ru: "Агенты: узлы ещё отвечают…",
    }
    /// No agent answered.
    StatusNoAgents() {
        en: "⚠️ Agents: none answered",
        ru: "⚠️ Агенты: ни один не ответил",
    }
    /// All agents that answered are of one version.
    StatusAgent(version, count) {
        en: "Agents: {version} (answered: {count})",
        ru: "Агенты: {version} (ответили: {count})",
    }
    /// They are of several.
    StatusAgents(versions) {
        en: "⚠️ Agents differ: {versions}",
        ru: "⚠️ Агенты разных версий: {versions}",
    }
    /// A version, and who has it.
    StatusVersion(version, names) {
        en: "{version} ({names})",
        ru: "{version} ({names})",
    }
    /// All clocks agree.
    StatusClocks(within) {
        en: "Clocks: equal within {within}",
        ru: "Часы: расходятся не более чем на {within}",
    }
    /// Clocks that do not.
    StatusClocksDiffer(clocks) {
        en: "⚠️ Clocks differ from the Host's: {clocks}",
        ru: "⚠️ Часы расходятся с часами Хоста: {clocks}",
    }
    /// A clock, and how far it is ahead.
    StatusAhead(name, by) {
        en: "{name} is {by} ahead",
        ru: "{name} спешит на {by}",
    }
    /// A clock, and how far it is behind.
    StatusBehind(name, by) {
        en: "{name} is {by} behind",
        ru: "{name} отстаёт на {by}",
    }
    /// Every disk takes what is new.
    StatusDisks() {
        en: "Disks: every node stores what is new",
        ru: "Диски: все узлы сохраняют новое",
    }
    /// Disks that do not.
    StatusDisksFull(disks) {
        en: "⚠️ Disks: {disks}",
        ru: "⚠️ Диски: {disks}",
    }
    /// A node, and why it stores nothing.
    StatusDisk(name, why) {
        en: "{name} stores nothing new: {why}",
        ru: "{name} не сохраняет новое: {why}",
    }
    /// How fresh all this is.
    StatusTime(time) {
        en: "\n<i>{time} UTC</i>",
        ru: "\n<i>{time} UTC</i>",
    }
    /// Help.
    HelpStatus() {
        en: "/status — who is the Host, who is missing, versions, clocks and disks",
        ru: "/status — кто «Хост», кого не хватает, версии, часы и диски",
    }
    /// Command menu.
    MenuStatus() {
        en: "The network's state",
        ru: "Состояние сети",
    }
}
