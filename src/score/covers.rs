//! `covers_purpose`, `covers_activities`, `covers_significance`: the article says of this news why it is done, what is
//! done beyond the headline, and why it matters. Value 1 or 0; evidence: the sentence that says so most plainly.
//!
//! What is said of something else, or of the field in general, does not count, whatever words it uses: each cue is
//! weighed by whom it is about. A case's own key points (`[[require.topic]]`) replace the general rules for their topic.

mod about;

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{Score, Subject, Verdict};
use crate::property::{KeyPoint, Topic};
use crate::text::Passage;
use crate::text::block::BlockKind;
use crate::text::tag::Pos;
use about::{About, Outline};

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
    let outline = Outline::new(&subject.passage, source);
    let best = (0..subject.passage.sentences.len())
        .map(|n| (weigh(topic, &outline, n), n))
        .filter(|(weight, _)| *weight >= THRESHOLD)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let evidence = best.map(|(_, n)| subject.evidence(&subject.passage.sentences[n].range, topic.name())).into_iter().collect();
    let reason = best.is_none().then(|| format!("no sentence says the {} of this news", topic.name()));
    Score { reason, ..Score::binary(topic.property(), best.is_some(), evidence) }
}

/// Every key point must be met: one of `any_of`, and each of `all_of`.
fn score_key_points(topic: Topic, subject: &Subject<'_>, key_points: &[&KeyPoint]) -> Score {
    let text = subject.passage.original;
    let mut evidence = Vec::new();
    let mut missing = Vec::new();
    for key_point in key_points {
        let found: Vec<Range<usize>> = key_point.any_of.iter().filter_map(|pattern| Some(pattern.0.find(text)?.range())).take(1).collect();
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

/// A sentence from this weight on says what is asked for.
const THRESHOLD: f64 = 1.0;

fn weigh(topic: Topic, outline: &Outline<'_>, n: usize) -> f64 {
    let sentence = &outline.passage.sentences[n];
    let kind = outline.passage.blocks[sentence.block].kind;
    if matches!(kind, BlockKind::Rule) || outline.is_foreign(n) {
        return 0.0;
    }
    match topic {
        Topic::Purpose => purpose(outline, n),
        Topic::Activities => activities(outline, n),
        Topic::Significance => significance(outline, n),
    }
}

// ---- purpose ----

/// Nouns that name a purpose: what they say depends on whose purpose it is.
const PURPOSE_NOUNS: [&str; 24] = [
    "目的", "ねらい", "狙い", "目標", "趣旨", "主眼", "眼目", "使命", "意図", "動機", "願い", "出発点", "きっかけ", "理由", "発想", "コンセプト", "テーマ", "背景", "わけ", "柱", "めざすところ", "目指すところ",
    "思い", "考え",
];

/// Forms by which a sentence says what somebody is out for, whatever the noun.
const PURPOSE_FORMS: [(&str, f64); 62] = [
    ("を目指", 1.0), ("をめざ", 1.0), ("めざすのは", 1.0), ("目指すのは", 1.0), ("目指して", 0.9), ("めざして", 0.9), ("ことを目指", 1.0), ("ようと企画", 1.2), ("ようと計画", 1.2), ("ようと始", 1.2),
    ("ようと考え", 1.0), ("ようとして", 0.8), ("ようとした", 0.8), ("ようという", 1.1), ("おうという", 1.1), ("そうという", 1.1), ("うと組まれ", 1.1), ("ために", 0.6), ("ためです", 1.1), ("ためだ", 1.1), ("ためとみ", 1.1), ("ための", 0.5),
    ("ため。", 1.0), ("ためと", 0.8), ("ため、", 0.35), ("たいと考え", 1.0), ("たいという", 1.0), ("たいとの", 1.0), ("たいとし", 0.9), ("たい考え", 1.0), ("たい。", 0.5), ("たいのです", 0.9), ("たかった", 1.0), ("ほしい。", 0.7), ("ほしいという", 1.0), ("もらおう", 0.9),
    ("もらうため", 1.2), ("からです", 0.9), ("からだ。", 0.9), ("からなの", 0.9), ("ことから", 0.3), ("に応え", 0.9), ("にこたえ", 0.9), ("に応じ", 0.4), ("見すえ", 0.9), ("見据え", 0.9), ("掲げ", 0.7), ("を図", 0.7), ("に歯止め", 0.8), ("橋渡し", 0.7),
    ("助けるため", 1.2), ("受け皿をつくる", 0.8), ("込めら", 0.8), ("こめら", 0.8), ("込めた", 0.7), ("こめまし", 0.8), ("託され", 0.7), ("にじみ", 0.7), ("読み取れ", 0.6), ("ように。", 0.7), ("ないために。", 1.0), ("思い描く", 0.9),
];

fn purpose(outline: &Outline<'_>, n: usize) -> f64 {
    let text = outline.text(n);
    let mut weight: f64 = 0.0;
    for noun in PURPOSE_NOUNS {
        for (at, _) in text.match_indices(noun) {
            weight = weight.max(match outline.owner_of_noun(n, at, noun) {
                About::News => 1.4,
                About::Open => 1.0,
                About::Other => 0.0,
            } * noun_strength(noun, &text[at + noun.len()..]));
        }
    }
    let form = PURPOSE_FORMS.iter().filter(|(form, _)| text.contains(form)).map(|(_, weight)| *weight).fold(0.0, f64::max);
    let about = outline.about(n);
    let scaled = match about {
        About::News => form + 0.25,
        About::Open => form,
        About::Other => 0.0,
    };
    // 「…したい」と話す: the actor's own words, and what a sentence like それが… refers back to.
    let spoken = if text.contains("たい」") && outline.mentions_actor(n) { 0.9 } else { 0.0 };
    weight.max(scaled).max(spoken)
}

/// Some nouns name a purpose only in some forms.
fn noun_strength(noun: &str, after: &str) -> f64 {
    match noun {
        "思い" | "考え" => {
            if ["から", "が込", "がこ", "があ", "を込", "をこ", "で始", "のもと", "がにじ"].iter().any(|form| after.starts_with(form)) { 0.9 } else { 0.0 }
        }
        "背景" => if ["には", "にあ", "に、", "として", "は"].iter().any(|form| after.starts_with(form)) { 0.75 } else { 0.0 },
        "理由" | "わけ" => if ["は", "が", "に", "の", "です", "でし", "だ"].iter().any(|form| after.starts_with(form)) { 0.75 } else { 0.0 },
        "きっかけ" => if ["です", "でした", "だ", "となった", "は"].iter().any(|form| after.starts_with(form)) { 0.8 } else { 0.0 },
        "柱" | "テーマ" | "コンセプト" | "発想" => 0.75,
        "目標" => 0.8,
        _ => 1.0,
    }
}

// ---- significance ----

/// Nouns and adjectives of value: they count if it is the news that has it.
const VALUE_WORDS: [&str; 40] = [
    "意義", "価値", "意味", "重要", "大切", "影響", "効果", "利点", "メリット", "恩恵", "励み", "支え", "後押し", "一歩", "手がかり", "きっかけ", "希望", "手本", "味方", "心強", "便利", "弾み", "チャンス", "追い風", "証拠",
    "役割", "成果", "快挙", "前進", "光", "力にな", "貢献", "役立", "役に立", "つなが", "期待", "注目", "転機", "節目", "利益",
];

/// Forms of outcomes: what becomes possible, easier, better.
const OUTCOME_FORMS: [(&str, f64); 70] = [
    ("ようになり", 0.7), ("ようになる", 0.7), ("やすくなり", 0.8), ("やすくなる", 0.8), ("楽にな", 0.7), ("身近にな", 0.8), ("近くなり", 0.6), ("元気にな", 0.7), ("変わって", 0.6), ("変わるはず", 0.8), ("変える", 0.4), ("変わる可能性", 0.8),
    ("広がって", 0.5), ("広がる", 0.45), ("広げる", 0.35), ("広がり", 0.45), ("高まり", 0.45), ("高まる", 0.45), ("高めてくれ", 0.8), ("増えて", 0.4), ("増える", 0.45), ("増えます", 0.5), ("ふえる", 0.5), ("減らせ", 0.6), ("減る", 0.45), ("減り", 0.35),
    ("減らす", 0.35), ("軽くな", 0.6), ("軽くでき", 0.6), ("安心", 0.35), ("助か", 0.45), ("守られ", 0.4), ("守れ", 0.35), ("開け", 0.45), ("ひらく", 0.35), ("開かれ", 0.45), ("近づ", 0.55), ("根づけば", 0.6), ("戻り", 0.3), ("戻れば", 0.5), ("取り戻", 0.4),
    ("進むでしょう", 0.7), ("なるでしょう", 0.7), ("なるはず", 0.8), ("でしょう。", 0.45), ("ことでしょう", 0.5), ("はずです", 0.55), ("はずだ", 0.55), ("そうです。", 0.3), ("そうだ。", 0.3), ("かもしれません", 0.3), ("かもしれない", 0.3), ("ではないでしょうか", 0.35),
    ("つながって", 0.7), ("つながり", 0.4), ("つながる", 0.6), ("教えてくれ", 0.7), ("示して", 0.6), ("示す", 0.3), ("物語", 0.4), ("押してくれ", 0.8), ("迫るもの", 0.7), ("受けられ", 0.4), ("整えられ", 0.4), ("得られ", 0.45), ("縮められ", 0.6),
    ("なろう。", 0.6), ("受け継がれ", 0.6), ("防げ", 0.5), ("回せ", 0.5),
];

const CONDITIONS: [&str; 22] = [
    "れば、", "れば", "えば、", "けば、", "せば、", "てば、", "めば、", "なら、", "たら、", "することで", "ることで", "により", "によって", "によれば、", "ると、", "いけば", "しだいで", "次第で", "だけで", "なるなら", "続くなら", "となれば",
];

fn significance(outline: &Outline<'_>, n: usize) -> f64 {
    let text = outline.text(n);
    let about = outline.about(n);
    let mut weight: f64 = 0.0;
    for word in VALUE_WORDS {
        for (at, _) in text.match_indices(word) {
            let owner = outline.owner_of_noun(n, at, word);
            weight = weight.max(match (owner, about) {
                (About::Other, _) | (_, About::Other) => 0.0,
                (About::News, _) | (_, About::News) => 0.9,
                _ => 0.5,
            });
        }
    }
    let outcome = OUTCOME_FORMS.iter().filter(|(form, _)| text.contains(form)).map(|(_, weight)| *weight).fold(0.0, f64::max);
    let condition = if CONDITIONS.iter().any(|form| text.contains(form)) { 0.35 } else { 0.0 };
    let beneficiaries = if outline.names_beneficiaries(n) { 0.15 } else { 0.0 };
    let late = 0.15 * outline.position(n);
    let base = match about {
        About::News => 0.25,
        About::Open => 0.0,
        About::Other => -0.8,
    };
    let outcome_weight = if outcome > 0.0 { outcome + condition + beneficiaries + late + base } else { 0.0 };
    (weight + late + if weight > 0.0 { outcome * 0.5 + beneficiaries } else { 0.0 }).max(outcome_weight)
}

// ---- activities ----

fn activities(outline: &Outline<'_>, n: usize) -> f64 {
    let passage = outline.passage;
    let sentence = &passage.sentences[n];
    let kind = passage.blocks[sentence.block].kind;
    if kind == BlockKind::Heading {
        return 0.0;
    }
    let about = outline.about(n);
    if about == About::Other {
        return 0.0;
    }
    let text = outline.text(n);
    // What only tells that something was announced, what it is for, or what may come of it is no activity.
    const ANNOUNCES: [&str; 16] = [
        "発表", "公表", "明らかに", "知らせ", "報じ", "伝え", "公開しました", "公開されました", "お知らせ", "方針", "話題が届", "ニュース", "と話", "と語", "と述べ", "言葉",
    ];
    let announces = ANNOUNCES.iter().any(|word| text.contains(word));
    let detail = outline.details_beyond_title(n);
    let action = outline.has_concrete_action(n);
    let mut weight = 0.0;
    if action {
        weight += 0.5;
    }
    weight += (detail as f64).min(6.0) * 0.1;
    if about == About::News {
        weight += 0.3;
    }
    if outline.mentions_actor(n) {
        weight += 0.2;
    }
    if outline.has_known_figure(n) {
        weight += 0.35;
    }
    if announces {
        weight -= 0.45;
    }
    if purpose(outline, n) >= THRESHOLD {
        weight -= 0.35;
    }
    if significance(outline, n) >= THRESHOLD {
        weight -= 0.6;
    }
    weight
}
