//! Words for rules and quiet hours.

use constella_shared::wire::alert::Kind;

use crate::alerts::preset::JUDGED;
use crate::bot::kit::say::{Key, words};

/// What the rule of a kind says. Its slot is `at`, where it has a threshold.
pub(super) fn sentence(kind: &Kind) -> Key {
    of(kind).map_or(Key::UnknownButton, |(_, sentence, _)| *sentence)
}

/// The rule of a kind on a button.
pub(super) fn short(kind: &Kind) -> Key {
    of(kind).map_or(Key::UnknownButton, |(_, _, short)| *short)
}

fn of(kind: &Kind) -> Option<&'static (Kind, Key, Key)> {
    OF_JUDGED.iter().find(|(judged, ..)| judged == kind)
}

/// The words of each kind that a node judges: its sentence, and its button.
const OF_JUDGED: &[(Kind, Key, Key); JUDGED.len()] = &[
    (Kind::DiskFull, Key::RuleDisk, Key::ShortDisk),
    (Kind::DiskFillsUp, Key::RuleFillsUp, Key::ShortFillsUp),
    (Kind::Inodes, Key::RuleInodes, Key::ShortInodes),
    (Kind::Memory, Key::RuleMemory, Key::ShortMemory),
    (Kind::Swap, Key::RuleSwap, Key::ShortSwap),
    (Kind::Cpu, Key::RuleCpu, Key::ShortCpu),
    (Kind::Temperature, Key::RuleTemperature, Key::ShortTemperature),
    (Kind::ClockSkew, Key::RuleClock, Key::ShortClock),
    (Kind::AgentUnreachable, Key::RuleAgent, Key::ShortAgent),
    (Kind::UnexpectedReboot, Key::RuleReboot, Key::ShortReboot),
    (Kind::TelegramUnreachable, Key::RuleTelegram, Key::ShortTelegram),
    (Kind::TwoBoots, Key::RuleTwoBoots, Key::ShortTwoBoots),
];

words! {
    /// Title: the rules for all nodes.
    ThresholdsOfAll() {
        en: "<b>What each node watches on itself</b>",
        ru: "<b>За чем каждый узел следит у себя</b>",
    }
    /// Title: the rules of a node.
    ThresholdsOf(name) {
        en: "<b>What {name} watches on itself</b>",
        ru: "<b>За чем {name} следит у себя</b>",
    }
    /// A rule that holds as it does everywhere.
    RuleOn(rule) {
        en: "✅ {rule}",
        ru: "✅ {rule}",
    }
    /// A rule that was chosen here.
    RuleChosen(rule) {
        en: "✏️ {rule}",
        ru: "✏️ {rule}",
    }
    /// A rule that is off.
    RuleOff(rule) {
        en: "🔕 {rule}",
        ru: "🔕 {rule}",
    }
    /// A rule.
    RuleDisk(at) {
        en: "Disk {at} full",
        ru: "Диск занят на {at}",
    }
    /// A rule.
    RuleFillsUp(at) {
        en: "Disk full within {at}, at the rate of the last hours",
        ru: "Диск заполнится за {at}, если темп последних часов сохранится",
    }
    /// A rule.
    RuleInodes(at) {
        en: "{at} of the inodes used",
        ru: "Занято {at} inode",
    }
    /// A rule.
    RuleMemory(at) {
        en: "{at} of memory used for 10 min",
        ru: "Память занята на {at} в течение 10 мин",
    }
    /// A rule.
    RuleSwap(at) {
        en: "Swapping in and out at {at} for 5 min",
        ru: "Подкачка в обе стороны {at} в течение 5 мин",
    }
    /// A rule.
    RuleCpu(at) {
        en: "CPU {at} busy for 15 min",
        ru: "CPU занят на {at} в течение 15 мин",
    }
    /// A rule.
    RuleTemperature(at) {
        en: "A sensor within {at} of its critical mark",
        ru: "Датчику до критической отметки {at} или меньше",
    }
    /// A rule.
    RuleClock(at) {
        en: "Clock {at} off for 5 min",
        ru: "Часы расходятся на {at} в течение 5 мин",
    }
    /// A rule.
    RuleAgent() {
        en: "The agent does not answer for 2 min",
        ru: "Агент не отвечает 2 мин",
    }
    /// A rule.
    RuleReboot() {
        en: "A reboot that nobody ordered here",
        ru: "Перезагрузка, которую отсюда не заказывали",
    }
    /// A rule.
    RuleTelegram() {
        en: "Telegram out of reach for 1 min, told afterwards",
        ru: "Telegram недоступен 1 мин (сообщается потом)",
    }
    /// A rule.
    RuleTwoBoots() {
        en: "Two processes run as one node",
        ru: "Два процесса работают под именем одного узла",
    }
    /// Button: a rule.
    ShortDisk() {
        en: "Disk",
        ru: "Диск",
    }
    /// Button: a rule.
    ShortFillsUp() {
        en: "Fills up",
        ru: "Заполняется",
    }
    /// Button: a rule.
    ShortInodes() {
        en: "Inodes",
        ru: "Inode",
    }
    /// Button: a rule.
    ShortMemory() {
        en: "Memory",
        ru: "Память",
    }
    /// Button: a rule.
    ShortSwap() {
        en: "Swap",
        ru: "Подкачка",
    }
    /// Button: a rule.
    ShortCpu() {
        en: "CPU",
        ru: "CPU",
    }
    /// Button: a rule.
    ShortTemperature() {
        en: "Heat",
        ru: "Нагрев",
    }
    /// Button: a rule.
    ShortClock() {
        en: "Clock",
        ru: "Часы",
    }
    /// Button: a rule.
    ShortAgent() {
        en: "Agent",
        ru: "Агент",
    }
    /// Button: a rule.
    ShortReboot() {
        en: "Reboots",
        ru: "Перезагрузки",
    }
    /// Button: a rule.
    ShortTelegram() {
        en: "Telegram",
        ru: "Telegram",
    }
    /// Button: a rule.
    ShortTwoBoots() {
        en: "Copies",
        ru: "Копии",
    }
    /// On the screen of a rule: nobody chose anything.
    StatePreset() {
        en: "As preset.",
        ru: "По умолчанию.",
    }
    /// The same of a node.
    StateForAll() {
        en: "As for all nodes.",
        ru: "Как у всех узлов.",
    }
    /// The same of a choice.
    StateChosen() {
        en: "You chose it.",
        ru: "Выбрано вами.",
    }
    /// The same of a rule that is off.
    StateOff() {
        en: "You switched it off.",
        ru: "Вы это отключили.",
    }
    /// Button: a threshold.
    Offer(at) {
        en: "{at}",
        ru: "{at}",
    }
    /// Button: the threshold that holds.
    OfferTaken(at) {
        en: "✓ {at}",
        ru: "✓ {at}",
    }
    /// Button.
    TurnOn() {
        en: "🔔 On",
        ru: "🔔 Включить",
    }
    /// Button.
    TurnOff() {
        en: "🔕 Off",
        ru: "🔕 Отключить",
    }
    /// Button: without a choice of one's own.
    TakePreset() {
        en: "As preset",
        ru: "По умолчанию",
    }
    /// The same of a node.
    TakeForAll() {
        en: "As for all",
        ru: "Как у всех",
    }
    /// Button: to the rules for all nodes.
    ForAll() {
        en: "For all nodes",
        ru: "Для всех узлов",
    }
    /// Button: back to all rules.
    AllRules() {
        en: "‹ All rules",
        ru: "‹ Все пороги",
    }
    /// Button: to the quiet hours.
    QuietHours() {
        en: "🌙 Quiet hours",
        ru: "🌙 Тихие часы",
    }
    /// Title of the quiet hours.
    QuietTitle() {
        en: "<b>Quiet hours</b>: only what is critical sounds.",
        ru: "<b>Тихие часы</b>: звучит только критическое.",
    }
    /// The quiet hours.
    QuietOn(from, until, zone) {
        en: "🌙 {from} to {until}, {zone}",
        ru: "🌙 с {from} до {until}, {zone}",
    }
    /// There are none.
    QuietOff() {
        en: "🔔 Off: everything sounds at any time.",
        ru: "🔔 Отключены: звучит всё и всегда.",
    }
    /// How others are chosen.
    QuietHow() {
        en: "Tap, or write hours and time zone: <code>23:00-7:00 Europe/Berlin</code>",
        ru: "Нажмите или напишите часы и часовой пояс: <code>23:00-7:00 Europe/Moscow</code>",
    }
    /// Toast: a choice was made.
    Chosen() {
        en: "Saved.",
        ru: "Сохранено.",
    }
    /// Toast, and above the screen: no choice can be made now.
    NoMajority() {
        en: "Nothing was changed: most voters do not answer. Try again later.",
        ru: "Ничего не изменено: большинство голосующих узлов не отвечает. Повторите позже.",
    }
    /// Help.
    HelpThresholds() {
        en: "/thresholds — when a node raises an alert",
        ru: "/thresholds — когда узел бьёт тревогу",
    }
    /// Help.
    HelpQuiet() {
        en: "/quiet — hours without sound",
        ru: "/quiet — часы без звука",
    }
    /// Command menu.
    MenuThresholds() {
        en: "Thresholds of alerts",
        ru: "Пороги тревог",
    }
    /// Command menu.
    MenuQuiet() {
        en: "Quiet hours",
        ru: "Тихие часы",
    }
}
