//! Words for alerts.

use crate::bot::kit::say::words;

words! {
    /// Alert: a node is down.
    AlertDown(name, since) {
        en: "🔴 <b>{name}</b> is down: no answer since {since} UTC.",
        ru: "🔴 <b>{name}</b> не отвечает с {since} UTC.",
    }
    /// Alert: all witnesses agree.
    AlertByAll(witnesses) {
        en: "All {witnesses} nodes that were asked hear nothing of it.",
        ru: "Её не слышит ни один из опрошенных узлов ({witnesses}).",
    }
    /// Alert: a majority of the witnesses agrees, and the others cannot tell.
    AlertByMost(silent, witnesses) {
        en: "{silent} of the {witnesses} nodes that were asked hear nothing of it; no answer from the others.",
        ru: "Её не слышат {silent} из опрошенных узлов ({witnesses}); остальные не ответили.",
    }
    /// Alert: there is one witness.
    AlertByOne(by) {
        en: "{by} is the only witness.",
        ru: "Единственный свидетель — {by}.",
    }
    /// Alert: a node was down.
    AlertUp(name, since, until, lasted) {
        en: "🟢 <b>{name}</b> is up again. It was down from {since} to {until} UTC, {lasted}.",
        ru: "🟢 <b>{name}</b> снова отвечает. Не было связи с {since} до {until} UTC, {lasted}.",
    }
    /// Alert: this many nodes are down.
    AlertManyDown(count, total) {
        en: "🔴 <b>Nodes down: {count} of {total}</b>",
        ru: "🔴 <b>Не отвечают узлы: {count} из {total}</b>",
    }
    /// Alert: this many nodes were down.
    AlertManyUp(count, lasted) {
        en: "🟢 <b>All {count} nodes are up again</b> after {lasted}",
        ru: "🟢 <b>Все узлы ({count}) снова отвечают</b>, прошло {lasted}",
    }
    /// Alert: more than are shown.
    AlertMore(count) {
        en: "… and {count} more",
        ru: "… и ещё {count}",
    }
    /// Alert: an observer sees few of the nodes.
    AlertAlone(name, sees, total, since) {
        en: "⚠️ <b>{name}</b> sees {sees} of {total} nodes since {since} UTC. Telegram is reachable from here.",
        ru: "⚠️ <b>{name}</b> видит {sees} из {total} узлов с {since} UTC. Telegram отсюда доступен.",
    }
    /// Alert: what that may mean.
    AlertAloneWhy(name) {
        en: "Either the others are down, or {name} is cut off from them.",
        ru: "Или остальные не работают, или {name} отрезан от них.",
    }
    /// Alert: an observer sees the others again.
    AlertTogether(name, since, until, lasted) {
        en: "🟢 <b>{name}</b> sees the others again. It did not from {since} to {until} UTC, {lasted}.",
        ru: "🟢 <b>{name}</b> снова видит остальных. Не видел с {since} до {until} UTC, {lasted}.",
    }
    /// Alert: it comes and goes.
    AlertFlaps() {
        en: "🔁 It comes and goes. Its end is told when it has been well for 10 minutes.",
        ru: "🔁 Связь то есть, то нет. О конце сообщу, когда 10 минут всё будет в порядке.",
    }
    /// Alert: something is the matter with a node.
    AlertRaised(mark, name, what, since) {
        en: "{mark} <b>{name}</b>: {what}. Since {since} UTC.",
        ru: "{mark} <b>{name}</b>: {what}. С {since} UTC.",
    }
    /// Alert: something happened at a node.
    AlertEvent(mark, name, what, since) {
        en: "{mark} <b>{name}</b>: {what}. At {since} UTC.",
        ru: "{mark} <b>{name}</b>: {what}. В {since} UTC.",
    }
    /// Alert: it is over.
    AlertOver(name, what, since, until, lasted) {
        en: "🟢 <b>{name}</b>: over. {what}, from {since} to {until} UTC, {lasted}.",
        ru: "🟢 <b>{name}</b>: прошло. {what}, с {since} до {until} UTC, {lasted}.",
    }
    /// Alert: several of a kind stand.
    AlertMany(count, total) {
        en: "🟠 <b>Alerts open: {count} of {total}</b>",
        ru: "🟠 <b>Открыто предупреждений: {count} из {total}</b>",
    }
    /// Alert: all of several are over.
    AlertManyOver(count, lasted) {
        en: "🟢 <b>All {count} alerts are over</b> after {lasted}",
        ru: "🟢 <b>Все предупреждения ({count}) сняты</b>, прошло {lasted}",
    }
    /// A line of several: one that stands.
    AlertLine(mark, name, what, since) {
        en: "{mark} {name}: {what} · since {since} UTC",
        ru: "{mark} {name}: {what} · с {since} UTC",
    }
    /// A line of several: one that is over.
    AlertLineOver(name, what, since, until, lasted) {
        en: "🟢 {name}: {what} · {since} to {until} UTC, {lasted}",
        ru: "🟢 {name}: {what} · с {since} до {until} UTC, {lasted}",
    }
    /// Alert: somebody has seen it.
    AlertAcked(by, at) {
        en: "👁 Seen by {by} at {at} UTC",
        ru: "👁 Принято: {by}, {at} UTC",
    }
    /// Alert: somebody wants to hear nothing of it until then.
    AlertMutedUntil(by, until) {
        en: "🔕 Muted by {by} until {until} UTC",
        ru: "🔕 Без звука до {until} UTC: {by}",
    }
    /// Alert: somebody wants to hear nothing of it until it is well.
    AlertMuted(by) {
        en: "🔕 Muted by {by} until it is well",
        ru: "🔕 Без звука, пока не наладится: {by}",
    }
    /// Note: it is over.
    NoteOver(name, what, lasted) {
        en: "🟢 {name}: over after {lasted}. {what}",
        ru: "🟢 {name}: прошло, длилось {lasted}. {what}",
    }
    /// Note: all of a message is over.
    NoteManyOver(count, lasted) {
        en: "🟢 All {count} alerts are over after {lasted}",
        ru: "🟢 Все предупреждения ({count}) сняты, прошло {lasted}",
    }
    /// What is the matter: the node is down.
    WhatDown() {
        en: "down",
        ru: "не отвечает",
    }
    /// What is the matter.
    WhatDiskFull(part, value) {
        en: "the disk {part} is {value} full",
        ru: "диск {part} занят на {value}",
    }
    /// What is the matter.
    WhatDiskFillsUp(part, value) {
        en: "the disk {part} is full in {value} at this rate",
        ru: "диск {part} при таком темпе заполнится через {value}",
    }
    /// What is the matter.
    WhatMemory(value) {
        en: "{value} of the memory is in use",
        ru: "занято {value} памяти",
    }
    /// What is the matter.
    WhatCpu(value) {
        en: "the CPU is {value} busy",
        ru: "процессор занят на {value}",
    }
    /// What is the matter.
    WhatSwap() {
        en: "it swaps all the time",
        ru: "всё время обращается к подкачке",
    }
    /// What is the matter.
    WhatTemperature(part, value) {
        en: "{part} is at {value}",
        ru: "{part}: {value}",
    }
    /// What is the matter.
    WhatInodes(part, value) {
        en: "{value} of the inodes of {part} are in use",
        ru: "на {part} занято {value} индексных узлов",
    }
    /// What is the matter.
    WhatClock(value) {
        en: "its clock is off by {value}",
        ru: "часы расходятся на {value}",
    }
    /// What is the matter.
    WhatAgent() {
        en: "its agent does not answer",
        ru: "не отвечает её агент",
    }
    /// What happened.
    WhatReboot() {
        en: "it rebooted, and nobody ordered it here",
        ru: "перезагрузилась, и отсюда этого никто не приказывал",
    }
    /// What is the matter.
    WhatOtherProgram() {
        en: "another program polls with the bot’s token",
        ru: "другая программа опрашивает Telegram с токеном бота",
    }
    /// What happened.
    WhatTelegram() {
        en: "it could not reach Telegram",
        ru: "не было связи с Telegram",
    }
    /// What is the matter.
    WhatAlone() {
        en: "it sees few of the others",
        ru: "видит мало других узлов",
    }
    /// What is the matter.
    WhatTwoBoots() {
        en: "two processes run under its identity",
        ru: "под её именем работают два процесса",
    }
    /// What happened.
    WhatJoined() {
        en: "it joined the network",
        ru: "теперь в сети",
    }
    /// What happened.
    WhatRemoved() {
        en: "it was removed from the network",
        ru: "удалена из сети",
    }
    /// What happened.
    WhatAddress(part) {
        en: "it is reached at {part} now",
        ru: "теперь доступна по адресу {part}",
    }
    /// What happened.
    WhatVersion(part) {
        en: "version {part} is waiting",
        ru: "ждёт версия {part}",
    }
    /// What is the matter, in a newer version's word.
    WhatOther(kind) {
        en: "{kind}",
        ru: "тревога {kind}",
    }
    /// Alert: it goes on in another message.
    AlertMoved() {
        en: "↪️ This goes on in another message.",
        ru: "↪️ Продолжение — в другом сообщении.",
    }
    /// Note: a node is up again.
    NoteUp(name, lasted) {
        en: "🟢 {name} is up again after {lasted}",
        ru: "🟢 {name} снова отвечает, прошло {lasted}",
    }
    /// Note: all nodes of a message are up again.
    NoteManyUp(count, lasted) {
        en: "🟢 All {count} nodes are up again after {lasted}",
        ru: "🟢 Все узлы ({count}) снова отвечают, прошло {lasted}",
    }
    /// Note: an observer sees the others again.
    NoteTogether(name, lasted) {
        en: "🟢 {name} sees the others again after {lasted}",
        ru: "🟢 {name} снова видит остальных, прошло {lasted}",
    }
    /// Button: somebody has seen it.
    AlertSee() {
        en: "👁 Acknowledge",
        ru: "👁 Принято",
    }
    /// Button: nothing more of it for an hour.
    AlertMute1h() {
        en: "🔕 1 h",
        ru: "🔕 1 ч",
    }
    /// Button: nothing more of it for eight hours.
    AlertMute8h() {
        en: "🔕 8 h",
        ru: "🔕 8 ч",
    }
    /// Button: nothing more of it until it is well.
    AlertMuteLong() {
        en: "🔕 Until well",
        ru: "🔕 До исправления",
    }
    /// Button: tell it again.
    AlertUnmute() {
        en: "🔔 Unmute",
        ru: "🔔 Со звуком",
    }
    /// Button: the node's card.
    AlertCard() {
        en: "Card ›",
        ru: "Карточка ›",
    }
    /// Toast: it was noted that somebody has seen it.
    AlertSeen() {
        en: "Noted",
        ru: "Отмечено",
    }
    /// Toast: nothing more is told of it for a while.
    AlertMuteSet() {
        en: "Muted",
        ru: "Без звука",
    }
    /// Toast: it is told again.
    AlertMuteGone() {
        en: "Unmuted",
        ru: "Со звуком",
    }
    /// Toast: a press under an alert that is over.
    AlertIsOver() {
        en: "This is over by now.",
        ru: "Это уже прошло.",
    }
    /// Title of the list of alerts: none stands.
    AlertsNone() {
        en: "<b>Alerts</b>: all is well\n",
        ru: "<b>Предупреждения</b>: всё в порядке\n",
    }
    /// Title of the list of alerts: so many stand.
    AlertsOpen(count) {
        en: "<b>Alerts</b>: {count} open\n",
        ru: "<b>Предупреждения</b>: открыто {count}\n",
    }
    /// Title of those that are over.
    AlertsRecent() {
        en: "\n<b>Last ones</b>",
        ru: "\n<b>Последние</b>",
    }
    /// The command menu's words.
    MenuAlerts() {
        en: "Open alerts and the last ones",
        ru: "Открытые и последние предупреждения",
    }
    /// The help's line.
    HelpAlerts() {
        en: "/alerts — what is open, muted, and the last ones; /mute mutes what is open",
        ru: "/alerts — что открыто, что без звука, и последние; /mute отключает звук открытых",
    }
}
