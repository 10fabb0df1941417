//! Learns what the features of a sentence are worth for `covers_*` from labelled articles and prints weights.tsv:
//! `cargo run --release --example learn_covers -- tests/corpus/*-seen.jsonl [-- FILES TO BE JUDGED ONLY]`.
//! Logistic regression with a quadratic penalty: evidence sentences say it, sentences of articles that lack the topic do
//! not. The bias is set where the fewest articles are judged wrong by weights that were learned without them. The shipped
//! weights also know 60 articles that are not in this repository: without them others come out.

use std::collections::{BTreeMap, BTreeSet};

use evalrun::item::Item;
use evalrun::property::{Requirements, Topic};
use evalrun::score::covers::{plainness, sentence_features};
use evalrun::score::{Subject, covers};
use evalrun::text::normalize::Normalized;

/// An article as the learner sees it: its sentences' features, and which of them are evidence of what.
struct Article {
    id: String,
    /// What all articles about the same news share: they are judged by what articles about other news taught.
    news: String,
    sentences: Vec<Vec<usize>>,
    /// Of each topic: whether it is present, and the sentences of each piece of evidence.
    topics: [Option<(bool, Vec<Vec<usize>>)>; 3],
}

/// Every feature that was met, as [`covers::Feature`] shows itself, with its number.
type Names = BTreeMap<String, usize>;

/// What a feature must be met in to be learned: so many articles.
const FEWEST_ARTICLES: usize = 3;
/// How dear a large weight is.
const PENALTY: f64 = 0.003;
/// The parts that take turns at being judged by what the others taught.
const FOLDS: usize = 10;
/// The share of articles that lack a topic in practice.
const LACKING: f64 = 0.3;
/// The weight of a sentence that nobody called evidence in an article that has the topic.
const UNSAID: f64 = 0.15;

fn main() {
    let mut names = Names::new();
    let files: Vec<String> = std::env::args().skip(1).collect();
    let mut parts = files.split(|file| file == "--");
    let mut articles = read_all(parts.next().unwrap_or_default(), &mut names);
    let known = names.len();
    let unseen: Vec<(&String, Vec<Article>)> = parts
        .flatten()
        .map(|file| {
            let mut articles = read_all(std::slice::from_ref(file), &mut names);
            let all = articles.iter_mut().flat_map(|article| &mut article.sentences);
            all.for_each(|sentence| sentence.retain(|feature| *feature < known));
            (file, articles)
        })
        .collect();
    names.retain(|_, n| *n < known);
    leave_out_rare(&mut articles, names.len());
    let all: Vec<&Article> = articles.iter().collect();
    let models = [0, 1, 2].map(|topic| {
        let judged = judge_in_turn(&articles, topic, names.len());
        let threshold = best_threshold(&judged);
        report(Topic::ALL[topic], &judged, threshold);
        let model = learn(&all, topic, names.len());
        Model { bias: model.bias - threshold, ..model }
    });
    print_weights(&names, &models);
    for (file, articles) in &unseen {
        eprintln!("{file}");
        for topic in Topic::ALL {
            let model = &models[topic as usize];
            let judged = articles.iter().filter_map(|article| {
                let (present, _) = *article.topics[topic as usize].as_ref()?;
                Some(Judged { id: &article.id, plainness: model.plainness(article), present })
            });
            let judged: Vec<Judged<'_>> = judged.collect();
            if !judged.is_empty() {
                report(topic, &judged, 0.0);
            }
        }
    }
}

fn read_all(files: &[String], names: &mut Names) -> Vec<Article> {
    let mut articles = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(file).expect("a file of items").lines() {
            let item: Item = serde_json::from_str(line).expect("an item");
            articles.extend(read(&item, names));
        }
    }
    articles
}

fn read(item: &Item, names: &mut Names) -> Option<Article> {
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
    let mut index = |feature: &covers::Feature<'_>| {
        let next = names.len();
        *names.entry(feature.to_string()).or_insert(next)
    };
    let sentences = found.iter().map(|(_, features)| features.iter().map(&mut index).collect()).collect();
    let news = item.source.as_ref().map_or_else(|| item.id.to_string(), |source| source.title.clone());
    Some(Article { id: item.id.to_string(), news, sentences, topics })
}

fn leave_out_rare(articles: &mut [Article], size: usize) {
    let mut met = vec![0; size];
    for article in &*articles {
        let features: BTreeSet<usize> = article.sentences.iter().flatten().copied().collect();
        for feature in features {
            met[feature] += 1;
        }
    }
    for sentence in articles.iter_mut().flat_map(|article| &mut article.sentences) {
        sentence.retain(|feature| met[*feature] >= FEWEST_ARTICLES);
    }
}

struct Model {
    bias: f64,
    weights: Vec<f64>,
}

impl Model {
    fn score(&self, sentence: &[usize]) -> f64 {
        self.bias + sentence.iter().map(|n| self.weights[*n]).sum::<f64>()
    }

    fn plainness(&self, article: &Article) -> f64 {
        plainness(article.sentences.iter().map(|sentence| self.score(sentence)))
    }
}

/// A sentence to learn from: its features, whether it says it (1 or 0), and how much it counts.
type Example<'a> = (&'a [usize], f64, f64);

fn learn(articles: &[&Article], topic: usize, size: usize) -> Model {
    let mut model = Model { bias: 0.0, weights: vec![0.0; size] };
    // Which sentence of a piece of evidence says it is found out on the way.
    for _ in 0..3 {
        let mut examples: Vec<Example<'_>> = Vec::new();
        for article in articles {
            let Some((present, evidence)) = &article.topics[topic] else { continue };
            if *present {
                for piece in evidence.iter().filter(|piece| !piece.is_empty()) {
                    let best = piece.iter().max_by(|a, b| {
                        model.score(&article.sentences[**a]).total_cmp(&model.score(&article.sentences[**b]))
                    });
                    examples.push((&article.sentences[*best.expect("not empty")], 1.0, 1.0));
                }
                // Sentences that are no evidence are mostly none, but nobody said so.
                let shown: BTreeSet<usize> = evidence.iter().flatten().copied().collect();
                let others = (0..article.sentences.len()).filter(|n| !shown.contains(n));
                examples.extend(others.map(|n| (article.sentences[n].as_slice(), 0.0, UNSAID)));
            } else {
                examples.extend(article.sentences.iter().map(|sentence| (sentence.as_slice(), 0.0, 1.0)));
            }
        }
        fit(&mut model, &mut examples);
    }
    model
}

/// Nesterov's accelerated gradient, both labels counting the same in all.
fn fit(model: &mut Model, examples: &mut [Example<'_>]) {
    let total = |wanted: f64| {
        examples.iter().filter(|(_, label, _)| *label == wanted).map(|(_, _, weight)| weight).sum::<f64>().max(1.0)
    };
    let (positives, negatives) = (total(1.0), total(0.0));
    for (_, label, weight) in examples.iter_mut() {
        *weight /= if *label == 1.0 { positives } else { negatives };
    }
    // No curvature is higher: a quarter of the most features of a sentence, for both labels.
    let most = examples.iter().map(|(sentence, _, _)| sentence.len() + 1).max().unwrap_or(1) as f64;
    let rate = 1.0 / (most / 2.0 + PENALTY);
    let mut before = (model.bias, model.weights.clone());
    for step in 0..1200 {
        let momentum = f64::from(step) / f64::from(step + 3);
        let ahead = Model {
            bias: model.bias + momentum * (model.bias - before.0),
            weights: model.weights.iter().zip(&before.1).map(|(now, old)| now + momentum * (now - old)).collect(),
        };
        let mut slope: Vec<f64> = ahead.weights.iter().map(|weight| PENALTY * weight).collect();
        let mut bias_slope = 0.0;
        for (sentence, label, weight) in examples.iter() {
            let error = (1.0 / (1.0 + (-ahead.score(sentence)).exp()) - label) * weight;
            bias_slope += error;
            sentence.iter().for_each(|n| slope[*n] += error);
        }
        before = (model.bias, std::mem::take(&mut model.weights));
        model.bias = ahead.bias - rate * bias_slope;
        model.weights = ahead.weights.iter().zip(&slope).map(|(weight, slope)| weight - rate * slope).collect();
    }
}

/// An article as judged by what others taught: its id, how plainly it says it, whether it does.
struct Judged<'a> {
    id: &'a str,
    plainness: f64,
    present: bool,
}

fn judge_in_turn(articles: &[Article], topic: usize, size: usize) -> Vec<Judged<'_>> {
    let fold_of = |article: &Article| {
        article.news.bytes().fold(7_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into())) % FOLDS
    };
    let mut judged = Vec::new();
    for fold in 0..FOLDS {
        let (held_out, training): (Vec<&Article>, Vec<&Article>) =
            articles.iter().partition(|article| fold_of(article) == fold);
        let model = learn(&training, topic, size);
        judged.extend(held_out.iter().filter_map(|article| {
            let (present, _) = *article.topics[topic].as_ref()?;
            Some(Judged { id: &article.id, plainness: model.plainness(article), present })
        }));
    }
    judged
}

/// The plainness from which on an article has the topic: the fewest wrong, in the middle of the widest gap.
fn best_threshold(judged: &[Judged<'_>]) -> f64 {
    let mut values: Vec<f64> = judged.iter().map(|article| article.plainness).collect();
    values.sort_by(f64::total_cmp);
    let of = |present: bool| judged.iter().filter(move |article| article.present == present);
    // As if so many articles lacked the topic as do in practice, whatever their share of these files is.
    let balance = of(true).count().max(1) as f64 / of(false).count().max(1) as f64 * LACKING / (1.0 - LACKING);
    let wrong = |threshold: f64| {
        let alarms = of(true).filter(|article| article.plainness < threshold).count() as f64;
        alarms + balance * of(false).filter(|article| article.plainness >= threshold).count() as f64
    };
    let cuts = values.windows(2).map(|pair| (f64::midpoint(pair[0], pair[1]), pair[1] - pair[0]));
    let best = cuts.min_by(|a, b| wrong(a.0).total_cmp(&wrong(b.0)).then(b.1.total_cmp(&a.1)));
    best.map_or(0.0, |(cut, _)| cut)
}

/// Says on standard error how well articles are judged by what others taught.
fn report(topic: Topic, judged: &[Judged<'_>], threshold: f64) {
    let count = |present: bool, says: bool| {
        let is = |article: &&Judged<'_>| article.present == present && (article.plainness >= threshold) == says;
        judged.iter().filter(is).count() as f64
    };
    let (found, missed, alarms) = (count(false, false), count(false, true), count(true, false));
    let f1 = 2.0 * found / (2.0 * found + missed + alarms);
    let ordered = |lacking: &Judged<'_>| {
        judged.iter().filter(|has| has.present && has.plainness > lacking.plainness).count() as f64
    };
    let auc = judged.iter().filter(|article| !article.present).map(ordered).sum::<f64>()
        / ((found + missed) * judged.iter().filter(|article| article.present).count() as f64);
    eprintln!(
        "{}: lacking {}, found {found}, missed {missed}, false alarms {alarms}, F1 {f1:.2}, AUC {auc:.3}",
        topic.name(),
        found + missed
    );
    for article in judged.iter().filter(|article| (article.plainness >= threshold) != article.present) {
        eprint!(" {}{}", article.id, if article.present { "+" } else { "-" });
    }
    eprintln!();
}

fn print_weights(names: &Names, models: &[Model; 3]) {
    let [purpose, activities, significance] = models.each_ref().map(|model| format!("{:.2}", model.bias));
    println!("bias\t\t{purpose}\t{activities}\t{significance}");
    for (name, n) in names {
        let weights = models.each_ref().map(|model| format!("{:.2}", model.weights[*n] + 0.0));
        if weights.iter().any(|weight| weight.trim_start_matches('-').parse::<f64>().is_ok_and(|size| size >= 0.02)) {
            println!("{name}\t{}", weights.join("\t"));
        }
    }
}
