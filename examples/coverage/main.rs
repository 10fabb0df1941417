//! Prints how often the 95 % intervals of reports hold the truth: `cargo run --release --example coverage`.

mod simulation;

use simulation::{MEASURES, RATES, Sources, UNEVEN, WORLDS, guarded, measured, rate, tango};

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
    print_measured();
    for repeats in 1..=5 {
        println!("\nA difference, {repeats} repeats: guarded t, {DRAWS} draws; n = {CASES:?}");
        print_guarded(repeats, &CASES.map(Sources::single));
    }
    for repeats in [1, 3] {
        println!("\nA difference, {repeats} repeats, 3 cases a source: guarded t, {DRAWS} draws; n = {CASES:?}");
        print_guarded(repeats, &CASES.map(Sources::threes));
    }
    for alike in [0.5, 1.0] {
        println!("\nA difference, 1 repeat, {alike} alike: 17 × 3, 5 × 10, 3 × 20, 3 × 40, 8 of 1 … 20 cases");
        let even = |sources, size| Sources::even(sources, size, alike);
        let uneven = Sources { sizes: UNEVEN.to_vec(), alike };
        print_guarded(1, &[even(17, 3), even(5, 10), even(3, 20), even(3, 40), uneven]);
    }
}

fn print_measured() {
    println!("\nA measure such as a length: guarded t, {DRAWS} draws; n = {CASES:?}");
    for world in MEASURES {
        let cells: Vec<String> = CASES.iter().map(|n| format!("{:.3}", measured(world, *n, DRAWS, 1))).collect();
        println!("  {world}  {}", cells.join("  "));
    }
}

fn print_guarded(repeats: u32, sources: &[Sources]) {
    for world in WORLDS {
        let cells: Vec<String> =
            sources.iter().map(|sources| format!("{:.3}", guarded(world, sources, repeats, DRAWS, 1))).collect();
        println!("  {world}  {}", cells.join("  "));
    }
}
