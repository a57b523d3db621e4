//! The one file with `unsafe`: no safe function that we know of sends a real-time signal.

use std::io;

/// Sends SIGRTMIN+5 to PID 1, which systemd(1) takes as "reboot".
pub(crate) fn tell_systemd_to_reboot() -> io::Result<()> {
    // JUSTIFICATION: kill(2) has no safe wrapper that takes a real-time signal.
    // SAFETY: kill takes two numbers, touches no memory of ours, and reports every error in its result.
    #[expect(unsafe_code, reason = "see JUSTIFICATION above")]
    match unsafe { libc::kill(1, libc::SIGRTMIN() + 5) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
