//! Where settings come from: the environment as it was at the start, and `config.toml`. figment puts one over the other and names the origin.

use std::collections::BTreeMap;
use std::path::Path;

use figment::error::Kind;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::settings::{CONTROLLER, METRICS, is_ours, of_whom};
use super::value::{Raw, RawSeed, RawTiming};
use super::{ConfigError, read_file};

/// A copy of the process's environment: whoever tests gives another.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The process's own. Variables that are no Unicode are none of ours.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// A variable; an empty one counts as absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Warnings about names that are nearly ours.
    pub(super) fn check_names(&self) -> Result<Vec<String>, ConfigError> {
        let mut warnings = Vec::new();
        if let (Some(_), Some(why)) = (self.get(METRICS), of_whom(METRICS)) {
            warnings.push(format!("the environment has {METRICS}, which nobody reads: {why}"));
        }
        for key in self.0.keys().filter(|key| !is_ours(key) && of_whom(key).is_none()) {
            if key.starts_with("CONSTELLA_") {
                let hint = ": settings are named without the prefix, e.g. SERVER_NAME".to_owned();
                return Err(ConfigError::Unknown { place: "the environment".into(), key: key.clone(), hint });
            }
            if let Some(meant) = nearly(key) {
                warnings.push(format!("the environment has {key}, which nobody reads; was {meant} meant?"));
            }
        }
        Ok(warnings)
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("the environment")
    }

    /// Every value is a text: a token or a name that looks like a number stays what it is.
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let ours = CONTROLLER
            .iter()
            .filter_map(|setting| Some((setting.name.to_lowercase(), Value::from(self.get(setting.name)?))));
        Ok(Profile::Default.collect(ours.collect()))
    }
}

/// Both, the environment over the file.
pub(super) fn read(environment: &Environment, path: &Path) -> Result<(Raw, RawSeed, RawTiming), ConfigError> {
    let place = path.display().to_string();
    let text = read_file(path)?.unwrap_or_default();
    let file: Dict = Toml::from_str(&text)
        .map_err(|error| ConfigError::File { place: place.clone(), problem: first_line(&error) })?;
    if let Some(key) = file.keys().find(|key| !is_known(key)) {
        return Err(unknown(place, key));
    }
    let values = Serialized::defaults(file);
    let merged = Figment::from(values).merge(environment.clone());
    // One after the other, not flattened into each other: figment then knows which key an error is about.
    let explained = |error: figment::Error| explain(&error);
    Ok((
        merged.extract().map_err(explained)?,
        merged.extract().map_err(explained)?,
        merged.extract().map_err(explained)?,
    ))
}

fn is_known(key: &str) -> bool {
    key.chars().all(|c| !c.is_uppercase()) && is_ours(&key.to_uppercase()) && key != "state_dir"
}

fn unknown(place: String, key: &str) -> ConfigError {
    let upper = key.to_uppercase();
    let hint = if key == "state_dir" {
        ": the file is inside that folder; set STATE_DIR in the environment".to_owned()
    } else if is_ours(&upper) {
        format!(": write it in lower case, {}", key.to_lowercase())
    } else if let Some(why) = of_whom(&upper) {
        format!(": {why}")
    } else {
        nearly(&upper).map(|meant| format!(": was {} meant?", meant.to_lowercase())).unwrap_or_default()
    };
    ConfigError::Unknown { place, key: key.chars().filter(|c| !c.is_control()).take(60).collect(), hint }
}

/// figment's error as one sentence. Values are left out: they may be secrets.
fn explain(error: &figment::Error) -> ConfigError {
    let key = error.path.last().map_or_else(|| "a setting".to_owned(), |key| key.to_uppercase());
    let problem = match &error.kind {
        Kind::Message(problem) => problem.clone(),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("is not {expected}"),
        _ => "cannot be read".to_owned(),
    };
    ConfigError::Value { key, problem }
}

/// The setting that a name is one letter away from. Short names are left alone: too many words are near them.
fn nearly(name: &str) -> Option<&'static str> {
    let mut names = CONTROLLER.iter().map(|setting| setting.name);
    names.find(|key| key.len() >= 8 && name != *key && is_one_off(name, key))
}

/// One letter more, less, or other.
fn is_one_off(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let same = short.bytes().zip(long.bytes()).take_while(|(x, y)| x == y).count();
    let tail = |text: &str, skip: usize| text.bytes().skip(same + skip).collect::<Vec<_>>();
    match long.len() - short.len() {
        0 => tail(short, 1) == tail(long, 1),
        1 => tail(short, 0) == tail(long, 1),
        _ => false,
    }
}

/// Where the parser stopped; its further lines quote the file, which may hold a token.
fn first_line(error: &impl std::fmt::Display) -> String {
    error.to_string().lines().next().unwrap_or("it is no TOML").to_owned()
}
