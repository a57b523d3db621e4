//! Words for cards.

use crate::bot::kit::say::words;

words! {
    /// Label on a card: when a node was last heard.
    DownSince(since, ago) {
        en: "Down since {since} ({ago})",
        ru: "Не отвечает с {since} ({ago})",
    }
    /// The same where this leader never heard it: at least since this leader runs.
    DownBefore(since, ago) {
        en: "Down since before {since} ({ago})",
        ru: "Не отвечает как минимум с {since} ({ago})",
    }
    /// The same of a node that was stopped.
    StoppedSince(since, ago) {
        en: "Stopped, last heard at {since} ({ago})",
        ru: "Остановлен, был на связи в {since} ({ago})",
    }
    /// Label on a card.
    Swap() {
        en: "Swap",
        ru: "Подкачка",
    }
    /// Label on a card.
    Disk() {
        en: "Disk",
        ru: "Диск",
    }
    /// Label on a card.
    Load() {
        en: "Load",
        ru: "Нагрузка",
    }
    /// Label on a card.
    Uptime() {
        en: "Uptime",
        ru: "Работает",
    }
    /// Label on a card: of the last heartbeat.
    RoundTrip() {
        en: "Round trip",
        ru: "Отклик",
    }
    /// Label on a card.
    Network() {
        en: "Network",
        ru: "Сеть",
    }
    /// Label on a card: a graph over hours.
    Hours(hours) {
        en: "over {hours} h",
        ru: "за {hours} ч",
    }
    /// Label on a card: mean.
    Average() {
        en: "avg",
        ru: "сред.",
    }
    /// Label on a card: largest.
    Peak() {
        en: "peak",
        ru: "пик",
    }
    /// Label on a card.
    LastSpeedtest() {
        en: "Speedtest",
        ru: "Тест скорости",
    }
    /// No speedtest was run yet.
    NoSpeedtest() {
        en: "not run yet",
        ru: "ещё не проводился",
    }
    /// The last speedtest failed.
    SpeedtestFailedShort(why) {
        en: "failed: {why}",
        ru: "не удался: {why}",
    }
    /// A speedtest is on its way.
    SpeedtestRunningShort() {
        en: "running now",
        ru: "идёт сейчас",
    }
    /// There is no series yet.
    NoHistory() {
        en: "no history yet",
        ru: "истории пока нет",
    }
    /// The versions of the node's programs.
    Versions(controller, agent) {
        en: "controller {controller}, agent {agent}",
        ru: "контроллер {controller}, агент {agent}",
    }
    /// A card without figures.
    NoFigures(why) {
        en: "No figures: {why}",
        ru: "Показателей нет: {why}",
    }
    /// Figures on a card that are older than two samples.
    FiguresOld(ago) {
        en: "⚠️ These figures are {ago} old.",
        ru: "⚠️ Показателям уже {ago}.",
    }
    /// A card whose figures are still on their way.
    Loading() {
        en: "the node is still answering…",
        ru: "узел ещё отвечает…",
    }
}
