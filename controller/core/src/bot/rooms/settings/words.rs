//! Words for the help and the choice of a language.

use crate::bot::kit::say::words;

words! {
    /// `/lang` without a language.
    AskLanguage() {
        en: "Which language?",
        ru: "Какой язык?",
    }
    /// The beginning of the help.
    HelpText() {
        en: "<b>What the bot does</b>",
        ru: "<b>Что умеет бот</b>",
    }
    /// Help.
    HelpLang() {
        en: "/lang — language",
        ru: "/lang — язык",
    }
    /// Help.
    HelpHelp() {
        en: "/help — this help",
        ru: "/help — эта справка",
    }
    /// The end of the help.
    HelpEnd() {
        en: concat!(
            "\nThe bot runs on one of the nodes, the Host. When that one is gone, another that is up answers within ",
            "seconds.",
        ),
        ru: concat!(
            "\nБот работает на одном из узлов («Хост»). Если он пропадёт, через несколько секунд ответит другой, ",
            "если он на связи.",
        ),
    }
    /// The language was changed.
    LanguageSet() {
        en: "English from now on.",
        ru: "Теперь по-русски.",
    }
    /// Command menu.
    MenuLang() {
        en: "Language",
        ru: "Язык",
    }
    /// Command menu.
    MenuHelp() {
        en: "Help",
        ru: "Справка",
    }
}
