//! Figures that the text of `/proc` has, and figures that it lacks.

use super::*;

#[test]
fn a_number_that_is_not_there_is_no_zero() {
    assert_eq!(load("0.05 0.04 0.03 1/50 1234\n").unwrap(), [0.05, 0.04, 0.03]);
    for text in ["", "0.05 0.04", "a b c", "NaN 0 0", "0.05 inf 0.03"] {
        assert!(load(text).is_err(), "{text}");
    }
    assert_eq!(uptime("777.99 700.00\n").unwrap(), 777);
    for text in ["", "-1 0", "up", "NaN"] {
        assert!(uptime(text).is_err(), "{text}");
    }
    let stat = b"1 (a) b) (c\xff) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 1 2\n";
    assert_eq!((start(stat), start(b"1 (sh) S"), start(b"")), (Some(4242), None, None));
}

#[test]
fn swapped_pages_are_counted_both_ways() {
    let text = "nr_free_pages 9\npswpin 2\npswpout 5\npswpout_x 7\n";
    assert_eq!(swapped(text).unwrap(), [8192, 20_480]);
    for text in ["", "pswpin 2\n", "pswpin 2\npswpout x\n"] {
        assert!(swapped(text).is_err(), "{text}");
    }
}

fn free(text: Result<&str>) -> ([Option<u64>; 4], Vec<String>) {
    let (mut stats, mut missing) = (Stats::default(), Vec::new());
    memory(&mut stats, &mut missing, text.map(str::to_owned));
    let figures = [stats.mem_total, stats.mem_used, stats.swap_total, stats.swap_used];
    (figures, missing.into_iter().map(|it| format!("{}: {}", it.figure, it.why)).collect())
}

#[test]
fn memory_is_what_free_shows_line_by_line() {
    let kib = |kib: u64| Some(kib * 1024);
    let text = "MemTotal: 100 kB\nMemFree: 10 kB\nMemAvailable:   40 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n";
    assert_eq!(free(Ok(text)), ([kib(100), kib(60), Some(0), Some(0)], Vec::new()));
    // Before Linux 3.14.
    let text = "MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 15 kB\nSwapTotal: 8 kB\nSwapFree: 6 kB\n";
    assert_eq!(free(Ok(text)), ([kib(100), kib(70), kib(8), kib(2)], Vec::new()));
    let (figures, missing) = free(Ok("MemTotal: 100 kB\nSwapTotal: x kB\nSwapFree: 6 kB\n"));
    assert_eq!(figures, [kib(100), None, None, None]);
    assert_eq!(missing, ["memory: /proc/meminfo has no MemAvailable", "swap: /proc/meminfo has no SwapTotal"]);
    let (figures, missing) = free(Err(anyhow!("gone")));
    assert_eq!((figures, missing), ([None; 4], vec!["memory: gone".to_owned(), "swap: gone".to_owned()]));
}
