//! Which mounts are disks.

use super::*;

fn mounts(table: &str) -> Vec<String> {
    let disks = disks(Vec::from_read(table.as_bytes()).unwrap());
    disks.into_iter().map(|disk| format!("{} {} {}", disk.device, disk.mount, disk.fs)).collect()
}

#[test]
fn each_device_is_told_once_and_pseudo_file_systems_never() {
    let table = "proc /proc proc rw 0 0\n\
        /dev/vda1 / ext4 rw,relatime 0 0\n\
        udev /dev devtmpfs rw 0 0\n\
        tmpfs /run tmpfs rw 0 0\n\
        /dev/loop3 /snap/core/1 squashfs ro 0 0\n\
        /dev/fuse /run/user/1000/doc fuse.portal rw 0 0\n\
        /dev/vdb /srv/my\\040data xfs rw 0 0\n\
        /dev/vda1 /etc/hosts ext4 rw 0 0\n\
        overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0\n\
        pool/home /home zfs rw 0 0\n\
        server:/export /mnt/nfs nfs4 rw 0 0\n";
    assert_eq!(mounts(table), ["/dev/vda1 / ext4", "/dev/vdb /srv/my data xfs", "pool/home /home zfs"]);
}

#[test]
fn a_root_of_any_kind_is_a_disk() {
    assert_eq!(mounts("overlay / overlay rw 0 0\n"), ["overlay / overlay"]);
    assert_eq!(mounts("/dev/ploop1 / simfs rw 0 0\n"), ["/dev/ploop1 / simfs"]);
}

#[test]
fn a_table_that_is_none_is_an_error_and_a_long_one_is_cut() {
    assert!(Vec::<MountEntry>::from_read(&b"half a line"[..]).is_err());
    let many: String = (0..100).map(|i| format!("/dev/vd{i} /mnt/{i} ext4 rw 0 0\n")).collect();
    assert_eq!(mounts(&many).len(), DISKS);
}

#[test]
fn the_longest_names_fit_into_a_report() {
    let name = "x".repeat(4000);
    let many: String = (0..100).map(|i| format!("/dev/mapper/{i} /mnt/{i}{name} ext4 rw 0 0\n")).collect();
    let report = serde_json::to_vec(&("host", disks(Vec::from_read(many.as_bytes()).unwrap()))).unwrap();
    let bytes = report.len();
    assert!(bytes <= constella_shared::limits::REPORT_BYTES, "{bytes}");
}
