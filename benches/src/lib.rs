//! What InResponse costs: `cargo bench -p inresponse-benches --bench planner`, `cargo xtask lambda-bench`.
