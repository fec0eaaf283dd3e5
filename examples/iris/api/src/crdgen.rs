//! Prints the definition of every kind in every version, as a stream of JSON documents for `make manifests`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for crd in iris_api::crds() {
        writeln!(out, "---")?;
        serde_json::to_writer_pretty(&mut out, &crd)?;
        writeln!(out)?;
    }
    Ok(())
}
