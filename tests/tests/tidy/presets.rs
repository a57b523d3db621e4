//! docs/presets.md: the rules by which nodes judge themselves, made from the core's own table.
//!
//! `CONSTELLA_REWRITE=1 cargo test -p constella-tests --test tidy presets` makes the page anew; the commit says why.

use std::fmt::Write as _;
use std::path::Path;

use constella_core::alerts::preset::{JUDGED, Preset, preset};
use constella_core::alerts::{Kind, Unit};

use crate::tree::Tree;

const PAGE: &str = "docs/presets.md";

const HEAD: &str = "# What each node watches on itself

Rule N2. This page is made from the table in the code: `CONSTELLA_REWRITE=1 cargo test -p constella-tests --test tidy presets`.

A level that is beyond *raise* for as long as *for* says raises an alert; one on the good side of *clear* for as long as *clear for* says ends it; what lies between changes
nothing, and neither does a figure that is absent. The owner switches a rule off, or chooses another threshold within the bounds, for all nodes or for one (`/thresholds`).

| kind | level | raise | clear | for | clear for | bounds |
|---|---|---|---|---|---|---|
";

fn page() -> String {
    let mut text = String::from(HEAD);
    for kind in &JUDGED {
        let Some(preset) = preset(kind) else { continue };
        let _ = writeln!(text, "| `{}` | {} | {} |", kind.name(), preset.level, numbers(kind, &preset));
    }
    text
}

fn numbers(kind: &Kind, preset: &Preset) -> String {
    let rule = preset.rule;
    let span =
        |ms: u64| if ms.is_multiple_of(60_000) { format!("{} min", ms / 60_000) } else { format!("{} s", ms / 1_000) };
    let times = format!("{} | {}", span(rule.for_ms), span(rule.clear_for_ms));
    match preset.range {
        Some((least, most)) => {
            let [raise, clear, least, most] = [rule.raise, rule.clear, least, most].map(|at| amount(preset.unit, at));
            let (beyond, good) = if rule.clear > rule.raise { ("<=", ">") } else { (">=", "<") };
            format!("{beyond} {raise} | {good} {clear} | {times} | {least} to {most}")
        }
        None if kind.has_state() => format!("so | not so | {times} | "),
        None if rule.for_ms == 0 => "event |  |  |  | ".to_owned(),
        None => format!("so | event when it is over | {times} | "),
    }
}

fn amount(unit: Unit, at: i64) -> String {
    match unit {
        Unit::PercentTenths => format!("{} %", at as f64 / 10.0),
        Unit::CelsiusTenths => format!("{} °C", at as f64 / 10.0),
        Unit::Seconds if at % 3_600 == 0 => format!("{} h", at / 3_600),
        Unit::Seconds => format!("{at} s"),
        Unit::BytesPerSecond => format!("{} KiB/s", at / 1024),
        Unit::Count | Unit::Nothing | Unit::Other => at.to_string(),
    }
}

fn stale_page(tree: &Tree) -> Vec<String> {
    if tree.text(PAGE) == Some(page().as_str()) {
        return Vec::new();
    }
    vec![format!("{PAGE} is not what the table makes; look, then CONSTELLA_REWRITE=1")]
}

#[test]
fn the_page_of_presets_is_what_the_table_makes() {
    // N2
    if std::env::var_os("CONSTELLA_REWRITE").is_some() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace has a root");
        std::fs::write(root.join(PAGE), page()).expect("the page can be written");
    }
    crate::is_broken_by(stale_page, &[(PAGE, HEAD)]);
    crate::holds_here(stale_page);
}
