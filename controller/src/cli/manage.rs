//! Verbs that change the network: who belongs, who owns it, which bot serves it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use tokio::time::{Instant, sleep};

use super::{CliError, MakeBot, init, print, told};
use crate::config::{Config, TokenSource, check};
use crate::control::{Change, Question, Told};
use crate::runner::BotClient;

#[derive(Debug, Subcommand)]
pub(super) enum Manage {
    /// Give a member another name. Run it where the leading node is.
    Rename {
        /// The member: its name, or its id from eight digits on.
        node: String,
        /// The new name: letters, digits, - _ and .
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Give a member another priority: of the members that live, the smallest leads. Run it where the leading node is.
    Priority {
        /// The member: its name, or its id from eight digits on.
        node: String,
        /// The new priority.
        #[arg(value_name = "NUMBER")]
        priority: u32,
        #[command(flatten)]
        form: Form,
    },
    /// Put a member out, for ever. Run it where the leading node is; that node itself can be put out too. Exits with 0 when it is out.
    Remove {
        /// The member: its name, or its id from eight digits on.
        node: String,
        #[command(flatten)]
        form: Form,
    },
    /// Change who owns the bot.
    Owner {
        #[command(subcommand)]
        verb: Owner,
    },
    /// Give the network a new token for its bot. Run it where the leading node is.
    SetToken {
        /// A file with the token, or - for standard input.
        #[arg(value_name = "PATH")]
        bot_token_file: PathBuf,
        #[command(flatten)]
        form: Form,
    },
    /// List the invitations, or revoke one.
    #[command(args_conflicts_with_subcommands = true)]
    Invites {
        #[command(subcommand)]
        verb: Option<Invites>,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Owner {
    /// Make a link for a new owner; the one before is turned away at once. The last line is the link.
    Set {
        /// The new owner's Telegram user name.
        #[arg(value_name = "NAME")]
        username: String,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Invites {
    /// End an invitation that nobody has used.
    Revoke {
        /// Its id, from eight digits on.
        id: String,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Args)]
pub(super) struct Form {
    /// As a JSON document.
    #[arg(long)]
    json: bool,
}

impl Manage {
    pub(super) async fn perform<B: BotClient>(self, config: &Config, make_bot: MakeBot<B>) -> Result<(), CliError> {
        match self {
            Self::Rename { node, name, form } => {
                print::edited(ask(config, Change::Rename { node, name }).await?, form.json, "has its new name");
            }
            Self::Priority { node, priority, form } => {
                let says = format!("has priority {priority}");
                print::edited(ask(config, Change::Priority { node, priority }).await?, form.json, &says);
            }
            Self::Remove { node, form } => return remove(config, node, form.json).await,
            Self::Owner { verb: Owner::Set { username, form } } => {
                let username = check::owner("the owner's name", &username)?;
                print::link(ask(config, Change::Owner { username }).await?, form.json);
            }
            Self::SetToken { bot_token_file, form } => {
                let token = TokenSource::File(bot_token_file).read()?;
                let bot = make_bot(config).map_err(CliError::Bot)?;
                let known = init::who_is(&bot, token.clone()).await?;
                ask(config, Change::Token { token }).await?;
                print::token_set(known.map(|(_, username)| username).as_deref(), form.json);
            }
            Self::Invites { verb: None, form } => print::invites(ask(config, Change::Invites {}).await?, form.json),
            Self::Invites { verb: Some(Invites::Revoke { id, form }), .. } => {
                ask(config, Change::Revoke { invite: id.clone() }).await?;
                print::revoked(&id, form.json);
            }
        }
        Ok(())
    }
}

/// A node that votes or leads gives that away first, which takes some seconds; the same request again tells how far it is.
async fn remove(config: &Config, node: String, json: bool) -> Result<(), CliError> {
    let by = Instant::now() + REMOVAL;
    let mut answer = ask(config, Change::Remove { node }).await?;
    while let Told::Edited { node_id, name, done: false } = &answer {
        if Instant::now() >= by {
            let late = format!(
                "{name} is on its way out, and not out yet: its vote or its lease is not taken by another; `status` says what lacks"
            );
            if json {
                print::told(answer);
            }
            return Err(CliError::Usage(late));
        }
        sleep(AGAIN).await;
        let name = name.clone();
        answer = match ask(config, Change::Remove { node: node_id.to_string() }).await? {
            Told::Edited { node_id, done, .. } => Told::Edited { node_id, name, done },
            other => other,
        };
    }
    print::removed(answer, json);
    Ok(())
}

async fn ask(config: &Config, change: Change) -> Result<Told, CliError> {
    told(config, Question::Change { change }).await
}

/// For a voter to be replaced and a leader to hand over: some seconds each, and more over long wires.
const REMOVAL: Duration = Duration::from_secs(60);

/// Between two questions on how far a removal is.
const AGAIN: Duration = Duration::from_millis(300);
