//! The methods by name, and those about the bot itself.

use serde_json::{Value, json};

use super::chat::{Chat, put};
use super::queue::Answered;
use super::refusal::Refusal;
use super::units::{ChatId, Ms};
use super::{Args, Menu, Model, Scope, allowed_updates};

type Outcome = Result<Value, Refusal>;

impl Model {
    /// Performs one method; the second part is what it made of calls that waited.
    pub(super) fn perform(&mut self, now: Ms, method: &str, args: &Args) -> (Outcome, Vec<Answered<Value>>) {
        let outcome = match method {
            "getme" => Ok(self.get_me()),
            "getwebhookinfo" => Ok(self.get_webhook_info()),
            "setwebhook" if args.given("url").is_some() => return self.set_webhook(now, args),
            "setwebhook" | "deletewebhook" => {
                self.queue.delete_webhook(now, args.flag("drop_pending_updates"));
                Ok(true.into())
            }
            "setmycommands" => self.set_my_commands(args),
            "getmycommands" => menu_of(args).map(|menu| self.commands.get(&menu).cloned().unwrap_or_else(|| json!([]))),
            "deletemycommands" => menu_of(args).map(|menu| {
                self.commands.remove(&menu);
                self.changed();
                true.into()
            }),
            "getchat" => self.chat_of(args).map(get_chat),
            "sendmessage" => self.send_message(now, args),
            "sendphoto" => self.send_photo(now, args),
            "editmessagetext" => self.edit_text(now, args),
            "editmessagecaption" => self.edit_caption(now, args),
            "editmessagemedia" => self.edit_media(now, args),
            "editmessagereplymarkup" => self.edit_reply_markup(now, args),
            "deletemessage" => self.delete_message(now, args),
            "answercallbackquery" => self.answer_callback_query(now, args),
            "sendchataction" => self.send_chat_action(args),
            _ => Err(Refusal::MethodNotFound),
        };
        (outcome, Vec::new())
    }

    /// The chat that `chat_id` names.
    pub(super) fn chat_of(&self, args: &Args) -> Result<&Chat, Refusal> {
        let id = args.given("chat_id").ok_or(Refusal::ChatIdEmpty)?;
        let id = id.trim().parse().map(ChatId).map_err(|_| Refusal::ChatNotFound)?;
        self.chats.get(&id).ok_or(Refusal::ChatNotFound)
    }

    fn get_me(&self) -> Value {
        let mut bot = self.bot_json();
        for (name, value) in [
            ("can_join_groups", true),
            ("can_read_all_group_messages", false),
            ("supports_inline_queries", false),
            ("can_connect_to_business", false),
            ("has_main_web_app", false),
        ] {
            put(&mut bot, name, Some(value.into()));
        }
        bot
    }

    fn get_webhook_info(&self) -> Value {
        let info = self.queue.webhook_info();
        let mut value = json!({
            "url": info.url,
            "has_custom_certificate": false,
            "pending_update_count": info.pending_update_count,
        });
        put(&mut value, "allowed_updates", info.allowed_updates.map(Value::from));
        value
    }

    fn set_webhook(&mut self, now: Ms, args: &Args) -> (Outcome, Vec<Answered<Value>>) {
        let url = args.text("url");
        if !url.starts_with("https://") {
            return (Err(Refusal::WebhookUrl), Vec::new());
        }
        let drop_pending = args.flag("drop_pending_updates");
        let ended = self.queue.set_webhook(now, url, drop_pending, allowed_updates(args).as_deref());
        (Ok(true.into()), ended)
    }

    fn set_my_commands(&mut self, args: &Args) -> Outcome {
        let commands: Vec<Value> =
            serde_json::from_str(args.text("commands")).map_err(|_| Refusal::Command("expected an Array"))?;
        if commands.len() > MAX_COMMANDS {
            return Err(Refusal::Command("too many commands"));
        }
        for command in &commands {
            let field = |name: &str| command.get(name).and_then(Value::as_str);
            let name = field("command").ok_or(Refusal::Command("Can't find field \"command\""))?;
            let about = field("description").ok_or(Refusal::Command("Can't find field \"description\""))?;
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || name.len() > MAX_COMMAND_BYTES || !name.chars().all(is_name) {
                return Err(Refusal::CommandInvalid);
            }
            if about.is_empty() || about.encode_utf16().count() > MAX_COMMAND_DESCRIPTION {
                return Err(Refusal::CommandDescription);
            }
        }
        let menu = menu_of(args)?;
        if let Scope::Chat(chat) = menu.0
            && !self.chats.contains_key(&chat)
        {
            return Err(Refusal::ChatNotFound);
        }
        self.commands.insert(menu, commands.into());
        self.changed();
        Ok(true.into())
    }

    fn answer_callback_query(&mut self, now: Ms, args: &Args) -> Outcome {
        let (ttl_ms, version) = (self.config.callback_ttl_ms, self.version + 1);
        let query = args.text("callback_query_id");
        self.callbacks.answer(now, query, ttl_ms, version, args.text("text"), args.flag("show_alert"))?;
        self.changed();
        Ok(true.into())
    }

    fn send_chat_action(&mut self, args: &Args) -> Outcome {
        if self.chat_of(args)?.blocked {
            return Err(Refusal::Blocked);
        }
        if CHAT_ACTIONS.contains(&args.text("action")) { Ok(true.into()) } else { Err(Refusal::ChatAction) }
    }
}

/// Whose menu it is: a scope, and a language in it. Of the scopes, those that a bot for private chats may name.
fn menu_of(args: &Args) -> Result<Menu, Refusal> {
    let language = args.text("language_code").to_owned();
    let Some(scope) = args.given("scope") else { return Ok((Scope::Default, language)) };
    let scope: Value = serde_json::from_str(scope).map_err(|_| Refusal::Command("expected an Object as scope"))?;
    let scope = match scope.get("type").and_then(Value::as_str) {
        Some("default") => Scope::Default,
        Some("all_private_chats") => Scope::PrivateChats,
        Some("chat") => {
            let chat = scope.get("chat_id").and_then(Value::as_i64);
            Scope::Chat(chat.map(ChatId).ok_or(Refusal::ChatNotFound)?)
        }
        _ => return Err(Refusal::Command("unsupported scope type")),
    };
    Ok((scope, language))
}

/// ChatFullInfo, with the fields that the Bot API always sends.
fn get_chat(chat: &Chat) -> Value {
    let mut value = chat.json();
    put(&mut value, "accent_color_id", Some(0.into()));
    put(&mut value, "max_reaction_count", Some(11.into()));
    let gifts = ["unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"];
    let gifts = gifts.into_iter().map(|kind| (kind.to_owned(), true.into())).collect();
    put(&mut value, "accepted_gift_types", Some(Value::Object(gifts)));
    value
}

/// Bot API, setMyCommands.
const MAX_COMMANDS: usize = 100;
/// Bot API, BotCommand: 1 to 32 characters.
const MAX_COMMAND_BYTES: usize = 32;
/// Bot API, BotCommand: 1 to 256 characters.
const MAX_COMMAND_DESCRIPTION: usize = 256;
/// Bot API, sendChatAction.
const CHAT_ACTIONS: [&str; 11] = [
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];
