//! A6: inputs of hosts that other monitors got wrong, played through the real agent. A figure is a value, or absent with its reason.

#![expect(clippy::unwrap_used, reason = "tests")]

mod rig;

use std::path::PathBuf;

use constella_shared::agent::{Health, Stats};
use rig::{Agent, FakeHost, possible, until};

const EVERY_SECOND: [(&str, &str); 1] = [("SAMPLE_EVERY_SEC", "1")];

/// Runs a shell text in the agent's own mount namespace, where its `/proc` is, and then the agent.
fn agent_after(host: &FakeHost, text: &str) -> Agent {
    let script = format!("set -e\n{text}\nexec \"$@\"");
    host.agent_in(&host.folder.path().join("state"), &["sh", "-c", &script, "sh"], &EVERY_SECOND)
}

fn case(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn stats(agent: &Agent) -> Stats {
    serde_json::from_value(agent.call("GET", "/v1/stats", "").1).unwrap()
}

/// The stats of a sample that has rates, and fits.
fn sampled(agent: &Agent, fits: impl Fn(&Stats) -> bool) -> Stats {
    let begun = until("a first sample", || Some(stats(agent)).filter(|stats| stats.at_unix_s > 0)).at_unix_s;
    let mut last = Stats::default();
    until_or(&mut last, || {
        let stats = stats(agent);
        let done = stats.at_unix_s > begun && fits(&stats);
        (done, stats)
    });
    last
}

/// Waits for a condition, and says what was seen last where it never comes.
fn until_or<T: std::fmt::Debug>(last: &mut T, mut look: impl FnMut() -> (bool, T)) {
    let begun = std::time::Instant::now();
    loop {
        let (done, seen) = look();
        *last = seen;
        if done {
            return;
        }
        assert!(begun.elapsed().as_secs() < 60, "waited in vain, and saw {last:?}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn missing(stats: &Stats) -> Vec<&str> {
    let mut figures: Vec<&str> = stats.missing.iter().map(|missing| missing.figure.as_str()).collect();
    figures.sort_unstable();
    figures.dedup();
    figures
}

fn series(agent: &Agent, kind: &str) -> serde_json::Value {
    agent.call("GET", &format!("/v1/series?kind={kind}&hours=1"), "").1
}

fn assert_all_but(stats: &Stats, without: &[&str]) {
    let has = [
        ("boot_id", stats.boot_id.is_some()),
        ("uptime", stats.uptime_s.is_some_and(|uptime| uptime > 0)),
        ("cpu", stats.cpu_percent.is_some() && !stats.cores_percent.is_empty()),
        ("load", stats.load.is_some()),
        ("memory", stats.mem_total.is_some() && stats.mem_used.is_some()),
        ("swap", stats.swap_total.is_some() && stats.swap_used.is_some()),
        ("disks", !stats.disks.is_empty()),
        ("hostname", stats.hostname == "fakehost"),
    ];
    for (figure, has) in has {
        assert_eq!(has, !without.contains(&figure), "{figure}: {stats:?}");
    }
}

#[test]
fn case_02_no_diskstats_costs_the_disk_rates_only() {
    // A6
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let agent = agent_after(&host, &case("02-no-diskstats/make-proc.sh").replace("/run", "/mnt"));
    let stats = sampled(&agent, |stats| !stats.hostname.is_empty() && stats.cpu_percent.is_some());
    assert_all_but(&stats, &[]);
    assert_eq!(missing(&stats), ["disk_rates"], "{stats:?}");
    let health: Health = serde_json::from_value(agent.call("GET", "/v1/health", "").1).unwrap();
    assert!(health.ok && health.missing[0].why.contains("cannot read /proc/diskstats"), "{health:?}");
    // A series keeps its other channels.
    let disk = until("a point", || Some(series(&agent, "disk")).filter(|disk| disk["points"][0].is_object()));
    let point = &disk["points"][0]["v"];
    assert!(point[0].is_array() && point[1].is_null() && point[2].is_null(), "{disk}");
    assert!(series(&agent, "mem")["points"][0]["v"][0].is_array());
}

#[test]
fn a_source_that_cannot_be_read_costs_its_own_figures_only() {
    // A6
    if !possible() {
        return;
    }
    for (file, text, without) in [
        ("loadavg", "", vec!["load"]),
        ("meminfo", "MemFree: 5 kB\nSwapTotal: 8 kB\nSwapFree: 8 kB\n", vec!["memory"]),
        ("stat", "cpu  1 2 3\ncpu0 1 2\nbtime 1\n", vec!["cpu"]),
        ("stat", "\\377\\376\\000", vec!["cpu"]),
        ("diskstats", "8 0 sda junk\n", vec!["disk_rates"]),
        ("sys/kernel/random/boot_id", "\n", vec!["boot_id"]),
        // The kernel's clock has the same.
        ("uptime", "junk", vec![]),
        ("1/net/dev", "junk\n", vec!["net"]),
        ("1/mounts", "junk\n\n", vec!["disks"]),
    ] {
        let host = FakeHost::start("exit 0");
        let fake = format!("printf '{text}' > /mnt/fake");
        let put =
            if file == "1/net/dev" { net_dev("/mnt/fake") } else { format!("mount --bind /mnt/fake /proc/{file}") };
        let agent = agent_after(&host, &format!("{fake}; {put}"));
        let stats =
            sampled(&agent, |stats| !stats.hostname.is_empty() && (stats.cpu_percent.is_some() || file == "stat"));
        assert_all_but(&stats, &without);
        let reasons: Vec<&str> = without.iter().copied().filter(|figure| *figure != "disks").collect();
        assert_eq!(missing(&stats), reasons, "{file}: {stats:?}");
        // It is absent in the document too, and no zero.
        let told = agent.call("GET", "/v1/stats", "").1;
        for (figure, field) in
            [("load", "load"), ("memory", "mem_used"), ("cpu", "cpu_percent"), ("boot_id", "boot_id")]
        {
            assert_eq!(told.get(field).is_none(), without.contains(&figure), "{file}: {told}");
        }
    }
}

/// A `/proc` whose table of interfaces is a file: over the kernel's own nothing can be mounted.
fn net_dev(file: &str) -> String {
    let links = "for f in $from/*; do [ -e $to/${f##*/} ] || ln -s $f $to/${f##*/}; done";
    format!(
        "mkdir /mnt/rp; mount --rbind /proc /mnt/rp; mount -t tmpfs -o mode=755 none /proc; mkdir -p /proc/1/net
         ln -s {file} /proc/1/net/dev; from=/mnt/rp/1; to=/proc/1; {links}; from=/mnt/rp; to=/proc; {links}"
    )
}

#[test]
fn case_05_stacked_interfaces_count_once_in_stats_and_series() {
    // A6
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let dev = host.folder.path().join("dev");
    std::fs::write(&dev, case("05-stacked-interfaces/net-dev-before")).unwrap();
    let agent = agent_after(&host, &net_dev(&dev.display().to_string()));
    let before = sampled(&agent, |stats| stats.nets.len() == 2);
    assert_eq!(before.net_rates(), Some((0, 0)));
    std::fs::write(&dev, case("05-stacked-interfaces/net-dev-after")).unwrap();
    let after = sampled(&agent, |stats| stats.nets.iter().map(|net| net.rx_total).sum::<u64>() == 10_002_000);
    let names: Vec<&str> = after.nets.iter().map(|net| net.name.as_str()).collect();
    assert_eq!(names, ["eno1", "eno2"]);
    // 10 MB within a second or so: the series says what the stats do, which the card sums up.
    let peak = until("the sample is in the series", || {
        let series = series(&agent, "net");
        let peaks = series["points"].as_array()?.iter().filter_map(|point| point["v"][0][2].as_f64());
        peaks.reduce(f64::max).filter(|peak| *peak > 0.0)
    });
    assert!((4e6..=10.2e6).contains(&peak), "{peak}");
}

#[test]
fn interfaces_count_by_structure_whatever_they_are_called() {
    // A6
    // A bridge with a port, the pair's other end with a macvlan on it, a tap. The names say nothing.
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let made =
        "ip link add uplink type veth peer name far; ip link add hall type bridge; ip link set uplink master hall
        ip link add link far name room type macvlan; ip tuntap add guest mode tap; mount -t sysfs none /sys";
    host.run(made);
    let agent = host.agent(&EVERY_SECOND);
    let stats = sampled(&agent, |stats| !stats.nets.is_empty());
    let names: Vec<&str> = stats.nets.iter().map(|net| net.name.as_str()).collect();
    // Both ends of the pair are here and stand on nothing; the bridge, the macvlan and the tap do not count.
    assert_eq!(names, ["far", "uplink"]);
}

#[test]
fn case_06_a_host_that_is_a_container_has_figures_of_its_own() {
    // A6
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    host.run(&case("06-engine-inside-lxc/host-setup.sh").replace("d=$(mktemp -d)", "d=/mnt/own; mkdir $d"));
    let agent = host.agent(&EVERY_SECOND);
    let set = |file: &str, text: &str| host.run(&format!("printf '{text}' > /mnt/own/{file}"));
    let first = until("a first sample", || Some(stats(&agent)).filter(|stats| stats.at_unix_s > 0));
    assert_eq!(first.mem_total, Some(512 << 20), "from the first sample on: {first:?}");
    set("stat", "cpu  150 0 100 10050 0 0 0 0 0 0\\ncpu0 150 0 100 10050 0 0 0 0 0 0\\nbtime 1796000000\\n");
    let stats = sampled(&agent, |stats| stats.cpu_percent.is_some());
    assert_eq!((stats.mem_total, stats.mem_used), (Some(512 << 20), Some((524_288 - 400_000) << 10)));
    assert_eq!((stats.swap_total, stats.swap_used, stats.uptime_s), (Some(128 << 20), Some(0), Some(777)));
    assert_eq!(
        (stats.load, stats.cpu_percent, &stats.cores_percent[..]),
        (Some([0.05, 0.04, 0.03]), Some(50.0), &[50.0][..])
    );
    assert_eq!(stats.boot_id.as_deref(), Some("11111111-2222-4333-8444-555555555555"));
    assert_eq!(stats.boot(), stats.boot_id, "the host's own boot id needs no more");
    set("meminfo", "MemTotal: 1024 kB\\nMemAvailable: 24 kB\\n");
    let stats = sampled(&agent, |stats| stats.mem_total == Some(1 << 20));
    assert_eq!((stats.mem_used, stats.swap_total), (Some(1000 << 10), None));
    // What is no longer mounted over is the kernel's again.
    host.run("umount /proc/loadavg");
    sampled(&agent, |stats| stats.load.is_some_and(|load| load != [0.05, 0.04, 0.03]));
}

#[test]
fn a_host_without_a_boot_id_of_its_own_is_told_by_its_first_process() {
    // A6
    if !possible() {
        return;
    }
    let kernels = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let boot = || {
        let host = FakeHost::start("exit 0");
        let agent = host.agent(&EVERY_SECOND);
        let stats = sampled(&agent, |stats| stats.boot_id.is_some());
        assert_eq!(stats.boot_id.as_deref(), Some(kernels.trim()));
        stats.boot().unwrap()
    };
    let (one, other) = (boot(), boot());
    assert!(one != other && one.starts_with(kernels.trim()), "{one} {other}");
    assert!(!constella_shared::agent::is_same_boot(&one, &other));
}

/// A mount whose server never answers: nobody reads what the kernel asks.
fn hang(place: &str, mode: &str) -> String {
    format!(
        "exec 3<>/dev/fuse; mount -i -t fuse -o fd=3,rootmode={mode},user_id=0,group_id=0,allow_other hung {place}; \
         sleep 1000 >/dev/null 2>&1 & exec 3<&-"
    )
}

#[test]
fn a_view_that_hangs_costs_its_own_figures_only() {
    // A6
    // lxcfs serves these files, and may stop.
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    host.run(&hang("/proc/loadavg", "100444"));
    let agent = host.agent(&EVERY_SECOND);
    let stats = sampled(&agent, |stats| stats.cpu_percent.is_some() && !stats.hostname.is_empty());
    assert_all_but(&stats, &["load"]);
    let why = stats.why("load").unwrap();
    assert!(why.contains("the host's own /proc/loadavg does not answer"), "{why}");
    host.run("umount -l /proc/loadavg");
    // A rate needs two samples of the view.
    let stats = sampled(&agent, |stats| stats.load.is_some() && stats.swap_rates.is_some());
    assert_eq!(missing(&stats), Vec::<&str>::new(), "{stats:?}");
}

#[test]
fn a_mount_that_hangs_costs_itself_only() {
    // A6
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    host.run(&format!(
        "mkdir /mnt/hung /mnt/ok; mount -t tmpfs -o size=1m none /mnt/ok; {}",
        hang("/mnt/hung", "40000")
    ));
    let table = host.folder.path().join("mounts");
    std::fs::write(&table, "/dev/a / ext4 rw 0 0\n/dev/b /mnt/hung ext4 rw 0 0\n/dev/c /mnt/ok ext4 rw 0 0\n").unwrap();
    let agent = agent_after(&host, &format!("mount --bind {} /proc/1/mounts", table.display()));
    let stats = sampled(&agent, |stats| stats.disks.len() == 2 && stats.cpu_percent.is_some());
    let mounts: Vec<&str> = stats.disks.iter().map(|disk| disk.mount.as_str()).collect();
    assert_eq!((mounts, stats.why("disks")), (vec!["/", "/mnt/ok"], Some("/mnt/hung does not answer within 2 s")));
    assert_eq!(missing(&stats), ["disks"], "{stats:?}");
    until("the look has ended", || agent.processes("inner-look").is_empty().then_some(()));
}

#[test]
fn case_08_reserved_blocks_are_not_free() {
    // A6
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let image = host.folder.path().join("image");
    let make = format!("PATH=$PATH:/sbin:/usr/sbin; truncate -s 60M {0}; mkfs.ext4 -q -m 5 {0}", image.display());
    assert!(std::process::Command::new("sh").args(["-ec", &make]).status().unwrap().success());
    host.run(&format!("mkdir /mnt/full; mount -o loop {} /mnt/full; chmod 777 /mnt/full", image.display()));
    let fill = "setpriv --reuid 65534 --regid 65534 --clear-groups head -c 100M /dev/zero";
    host.run(&format!("{fill} 2>/dev/null > /mnt/full/x || true"));
    let agent = host.agent(&EVERY_SECOND);
    let full = |stats: &Stats| stats.disks.iter().find(|disk| disk.mount == "/mnt/full").cloned();
    let disk = full(&sampled(&agent, |stats| full(stats).is_some())).unwrap();
    // A block or two may be left, of which nobody can make a file.
    assert!(disk.percent() > Some(99.9) && disk.available < Some(64 << 10), "{disk:?}");
    assert!(disk.used < disk.total * 97 / 100, "{disk:?}");
    let fullest = until("the series has it", || {
        let series = series(&agent, "disk");
        series["points"].as_array()?.last()?["v"][0][1].as_f64()
    });
    assert!(fullest > 99.9, "{fullest}");
    host.run("umount /mnt/full");
}

#[test]
fn case_10_forty_datasets_hide_no_full_disk() {
    // A6
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    host.run("mkdir /mnt/full; mount -t tmpfs -o size=1m none /mnt/full; head -c 1000k /dev/zero > /mnt/full/x");
    // A dataset is a file system of its own; to have the pool's figures they need not be ZFS.
    host.run("for i in 0 1 2 3; do mkdir -p /mnt/pool/d$i; mount -t tmpfs -o size=4m none /mnt/pool/d$i; head -c 1m /dev/zero > /mnt/pool/d$i/x; done");
    let table = host.folder.path().join("mounts");
    std::fs::write(
        &table,
        case("10-forty-datasets/mounts").replace(" /pool", " /mnt/pool").replace("FULL", "/mnt/full"),
    )
    .unwrap();
    let agent = agent_after(&host, &format!("mount --bind {} /proc/1/mounts", table.display()));
    let stats = sampled(&agent, |stats| !stats.disks.is_empty());
    let rows: Vec<(&str, &str)> = stats.disks.iter().map(|disk| (disk.mount.as_str(), disk.device.as_str())).collect();
    assert_eq!((rows.len(), rows[0], rows[1]), (3, ("/", "/dev/vda"), ("/mnt/full", "/dev/vdb")), "{rows:?}");
    assert_eq!(rows[2].1, "pool");
    assert!(stats.disks[1].percent() > Some(95.0), "{stats:?}");
    // Three of twelve free megabytes are those of each dataset; together four of seven are used.
    assert_eq!((stats.disks[2].used, stats.disks[2].available), (4 << 20, Some(3 << 20)), "{stats:?}");
    assert!(stats.why("disks").unwrap().starts_with("/mnt/pool/d"), "36 of them are not there: {stats:?}");
}

#[test]
fn case_30_an_interface_name_that_is_no_utf8_hides_nothing() {
    // A6
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    host.run("ip link add ens3 type veth peer name z9; ip link set z9 name \"$(printf '\\377\\376wan')\"");
    let agent = host.agent(&EVERY_SECOND);
    let stats = sampled(&agent, |stats| !stats.nets.is_empty() && !stats.hostname.is_empty());
    let names: Vec<&str> = stats.nets.iter().map(|net| net.name.as_str()).collect();
    assert_eq!(names, [r"\xff\xfewan", "ens3"]);
    assert_all_but(&stats, &[]);
    assert_eq!(missing(&stats), Vec::<&str>::new(), "{stats:?}");
}

#[test]
fn sensors_of_the_host_are_told_and_broken_ones_are_named() {
    // A6
    if !possible() {
        return;
    }
    let host = FakeHost::start("exit 0");
    let chip = "mkdir -p /mnt/class/hwmon/hwmon0; cd /mnt/class/hwmon/hwmon0; echo k10temp > name; echo 41250 > temp1_input
        echo -273000 > temp2_input; echo 0 > temp3_input; mkdir /mnt/sys; mount --rbind /sys /mnt/sys; mount -t tmpfs none /sys
        mkdir /sys/class; cp -r /mnt/class/hwmon /sys/class/";
    host.run(chip);
    let agent = host.agent(&EVERY_SECOND);
    let stats = sampled(&agent, |stats| !stats.temperatures.is_empty());
    assert_eq!((stats.temperatures.len(), stats.temperatures[0].celsius), (1, 41.25));
    assert_eq!(stats.temperatures[0].label, "k10temp temp1");
    let broken = stats.missing.iter().filter(|missing| missing.figure == "temperatures").count();
    assert_eq!(broken, 2, "{stats:?}");
    assert!(series(&agent, "temp")["points"][0]["v"][0].is_array());
}
