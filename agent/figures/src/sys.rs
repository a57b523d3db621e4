//! The host's `/sys`: how its interfaces stand on each other, and its sensors.

use crate::look::{Kind, Seen};
use constella_shared::{agent::Temperature, limits::NAME_SHOWN, limits::NETS};
use std::{fs, io, os::unix::ffi::OsStrExt, path::Path, path::PathBuf};

/// Bytes as text; those that are no UTF-8 are escaped, so that two names stay two.
pub(crate) fn printable(name: &[u8]) -> String {
    str::from_utf8(name).map_or_else(|_| name.escape_ascii().to_string(), str::to_owned)
}

/// Each interface of the host by structure. A part of a device (the virtual function under an Azure or a failover interface) is its layer:
/// the device counts for it.
pub(crate) fn nets() -> Vec<(String, Kind)> {
    let kind = |path: &Path| {
        let has = |name: &str| path.join(name).exists();
        // Ethernet, InfiniBand, and what OpenVZ gives: ARPHRD_ of if_arp.h. Loopback and tunnels have others.
        let wired = ["1", "32", "65535"].contains(&word(path, "type").unwrap_or_default().as_str());
        let stands = list(path).iter().any(|part| part.as_os_str().as_bytes().windows(7).any(|it| it == b"/lower_"));
        match () {
            () if has("device") => {
                if has("master/device") {
                    Kind::Layer
                } else {
                    Kind::Wire
                }
            }
            () if !wired || stands || ["bridge", "bonding", "tun_flags"].into_iter().any(has) => Kind::Layer,
            () => Kind::Leaf,
        }
    };
    let nets = list(Path::new("sys/class/net")).into_iter().filter(|path| path.join("ifindex").exists());
    nets.filter_map(|path| Some((printable(path.file_name()?.as_bytes()), kind(&path)))).take(NETS).collect()
}

/// The host's sensors by their folders, or else those that this container sees, which are of the same kernel.
pub(crate) fn chips(entered: bool) -> Vec<PathBuf> {
    let folders = ["sys/class/hwmon", "/sys/class/hwmon", "sys/class/thermal", "/sys/class/thermal"].map(Path::new);
    let folders = folders.into_iter().filter(|folder| entered || folder.is_absolute()).map(list);
    folders.into_iter().find(|chips| chips.iter().any(|chip| !inputs(chip).is_empty())).unwrap_or_default()
}

/// Files of a sensor that have thousandths of a degree (hwmon's sysfs-interface; a thermal zone has one).
fn inputs(chip: &Path) -> Vec<String> {
    let names = list(chip).into_iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
    names.filter(|name| name == "temp" || (name.starts_with("temp") && name.ends_with("_input"))).collect()
}

pub(crate) fn sensor(seen: &mut Seen, chip: &Path) {
    let name = word(chip, "name").or_else(|_| word(chip, "type")).unwrap_or_default();
    for file in inputs(chip) {
        let input = file.trim_end_matches("_input");
        let label = word(chip, &format!("{input}_label")).unwrap_or_else(|_| input.to_owned());
        let label = if file == input { name.clone() } else { format!("{name} {label}") };
        let label: String = label.chars().take(NAME_SHOWN).collect();
        match word(chip, &file).and_then(|text| text.parse::<f32>().map_err(io::Error::other)) {
            // No sensor of a computer is colder or hotter; exactly 0 and the absolute zero are what an input without a sensor reads.
            Ok(thousandths) if thousandths == 0.0 || !(-60_000.0..=200_000.0).contains(&thousandths) => {
                seen.lacks(
                    "temperatures",
                    format!("{label} says {} °C, as an input without a sensor", thousandths / 1000.0),
                );
            }
            Ok(thousandths) => {
                let mark = word(chip, &format!("{input}_crit")).ok().and_then(|text| text.parse::<f32>().ok());
                // Some sensors have a mark that is none: 0, or what fits into their register.
                let critical = mark.map(|mark| mark / 1000.0).filter(|mark| (40.0..=125.0).contains(mark));
                seen.temperatures.push(Temperature { label, celsius: thousandths / 1000.0, critical });
            }
            Err(error) => seen.lacks("temperatures", format!("{label}: {error}")),
        }
    }
}

/// The names in a folder, in order; none where there is no folder.
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn word(folder: &Path, file: &str) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(folder.join(file))?).trim().to_owned())
}

#[cfg(test)]
mod tests;
