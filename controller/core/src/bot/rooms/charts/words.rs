//! Words for charts: in the message, and in the picture.

use crate::bot::kit::chart::Metric;
use crate::bot::kit::say::{Key, words};

words! {
    /// Button: charts.
    Charts() {
        en: "📈 Charts",
        ru: "📈 Графики",
    }
    /// In place of a chart that has nothing to show.
    ChartTitle(name, metric) {
        en: "📈 <b>{name}</b>: {metric}",
        ru: "📈 <b>{name}</b>: {metric}",
    }
    /// Button: another node's chart.
    ChartNode() {
        en: "🖥 Node",
        ru: "🖥 Узел",
    }
    /// Button: compare with other nodes.
    ChartCompare() {
        en: "➕ Compare",
        ru: "➕ Сравнить",
    }
    /// Button: back to the chart's own buttons.
    ChartBack() {
        en: "‹ To the chart",
        ru: "‹ К графику",
    }
    /// Button: light colours.
    ThemeLight() {
        en: "☀️",
        ru: "☀️",
    }
    /// Button: dark colours.
    ThemeDark() {
        en: "🌙",
        ru: "🌙",
    }
    /// Button: a node's name.
    ChartOf(name) {
        en: "{name}",
        ru: "{name}",
    }
    /// Button: a range.
    ChartHours(count) {
        en: "{count} h",
        ru: "{count} ч",
    }
    /// Button: a range.
    ChartDays(count) {
        en: "{count} d",
        ru: "{count} д",
    }
    /// Button: a metric in short.
    ChartSwap() {
        en: "Swap",
        ru: "Swap",
    }
    /// Button: a metric in short.
    ChartLoad() {
        en: "Load",
        ru: "LA",
    }
    /// Button: a metric in short.
    ChartIo() {
        en: "I/O",
        ru: "I/O",
    }
    /// Button: a metric in short.
    ChartDegrees() {
        en: "°C",
        ru: "°C",
    }
    /// Button: a metric in short.
    ChartSpeed() {
        en: "⚡",
        ru: "⚡",
    }
    /// Button: a metric in short.
    ChartPing() {
        en: "Ping",
        ru: "Пинг",
    }
    /// A metric: percent of the fullest disk.
    DiskUse() {
        en: "Fullest disk",
        ru: "Самый полный диск",
    }
    /// A metric: what is read from and written to the disks.
    DiskIo() {
        en: "Disk IO",
        ru: "Ввод-вывод дисков",
    }
    /// A metric: the hottest sensor.
    Temperature() {
        en: "Temperature",
        ru: "Температура",
    }
    /// A metric: what speedtests found.
    Speed() {
        en: "Speed tests",
        ru: "Тесты скорости",
    }
    /// A line of a chart.
    Received() {
        en: "received",
        ru: "приём",
    }
    /// A line of a chart.
    Sent() {
        en: "sent",
        ru: "отдача",
    }
    /// A line of a chart.
    Read() {
        en: "read",
        ru: "чтение",
    }
    /// A line of a chart.
    Written() {
        en: "written",
        ru: "запись",
    }
    /// A line of a chart: nothing was measured in its time.
    ChartEmpty() {
        en: "no data",
        ru: "нет данных",
    }
    /// A line of a chart: its node has not answered.
    ChartSilent() {
        en: "no answer",
        ru: "не ответил",
    }
}

impl Metric {
    /// The words for it.
    #[must_use]
    pub const fn title(self) -> Key {
        match self {
            Self::Cpu => Key::Cpu,
            Self::Memory => Key::Memory,
            Self::Swap => Key::Swap,
            Self::Load => Key::Load,
            Self::Network => Key::Network,
            Self::DiskUse => Key::DiskUse,
            Self::DiskIo => Key::DiskIo,
            Self::Temperature => Key::Temperature,
            Self::Speed => Key::Speed,
            Self::Latency => Key::Latency,
        }
    }

    /// The words for one of its channels, in their order: those for the metric itself, where it is the only one.
    #[must_use]
    pub const fn channel_title(self, channel: usize) -> Key {
        match (self, channel) {
            (Self::Network, 0) => Key::Received,
            (Self::Network, _) => Key::Sent,
            (Self::DiskIo, 0) => Key::Read,
            (Self::DiskIo, _) => Key::Written,
            (Self::Speed, 0) => Key::Download,
            (Self::Speed, _) => Key::Upload,
            (
                Self::Cpu | Self::Memory | Self::Swap | Self::Load | Self::DiskUse | Self::Temperature | Self::Latency,
                _,
            ) => self.title(),
        }
    }
}
