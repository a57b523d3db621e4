//! Settings: docs/settings.md is made from the programs' own tables, and the tables say what the programs, Compose and `install.sh` do.
//!
//! `CONSTELLA_REWRITE=1 cargo test -p constella-tests --test tidy settings` makes the page anew; the commit says why.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use constella_controller::config::settings::{CONTROLLER, INSTALL};
use constella_shared::settings::{AGENT, Env, Setting};

use crate::tree::Tree;

const PAGE: &str = "docs/settings.md";

fn page() -> String {
    let mut text = String::from(HEAD);
    for (title, about, table) in [
        ("Controller", OF_CONTROLLER, &CONTROLLER[..]),
        ("Agent", OF_AGENT, AGENT),
        ("install.sh and Compose", OF_INSTALL, &INSTALL[..]),
    ] {
        let _ = write!(text, "\n## {title}\n\n{about}\n\n| name | default | `.env` | meaning |\n|---|---|---|---|\n");
        for Setting { name, default, meaning, env } in table {
            let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
            let env = match env {
                Env::Passed => "yes",
                Env::Fixed => "fixed",
                Env::Kept => "no",
            };
            let _ = writeln!(text, "| `{name}` | {default} | {env} | {meaning} |");
        }
    }
    text
}

const HEAD: &str = "# Settings

This page is made from the tables in the code: `CONSTELLA_REWRITE=1 cargo test -p constella-tests --test tidy settings`.

A setting is a variable of the program's environment; an empty one counts as absent. The column `.env` says what a line in that file, beside
`install.sh`, does: *yes*, Compose passes it on (`docker compose up -d` makes it hold); *fixed*, the compose files decide it; *no*, it does not
reach a container. A value that cannot be used, or two that contradict each other, stop the program with one sentence that names them.
";

const OF_CONTROLLER: &str = "Read by `constella-controller` (`constella-controller run --help`), from its environment, then from `config.toml` in the state folder (mode 0600, keys
in lower case), then the default. A key of that file that nobody knows stops the program.";

const OF_AGENT: &str = "Read by `constella-agent` from its environment alone: nothing that arrives over its socket, or over the network, changes them.";

const OF_INSTALL: &str = "Read by `install.sh` and `docker compose`. What has *no* here is a flag and is kept in the overlay's own file; a controller reads none of them.";

fn stale_page(tree: &Tree) -> Vec<String> {
    if tree.text(PAGE) == Some(page().as_str()) {
        return Vec::new();
    }
    vec![format!("{PAGE} is not what the tables make; look, then CONSTELLA_REWRITE=1")]
}

/// The lines of `environment:` of a service of compose.yaml: names and values.
fn environment<'a>(compose: &'a str, service: &str) -> Vec<(&'a str, &'a str)> {
    let mut lines = compose.lines().skip_while(|line| *line != format!("  {service}:")).skip(1);
    let of_service = lines.by_ref().take_while(|line| line.is_empty() || line.starts_with("   "));
    let inside = of_service.skip_while(|line| *line != "    environment:").skip(1);
    inside
        .take_while(|line| line.starts_with("      "))
        .filter_map(|line| line.trim().split_once(':'))
        .filter(|(name, _)| !name.starts_with('#'))
        .map(|(name, value)| (name, value.trim()))
        .collect()
}

/// What a container is given is what the tables say, with the same defaults.
fn other_than_compose(tree: &Tree) -> Vec<String> {
    let compose = tree.text("compose/compose.yaml").unwrap_or_default();
    let mut complaints = Vec::new();
    for (service, table) in [("controller", &CONTROLLER[..]), ("agent", AGENT)] {
        let given = environment(compose, service);
        for Setting { name, default, env, .. } in table {
            let value = given.iter().find(|(given, _)| given == name).map(|(_, value)| *value);
            let with_default = format!("${{{name}:-{default}}}");
            let without = format!("${{{name}:-}}");
            let is_so = match env {
                Env::Passed => value.is_some_and(|value| value.is_empty() || value == with_default || value == without),
                Env::Fixed => {
                    name == &"STATE_DIR" || value.is_some_and(|value| !value.is_empty() && !value.contains('$'))
                }
                Env::Kept => value.is_none(),
            };
            if !is_so {
                complaints.push(format!(
                    "compose/compose.yaml: {service}: {name} is {value:?}, the table says {env:?} with {default:?}"
                ));
            }
        }
        let known = |name: &str| table.iter().any(|setting| setting.name == name);
        complaints.extend(
            given
                .iter()
                .filter(|(name, _)| !known(name))
                .map(|(name, _)| format!("compose/compose.yaml: {service} is given {name}, which it does not read")),
        );
    }
    complaints
}

/// The agent's source names the settings of its table, each with its default, and no others.
fn other_than_the_agent(tree: &Tree) -> Vec<String> {
    let Some(source) = tree.text("agent/src/config.rs") else {
        return vec!["agent/src/config.rs is missing".to_owned()];
    };
    let is_name = |word: &&str| {
        word.len() > 3 && !word.ends_with('_') && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    };
    let named: BTreeSet<&str> = source.split('"').skip(1).step_by(2).filter(is_name).collect();
    let known: BTreeSet<&str> = AGENT.iter().map(|setting| setting.name).collect();
    let strange =
        named.difference(&known).map(|name| format!("agent/src/config.rs: reads {name}, which is not in the table"));
    let lost =
        AGENT.iter().filter(|setting| !source.contains(&format!("\"{}\", \"{}\"", setting.name, setting.default)));
    strange
        .chain(lost.map(|setting| {
            format!("agent/src/config.rs: does not read {} with the default {}", setting.name, setting.default)
        }))
        .collect()
}

/// `install.sh` and the compose files know each setting of theirs, or the flag in its place.
fn other_than_install(tree: &Tree) -> Vec<String> {
    let texts: Vec<&str> = tree
        .files
        .iter()
        .filter(|file| file.path == "install.sh" || file.path.starts_with("compose/"))
        .map(|file| file.text.as_str())
        .collect();
    let is_there = |word: &str| texts.iter().any(|text| text.contains(word));
    let flag = |name: &str| name.to_lowercase().replace('_', "-");
    INSTALL
        .iter()
        .filter(|setting| match setting.env {
            Env::Passed | Env::Fixed => {
                !is_there(&format!("{} ", setting.name)) && !is_there(&format!("${{{}", setting.name))
            }
            Env::Kept => !is_there(&flag(setting.name)),
        })
        .map(|setting| format!("install.sh: nothing reads {}", setting.name))
        .collect()
}

#[test]
fn the_page_of_settings_is_what_the_tables_make() {
    if std::env::var_os("CONSTELLA_REWRITE").is_some() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        std::fs::write(root.join(PAGE), page()).unwrap();
    }
    crate::is_broken_by(stale_page, &[]);
    crate::is_broken_by(stale_page, &[(PAGE, &page().replacen("[::]:4747", "[::]:4748", 1))]);
    crate::is_kept_by(stale_page, &[(PAGE, &page())]);
    crate::holds_here(stale_page);
}

#[test]
fn containers_are_given_the_settings_that_the_tables_say() {
    let compose = Tree::of_this_repository().text("compose/compose.yaml").unwrap().to_owned();
    for (from, to) in [
        ("      PRIORITY:\n", ""),
        ("      PRIORITY:\n", "      PRIORITY: 7\n"),
        ("      PRIORITY:\n", "      PRIORITY:\n      METRICS_ADDR:\n"),
        ("      PRIORITY:\n", "      PRIORITY:\n      BOT_TOKEN:\n"),
        ("${SAMPLE_EVERY_SEC:-5}", "${SAMPLE_EVERY_SEC:-10}"),
    ] {
        assert!(compose.contains(from), "{from}");
        crate::is_broken_by(other_than_compose, &[("compose/compose.yaml", &compose.replacen(from, to, 1))]);
    }
    crate::holds_here(other_than_compose);
}

#[test]
fn the_agent_reads_the_settings_that_its_table_says() {
    let source = Tree::of_this_repository().text("agent/src/config.rs").unwrap().to_owned();
    crate::is_broken_by(
        other_than_the_agent,
        &[("agent/src/config.rs", &source.replace("\"ALLOW_REBOOT\"", "\"ALLOW_RESTART\""))],
    );
    crate::is_broken_by(other_than_the_agent, &[("agent/src/config.rs", &source.replacen("\"60\"", "\"61\"", 1))]);
    crate::holds_here(other_than_the_agent);
}

#[test]
fn install_reads_the_settings_that_its_table_says() {
    crate::is_broken_by(other_than_install, &[("install.sh", "VPN_CIDR ")]);
    crate::holds_here(other_than_install);
}
