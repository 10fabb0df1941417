//! Learns what the features of a sentence are worth for `covers_*` from labelled articles and prints
//! `src/score/covers/weights.rs`. Run by maintainers: `cargo run --release --example learn_covers -- tests/corpus/*.jsonl`.
//!
//! Logistic regression with a quadratic penalty: evidence sentences say it, sentences of articles that lack the topic do
//! not; an article has the topic if its best sentence has. The bias is set where the fewest articles are judged wrong.

use std::collections::{BTreeMap, BTreeSet};

use evalrun::item::Item;
use evalrun::property::{Requirements, Topic};
use evalrun::score::{Subject, covers::sentence_features};
use evalrun::text::normalize::Normalized;

/// An article as the learner sees it: its sentences' features, and which of them are evidence of what.
struct Article {
    id: String,
    sentences: Vec<Vec<usize>>,
    /// Of each topic: whether it is present, and the sentences of each piece of evidence.
    topics: [Option<(bool, Vec<Vec<usize>>)>; 3],
}

fn main() {
    let mut names: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut articles = Vec::new();
    let folds: usize = std::env::var("FOLDS").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let penalty: f64 = std::env::var("PENALTY").ok().and_then(|n| n.parse().ok()).unwrap_or(0.01);
    for file in std::env::args().skip(1) {
        for line in std::fs::read_to_string(&file).expect("a file of items").lines() {
            let item: Item = serde_json::from_str(line).expect("an item");
            articles.extend(read(&item, &mut names));
        }
    }
    if folds > 1 {
        return validate(&articles, names.len(), folds, penalty);
    }
    let all: Vec<&Article> = articles.iter().collect();
    let models = [0, 1, 2].map(|topic| learn(&all, topic, names.len(), penalty));
    print_weights(&names, &models);
}

fn read(item: &Item, names: &mut BTreeMap<&'static str, usize>) -> Option<Article> {
    let labels = item.labels.as_ref()?;
    let require = Requirements::default();
    let subject = Subject::new(&item.output, item.source.as_ref(), None, &require, jiff::civil::date(2026, 1, 1));
    let found = sentence_features(&subject);
    let evidence = |topic: Topic| {
        let label = labels.of(topic.property())?;
        let pieces = label.spans.iter().flatten().map(|span| {
            let span = Normalized::new(&span.text).text;
            let start = subject.passage.text.find(span.trim()).unwrap_or(usize::MAX);
            let inside = |range: &std::ops::Range<usize>| {
                start != usize::MAX && range.start < start + span.len() && start < range.end
            };
            (0..found.len()).filter(|n| inside(&found[*n].0)).collect()
        });
        Some((label.pass, pieces.collect()))
    };
    let topics = Topic::ALL.map(evidence);
    if topics.iter().all(Option::is_none) {
        return None;
    }
    let mut index = |name: &'static str| {
        let next = names.len();
        *names.entry(name).or_insert(next)
    };
    let sentences = found.iter().map(|(_, features)| features.iter().map(|name| index(name)).collect()).collect();
    Some(Article { id: item.id.to_string(), sentences, topics })
}

struct Model {
    bias: f64,
    weights: Vec<f64>,
}

impl Model {
    fn score(&self, sentence: &[usize]) -> f64 {
        self.bias + sentence.iter().map(|n| self.weights[*n]).sum::<f64>()
    }

    fn best(&self, article: &Article) -> f64 {
        article.sentences.iter().map(|sentence| self.score(sentence)).fold(f64::NEG_INFINITY, f64::max)
    }
}

fn learn(articles: &[&Article], topic: usize, size: usize, penalty: f64) -> Model {
    let mut model = Model { bias: 0.0, weights: vec![0.0; size] };
    // Which sentence of a piece of evidence says it is found out on the way.
    for _ in 0..4 {
        let mut examples: Vec<(&[usize], f64, f64)> = Vec::new();
        for article in articles {
            let Some((present, evidence)) = &article.topics[topic] else { continue };
            if *present {
                for piece in evidence.iter().filter(|piece| !piece.is_empty()) {
                    let best = piece.iter().max_by(|a, b| {
                        model.score(&article.sentences[**a]).total_cmp(&model.score(&article.sentences[**b]))
                    });
                    let best = best.expect("not empty");
                    examples.push((&article.sentences[*best], 1.0, 1.0));
                }
                // Sentences that are no evidence are mostly none, but nobody said so.
                let shown: BTreeSet<usize> = evidence.iter().flatten().copied().collect();
                let others = (0..article.sentences.len()).filter(|n| !shown.contains(n));
                examples.extend(others.map(|n| (article.sentences[n].as_slice(), 0.0, UNSAID)));
            } else {
                examples.extend(article.sentences.iter().map(|sentence| (sentence.as_slice(), 0.0, 1.0)));
            }
        }
        fit(&mut model, &mut examples, penalty);
    }
    model.bias -= best_threshold(articles, topic, &model);
    model
}

/// The weight of a sentence that nobody called evidence in an article that has the topic.
const UNSAID: f64 = 0.15;

fn fit(model: &mut Model, examples: &mut [(&[usize], f64, f64)], penalty: f64) {
    let total = |wanted: f64| {
        examples.iter().filter(|(_, label, _)| *label == wanted).map(|(_, _, weight)| weight).sum::<f64>().max(1.0)
    };
    let (positives, negatives) = (total(1.0), total(0.0));
    for (_, label, weight) in examples.iter_mut() {
        *weight /= if *label == 1.0 { positives } else { negatives };
    }
    for step in 0..1500 {
        let rate = 4.0 / (1.0 + f64::from(step) / 300.0);
        let mut gradient = vec![0.0; model.weights.len()];
        let mut bias_gradient = 0.0;
        for (sentence, label, weight) in examples.iter() {
            let error = (1.0 / (1.0 + (-model.score(sentence)).exp()) - label) * weight;
            bias_gradient += error;
            sentence.iter().for_each(|n| gradient[*n] += error);
        }
        model.bias -= rate * bias_gradient * 0.25;
        for (value, slope) in model.weights.iter_mut().zip(&gradient) {
            *value -= rate * (slope + penalty * *value) * 0.25;
        }
    }
}

/// The share of articles that lack a topic in practice.
const LACKING: f64 = 0.3;

/// The value of the best sentence from which on an article has the topic: the fewest wrong, in the middle of the widest gap.
fn best_threshold(articles: &[&Article], topic: usize, model: &Model) -> f64 {
    let mut scored: Vec<(f64, bool)> =
        articles.iter().filter_map(|article| Some((model.best(article), article.topics[topic].as_ref()?.0))).collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let wrong = |threshold: f64| {
        // As if so many articles lacked the topic as do in practice, whatever their share of these files is.
        let absent = scored.iter().filter(|(_, present)| !present).count().max(1) as f64;
        let present = scored.iter().filter(|(_, present)| *present).count().max(1) as f64;
        let balance = present / absent * LACKING / (1.0 - LACKING);
        scored
            .iter()
            .map(|(value, is)| {
                if *is && *value < threshold {
                    1.0
                } else if !is && *value >= threshold {
                    balance
                } else {
                    0.0
                }
            })
            .sum::<f64>()
    };
    let cuts = scored.windows(2).map(|pair| (f64::midpoint(pair[0].0, pair[1].0), pair[1].0 - pair[0].0));
    let best = cuts.min_by(|a, b| wrong(a.0).total_cmp(&wrong(b.0)).then(b.1.total_cmp(&a.1)));
    best.map_or(0.0, |(cut, _)| cut)
}

fn validate(articles: &[Article], size: usize, folds: usize, penalty: f64) {
    for topic in 0..3 {
        let (mut missed, mut alarms, mut right, mut failing, mut wrong) = (0, 0, 0, 0, Vec::new());
        for fold in 0..folds {
            let part = |article: &Article| {
                article.id.bytes().fold(7_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into())) % folds
            };
            let training: Vec<&Article> = articles.iter().filter(|article| part(article) != fold).collect();
            let model = learn(&training, topic, size, penalty);
            for article in articles.iter().filter(|article| part(article) == fold) {
                let Some((present, _)) = article.topics[topic] else { continue };
                let says = model.best(article) >= 0.0;
                failing += usize::from(!present);
                match (says, present) {
                    (true, false) => missed += 1,
                    (false, true) => alarms += 1,
                    (false, false) => right += 1,
                    _ => {}
                }
                if says != present {
                    wrong.push(format!("{}{}", article.id, if present { "+" } else { "-" }));
                }
            }
        }
        println!(
            "{:?}: failing {failing}, found {right}, missed {missed}, false alarms {alarms}; {}",
            Topic::ALL[topic],
            wrong.join(" ")
        );
    }
}

fn print_weights(names: &BTreeMap<&'static str, usize>, models: &[Model; 3]) {
    let text = include_str!("../src/score/covers/weights.rs");
    let (head, rest) = text.split_once("const BIASES").expect("the file's form");
    let (_, tail) = rest.split_once("\n];\n").or_else(|| rest.split_once("&[];\n")).expect("the file's form");
    let biases: Vec<String> = models.iter().map(|model| format!("{:.2}", model.bias)).collect();
    print!("{head}const BIASES: [f64; 3] = [{}];\n\nconst WEIGHTS: &[(&str, [f64; 3])] = &[\n", biases.join(", "));
    for (name, n) in names {
        let weights: Vec<String> = models.iter().map(|model| format!("{:.2}", model.weights[*n] + 0.0)).collect();
        println!("    (\"{name}\", [{}]),", weights.join(", "));
    }
    print!("];\n{tail}");
}
