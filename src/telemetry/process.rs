//! What the operating system knows of this process.

/// Resident memory in bytes, where the system tells (Linux).
///
/// The second number of `/proc/self/statm` counts pages (proc(5)); `VmRSS` of `/proc/self/status` is the same in kB and
/// needs no page size, which the standard library does not tell.
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    resident_of(&status)
}

/// Reads `VmRSS:     1234 kB`.
pub(super) fn resident_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
