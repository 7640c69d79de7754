//! What InResponse costs: `cargo bench -p inresponse-benches`.
