//! What is held of the alerts' documents: names, bounds, growth.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};

use super::*;

#[test]
fn every_kind_is_read_back_from_its_name_and_no_two_share_one() {
    // S7
    let names: BTreeSet<String> = Kind::all().map(|kind| kind.name().to_string()).collect();
    assert_eq!(names.len(), KINDS.len());
    for kind in Kind::all() {
        assert_eq!(Kind::of(kind.name()), Some(kind.clone()));
        let text = serde_json::to_string(&kind).unwrap();
        assert_eq!(serde_json::from_str::<Kind>(&text).unwrap(), kind);
    }
}

#[test]
fn a_kind_and_a_unit_of_a_newer_version_are_kept() {
    // S7
    let text = format!(
        r#"{{"subject":{{"node":"{}","kind":"fan_stopped","part":"rear"}},"since_unix_ms":5,"value":{{"amount":3,"unit":"rpm"}}}}"#,
        NodeId([7; 32])
    );
    let standing: Standing = serde_json::from_str(&text).unwrap();
    assert_eq!(standing.subject.kind.name(), "fan_stopped");
    assert_eq!(standing.value.unit, Unit::Other);
    assert!(serde_json::to_string(&standing).unwrap().contains(r#""kind":"fan_stopped","part":"rear""#));
}

#[test]
fn a_kinds_name_is_a_short_word() {
    // S6
    for name in ["", "Fan", "fan stopped", "ф", &"f".repeat(ALERT_KIND_BYTES + 1)] {
        assert_eq!(Kind::of(name), None, "{name}");
        assert!(serde_json::from_str::<Kind>(&format!("{name:?}")).is_err(), "{name}");
    }
    assert!(Kind::of(&"f".repeat(ALERT_KIND_BYTES)).is_some());
}

#[test]
fn a_long_part_is_cut_and_stays_another_than_its_neighbour() {
    // S6
    let long = "/срв/".repeat(60);
    let (one, other) = (Part::new(&format!("{long}a")), Part::new(&format!("{long}b")));
    assert!(one != other && one.as_str().len() <= ALERT_PART_BYTES && other.as_str().len() <= ALERT_PART_BYTES);
    assert_eq!(Part::new(one.as_str()), one, "a reader cuts it no further");
    assert_eq!(serde_json::from_str::<Part>(&format!("\"{long}a\"")).unwrap(), one);
    assert_eq!(Part::new("/srv").as_str(), "/srv");
}

#[test]
fn what_nearly_has_no_room_left_is_critical() {
    // N2
    let full = |amount| Kind::DiskFull.severity(&Value::of(amount, Unit::PercentTenths));
    assert_eq!((full(900), full(969), full(970)), (Severity::Warning, Severity::Warning, Severity::Critical));
    let hot = |amount, mark| Kind::Temperature.severity(&Value { amount, unit: Unit::CelsiusTenths, mark });
    assert_eq!((hot(990, None), hot(990, Some(1000))), (Severity::Warning, Severity::Warning));
    assert_eq!(hot(1000, Some(1000)), Severity::Critical);
    assert!(Severity::Critical > Severity::Warning && Severity::Warning > Severity::Note);
}
