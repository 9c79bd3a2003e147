//! What a run of engines took, as the system counts it.

use std::fs::read_to_string;

/// Of a second, as the system counts processor time for programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// Fields of `/proc/self/stat` after the name: the state is the first, then come user and system
/// time as the twelfth and thirteenth.
const TIMES: std::ops::Range<usize> = 11..13;

/// Entries that engines wrote, how many in a second of processor time, and the most memory; nothing
/// where there was none of that.
pub fn of_engines(entries: u64) -> Option<String> {
    if entries == 0 {
        return None;
    }
    let mut said = format!("{entries} entries went through the engines of nodes");
    if let Some(seconds) = processor_s().filter(|seconds| *seconds > 0.0) {
        let rate = entries as f64 / seconds;
        said += &format!(": {rate:.0} in a second of processor time, {seconds:.0} s in all");
    }
    if let Some(mib) = memory_max_mib() {
        said += &format!("; {mib} MiB of memory at most");
    }
    Some(said + ".")
}

fn processor_s() -> Option<f64> {
    processor_of(&read_to_string("/proc/self/stat").ok()?)
}

fn processor_of(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<_> = after_name.split_whitespace().collect();
    let times = fields.get(TIMES)?.iter().map(|ticks| ticks.parse::<f64>());
    let ticks: f64 = times.collect::<Result<Vec<_>, _>>().ok()?.iter().sum();
    Some(ticks / TICKS_PER_SECOND)
}

fn memory_max_mib() -> Option<u64> {
    memory_of(&read_to_string("/proc/self/status").ok()?)
}

fn memory_of(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

#[cfg(test)]
mod tests {
    use super::{memory_of, processor_of};

    #[test]
    fn what_the_system_says_is_read() {
        let stat = "7 (kith) sim) R 1 7 7 0 -1 4194304 100 0 0 0 1250 250 0 0 20 0 3 0 9 1 1";
        assert_eq!(processor_of(stat), Some(15.0));
        let status = "Name:\tkith-sim\nVmPeak:\t  999999 kB\nVmHWM:\t  204800 kB\nThreads:\t3\n";
        assert_eq!(memory_of(status), Some(200));
        assert_eq!((processor_of(""), memory_of("")), (None, None));
    }
}
