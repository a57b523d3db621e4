//! The bot's words in Russian.

use constella_core::bot::text::Key;

/// The text of a key; `{name}` is a slot.
pub(super) const fn words(key: Key) -> &'static str {
    match key {
        Key::Refresh => "🔄 Обновить",
        Key::Speedtest => "⚡ Тест скорости",
        Key::Reboot => "♻️ Перезагрузить",
        Key::RebootYes => "♻️ Да, перезагрузить",
        Key::Cancel => "Отмена",
        Key::ToList => "☰ Список",
        Key::ToCard => "‹ К узлу",
        Key::Help => "❓ Помощь",
        Key::ListTitle => "<b>Сеть</b>: работает {alive} из {total}",
        Key::ListEmpty => "В сети пока нет узлов.",
        Key::Leader => "«Хост»",
        Key::Alive => "на связи",
        Key::Left => "остановлен",
        Key::LastSeen => "не отвечает {ago}",
        Key::NeverSeen => "ещё не отвечал",
        Key::DownSince => "Не отвечает с {since} ({ago})",
        Key::DownBefore => "Не отвечает как минимум с {since} ({ago})",
        Key::StoppedSince => "Остановлен, был на связи в {since} ({ago})",
        Key::VotersMissing => concat!(
            "⚠️ Нет голосующих узлов: {missing} из {total}; нужно: {needed}. Перезагрузки, тесты скорости и ",
            "приглашения работают; переименовать или исключить узел нельзя.",
        ),
        Key::Cpu => "CPU",
        Key::Memory => "ОЗУ",
        Key::Swap => "Подкачка",
        Key::Disk => "Диск",
        Key::Load => "Нагрузка",
        Key::Uptime => "Работает",
        Key::RoundTrip => "Отклик",
        Key::Network => "Сеть",
        Key::Hours => "за {hours} ч",
        Key::Average => "сред.",
        Key::Peak => "пик",
        Key::LastSpeedtest => "Тест скорости",
        Key::NoSpeedtest => "ещё не проводился",
        Key::SpeedtestFailedShort => "не удался: {why}",
        Key::SpeedtestRunningShort => "идёт сейчас",
        Key::NoHistory => "истории пока нет",
        Key::Versions => "контроллер {controller}, агент {agent}",
        Key::NoFigures => "Показателей нет: {why}",
        Key::FiguresOld => "⚠️ Показателям уже {ago}.",
        Key::Loading => "узел ещё отвечает…",
        Key::Latency => "Задержка",
        Key::Jitter => "Разброс",
        Key::Download => "Приём",
        Key::Upload => "Отдача",
        Key::SpeedtestTitle => "⚡ <b>{name}</b>: тест скорости",
        Key::SpeedtestAsked => "⚡ <b>{name}</b>: запускаю тест скорости…",
        Key::PhaseLatency => "измеряю задержку",
        Key::PhaseDownload => "измеряю приём",
        Key::PhaseUpload => "измеряю отдачу",
        Key::SpeedtestDone => "⚡ <b>{name}</b>: тест скорости закончен",
        Key::SpeedtestNotice => "⚡ <b>{name}</b>: тест скорости закончен, приём {download}, отдача {upload}",
        Key::SpeedtestFailed => "⚡ <b>{name}</b>: тест скорости не удался: {why}",
        Key::SpeedtestLost => concat!(
            "⚡ <b>{name}</b>: узел перестал отвечать, результата теста нет (ждал {waited}). Откройте ",
            "карточку узла позже.",
        ),
        Key::SpeedtestUnknown => concat!(
            "⚡ <b>{name}</b>: тест был запрошен через {via}, его результата на узле нет. Запустите тест ещё ",
            "раз.",
        ),
        Key::ConfirmReboot => "♻️ Перезагрузить <b>{name}</b>?\nКнопка сработает один раз в течение {seconds} с.",
        Key::ConfirmRebootLeader => concat!(
            "♻️ Перезагрузить <b>{name}</b>?\nСейчас это «Хост»: бот перейдёт к другому узлу.\nКнопка ",
            "сработает один раз в течение {seconds} с.",
        ),
        Key::ConfirmRebootAlone => concat!(
            "♻️ Перезагрузить <b>{name}</b>?\nСейчас это «Хост», и заменить его некому: пока он не вернётся, бот не ",
            "ответит.\nКнопка сработает один раз в течение {seconds} с.",
        ),
        Key::ConfirmOver => concat!(
            "⌛ <b>{name}</b>: время подтверждения вышло, ничего не сделано. Чтобы перезагрузить, откройте узел и ",
            "запросите снова.",
        ),
        Key::ConfirmExpired => "Время кнопки вышло, ничего не сделано. Откройте узел и запросите снова.",
        Key::ConfirmUsed => "Эта кнопка уже использована, или её сменила новая: это нажатие ничего не сделало.",
        Key::ConfirmElsewhere => concat!(
            "Эту кнопку показал прежний «Хост»; принял ли он нажатие, здесь неизвестно. Сначала взгляните на ",
            "узел.",
        ),
        Key::ConfirmTaken => concat!(
            "⚠️ <b>{name}</b>: эту кнопку показал прежний «Хост»; принял ли он подтверждение и отдал ли команду, ",
            "здесь неизвестно. Взгляните на узел, прежде чем подтвердить ещё раз.",
        ),
        Key::RebootAsking => "♻️ <b>{name}</b>: прошу перезагрузиться…",
        Key::RebootGoing => "♻️ <b>{name}</b>: команда принята, узел ещё не выключился ({waited}).",
        Key::RebootAway => "♻️ <b>{name}</b>: узел не отвечает, жду его возвращения ({waited}).",
        Key::RebootUnsure => "⚠️ <b>{name}</b>: неизвестно, дошла ли команда ({why}). Слежу за узлом.",
        Key::RebootViaGone => concat!(
            "⚠️ Перезагрузка запрошена через {via}, который пропал; слежу за <b>{name}</b>. Второй раз не ",
            "прошу.",
        ),
        Key::RebootVia => concat!(
            "⚠️ Перезагрузка запрошена через {via}, он больше не «Хост»; слежу за <b>{name}</b>. Второй раз ",
            "не прошу.",
        ),
        Key::Farewell => concat!(
            "⚠️ <b>{name}</b> исключён из сети, а ваши команды ({count}) были только у него. Что с ними стало, здесь ",
            "неизвестно; пожалуйста, повторите их.",
        ),
        Key::RebootSelf => concat!(
            "⚠️ Перезагрузка запрошена до смены или перезапуска «Хоста», её исход неизвестен; слежу за <b>{name}</b>. Второй ",
            "раз не прошу.",
        ),
        Key::RebootStillUp => "♻️ <b>{name}</b>: узел отвечает и пока не перезагружался ({waited}).",
        Key::RebootBack => "✅ <b>{name}</b> снова работает, через {took}.",
        Key::RebootBackSometime => "✅ <b>{name}</b> снова работает.",
        Key::RebootNotBack => {
            "🔴 <b>{name}</b> не вернулся за {waited}. Больше не слежу; проверьте узел в консоли хостера."
        }
        Key::RebootUntold => {
            "❓ <b>{name}</b> отвечает, но и через {waited} неизвестно, перезагрузился ли он: он не сообщает ни номера загрузки, ни времени работы."
        }
        Key::RebootNotDone => "⚠️ <b>{name}</b> не перезагрузился: и через {waited} он работает без перерыва.",
        Key::RebootFailed => "🔴 <b>{name}</b>: команда перезагрузки на узле не удалась: {why}",
        Key::RebootRefused => "🔴 <b>{name}</b> отказал в перезагрузке: {why}. Ничего не сделано.",
        Key::RebootNotSent => "🔴 <b>{name}</b>: перезагрузка не запрошена: {why}. Ничего не сделано.",
        Key::RebootTooLate => concat!(
            "⚠️ <b>{name}</b>: сменился «Хост», и время подтверждения вышло. Ничего не сделано; если нужно, ",
            "подтвердите снова.",
        ),
        Key::WhyDisabled => "запрещено в настройках узла",
        Key::WhyOldTerm => "узел уже слушает другого «Хоста»",
        Key::WhyTooLate => "подтверждение устарело",
        Key::WhyBusy => "узел занят такой же командой или выполнил её только что",
        Key::WhyAgentUnreachable => "агент на узле не отвечает",
        Key::WhyAgentFailed => "ответ агента: {message}",
        Key::WhyOther => "ответ узла: {message}",
        Key::WhyNoAnswer => "узел не ответил вовремя",
        Key::WhyNoConnection => "нет связи с узлом",
        Key::WhyExit => "код {status}, {message}",
        Key::WhySignal => "прервана сигналом, {message}",
        Key::NodeGone => "Этого узла больше нет в сети.",
        Key::UnknownButton => "Эта кнопка от другой версии бота.",
        Key::OldMessage => "Это старое сообщение, новое ниже.",
        Key::FloodWait => "Telegram не даёт боту ничего показать ещё {wait}. Ответ придёт после этого.",
        Key::Forwarded => {
            "Это пересланное сообщение, а не ваша команда: ничего не сделано. Если нужно, отправьте её сами."
        }
        Key::PrivateOnly => "Я отвечаю в личном чате.",
        Key::AnswerRefused => "🔴 Telegram не принял ответ: {why}",
        Key::WhileRefused => concat!(
            "⚠️ Пока Telegram не принимал сообщений бота, с {from} до {to} UTC ({span}), вы спрашивали: {asked}. Ниже то, ",
            "что есть сейчас; остальное спросите ещё раз.",
        ),
        Key::AnsweredLate => concat!(
            "⚠️ Спрошено с {from} до {to} UTC ({span}) и вовремя не отвечено: {asked}. Ниже то, что есть сейчас; ",
            "остальное спросите ещё раз.",
        ),
        Key::AndMore => "и ещё {count}",
        Key::SeveralMeant => "Под «{text}» подходит узлов: {count}",
        Key::NodeDown => "Этот узел не отвечает: сейчас у него ничего не запросить.",
        Key::AskLanguage => "Какой язык?",
        Key::UnknownText => "Нет ни такой команды, ни узла с таким именем.",
        Key::OtherVersion => concat!(
            "⚠️ То, о чём вы просили, начала более новая версия Constella, и этой версии не узнать, чем оно ",
            "кончилось. Проверьте, прежде чем просить снова.",
        ),
        Key::HelpText => concat!(
            "<b>Что умеет бот</b>\n/nodes — узлы сети: нажмите узел, чтобы увидеть его показатели, проверить ",
            "скорость или перезагрузить\nимя узла или его начало — этот узел\n/invite 15m — ссылка для нового ",
            "сервера; срок: s, m, h, d\n/lang — язык\n/help — эта справка\n\nБот работает на одном из узлов ",
            "(«Хост»). Если он пропадёт, через несколько секунд ответит другой, если он на связи.",
        ),
        Key::Welcome => "Здравствуйте, @{name}. Сеть теперь слушается только вас.",
        Key::Stranger => concat!(
            "Этот бот служит только своему владельцу. Если это вы, откройте ссылку, которую печатает ",
            "constella-controller owner-link.",
        ),
        Key::InviteReady => "🔑 <b>Приглашение</b>, действует {ttl}, для одного сервера:",
        Key::InviteWhatNow => concat!(
            "На новом сервере, в папке с Constella, вставьте весь блок в командную строку. Ссылка не попадёт в её ",
            "историю. Никому её не показывайте: с ней любой войдёт в сеть. Когда приглашение используют или его ",
            "срок выйдет, это сообщение скажет об этом.",
        ),
        Key::InviteUsage => "Срок приглашения не понят. Пример: /invite 15m (s, m, h, d).",
        Key::InviteBounds => "Срок приглашения: от {least} до {most}. Пример: /invite 15m.",
        Key::InviteFailed => "🔴 Приглашения нет: {why}",
        Key::InviteTooMany => "их уже {count}. Подождите, пока одно используют или его срок выйдет.",
        Key::InviteNoAddress => "этот узел ещё не знает своего адреса. Попробуйте через минуту.",
        Key::InviteUsed => "🔑 Приглашение использовано: по нему вошёл <b>{name}</b>.",
        Key::InviteOver => "🔑 Срок приглашения вышел, никто им не воспользовался. Новое: /invite",
        Key::LanguageSet => "Теперь по-русски.",
        Key::TokenElsewhere => concat!(
            "⚠️ Этим токеном пользуется ещё одна программа: она забирает ваши команды, и бот уступает ей. Остановите её; ",
            "или возьмите новый токен у @BotFather и выполните на узле <code>constella-controller set-token</code>.",
        ),
        Key::TokenOursAgain => {
            "✅ Другая программа больше не пользуется токеном. Повторите то, что осталось без ответа."
        }
        Key::WebhookSet => concat!(
            "⚠️ Для бота задан вебхук: всё, что вы пишете, уходит туда, а не сюда. Остановите программу, которая его ",
            "задала, или вызовите deleteWebhook в Bot API; дальше всё пойдёт само.",
        ),
        Key::WebhookGone => "✅ Вебхук удалён, бот снова отвечает.",
        Key::MenuNodes => "Узлы сети",
        Key::MenuInvite => "Пригласить сервер: /invite 15m",
        Key::MenuLang => "Язык",
        Key::MenuHelp => "Справка",
    }
}
