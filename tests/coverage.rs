//! The 95 % intervals of reports hold the truth about as often as they say, or more often: a small, seeded form of
//! `cargo run --release --example coverage`.

#[path = "../examples/coverage/simulation.rs"]
mod simulation;

use simulation::{MEASURES, RATES, Sources, UNEVEN, WORLDS, guarded, measured, rate, tango};

/// Draws a cell: enough to tell .93 from .95.
const DRAWS: u32 = 2_000;

#[test]
fn rates_lie_within_their_intervals() {
    let [wilson, clopper_pearson] = RATES.map(|(_, interval)| interval);
    for n in [10, 20, 50, 100] {
        let (mean, least) = rate(wilson, n);
        assert!((0.945..0.97).contains(&mean) && least > 0.89, "Wilson, {n}: {mean} {least}");
        assert!(rate(clopper_pearson, n).1 >= 0.95, "Clopper–Pearson, {n}");
    }
}

#[test]
fn differences_lie_within_tangos_interval() {
    for world in WORLDS {
        for n in [10, 20, 50] {
            let coverage = tango(world, n);
            assert!(coverage >= 0.94, "{world}, {n} cases: {coverage}");
        }
    }
}

#[test]
fn measures_lie_within_their_interval() {
    for world in MEASURES {
        for n in [10, 20, 50, 100] {
            let coverage = measured(world, n, DRAWS, 7);
            assert!(coverage >= 0.92, "{world:?}, {n} cases: {coverage}");
        }
    }
}

#[test]
fn differences_lie_within_the_guarded_interval() {
    for world in WORLDS {
        for (sources, repeats) in [
            (Sources::single(10), 2),
            (Sources::single(20), 5),
            (Sources::single(50), 3),
            (Sources::single(100), 2),
            (Sources::threes(20), 1),
            (Sources::threes(50), 3),
            (Sources::even(17, 3, 1.0), 1),
            (Sources::even(5, 10, 1.0), 1),
            (Sources::even(3, 20, 1.0), 1),
            (Sources { sizes: UNEVEN.to_vec(), alike: 1.0 }, 1),
        ] {
            let coverage = guarded(world, &sources, repeats, DRAWS, 7);
            assert!(coverage >= 0.93, "{world}, {sources:?}, {repeats} repeats: {coverage}");
        }
    }
}
