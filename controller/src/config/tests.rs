//! Settings: one sentence for each that cannot be used, and no secret in any.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(&environment(pairs), Some(Path::new("/nonexistent")))
}

fn load_file(text: &str, pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    Config::load(&environment(pairs), Some(folder.path()))
}

#[test]
fn defaults_are_the_designs() {
    let config = load(&[]).unwrap();
    assert_eq!(config.listen.to_string(), "[::]:4747");
    assert_eq!((config.priority(), config.log.as_str()), (100, "info"));
    assert_eq!(config.telegram_api_url, "https://api.telegram.org");
    assert_eq!(config.agent_socket, Path::new("/run/constella/agent.sock"));
    let settings = config.settings(true);
    let defaults = Settings { version: crate::VERSION.into(), ..Settings::default() };
    assert_eq!(settings, defaults);
}

#[test]
fn durations_are_plain_seconds_also_fractional() {
    let config = load(&[
        ("HEARTBEAT_INTERVAL", "0.25"),
        ("HEARTBEAT_TIMEOUT", "0.1"),
        ("BOT_LEASE_TTL", "1.5"),
        ("RPC_TIMEOUT", "3"),
    ]);
    let timing = config.unwrap().timing;
    assert_eq!((timing.heartbeat_ms, timing.heartbeat_timeout_ms), (250, 100));
    assert_eq!((timing.lease_ttl_ms, timing.rpc_timeout_ms), (1_500, 3_000));
    let config = load_file("heartbeat_interval = 0.5\nrpc_timeout = 4\nclock_skew = \"2.5\"", &[]).unwrap();
    assert_eq!(
        (config.timing.heartbeat_ms, config.timing.rpc_timeout_ms, config.timing.clock_skew_ms),
        (500, 4_000, 2_500)
    );
}

#[test]
fn the_environment_goes_before_the_file_and_an_empty_variable_is_absent() {
    let config =
        load_file("server_name = \"file\"\npriority = 5", &[("SERVER_NAME", "env"), ("PRIORITY", "")]).unwrap();
    assert_eq!((config.server_name.as_deref(), config.priority), (Some("env"), Some(5)));
}

#[test]
fn values_that_look_like_other_things_stay_texts() {
    for name in ["123", "1.5", "true", "null"] {
        assert_eq!(load(&[("SERVER_NAME", name)]).unwrap().server_name.as_deref(), Some(name));
    }
    assert_eq!(load_file("server_name = 7", &[]).unwrap().server_name.as_deref(), Some("7"));
}

#[test]
fn each_value_that_cannot_be_used_is_named() {
    let cases = [
        ("HEARTBEAT_INTERVAL", "2s", "HEARTBEAT_INTERVAL is no plain number of seconds"),
        ("HEARTBEAT_INTERVAL", "-1", "HEARTBEAT_INTERVAL is no plain number of seconds"),
        ("HEARTBEAT_INTERVAL", "NaN", "HEARTBEAT_INTERVAL is no plain number of seconds"),
        ("HEARTBEAT_INTERVAL", "0", "HEARTBEAT_INTERVAL is not between 0.05 and 60 seconds"),
        ("BOT_LEASE_TTL", "1000", "BOT_LEASE_TTL is not between 0.4 and 60 seconds"),
        ("DOWN_AFTER", "9.9", "DOWN_AFTER is not between 10 and 600 seconds"),
        ("DOWN_AFTER_MISSES", "0", "DOWN_AFTER_MISSES is not between 1 and 100"),
        ("DOWN_AFTER_MISSES", "many", "DOWN_AFTER_MISSES is no whole number"),
        ("PRIORITY", "-1", "PRIORITY is no whole number"),
        ("PRIORITY", "4294967296", "PRIORITY is over 4294967295"),
        ("LISTEN_ADDR", "4747", "LISTEN_ADDR is not ADDRESS:PORT, e.g. [::]:4747 or 0.0.0.0:4747"),
        ("PUBLIC_ADDR", "a b", "PUBLIC_ADDR is not HOST or HOST:PORT ([V6]:PORT for IPv6)"),
        ("LANG_DEFAULT", "de", "LANG_DEFAULT is neither ru nor en"),
        ("OWNER_USERNAME", "a", "OWNER_USERNAME is no Telegram user name (4 to 32 letters, digits and _)"),
        ("BOT_TOKEN", "nonsense", "BOT_TOKEN holds no bot token (digits, a colon, letters)"),
        ("NETWORK_ID", "AB", "NETWORK_ID is no id of 64 lower-case hex digits"),
        ("NETWORK_SECRET", "hush", "NETWORK_SECRET is not 64 lower-case hex digits"),
        ("JOIN_URL", "https://x", "JOIN_URL cannot be used: an invitation begins with join://"),
        ("SEED_PEERS", "a:1", "SEED_PEERS is not a list of HOST:PORT,PIN separated by blanks"),
        ("TELEGRAM_API_URL", "ftp://x", "TELEGRAM_API_URL is no http or https address"),
        ("VPN_MODE", "mesh", "VPN_MODE is not none, hub or client"),
        ("LOG", "wran", "LOG is no filter; write e.g. info or constella_controller=debug"),
        ("LOG", "info,constella_controller=debgu", "LOG is no filter; write e.g. info or constella_controller=debug"),
        ("LISTEN_ADDR", "[::]:0", "LISTEN_ADDR is not ADDRESS:PORT, e.g. [::]:4747 or 0.0.0.0:4747"),
        ("PUBLIC_ADDR", "0.0.0.0", "PUBLIC_ADDR cannot be used: 0.0.0.0 is not dialled: it is unspecified"),
        ("PUBLIC_ADDR", "[fe80::1]:4747", "PUBLIC_ADDR cannot be used: fe80::1 is not dialled: it is link-local"),
        ("PUBLIC_ADDR", "224.0.0.1:1", "PUBLIC_ADDR cannot be used: 224.0.0.1 is not dialled: it is multicast"),
        ("SERVER_NAME", "  ", "SERVER_NAME cannot be used: a name has 1 to 63 characters"),
    ];
    for (key, text, sentence) in cases {
        assert_eq!(load(&[(key, text)]).unwrap_err().to_string(), sentence, "{key}={text}");
    }
}

#[test]
fn a_name_that_the_roster_refuses_is_refused_at_once() {
    for name in ["a b", "<b>", "a\u{7}", "a\u{202e}b", "[a, b]", "{x}", "-a", "..."] {
        let error = load(&[("SERVER_NAME", name)]).unwrap_err().to_string();
        assert!(error.contains("SERVER_NAME cannot be used: a name is made of letters"), "{name:?}: {error}");
    }
    assert!(load(&[("SERVER_NAME", &"x".repeat(64))]).is_err());
}

#[test]
fn a_node_in_an_overlay_publishes_its_address_there() {
    let inside = [("VPN_MODE", "client"), ("VPN_ADDRESS", "10.42.0.7/24")];
    let config = load(&inside).unwrap();
    assert_eq!(config.public_addr.map(|addr| addr.to_string()).as_deref(), Some("10.42.0.7:4747"));
    assert_eq!(config.overlay.map(|overlay| overlay.interface).as_deref(), Some("wg0"));
    let outside = load(&[inside[0], inside[1], ("PUBLIC_ADDR", "203.0.113.7")]).unwrap();
    assert_eq!(outside.public_addr.map(|addr| addr.to_string()).as_deref(), Some("203.0.113.7:4747"));
    let error = load(&[("VPN_MODE", "hub")]).unwrap_err().to_string();
    assert!(error.contains("VPN_MODE and VPN_ADDRESS"), "{error}");
    for wrong in ["10.42.0", "10.42.0.7/", "10.42.0.7/33", "10.42.0.7/x", "fd00::1/129"] {
        let error = load(&[("VPN_MODE", "hub"), ("VPN_ADDRESS", wrong)]).unwrap_err().to_string();
        assert!(error.starts_with("VPN_ADDRESS is no IP address"), "{error}");
    }
    for right in ["10.42.0.7", "10.42.0.7/32", "fd00::1/64"] {
        assert!(load(&[("VPN_MODE", "hub"), ("VPN_ADDRESS", right)]).is_ok(), "{right}");
    }
}

#[test]
fn filters_of_the_log_are_taken_as_tracing_takes_them() {
    for filter in [
        "info",
        "DEBUG",
        "off",
        "constella_core=trace",
        "warn,constella_controller::peer=debug",
        "constella_core",
        "info,[span{x=1}]=debug",
    ] {
        assert_eq!(load(&[("LOG", filter)]).unwrap().log, filter);
        assert!(tracing_subscriber::EnvFilter::try_new(filter).is_ok(), "{filter}");
    }
}

#[test]
fn contradictions_name_both_sides() {
    let error = load(&[("BOT_TOKEN", "1:abcdefgh"), ("BOT_TOKEN_FILE", "/x")]).unwrap_err().to_string();
    assert!(error.contains("BOT_TOKEN and BOT_TOKEN_FILE"), "{error}");
    let error = load(&[("HEARTBEAT_INTERVAL", "1"), ("HEARTBEAT_TIMEOUT", "1")]).unwrap_err().to_string();
    assert!(error.contains("HEARTBEAT_TIMEOUT and HEARTBEAT_INTERVAL"), "{error}");
}

#[test]
fn an_unknown_key_of_the_file_is_named_with_what_may_have_been_meant() {
    let cases = [
        ("server_nam = \"x\"", "unknown key server_nam: was server_name meant?"),
        ("SERVER_NAME = \"x\"", "unknown key SERVER_NAME: write it in lower case, server_name"),
        (
            "allow_reboot = true",
            "unknown key allow_reboot: that is a setting of the agent, which reads its own environment",
        ),
        (
            "reboot_min_interval_sec = 5",
            "unknown key reboot_min_interval_sec: that is a setting of the agent, which reads its own environment",
        ),
        (
            "vpn_cidr = \"10.0.0.0/8\"",
            "unknown key vpn_cidr: that is install.sh's, which makes the overlay and the compose files; a controller does not read it",
        ),
        ("metrics_addr = \"[::1]:9\"", "unknown key metrics_addr: this version has no metrics"),
        (
            "state_dir = \"x\"",
            "unknown key state_dir: the file is inside that folder; set STATE_DIR in the environment",
        ),
        ("wholly_other = 1", "unknown key wholly_other"),
        ("[section]\nx = 1", "unknown key section"),
    ];
    for (text, sentence) in cases {
        let error = load_file(text, &[]).unwrap_err().to_string();
        assert!(error.ends_with(sentence), "{error}");
    }
}

#[test]
fn unknown_names_in_the_environment_are_errors_with_our_prefix_and_warnings_when_near() {
    assert!(load(&[("CONSTELLA_SERVER_NAME", "x")]).unwrap_err().to_string().contains("CONSTELLA_SERVER_NAME"));
    for near in ["SERVER_NAMES", "SERVR_NAME", "SERVER-NAME"] {
        let warnings = load(&[(near, "x")]).unwrap().warnings;
        assert!(
            warnings.iter().any(|warning| warning.contains(near) && warning.contains("SERVER_NAME meant")),
            "{warnings:?}"
        );
    }
    let usual = [
        ("PATH", "/bin"),
        ("HOME", "/"),
        ("LANG", "C"),
        ("LOGNAME", "x"),
        ("HOSTNAME", "x"),
        ("ALLOW_REBOOT", "true"),
        ("PWD", "/"),
    ];
    assert_eq!(load(&usual).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn s3_no_error_shows_a_secret() {
    let secret = "hush-hush-hush";
    let cases = [
        ("BOT_TOKEN", secret.to_owned()),
        ("NETWORK_SECRET", secret.to_owned()),
        ("JOIN_URL", format!("join://a:1?net=0&token={secret}")),
    ];
    for (key, text) in cases {
        let error = load(&[(key, &text)]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
    for text in
        [format!("bot_token = {secret}"), format!("bot_token = \"{secret}"), format!("bot_token = [\"{secret}\"]")]
    {
        let error = load_file(&text, &[]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
    let config = load(&[("BOT_TOKEN", "123456:abcdefghijk"), ("NETWORK_SECRET", &"5e".repeat(32))]).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("abcdefghijk") && !shown.contains("5e5e"), "{shown}");
}

#[test]
fn s3_a_config_file_open_to_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "priority = 1").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = Config::load(&environment(&[]), Some(folder.path())).unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
}

#[test]
fn addresses_get_the_listeners_port() {
    let of = |text: &str| {
        load(&[("PUBLIC_ADDR", text), ("LISTEN_ADDR", "0.0.0.0:5000")]).unwrap().public_addr.unwrap().to_string()
    };
    for (text, wanted) in [
        ("203.0.113.7", "203.0.113.7:5000"),
        ("203.0.113.7:1", "203.0.113.7:1"),
        ("vps.example.net", "vps.example.net:5000"),
        ("2001:db8::1", "[2001:db8::1]:5000"),
        ("[2001:db8::1]:1", "[2001:db8::1]:1"),
    ] {
        assert_eq!(of(text), wanted);
    }
}

#[test]
fn an_api_address_may_have_a_path() {
    let config = load(&[("TELEGRAM_API_URL", "http://127.0.0.1:8081/bot-api/")]).unwrap();
    assert_eq!(config.telegram_api_url, "http://127.0.0.1:8081/bot-api");
}

/// It becomes a word of a command that the owner pastes into a root shell.
#[test]
fn a_releases_address_is_nothing_but_a_word_of_a_shell() {
    for good in ["https://releases.example/constella/0.1.0/", "http://203.0.113.7:8000/a-b_c~d%20e"] {
        let config = load(&[("RELEASE_URL", good)]).unwrap();
        assert_eq!(config.release_url.as_deref(), Some(good.trim_end_matches('/')));
    }
    let long = format!("https://{}", "a".repeat(600));
    for bad in [
        "ftp://a/b",
        "https://",
        "https://a/$(reboot)",
        "https://a/'b",
        "https://a b",
        "https://u:p@a/",
        "https://a/?b&c",
        "https://a;b",
        &long,
    ] {
        let error = load(&[("RELEASE_URL", bad)]).unwrap_err().to_string();
        assert!(error.contains("RELEASE_URL"), "{error}");
    }
}

#[test]
fn a_token_file_is_read_when_it_is_needed_and_not_before() {
    let config = load(&[("BOT_TOKEN_FILE", "/nonexistent/token")]).unwrap();
    let error = config.seed.bot_token.unwrap().read().unwrap_err().to_string();
    assert!(error.starts_with("BOT_TOKEN_FILE cannot be read"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "123456:abcdefgh\n").unwrap();
    assert_eq!(TokenSource::File(path).read().unwrap().expose(), "123456:abcdefgh");
}

/// A setting that is offered and does nothing would be a lie: each one of the table, with another value than its default, makes another
/// [`Config`], and without a value the one of its default.
#[test]
fn every_setting_of_the_table_is_read_and_has_the_default_that_it_says() {
    let link = format!("join://203.0.113.7:4747?net={0}&token={0}&ttl=900s&fp={0}", "ab".repeat(32));
    let secret = "5e".repeat(32);
    let peers = format!("203.0.113.8:4747,{secret}");
    let others = [
        ("STATE_DIR", "/elsewhere"),
        ("SERVER_NAME", "alpha"),
        ("LISTEN_ADDR", "0.0.0.0:4747"),
        ("PUBLIC_ADDR", "203.0.113.7"),
        ("PRIORITY", "7"),
        ("RELEASE_URL", "https://releases.example/constella"),
        ("OWNER_USERNAME", "maria"),
        ("BOT_TOKEN", "123456:abcdefgh"),
        ("BOT_TOKEN_FILE", "/token"),
        ("NETWORK_ID", &secret),
        ("NETWORK_SECRET", &secret),
        ("JOIN_URL", &link),
        ("SEED_PEERS", &peers),
        ("HEARTBEAT_INTERVAL", "4"),
        ("HEARTBEAT_TIMEOUT", "0.5"),
        ("DOWN_AFTER", "60"),
        ("DOWN_AFTER_MISSES", "5"),
        ("RPC_TIMEOUT", "4"),
        ("CLOCK_SKEW", "20"),
        ("BOT_LEASE_TTL", "5"),
        ("TELEGRAM_API_URL", "http://127.0.0.1:8081"),
        ("TELEGRAM_PROXY", "socks5://127.0.0.1:9050"),
        ("LANG_DEFAULT", "en"),
        ("AGENT_SOCKET", "/agent.sock"),
        ("CONTROL_SOCKET", "/control.sock"),
        ("LOG", "debug"),
        ("VPN_MODE", "hub"),
        ("VPN_INTERFACE_NAME", "wg7"),
        ("VPN_ADDRESS", "10.42.0.9"),
    ];
    let load = |pairs: &[(&str, &str)]| Config::load(&environment(pairs), None).unwrap();
    for setting in settings::CONTROLLER {
        let (name, other) = others.into_iter().find(|(name, _)| *name == setting.name).expect(setting.name);
        // An overlay needs its address, and its parts need an overlay.
        let base: &[(&str, &str)] = match name {
            "VPN_MODE" => &[("VPN_ADDRESS", "10.42.0.7")],
            "VPN_INTERFACE_NAME" | "VPN_ADDRESS" => &[("VPN_MODE", "client"), ("VPN_ADDRESS", "10.42.0.7")],
            _ => &[],
        };
        let with = |value: &str| load(&[base, &[(name, value)]].concat());
        assert_ne!(with(other), load(base), "{name}={other} changes nothing");
        if !setting.default.is_empty() {
            let mut absent = load(base);
            // Whether it was set at all is known of it, for the state that is there.
            absent.priority = absent.priority.or(Some(absent.priority()).filter(|_| name == "PRIORITY"));
            assert_eq!(with(setting.default), absent, "{name}={} is not the default", setting.default);
        }
    }
    assert_eq!(others.len(), settings::CONTROLLER.len());
}

#[test]
fn a_name_of_a_later_version_is_a_warning_and_others_programs_are_none() {
    let warnings = load(&[("METRICS_ADDR", "127.0.0.1:9")]).unwrap().warnings;
    assert_eq!(warnings, ["the environment has METRICS_ADDR, which nobody reads: this version has no metrics"]);
    let of_others = [
        ("VPN_CIDR", "10.42.0.0/24"),
        ("PUBLISH_PORT", "4747"),
        ("REBOOT_MIN_INTERVAL_SEC", "60"),
        ("METRICS_ADDR", ""),
    ];
    assert_eq!(load(&of_others).unwrap().warnings, Vec::<String>::new());
}
