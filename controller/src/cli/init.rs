//! `init`: founds a network, on an empty folder only.

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use constella_core::io::{BotCall, BotError, BotReply};
use constella_shared::secret::Secret;
use serde::Serialize;

use super::{CliError, Init, print};
use crate::address::{HostPort, check};
use crate::clock;
use crate::config::{Config, check as checked};
use crate::founding::{Founding, claim, found, owner_link, random_hex, random_network};
use crate::runner::BotClient;
use crate::state::State;

/// `init --json`.
#[derive(Debug, Serialize)]
struct Founded {
    node_id: constella_shared::ids::NodeId,
    network_id: constella_shared::ids::NetworkId,
    public_addr: String,
    owner_link: Option<Secret>,
}

/// Founds a network and prints the owner's link. Nothing is written unless everything that was told can be used.
pub(super) async fn init<B: BotClient>(init: Init, mut config: Config, bot: B) -> Result<(), CliError> {
    init.node.apply(&mut config)?;
    let missing = |what: &str| CliError::Usage(format!("{what} is missing"));
    let owner = match &init.owner {
        Some(owner) => Some(checked::owner("--owner", owner)?),
        None => config.seed.owner.clone(),
    };
    let owner = owner.ok_or_else(|| missing("the owner's Telegram name (--owner or OWNER_USERNAME)"))?;
    let source = init.token_source()?.or_else(|| config.seed.bot_token.clone());
    let token = source.ok_or_else(|| missing("the bot's token (--bot-token-file or BOT_TOKEN_FILE)"))?.read()?;
    let addr = config.public_addr.clone().or_else(|| guess(config.listen.port()));
    let addr = addr.ok_or_else(|| missing("this server's address (--public-addr or PUBLIC_ADDR)"))?;
    let name = config.name()?;
    let state = State::open(&config.state_dir)?;
    state.must_be_empty()?;
    let bot = who_is(&bot, token.clone()).await?;

    let code = random_hex::<16>()?;
    let identity = state.identity(&name)?;
    let founding = Founding {
        name,
        addr: addr.to_string(),
        priority: config.priority(),
        owner,
        claim: claim(&code),
        token,
        share_token: !init.no_share_token,
        bot: bot.clone(),
        network: config.seed.network_id.map_or_else(random_network, Ok)?,
        secret: config.seed.network_secret.clone().map_or_else(random_hex::<32>, Ok)?,
    };
    let (network, invites) = found(&identity, founding, clock::now());
    state.initialise(&network, &invites)?;
    let founded = Founded {
        node_id: identity.node,
        network_id: network.network_id,
        public_addr: addr.to_string(),
        owner_link: bot.map(|(_, username)| owner_link(&username, &code)),
    };
    let name = network.peers.first().map_or("", |peer| peer.owner.name.as_str());
    told(&founded, name, &config, init.json);
    Ok(())
}

fn told(founded: &Founded, name: &str, config: &Config, json: bool) {
    if json {
        print::document(founded);
        return;
    }
    print::line(&format!("founded network {} in {}", founded.network_id.short(), config.state_dir.display()));
    print::line(&format!("this node is {name}, reached at {}", founded.public_addr));
    match &founded.owner_link {
        Some(link) => {
            print::line("start the node, then open this link in Telegram as the owner:");
            print::line(link.expose());
        }
        None => {
            print::line(
                "Telegram could not be reached, so the owner's link is not known yet; start the node, then run:",
            );
            print::line("constella-controller owner-link");
        }
    }
}

/// Asks Telegram whose token this is. A token that Telegram refuses founds nothing; a Telegram that cannot be reached is no hindrance.
pub(super) async fn who_is(bot: &impl BotClient, token: Secret) -> Result<Option<(i64, String)>, CliError> {
    bot.set_token(token);
    match tokio::time::timeout(PATIENCE, bot.call(BotCall::GetMe, PATIENCE)).await {
        Ok(Ok(BotReply::Me { id, username })) => Ok(Some((id, username))),
        Ok(Err(BotError::Unauthorized)) => {
            Err(CliError::Usage("Telegram does not know this bot token; nothing was written".into()))
        }
        Ok(Ok(_) | Err(_)) | Err(_) => Ok(None),
    }
}

/// The address that this host sends from: for a server without NAT, the one it is reached at. Connecting a UDP socket sends nothing.
fn guess(port: u16) -> Option<HostPort> {
    let from = |own: &str, far: &str| -> Option<IpAddr> {
        let socket = UdpSocket::bind(own).ok()?;
        socket.connect(far).ok()?;
        Some(socket.local_addr().ok()?.ip()).filter(|ip| check(*ip, false).is_ok())
    };
    // Documentation addresses (RFC 5737, RFC 3849): only the route is asked for.
    let ip = from("0.0.0.0:0", "192.0.2.1:9").or_else(|| from("[::]:0", "[2001:db8::1]:9"))?;
    Some(HostPort { host: ip.to_string(), port })
}

/// For `getMe`.
const PATIENCE: Duration = Duration::from_secs(8);
