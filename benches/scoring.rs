//! How long it takes to score one article of about 4.5 kB: all properties together, and each alone.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;

use evalrun::case::Source;
use evalrun::property::{Property, Requirements};
use evalrun::score::{Subject, score};

fn article() -> String {
    // The sample answers of this repository, one after the other, up to 4.5 kB.
    let mut text = String::new();
    for case in ["jetro-quantum-mission", "city-write-free-counter", "institute-eelgrass-sound"] {
        let path = format!("{}/cases/{case}/answers/news-article/sample-careful.md", env!("CARGO_MANIFEST_DIR"));
        text += &std::fs::read_to_string(path).expect("a sample answer");
    }
    let end = (0..=4500).rev().find(|&at| text.is_char_boundary(at.min(text.len()))).unwrap_or(0);
    text.truncate(end);
    text
}

fn source() -> Source {
    serde_json::from_value(serde_json::json!({
        "published_at": "2025-06-30T07:00:00+09:00",
        "publisher": "日本貿易振興機構",
        "title": "米イリノイ州で量子分野の日米企業交流、ジェトロが「量子ミッション」派遣",
        "background": ["シカゴ大学", "Chicago Quantum Exchange(シカゴ量子取引所)"],
        "aliases": [["日本貿易振興機構", "ジェトロ", "JETRO"]],
    }))
    .expect("a source")
}

fn benchmark(criterion: &mut Criterion) {
    let (article, source, require) = (article(), source(), Requirements::default());
    let subject = || Subject::new(&article, Some(&source), None, &require, jiff::civil::date(2026, 1, 1));
    let judged: Vec<Property> = Property::ALL.into_iter().take(11).collect();
    let mut group = criterion.benchmark_group("article");
    group.bench_function("all properties", |bencher| {
        bencher.iter(|| {
            let subject = subject();
            for property in &judged {
                drop(black_box(score(*property, &subject)));
            }
        });
    });
    group.bench_function("taking apart", |bencher| bencher.iter(|| black_box(subject())));
    group.bench_function("words", |bencher| bencher.iter(|| black_box(subject().passage.morphemes().len())));
    // The words are made once and shared by the properties; the three of `covers` share their weighing, too.
    let taken_apart = || {
        let subject = subject();
        subject.passage.morphemes();
        subject
    };
    for property in &judged {
        group.bench_function(property.name(), |bencher| {
            bencher.iter_batched(taken_apart, |subject| score(*property, &subject), BatchSize::SmallInput);
        });
    }
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
