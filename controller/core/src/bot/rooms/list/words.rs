//! Words for the list.

use crate::bot::kit::say::words;

words! {
    /// Help.
    HelpNodes() {
        en: concat!(
            "/nodes — the network's nodes: tap one to see its figures, test its speed, or reboot it\n",
            "a node's name, or how it begins — that node",
        ),
        ru: concat!(
            "/nodes — узлы сети: нажмите узел, чтобы увидеть его показатели, проверить скорость или перезагрузить\n",
            "имя узла или его начало — этот узел",
        ),
    }
    /// Title of the list.
    ListTitle(alive, total) {
        en: "<b>Network</b>: {alive} of {total} up",
        ru: "<b>Сеть</b>: работает {alive} из {total}",
    }
    /// The list of a network without nodes: cannot be, but must not be blank.
    ListEmpty() {
        en: "The network has no nodes yet.",
        ru: "В сети пока нет узлов.",
    }
    /// The leader lacks voters.
    VotersMissing(missing, total, needed) {
        en: concat!(
            "⚠️ Voters missing: {missing} of {total}; needed: {needed}. Reboots, speedtests and invitations ",
            "work; no node can be renamed or removed.",
        ),
        ru: concat!(
            "⚠️ Нет голосующих узлов: {missing} из {total}; нужно: {needed}. Перезагрузки, тесты скорости и ",
            "приглашения работают; переименовать или исключить узел нельзя.",
        ),
    }
    /// A text that fits the names of several nodes.
    SeveralMeant(text, count) {
        en: "{count} nodes fit “{text}”:",
        ru: "Под «{text}» подходит узлов: {count}",
    }
    /// Command menu.
    MenuNodes() {
        en: "The network's nodes",
        ru: "Узлы сети",
    }
}
