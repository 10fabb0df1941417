use evalrun::{calibration::Calibration, item::Item, property::*, score::*};
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let show: Option<&str> = args.iter().position(|a| a == "--show").map(|i| args[i + 1].as_str());
    let files: Vec<&String> = args.iter().filter(|a| a.ends_with(".jsonl")).collect();
    let require = Requirements::default();
    let today = jiff::civil::date(2026, 1, 1);
    let mut cal: Vec<Calibration> = Property::ALL.into_iter().map(Calibration::new).collect();
    for f in files {
        for line in std::fs::read_to_string(f).unwrap().lines() {
            let item: Item = match serde_json::from_str(line) {
                Ok(i) => i,
                Err(e) => {
                    eprintln!("{f}: {e}");
                    continue;
                }
            };
            let Some(labels) = item.labels.clone() else { continue };
            let subject = Subject::new(&item.output, item.source.as_ref(), item.prompt.as_deref(), &require, today);
            for c in &mut cal {
                if labels.of(c.property).is_some() {
                    let s = score(c.property, &subject);
                    c.add(&item, &labels, &s);
                }
            }
        }
    }
    for c in &cal {
        if c.judged() + c.unscored == 0 {
            continue;
        }
        let a = c.alarms();
        let p = |x: Option<f64>| x.map_or("  - ".into(), |v| format!("{v:.2}"));
        println!(
            "{:20} n={:3} FF={:3} FP={:3} FN={:3} PP={:3} un={} | P {} R {} F1 {} | wrong {} | spans P {} R {} F1 {} ({}/{}/{})",
            c.property,
            c.judged(),
            c.both_fail,
            c.false_alarms,
            c.missed,
            c.both_pass,
            c.unscored,
            p(a.precision()),
            p(a.recall()),
            p(a.f1()),
            c.false_alarms + c.missed,
            p(c.spans.precision()),
            p(c.spans.recall()),
            p(c.spans.f1()),
            c.spans.matched,
            c.spans.found,
            c.spans.wanted
        );
        if show == Some(c.property.name()) || show == Some("all") {
            for d in &c.disagreements {
                println!(
                    "   {} label={} got={:?}\n      missed {:?}\n      extra {:?}",
                    d.id,
                    if d.label_passes { "pass" } else { "fail" },
                    d.verdict,
                    d.missed,
                    d.extra
                );
            }
        }
    }
}
