//! Which mounts are disks, and in which order.

use super::*;

fn listed(text: &[u8]) -> Vec<String> {
    disks(table(text)).into_iter().map(|it| format!("{} {} {}", it.device, it.path.display(), it.fs)).collect()
}

#[test]
fn each_device_is_told_once_and_pseudo_file_systems_never() {
    let table = b"proc /proc proc rw 0 0\n\
        rootfs / rootfs rw 0 0\n\
        /dev/vda1 / ext4 rw,relatime 0 0\n\
        udev /dev devtmpfs rw 0 0\n\
        tmpfs /run tmpfs rw 0 0\n\
        /dev/loop3 /snap/core/1 squashfs ro 0 0\n\
        /dev/loop4 /opt/image ext4 ro,relatime 0 0\n\
        /dev/loop5 /srv/file ext4 rw 0 0\n\
        /dev/fuse /run/user/1000/doc fuse.portal rw 0 0\n\
        /dev/sdz1 /mnt/ntfs fuseblk rw 0 0\n\
        sshfs#host: /mnt/ssh fuse.sshfs rw 0 0\n\
        /dev/vdb /srv/data/deep btrfs rw,subvol=/deep 0 0\n\
        /dev/vdb /srv btrfs rw,subvol=/ 0 0\n\
        /dev/vda1 /etc/hosts ext4 rw 0 0\n\
        overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0\n\
        pool/home@yesterday /tank/.zfs/snapshot/yesterday zfs ro 0 0\n\
        pool/home /tank zfs rw 0 0\n\
        junk\n\
        server:/export /mnt/nfs nfs4 rw 0 0\n";
    let told = ["/dev/vda1 / ext4", "/dev/vdb /srv btrfs", "pool/home /tank zfs", "/dev/sdz1 /mnt/ntfs fuseblk"];
    let mut expected: Vec<String> = told.map(str::to_owned).into();
    expected.push("/dev/loop5 /srv/file ext4".to_owned());
    let mut listed = listed(table);
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
}

#[test]
fn a_root_of_any_kind_is_a_disk() {
    assert_eq!(listed(b"overlay / overlay rw 0 0\n"), ["overlay / overlay"]);
    assert_eq!(listed(b"/dev/ploop1 / simfs rw 0 0\n"), ["/dev/ploop1 / simfs"]);
    assert_eq!(listed(b"tmpfs / tmpfs ro 0 0\n"), ["tmpfs / tmpfs"]);
}

#[test]
fn any_bytes_are_a_path() {
    let paths = table(b"/dev/a /a\\040b\\011c\\012d\\134e\\043 ext4 rw 0 0\n/dev/b /\xff\xfe ext4 rw 0 0\n/dev/c /x\\9\\04 ext4 rw 0 0");
    let bytes: Vec<Vec<u8>> = paths.into_iter().map(|it| it.path.into_os_string().into_vec()).collect();
    assert_eq!(bytes, [&b"/a b\tc\nd\\e#"[..], b"/\xff\xfe", b"/x\\9\\04"]);
}

fn disk(mount: &str, device: &str, used: u64, available: u64) -> Disk {
    let fs = if device.starts_with('/') { "ext4" } else { "zfs" };
    let (mount, device, fs) = (mount.to_owned(), device.to_owned(), fs.to_owned());
    Disk { mount, device, fs, total: used + available, used, available: Some(available), ..Disk::default() }
}

#[test]
fn the_fullest_are_told_and_a_pool_is_as_full_as_its_datasets_together() {
    // 10-forty-datasets
    let mut sizes = vec![(1, disk("/", "/dev/vda", 10, 90))];
    sizes.extend((0..40).map(|i| (100 + i, disk(&format!("/pool/d{i}"), &format!("pool/d{i}"), 10, 100))));
    sizes.push((3, disk("/full", "/dev/vdb", 96, 4)));
    sizes.push((1, disk("/also", "/dev/root", 10, 90)));
    let told = |sizes| -> Vec<String> {
        let row = |disk: Disk| format!("{} {} {:.0}", disk.device, disk.mount, disk.percent().unwrap());
        ranked(sizes).into_iter().map(row).collect()
    };
    let rows = told(sizes.clone());
    assert_eq!((rows[0].as_str(), rows[1].as_str(), rows.len()), ("/dev/vda / 10", "/dev/vdb /full 96", 3), "{rows:?}");
    assert!(rows[2].starts_with("pool /pool/d") && rows[2].ends_with(" 80"), "{rows:?}");
    // One that has a quota of its own, and is fuller than the pool.
    sizes.push((4, disk("/pool/small", "pool/small", 99, 1)));
    assert_eq!(told(sizes)[1], "pool /pool/small 99");
}

#[test]
fn as_many_as_fit_are_told_the_root_with_them() {
    let name = "x".repeat(4000);
    let many =
        (0..100).map(|i| (i + 1, disk(&format!("/mnt/{i}{name}"), &format!("/dev/{i}"), 10 * i, 1_000 - 10 * i)));
    let told = ranked(many.chain([(500, disk("/", "/dev/root", 1, 99))]).collect());
    assert_eq!((told.len(), told[0].mount.as_str()), (DISKS, "/"));
    assert!(told[1].mount.starts_with("/mnt/99x"));
}
