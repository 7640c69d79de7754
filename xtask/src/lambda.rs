//! Builds the functions for AWS Lambda, and measures them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::emulators::Emulator;
use crate::tools::{Failure, cargo, environment, root, run, target_dir};

/// Builds the optimised program, and packs it where the template looks for it.
pub(crate) fn build() -> Result<PathBuf, Failure> {
    let mut build = cargo();
    build.args(["build", "--profile", "lambda", "-p", "inresponse-lambda", "--locked"]);
    // Without it the first random bytes take some 30 ms of every start. The kernel's are left as the source.
    run(build.env("AWS_LC_SYS_NO_JITTER_ENTROPY", "1"))?;
    let folder = root().join("examples/lambda/target");
    std::fs::create_dir_all(&folder)?;
    let archive = folder.join("inresponse-lambda.zip");
    pack(&bootstrap(), &archive)?;
    for file in [&bootstrap(), &archive] {
        println!("{:>10} bytes  {}", std::fs::metadata(file)?.len(), file.display());
    }
    Ok(archive)
}

fn bootstrap() -> PathBuf {
    target_dir().join("lambda/bootstrap")
}

/// Writes a zip archive with one entry, an executable `bootstrap`.
fn pack(program: &Path, archive: &Path) -> Result<(), Failure> {
    let script = "import sys, zipfile\n\
                  entry = zipfile.ZipInfo('bootstrap')\n\
                  entry.external_attr = 0o755 << 16\n\
                  with zipfile.ZipFile(sys.argv[2], 'w') as out:\n    \
                      out.writestr(entry, open(sys.argv[1], 'rb').read(), zipfile.ZIP_DEFLATED, 9)\n";
    run(Command::new("python3").args(["-c", script]).arg(program).arg(archive))
}

/// Measures the program next to a small function in Python.
pub(crate) fn bench() -> Result<(), Failure> {
    const PREFIX: &str = "bench-";
    let archive = build()?;
    let peers = root().join("benches/peers/lambda");
    let packages = std::fs::read_to_string(peers.join("requirements.txt"))?;
    let python = environment("lambda-peer", &packages.lines().collect::<Vec<_>>())?;
    let dynamodb = Emulator::dynamodb_local()?;
    let mut tables = Command::new(&python);
    tables.arg(peers.join("tables.py")).arg(root().join("examples/lambda/template.yaml"));
    run(tables.args([dynamodb.url().as_str(), PREFIX]))?;
    let mut bench = cargo();
    bench.args(["bench", "-p", "inresponse-benches", "--bench", "lambda", "--locked"]);
    bench.env("INRESPONSE_BENCH_BOOTSTRAP", bootstrap()).env("INRESPONSE_BENCH_ARCHIVE", archive);
    bench.env("INRESPONSE_BENCH_PYTHON", python).env("INRESPONSE_BENCH_PEERS", peers);
    bench.env("INRESPONSE_BENCH_DYNAMODB", dynamodb.url()).env("INRESPONSE_BENCH_PREFIX", PREFIX);
    run(&mut bench)
}
