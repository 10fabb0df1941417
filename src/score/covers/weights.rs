//! What each feature of a sentence is worth for purpose, activities and significance.
//!
//! The figures stand in `weights.tsv`, which the example `learn_covers` writes from labelled articles (logistic
//! regression); it is not edited by hand. Each line: kind, feature, and a weight for each topic.

use std::sync::LazyLock;

use foldhash::{HashMap, HashMapExt as _};

use super::features::Feature;

struct Weights {
    biases: [f64; 3],
    of: HashMap<Feature<'static>, [f64; 3]>,
}

static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| {
    let mut weights = Weights { biases: [0.0; 3], of: HashMap::new() };
    for line in include_str!("weights.tsv").lines() {
        let mut columns = line.split('\t');
        let mut column = || columns.next().expect("five columns");
        let (kind, name) = (column(), column());
        let values = [(); 3].map(|()| column().parse().expect("a number"));
        let feature = match (kind, name.split_once(' ')) {
            ("form", _) => Feature::Form(name),
            ("word", _) => Feature::Word(name),
            ("ending", None) => Feature::Ending(name),
            ("ending", Some((first, second))) => Feature::EndingPair(first, second),
            _ => {
                weights.biases = values;
                continue;
            }
        };
        weights.of.insert(feature, values);
    }
    weights
});

/// What the features add up to for each topic; one that was never learned adds nothing.
pub(super) fn sum(features: &[Feature<'_>]) -> [f64; 3] {
    let mut sum = WEIGHTS.biases;
    for weights in features.iter().filter_map(|feature| WEIGHTS.of.get(feature)) {
        sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_feature_of_its_own_and_one_the_biases() {
        let lines: Vec<&str> = include_str!("weights.tsv").lines().collect();
        assert_eq!(WEIGHTS.of.len() + 1, lines.len());
        assert!(WEIGHTS.of.keys().all(|feature| lines.iter().any(|line| line.starts_with(&format!("{feature}\t")))));
    }

    #[test]
    fn what_was_never_learned_adds_nothing() {
        assert_eq!(sum(&[Feature::Word("鷽")]), WEIGHTS.biases);
        assert_ne!(sum(&[Feature::Form("aims")]), WEIGHTS.biases);
    }
}
