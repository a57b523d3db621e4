//! One scenario, told in words.

use std::time::Duration;

use constella_tests::sim::Scenario;

pub(super) fn play(scenario: &Scenario, log: bool) -> bool {
    let outcome = scenario.run(log);
    if log {
        println!("{}", outcome.log.join("\n"));
    }
    println!("{}", scenario.about);
    for command in &outcome.commands {
        println!("{command}");
    }
    match &outcome.end {
        Ok(ending) => {
            println!(
                "whole {:.1} s after the faults; {} conflicts; simulated {} nodes: no rule broken",
                Duration::from_millis(ending.whole_after_ms).as_secs_f64(),
                outcome.figures.all_conflicts(),
                scenario.nodes * scenario.networks
            );
            true
        }
        Err(broken) => {
            println!("rule {} broken at {} ms: {}", broken.rule, broken.at_ms, broken.what);
            false
        }
    }
}
