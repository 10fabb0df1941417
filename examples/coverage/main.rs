//! Prints how often the 95 % intervals of reports hold the truth: `cargo run --release --example coverage`.

mod simulation;

use simulation::{RATES, WORLDS, guarded, rate, tango};

const DRAWS: u32 = 20_000;
const CASES: [usize; 4] = [10, 20, 50, 100];

fn main() {
    println!("One rate, over true rates .50 … .99: mean (least)");
    for (name, interval) in RATES {
        let cells: Vec<String> =
            CASES.iter().map(|n| rate(interval, *n)).map(|(mean, least)| format!("{mean:.3} ({least:.3})")).collect();
        println!("  {name:<16} {}", cells.join("  "));
    }
    println!("\nA difference, one repeat: Tango, by enumeration; n = {CASES:?}");
    for world in WORLDS {
        let cells: Vec<String> = CASES.iter().map(|n| format!("{:.3}", tango(world, *n))).collect();
        println!("  {world}  {}", cells.join("  "));
    }
    for (repeats, size) in [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (1, 3), (3, 3)] {
        println!("\nA difference, {repeats} repeats, {size} cases a source: guarded t, {DRAWS} draws; n = {CASES:?}");
        for world in WORLDS {
            let cells: Vec<String> =
                CASES.iter().map(|n| format!("{:.3}", guarded(world, *n, repeats, size, DRAWS, 1))).collect();
            println!("  {world}  {}", cells.join("  "));
        }
    }
}
