//! Words for speedtests.

use crate::bot::kit::say::words;

words! {
    /// Label of a speedtest.
    Latency() {
        en: "Latency",
        ru: "Задержка",
    }
    /// Label of a speedtest.
    Jitter() {
        en: "Jitter",
        ru: "Разброс",
    }
    /// Label of a speedtest.
    Download() {
        en: "Download",
        ru: "Приём",
    }
    /// Label of a speedtest.
    Upload() {
        en: "Upload",
        ru: "Отдача",
    }
    /// Title of a speedtest.
    SpeedtestTitle(name) {
        en: "⚡ <b>{name}</b>: speedtest",
        ru: "⚡ <b>{name}</b>: тест скорости",
    }
    /// A speedtest is being asked for.
    SpeedtestAsked(name) {
        en: "⚡ <b>{name}</b>: starting a speedtest…",
        ru: "⚡ <b>{name}</b>: запускаю тест скорости…",
    }
    /// Phase.
    PhaseLatency() {
        en: "measuring latency",
        ru: "измеряю задержку",
    }
    /// Phase.
    PhaseDownload() {
        en: "measuring download",
        ru: "измеряю приём",
    }
    /// Phase.
    PhaseUpload() {
        en: "measuring upload",
        ru: "измеряю отдачу",
    }
    /// A speedtest ended well.
    SpeedtestDone(name) {
        en: "⚡ <b>{name}</b>: speedtest finished",
        ru: "⚡ <b>{name}</b>: тест скорости закончен",
    }
    /// The same in one line, while the owner looks at something else.
    SpeedtestNotice(name, download, upload) {
        en: "⚡ <b>{name}</b>: speedtest finished, download {download}, upload {upload}",
        ru: "⚡ <b>{name}</b>: тест скорости закончен, приём {download}, отдача {upload}",
    }
    /// A speedtest ended with an error.
    SpeedtestFailed(name, why) {
        en: "⚡ <b>{name}</b>: the speedtest failed: {why}",
        ru: "⚡ <b>{name}</b>: тест скорости не удался: {why}",
    }
    /// A speedtest did not end in time, or the node went away.
    SpeedtestLost(name, waited) {
        en: concat!(
            "⚡ <b>{name}</b>: the node stopped answering, there is no result (waited {waited}). Look at its ",
            "card later.",
        ),
        ru: concat!(
            "⚡ <b>{name}</b>: узел перестал отвечать, результата теста нет (ждал {waited}). Откройте ",
            "карточку узла позже.",
        ),
    }
    /// A speedtest of another leader, whose result cannot be found.
    SpeedtestUnknown(name, via) {
        en: concat!(
            "⚡ <b>{name}</b>: the test was asked for through {via}, and the node has no result of it. Start ",
            "it again.",
        ),
        ru: concat!(
            "⚡ <b>{name}</b>: тест был запрошен через {via}, его результата на узле нет. Запустите тест ещё ",
            "раз.",
        ),
    }
}
