//! `covers_purpose`, `covers_activities`, `covers_significance`: the article says of this news why it is done, what is
//! done beyond the headline, and why it matters. Value 1 or 0; evidence: the sentence that says so most plainly.
//!
//! What is said of something else, or of the field in general, does not count, whatever words it uses: each cue is
//! weighed by whom it is about. A case's own key points (`[[require.topic]]`) replace the general rules for their topic.

mod about;
mod cues;
mod features;
mod weights;

use std::ops::Range;

use super::{Score, Subject, Verdict};
use crate::property::{KeyPoint, Topic};
use crate::text::block::BlockKind;
use about::{About, Outline};
use features::features;

pub use features::Feature;

pub(super) fn score(topic: Topic, subject: &Subject<'_>) -> Score {
    let key_points: Vec<&KeyPoint> =
        subject.require.key_points.iter().flatten().filter(|key_point| key_point.topic == topic).collect();
    if !key_points.is_empty() {
        return score_key_points(topic, subject, &key_points);
    }
    let Some(source) = subject.source else {
        return Score {
            property: topic.property(),
            verdict: Verdict::Unscored,
            value: None,
            reason: Some("without a source it cannot be told what the news is".to_owned()),
            evidence: Vec::new(),
        };
    };
    let said = subject.said.get_or_init(|| Said::of_all(&Outline::new(&subject.passage, source)));
    match said[topic as usize] {
        Said::Plainly(n) => {
            let evidence = subject.evidence(&subject.passage.sentences[n].range, topic.name());
            Score::binary(topic.property(), true, vec![evidence])
        }
        Said::Not(nearest) => {
            let nearest = nearest.map_or_else(String::new, |(n, why)| {
                format!("; the nearest is 「{}」, but that {why}", head(subject, n))
            });
            let reason = Some(format!("no sentence says the {} of this news{nearest}", topic.name()));
            Score { reason, ..Score::binary(topic.property(), false, Vec::new()) }
        }
    }
}

/// Whether an article says what a topic asks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said {
    /// It does, this sentence most plainly.
    Plainly(usize),
    /// It does not; if a sentence comes near, which one, and why it does not say it.
    Not(Option<(usize, &'static str)>),
}

impl Said {
    /// For each topic, by one look at the article.
    fn of_all(outline: &Outline<'_>) -> [Self; Topic::ALL.len()] {
        let weighed = weigh(outline);
        Topic::ALL.map(|topic| {
            let weights = || weighed.iter().map(|weights| weights[topic as usize]);
            let best = weights().enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
            match best.filter(|(_, weight)| weight.is_finite()) {
                Some((n, _)) if plainness(weights()) >= 0.0 => Self::Plainly(n),
                nearest => Self::Not(nearest.map(|(n, _)| (n, why_not(topic, outline, n)))),
            }
        })
    }
}

/// Why the sentence that comes nearest does not say it, as far as that can be told.
fn why_not(topic: Topic, outline: &Outline<'_>, n: usize) -> &'static str {
    let is_heading = outline.passage.blocks[outline.passage.sentences[n].block].kind == BlockKind::Heading;
    let adds_little = outline.details_beyond_title(n) <= 2 && outline.title_overlap(n) > 0;
    match topic {
        _ if is_heading => "is a heading",
        _ if outline.about(n) == About::Other => "is about something else than this news",
        Topic::Activities if adds_little => "adds little to the headline",
        Topic::Activities if !outline.has_concrete_action(n) => "tells of no action",
        _ => "does not say it plainly",
    }
}

/// The first words of a sentence, for a reason that quotes them: brackets within are the inner ones.
fn head(subject: &Subject<'_>, n: usize) -> String {
    const MOST: usize = 24;
    let evidence = subject.evidence(&subject.passage.sentences[n].range, "nearest");
    let mut chars = evidence.text.chars().map(|c| match c {
        '\n' => ' ',
        '「' => '『',
        '」' => '』',
        c => c,
    });
    let head: String = chars.by_ref().take(MOST).collect();
    if chars.next().is_some() { head + "…" } else { head }
}

/// How plainly an article says what its sentences say this plainly: as the plainest, and a little more where others say
/// nearly as much. From 0 on it says it.
pub fn plainness(sentences: impl Iterator<Item = f64>) -> f64 {
    /// The higher, the more the plainest counts alone.
    const SHARPNESS: f64 = 2.0;
    sentences.map(|weight| (SHARPNESS * weight).exp()).sum::<f64>().ln() / SHARPNESS
}

/// Every key point must be met: one of `any_of`, and each of `all_of`.
fn score_key_points(topic: Topic, subject: &Subject<'_>, key_points: &[&KeyPoint]) -> Score {
    let text = subject.passage.original;
    let mut evidence = Vec::new();
    let mut missing = Vec::new();
    for key_point in key_points {
        let found: Vec<Range<usize>> =
            key_point.any_of.iter().filter_map(|pattern| Some(pattern.0.find(text)?.range())).take(1).collect();
        if found.is_empty() && !key_point.any_of.is_empty() {
            missing.push(key_point.any_of.iter().map(|pattern| pattern.0.as_str()).collect::<Vec<_>>().join(" | "));
        }
        evidence.extend(found.iter().map(|range| subject.evidence_in_original(range, topic.name())));
        for pattern in &key_point.all_of {
            match pattern.0.find(text) {
                Some(found) => evidence.push(subject.evidence_in_original(&found.range(), topic.name())),
                None => missing.push(pattern.0.as_str().to_owned()),
            }
        }
    }
    let reason = (!missing.is_empty()).then(|| format!("missing key points: {}", missing.join("; ")));
    Score { reason, ..Score::binary(topic.property(), missing.is_empty(), evidence) }
}

/// How plainly each sentence says what each topic asks for.
fn weigh(outline: &Outline<'_>) -> Vec<[f64; 3]> {
    let weigh = |n: usize, features: &[Feature<'_>]| {
        if outline.is_foreign(n) { [f64::NEG_INFINITY; 3] } else { weights::sum(features) }
    };
    features(outline).iter().enumerate().map(|(n, features)| weigh(n, features)).collect()
}

/// The features of every sentence with the sentence's place (bytes of the normalised text), for learning their weights.
#[doc(hidden)]
pub fn sentence_features<'t>(subject: &'t Subject<'_>) -> Vec<(Range<usize>, Vec<Feature<'t>>)> {
    let Some(source) = subject.source else { return Vec::new() };
    let outline = Outline::new(&subject.passage, source);
    let all = features(&outline).into_iter().enumerate().filter(|(n, _)| !outline.is_foreign(*n));
    all.map(|(n, features)| (subject.passage.sentences[n].range.clone(), features)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_sentences_that_nearly_say_it_say_more_than_the_plainest_alone() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(plainness([0.7].into_iter()), 0.7));
        assert!(plainness([-0.2, -0.2, -0.2].into_iter()) > 0.0);
        assert!(plainness([-3.0; 40].into_iter()) < 0.0);
        assert!(close(plainness([0.7, f64::NEG_INFINITY].into_iter()), 0.7));
        assert_eq!(plainness([].into_iter()), f64::NEG_INFINITY);
    }
}
