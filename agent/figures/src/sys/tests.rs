//! Sensors that work, and others.

use super::*;

#[test]
fn a_sensor_that_says_nothing_sensible_is_missing_and_the_others_are_told() {
    let chip = tempfile::TempDir::new().unwrap();
    let write = |file: &str, text: &str| fs::write(chip.path().join(file), text).unwrap();
    write("name", "coretemp\n");
    for (file, text) in
        [("temp1", "45500\n"), ("temp2", "0\n"), ("temp3", "-273150\n"), ("temp4", "N/A\n"), ("temp5", "")]
    {
        write(&format!("{file}_input"), text);
    }
    write("temp1_label", "Package id 0\n");
    // As a sensor that gives an error: it cannot be read as a file.
    fs::create_dir(chip.path().join("temp6_input")).unwrap();
    for (file, text) in [("temp1", "100000\n"), ("temp7", "0\n"), ("temp8", "16777215\n"), ("temp9", "high\n")] {
        write(&format!("{file}_input"), "45500\n");
        write(&format!("{file}_crit"), text);
    }
    write("fan1_input", "900\n");
    let mut seen = Seen::default();
    sensor(&mut seen, chip.path());
    let sensor = |label: &str, critical| Temperature { label: format!("coretemp {label}"), celsius: 45.5, critical };
    let bare = ["temp7", "temp8", "temp9"].map(|label| sensor(label, None));
    assert_eq!(seen.temperatures.first(), Some(&sensor("Package id 0", Some(100.0))));
    assert_eq!(seen.temperatures.get(1..), Some(&bare[..]), "their critical marks are none");
    let missing: Vec<&str> = seen.missing.iter().map(|it| it.why.split(':').next().unwrap()).collect();
    assert_eq!(missing.len(), 5, "{missing:?}");
    assert!(missing[0].starts_with("coretemp temp2 says 0 °C") && missing[4] == "coretemp temp6", "{missing:?}");
}
