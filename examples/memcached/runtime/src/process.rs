//! Metrics of the process itself, under the names that Prometheus clients in all languages use. They are read from
//! `/proc`, so there are none on other systems than Linux.

use std::fmt::Error;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Clock ticks per second, as `/proc` counts them on every architecture.
const TICKS: f64 = 100.0;

/// Reads the process's state at every scrape.
#[derive(Debug)]
pub(crate) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let Some([cpu, memory, start, files]) = read() else { return Ok(()) };
        let (counter, help) = (ConstCounter::new(cpu), "Total user and system CPU time spent in seconds");
        let kind = counter.metric_type();
        counter.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, kind)?)?;
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Resident memory size in bytes", memory),
            ("process_start_time_seconds", "Start time of the process in seconds since 1970", start),
            ("process_open_fds", "Number of open file descriptors", files),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// CPU seconds, bytes of resident memory, start time and number of open files: see proc(5).
fn read() -> Option<[f64; 4]> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The command's name, in parentheses, may hold spaces; the third field follows it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    let line = |file: &str, name: &str| -> Option<f64> {
        let text = fs::read_to_string(file).ok()?;
        text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    };
    let files = u32::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()?;
    Some([
        (field(14)? + field(15)?) / TICKS,
        // In kibibytes, whatever the size of a page is.
        line("/proc/self/status", "VmRSS:")? * 1024.0,
        line("/proc/stat", "btime")? + field(22)? / TICKS,
        files.into(),
    ])
}
