//! What the figures were measured on, and what a process has used: read from `/proc`, so Linux only.

use std::{fs, time::Duration};

/// `/proc/<pid>/stat` counts in these; Linux shows user space 100 a second on all its platforms.
const TICK: Duration = Duration::from_millis(10);

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The CPU time, user and system, that a process with all its threads has used.
pub fn cpu(pid: u32) -> Duration {
    cpu_in(&read(&format!("/proc/{pid}/stat")))
}

fn cpu_in(stat: &str) -> Duration {
    // The name in parentheses may hold spaces; state is the first field behind it, utime and stime the 12th and 13th.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or(Vec::new(), |(_, rest)| rest.split_whitespace().collect());
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok()).unwrap_or(0);
    TICK * (ticks(11) + ticks(12))
}

/// The CPU time that the threads of a process have used whose name begins so.
pub fn cpu_of_threads(pid: u32, name: &str) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let named = tasks.filter(|task| read(&task.path().join("comm").display().to_string()).starts_with(name));
    named.map(|task| cpu_in(&read(&task.path().join("stat").display().to_string()))).sum()
}

/// The CPU time of this process.
pub fn own_cpu() -> Duration {
    cpu(std::process::id())
}

/// A line of `/proc/<pid>/status` in bytes: `VmRSS` is resident memory, `VmHWM` its highest value so far.
pub fn memory(pid: u32, name: &str) -> f64 {
    let status = read(&format!("/proc/{pid}/status"));
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) * 1024.0
}

/// How many tasks ran or wanted to, on average over the last minute.
pub fn load_average() -> f64 {
    read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0)
}

/// Processor, cores, memory, kernel and date, in one line.
pub fn describe() -> String {
    let cpuinfo = read("/proc/cpuinfo");
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let meminfo = read("/proc/meminfo");
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().split(' ').next());
    let gibibytes = total.and_then(|total| total.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0 / 1024.0;
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = kernel.split('-').next().unwrap_or_default().trim().to_owned();
    let now = jiff::Timestamp::now();
    format!(
        "{}, {cores} cores, {gibibytes:.0} GiB, Linux {kernel}; {} UTC",
        model.unwrap_or("unknown processor"),
        now.strftime("%Y-%m-%d %H:%M")
    )
}
