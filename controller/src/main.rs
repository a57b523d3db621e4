//! `constella-controller`: everything is in the library; here the command line meets Telegram.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use constella_controller::cli;
use constella_controller::config::Config;
use constella_controller::telegram::client::{Settings, Telegram};
use constella_controller::telegram::render::install::Source;
use constella_core::bot::kit::language::Language;

fn main() -> ExitCode {
    cli::main(telegram)
}

fn telegram(config: &Config) -> Result<Telegram, String> {
    let settings = Settings {
        api_url: config.telegram_api_url.clone(),
        proxy: config.telegram_proxy.as_ref().map(|proxy| proxy.expose().to_owned()),
        language: Language::of_tag(&config.timing.language).unwrap_or(Language::Ru),
    };
    let source = config.release_url.clone().map_or(Source::Folder, Source::Release);
    Telegram::new(&settings).map(|telegram| telegram.with_source(source)).map_err(|error| error.to_string())
}
