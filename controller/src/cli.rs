//! The operator's command line. While a controller runs, every verb but `init`, `join` and `run` speaks to it over its control socket.

mod init;
mod manage;
mod print;
mod series;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use constella_shared::link::parse_ttl;
use constella_shared::secret::Secret;
use constella_shared::wire::rpc::RpcError;

use crate::config::{Config, ConfigError, Environment, TokenSource, check, settings};
use crate::control::{ControlError, Question, Told, ask};
use crate::doctor::{self, Verdict};
use crate::founding::NoRandomness;
use crate::runner::BotClient;
use crate::service::{self, ServiceError};
use crate::state::StateError;

/// Constella's controller.
#[derive(Debug, Parser)]
#[command(name = "constella-controller", version = crate::VERSION, about, arg_required_else_help = false, after_help = SETTINGS_ARE)]
struct Cli {
    /// The node's state folder (STATE_DIR).
    #[arg(long, global = true, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run this node (the default).
    #[command(after_help = settings::help())]
    Run,
    /// Found a network. The last line is the owner's link.
    Init(Init),
    /// Join a network.
    Join(Join),
    /// Make an invitation. The last line is the link.
    Invite {
        /// How long it holds: 90, 90s, 15m, 2h, 1d.
        #[arg(long, default_value = "15m")]
        ttl: String,
        /// As a JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Make the owner's link, as long as nobody has used one. The last line is the link.
    OwnerLink {
        /// As a JSON document.
        #[arg(long)]
        json: bool,
    },
    /// List the members as this node sees them.
    Peers {
        /// As a JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Say what this node is doing.
    Status {
        /// As a JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Ask a member by hand, e.g. rpc --addr 203.0.113.7:4747 GetStats '{}'.
    Rpc {
        /// Where the member is reached.
        #[arg(long, value_name = "HOST:PORT")]
        addr: String,
        /// The method.
        method: String,
        /// Its parameters, a JSON object.
        #[arg(default_value = "{}")]
        params: String,
    },
    #[command(flatten)]
    Manage(manage::Manage),
    /// Show what a node measured: a summary, a document, or a chart.
    Series(series::Args),
    /// Look for what may be wrong with this node, and say what to do. Exits with 1 when something does not work.
    Doctor {
        /// As a JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Exit with 0 when the controller that runs here answers.
    Healthcheck,
    /// Print the version.
    Version,
}

/// For the end of `--help`.
const SETTINGS_ARE: &str =
    "Settings come from the environment and config.toml: `constella-controller run --help` lists them.";

/// What `init` is told.
#[derive(Debug, Args)]
struct Init {
    /// The owner's Telegram user name (OWNER_USERNAME).
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// A file with the bot's token, or - for standard input (BOT_TOKEN_FILE).
    #[arg(long, value_name = "PATH")]
    bot_token_file: Option<PathBuf>,
    /// The bot's token itself; everybody on this host can read a command line, so prefer the file.
    #[arg(long, value_name = "TOKEN", conflicts_with = "bot_token_file")]
    bot_token: Option<String>,
    /// Keep the token on this node; members then never get it.
    #[arg(long)]
    no_share_token: bool,
    #[command(flatten)]
    node: NodeArgs,
    /// As a JSON document.
    #[arg(long)]
    json: bool,
}

/// What `join` is told.
#[derive(Debug, Args)]
struct Join {
    /// The invitation, or - for standard input (JOIN_URL).
    #[arg(value_name = "LINK")]
    link: Option<String>,
    /// A file with the invitation: a command line can be read by everybody on this host.
    #[arg(long, value_name = "PATH", conflicts_with = "link")]
    join_file: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
}

/// What a new node is told of itself.
#[derive(Debug, Args)]
struct NodeArgs {
    /// This server's name (SERVER_NAME; the host's name where absent).
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// Where others reach it (PUBLIC_ADDR).
    #[arg(long, value_name = "HOST[:PORT]")]
    public_addr: Option<String>,
    /// Smaller leads (PRIORITY).
    #[arg(long, value_name = "NUMBER")]
    priority: Option<u32>,
}

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error("{}", .0.message)]
    Refused(RpcError),
    #[error("{0}")]
    Usage(String),
    #[error("{0} of the checks failed; what to do is in their lines")]
    Unwell(usize),
    #[error("the connection to Telegram cannot be set up: {0}")]
    Bot(String),
    #[error("the runtime cannot be started")]
    Runtime(#[source] std::io::Error),
}

/// Makes the way to Telegram from the settings; one sentence, without secrets, where it cannot.
pub type MakeBot<B> = fn(&Config) -> Result<B, String>;

/// Runs the command line of the process.
#[must_use]
pub fn main<B: BotClient>(make_bot: MakeBot<B>) -> ExitCode {
    let cli = Cli::parse();
    match run(cli, &Environment::of_process(), make_bot) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run<B: BotClient>(cli: Cli, environment: &Environment, make_bot: MakeBot<B>) -> Result<(), CliError> {
    let verb = cli.verb.unwrap_or(Verb::Run);
    if matches!(verb, Verb::Version) {
        print::line(crate::VERSION);
        return Ok(());
    }
    let config = Config::load(environment, cli.state_dir.as_deref())?;
    // One thread serves a node: its work is waiting.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CliError::Runtime)?;
    runtime.block_on(verb.perform(config, make_bot))
}

impl Verb {
    async fn perform<B: BotClient>(self, mut config: Config, make_bot: MakeBot<B>) -> Result<(), CliError> {
        match self {
            Self::Run => {
                print::start_log(&config.log)?;
                keep_to_itself();
                let bot = make_bot(&config).map_err(CliError::Bot)?;
                service::run(config, bot).await?;
            }
            Self::Init(init) => {
                let bot = make_bot(&config).map_err(CliError::Bot)?;
                init::init(init, config, bot).await?;
            }
            Self::Join(join) => {
                print::start_log(&config.log)?;
                join.node.apply(&mut config)?;
                if let Some(link) = join.link()? {
                    config.seed.join = Some(link_of(&link)?);
                }
                if config.seed.join.is_none() {
                    let how = "which invitation? Write its link after `join`, - to read it from standard input, or set JOIN_URL";
                    return Err(CliError::Usage(how.to_owned()));
                }
                let name = service::join_only(&config).await?;
                print::line(&format!("joined as {name}"));
            }
            Self::Invite { ttl, json } => {
                let wrong = || CliError::Usage(format!("--ttl {ttl:?} is no duration; write e.g. 15m"));
                let ttl_s = parse_ttl(&ttl).ok_or_else(wrong)?;
                print::link(told(&config, Question::Invite { ttl_s }).await?, json);
            }
            Self::OwnerLink { json } => print::link(told(&config, Question::OwnerLink {}).await?, json),
            Self::Peers { json } => print::peers(told(&config, Question::Peers {}).await?, json),
            Self::Status { json } => print::status(told(&config, Question::Status {}).await?, json),
            Self::Rpc { addr, method, params } => {
                let request = request_of(&method, &params)?;
                print::told(told(&config, Question::Rpc { addr, request }).await?);
            }
            Self::Manage(manage) => manage.perform(&config, make_bot).await?,
            Self::Series(args) => series::series(args, &config).await?,
            Self::Doctor { json } => {
                let findings = doctor::examine(&config).await;
                print::findings(&findings, json);
                let failed = findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count();
                if failed > 0 {
                    return Err(CliError::Unwell(failed));
                }
            }
            Self::Healthcheck => {
                told(&config, Question::Status {}).await?;
            }
            Self::Version => print::line(crate::VERSION),
        }
        Ok(())
    }
}

impl NodeArgs {
    /// The command line goes before the environment.
    fn apply(&self, config: &mut Config) -> Result<(), ConfigError> {
        if let Some(name) = &self.server_name {
            config.server_name = Some(check::server_name(name)?);
        }
        if let Some(addr) = &self.public_addr {
            config.public_addr = Some(check::public_addr(addr, config.listen.port())?);
        }
        config.priority = self.priority.or(config.priority);
        Ok(())
    }
}

impl Join {
    fn link(&self) -> Result<Option<String>, CliError> {
        let Some(path) = &self.join_file else { return Ok(self.link.clone()) };
        let read = std::fs::read_to_string(path);
        read.map(Some)
            .map_err(|error| CliError::Usage(format!("--join-file {} cannot be read: {error}", path.display())))
    }
}

impl Init {
    fn token_source(&self) -> Result<Option<TokenSource>, ConfigError> {
        let given = self.bot_token.as_ref().map(|text| check::bot_token("--bot-token", text).map(TokenSource::Given));
        Ok(given.transpose()?.or_else(|| self.bot_token_file.clone().map(TokenSource::File)))
    }
}

async fn told(config: &Config, question: Question) -> Result<Told, CliError> {
    match ask(&config.control_socket, &question).await? {
        Told::Refused { error } => Err(CliError::Refused(error)),
        told => Ok(told),
    }
}

fn link_of(text: &str) -> Result<constella_shared::link::InviteLink, CliError> {
    let text = match text {
        "-" => {
            let read = std::io::read_to_string(std::io::stdin());
            Secret::new(read.map_err(|error| CliError::Usage(format!("the link cannot be read: {error}")))?)
        }
        text => Secret::new(text.to_owned()),
    };
    text.expose().parse().map_err(|error| CliError::Usage(format!("{error}")))
}

fn request_of(method: &str, params: &str) -> Result<constella_shared::wire::rpc::Request, CliError> {
    let params: serde_json::Value = serde_json::from_str(params)
        .map_err(|error| CliError::Usage(format!("the parameters are no JSON: {error}")))?;
    let text = serde_json::json!({ "method": method, "params": params }).to_string();
    crate::parse::typed(&text).map_err(|refusal| CliError::Refused(refusal.error))
}

/// S3: no core file, and no other process of this user reads this one's memory or environment (PR_SET_DUMPABLE, prctl(2)).
fn keep_to_itself() {
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        tracing::warn!(%error, "the process stays readable for others of its user");
    }
}
