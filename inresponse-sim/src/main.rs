use inresponse_sim::*;
fn main() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| if info.payload().downcast_ref::<&str>() != Some(&carrier::SIMULATED) { hook(info) }));
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let (from, n) = (args[0], args[1]);
    let mut by = std::collections::BTreeMap::<u8, (u64, String)>::new();
    let mut sends = 0; let mut incidents = 0;
    for seed in from..from + n {
        let played = play::play(play::Run::whole(seed), &play::in_memory, play::Trace::Spare);
        sends += played.history.sends.len(); incidents += played.history.last.len();
        for v in check::violations(&played) {
            let e = by.entry(v.promise).or_insert((0, format!("seed {seed} {v}")));
            e.0 += 1;
        }
        if n == 1 {
            let played = play::play(play::Run::whole(seed), &play::in_memory, play::Trace::Keep);
            for l in &played.trace { println!("{l}"); }
            println!("{:?}", played.scenario);
            for v in check::violations(&played) { println!("{v}"); }
        }
    }
    println!("{sends} sends {incidents} incidents");
    for (p, (n, t)) in by { println!("P{p} x{n}: {t}"); }
}
