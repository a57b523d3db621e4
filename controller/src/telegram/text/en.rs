//! The bot's words in English. The leader is the Host there; a machine is a server.

use constella_core::bot::kit::say::Key;

/// The text of a key; `{name}` is a slot.
pub(super) const fn words(key: Key) -> &'static str {
    match key {
        Key::Refresh => "🔄 Refresh",
        Key::Speedtest => "⚡ Speedtest",
        Key::Reboot => "♻️ Reboot",
        Key::RebootYes => "♻️ Yes, reboot",
        Key::Cancel => "Cancel",
        Key::ToList => "☰ List",
        Key::ToCard => "‹ To the node",
        Key::Help => "❓ Help",
        Key::ListTitle => "<b>Network</b>: {alive} of {total} up",
        Key::ListEmpty => "The network has no nodes yet.",
        Key::Leader => "“Host”",
        Key::Alive => "up",
        Key::Left => "stopped",
        Key::LastSeen => "silent for {ago}",
        Key::NeverSeen => "not heard yet",
        Key::DownSince => "Down since {since} ({ago})",
        Key::DownBefore => "Down since before {since} ({ago})",
        Key::StoppedSince => "Stopped, last heard at {since} ({ago})",
        Key::VotersMissing => concat!(
            "⚠️ Voters missing: {missing} of {total}; needed: {needed}. Reboots, speedtests and invitations ",
            "work; no node can be renamed or removed.",
        ),
        Key::Cpu => "CPU",
        Key::Memory => "RAM",
        Key::Swap => "Swap",
        Key::Disk => "Disk",
        Key::Load => "Load",
        Key::Uptime => "Uptime",
        Key::RoundTrip => "Round trip",
        Key::Network => "Network",
        Key::Hours => "over {hours} h",
        Key::Average => "avg",
        Key::Peak => "peak",
        Key::LastSpeedtest => "Speedtest",
        Key::NoSpeedtest => "not run yet",
        Key::SpeedtestFailedShort => "failed: {why}",
        Key::SpeedtestRunningShort => "running now",
        Key::NoHistory => "no history yet",
        Key::Versions => "controller {controller}, agent {agent}",
        Key::NoFigures => "No figures: {why}",
        Key::FiguresOld => "⚠️ These figures are {ago} old.",
        Key::Loading => "the node is still answering…",
        Key::Latency => "Latency",
        Key::Jitter => "Jitter",
        Key::Download => "Download",
        Key::Upload => "Upload",
        Key::SpeedtestTitle => "⚡ <b>{name}</b>: speedtest",
        Key::SpeedtestAsked => "⚡ <b>{name}</b>: starting a speedtest…",
        Key::PhaseLatency => "measuring latency",
        Key::PhaseDownload => "measuring download",
        Key::PhaseUpload => "measuring upload",
        Key::SpeedtestDone => "⚡ <b>{name}</b>: speedtest finished",
        Key::SpeedtestNotice => "⚡ <b>{name}</b>: speedtest finished, download {download}, upload {upload}",
        Key::SpeedtestFailed => "⚡ <b>{name}</b>: the speedtest failed: {why}",
        Key::SpeedtestLost => concat!(
            "⚡ <b>{name}</b>: the node stopped answering, there is no result (waited {waited}). Look at its ",
            "card later.",
        ),
        Key::SpeedtestUnknown => concat!(
            "⚡ <b>{name}</b>: the test was asked for through {via}, and the node has no result of it. Start ",
            "it again.",
        ),
        Key::ConfirmReboot => "♻️ Reboot <b>{name}</b>?\nThe button works once, for {seconds} s.",
        Key::ConfirmRebootLeader => concat!(
            "♻️ Reboot <b>{name}</b>?\nIt is the Host now: another node will take over the bot.\nThe button ",
            "works once, for {seconds} s.",
        ),
        Key::ConfirmRebootAlone => concat!(
            "♻️ Reboot <b>{name}</b>?\nIt is the Host now, and no other node can take over the bot: until it is back, ",
            "nobody answers here.\nThe button works once, for {seconds} s.",
        ),
        Key::ConfirmOver => concat!(
            "⌛ <b>{name}</b>: the confirmation has run out, nothing was done. Open the node to ask for the reboot ",
            "again.",
        ),
        Key::ConfirmExpired => "The button's time is over, nothing was done. Open the node to ask again.",
        Key::ConfirmUsed => {
            "This button was used before, or a newer one took its place: nothing was done by this press."
        }
        Key::ConfirmElsewhere => concat!(
            "An earlier Host showed this button; whether it took your press is not known here. Look at the node ",
            "first.",
        ),
        Key::ConfirmTaken => concat!(
            "⚠️ <b>{name}</b>: an earlier Host showed this button; whether it took your confirmation and gave the ",
            "order is not known here. Look at the node before you confirm again.",
        ),
        Key::RebootAsking => "♻️ <b>{name}</b>: asking it to reboot…",
        Key::RebootGoing => "♻️ <b>{name}</b>: the command was taken, the server has not gone down yet ({waited}).",
        Key::RebootAway => "♻️ <b>{name}</b>: the server does not answer, waiting for it to come back ({waited}).",
        Key::RebootUnsure => {
            "⚠️ <b>{name}</b>: it is not known whether the command arrived ({why}). Watching the server."
        }
        Key::RebootViaGone => concat!(
            "⚠️ The reboot was asked through {via}, which died; watching <b>{name}</b>. It is not asked ",
            "again.",
        ),
        Key::RebootVia => concat!(
            "⚠️ The reboot was asked through {via}, which is the Host no longer; watching <b>{name}</b>. It is not ",
            "asked again.",
        ),
        Key::Farewell => concat!(
            "⚠️ <b>{name}</b> was removed from the network while it alone had commands of yours in hand ({count}). ",
            "What came of them is not known here; please ask again.",
        ),
        Key::RebootSelf => concat!(
            "⚠️ The reboot was asked before the Host changed or started again, its outcome is not known; watching ",
            "<b>{name}</b>. It is not asked again.",
        ),
        Key::RebootStillUp => "♻️ <b>{name}</b>: the server answers and has not rebooted yet ({waited}).",
        Key::RebootBack => "✅ <b>{name}</b> is back after {took}.",
        Key::RebootBackSometime => "✅ <b>{name}</b> is back.",
        Key::RebootNotBack => {
            "🔴 <b>{name}</b> did not come back in {waited}. No longer watching; look at its console."
        }
        Key::RebootUntold => {
            "❓ <b>{name}</b> answers, but whether it rebooted is not known after {waited}: it tells neither its boot nor its uptime."
        }
        Key::RebootNotDone => "⚠️ <b>{name}</b> did not reboot: after {waited} it still runs as before.",
        Key::RebootFailed => "🔴 <b>{name}</b>: the server's reboot command failed: {why}",
        Key::RebootRefused => "🔴 <b>{name}</b> refused to reboot: {why}. Nothing was done.",
        Key::RebootNotSent => "🔴 <b>{name}</b>: the reboot was not asked for: {why}. Nothing was done.",
        Key::RebootTooLate => concat!(
            "⚠️ <b>{name}</b>: the Host changed and the confirmation ran out. Nothing was done; confirm ",
            "again if you still want it.",
        ),
        Key::WhyDisabled => "switched off in the server's settings",
        Key::WhyOldTerm => "the node already follows another Host",
        Key::WhyTooLate => "the confirmation is too old",
        Key::WhyBusy => "the node is busy with such a command, or has just finished one",
        Key::WhyAgentUnreachable => "the agent on the server does not answer",
        Key::WhyAgentFailed => "the agent says: {message}",
        Key::WhyOther => "the node says: {message}",
        Key::WhyNoAnswer => "the node did not answer in time",
        Key::WhyNoConnection => "no connection to the node",
        Key::WhyExit => "status {status}, {message}",
        Key::WhySignal => "ended by a signal, {message}",
        Key::NodeGone => "This node is no longer in the network.",
        Key::UnknownButton => "This button is of another version of the bot.",
        Key::OldMessage => "This message is old, the current one is below.",
        Key::FloodWait => "Telegram lets the bot show nothing for {wait}. The answer comes then.",
        Key::Forwarded => {
            "This was forwarded, so it is not your own command and nothing was done. Send it yourself if you want it."
        }
        Key::PrivateOnly => "I answer in a private chat.",
        Key::AnswerRefused => "🔴 Telegram did not take the answer: {why}",
        Key::WhileRefused => concat!(
            "⚠️ While Telegram refused the bot's messages, from {from} to {to} UTC ({span}), you asked: {asked}. What is ",
            "below is of now; ask again for the rest.",
        ),
        Key::AnsweredLate => concat!(
            "⚠️ Asked between {from} and {to} UTC ({span}) and not answered in time: {asked}. What is below is of now; ",
            "ask again for the rest.",
        ),
        Key::AndMore => "and {count} more",
        Key::SeveralMeant => "{count} nodes fit “{text}”:",
        Key::NodeDown => "This node is down: nothing can be asked of it now.",
        Key::AskLanguage => "Which language?",
        Key::UnknownText => "I know no such command, and no node of this name.",
        Key::OtherVersion => concat!(
            "⚠️ A newer version of Constella began what you asked for, and this one cannot know what came of it. ",
            "Look before you ask again.",
        ),
        Key::HelpText => concat!(
            "<b>What the bot does</b>\n/nodes — the network's nodes: tap one to see its figures, test its ",
            "speed, or reboot it\na node's name, or how it begins — that node\n/invite 15m — a link for a new server; ",
            "units: s, m, h, d\n/lang — language\n/help — this help\n\nThe bot runs on one of the nodes, the Host. ",
            "When that one is gone, another that is up answers within seconds.",
        ),
        Key::Welcome => "Hello @{name}. The network now obeys you alone.",
        Key::Stranger => concat!(
            "This bot serves its owner only. If that is you, open the link that constella-controller ",
            "owner-link prints.",
        ),
        Key::InviteReady => "🔑 <b>Invitation</b>, valid for {ttl}, for one server:",
        Key::InviteWhatNow => concat!(
            "On the new server, in Constella's folder, paste the whole block into a shell. It keeps the link out of ",
            "the shell's history. Show it to nobody: whoever has it can enter the network. This message will say ",
            "when the invitation is used or over.",
        ),
        Key::InviteUsage => "That is no duration. Example: /invite 15m (s, m, h, d).",
        Key::InviteBounds => "An invitation holds for {least} to {most}. Example: /invite 15m.",
        Key::InviteFailed => "🔴 No invitation: {why}",
        Key::InviteTooMany => "{count} of them are open. Wait until one is used or expires.",
        Key::InviteNoAddress => "this node does not know its own address yet. Try again in a minute.",
        Key::InviteUsed => "🔑 The invitation is used: <b>{name}</b> joined with it.",
        Key::InviteOver => "🔑 The invitation has expired, nobody used it. For a new one: /invite",
        Key::LanguageSet => "English from now on.",
        Key::TokenElsewhere => concat!(
            "⚠️ Another program uses this bot's token and takes your commands, so the bot stands aside. Stop that program, ",
            "or give it a bot of its own: two programs cannot share one token.",
        ),
        Key::TokenOursAgain => "✅ No other program uses this bot's token any longer. Ask again what was not answered.",
        Key::WebhookSet => concat!(
            "⚠️ A webhook is set for this bot, so what you write goes there and not here. Stop the program that set it, or ",
            "call deleteWebhook of the Bot API; everything goes on by itself then.",
        ),
        Key::WebhookGone => "✅ The webhook is gone, the bot answers again.",
        Key::DiskTrouble => concat!(
            "💾 <b>{name}</b>: {why}. It shows figures and can be rebooted, but takes no orders and no changes ",
            "until that is over; then it goes on by itself.",
        ),
        Key::DiskAgain => "💾 <b>{name}</b>: the disk takes data again.",
        Key::DiskRefuses => {
            "⛔ Nothing was done: <b>{name}</b> leads, and {why}. Views work. Make room on it, then ask again."
        }
        Key::DiskMark => "💾 {why}",
        Key::WhyDiskFull => "the disk is full",
        Key::WhyDiskReadOnly => "the disk is read-only",
        Key::WhyDiskDenied => "the state folder cannot be written",
        Key::WhyDiskFailing => "the disk fails",
        Key::MenuNodes => "The network's nodes",
        Key::MenuInvite => "Invite a server: /invite 15m",
        Key::MenuLang => "Language",
        Key::MenuHelp => "Help",
    }
}
