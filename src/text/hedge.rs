//! Hedges: where a text says that something is a guess, a possibility, an example or a supposition, and how far it
//! reaches: one in the predicate to the last clause before that stands for itself, without what the sentence takes for
//! granted (30社が参加した催しは); one at the head over what follows; one in a lead-in over the list under it.
//! What is foreseen (見込み, 見通し, 予想) is a guess whoever foresees it; hearsay, hopes, plans and aims are none.

mod clause;
mod lead_in;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::Passage;
use super::morpheme::Morpheme;
use super::tag::{Form, Inflection, Pos};
use clause::{Clauses, Depths};

/// A hedge with its reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hedge {
    /// The words that hedge.
    pub cue: Range<usize>,
    /// What they cover.
    pub scope: Range<usize>,
    /// How they come to cover it.
    pub reach: Reach,
}

/// How a hedge covers its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// The predicate of the same sentence or clause.
    Predicate,
    /// A word at the head of the sentence or clause: たとえば, もしかすると.
    Head,
    /// A supposition: もし…なら, 仮に.
    Supposition,
    /// The sentence that leads in a list.
    LeadIn,
}

/// Ends of predicates that make a guess of what they close.
const PREDICATES: [&str; 133] = [
    "かもしれません",
    "かもしれない",
    "かもしれ",
    "かも知れ",
    "かもね",
    "かも?",
    "かも。",
    "のかも",
    "とみられます",
    "とみられる",
    "とみられ",
    "と見られます",
    "と見られる",
    "と見られ",
    "とみて",
    "と考えられます",
    "と考えられる",
    "と考えられ",
    "とも考えられ",
    "が考えられ",
    "も考えられ",
    "ことが考えられ",
    "と思われます",
    "と思われる",
    "と思われ",
    "と想像され",
    "が想像され",
    "想像できます",
    "想像できる",
    "想像します",
    "と推測され",
    "と推定され",
    "と推察され",
    "と予想され",
    "が予想され",
    "と予想し",
    "を予想し",
    "と予測し",
    "と想定され",
    "が想定され",
    "推測でき",
    "推察でき",
    "と考えること",
    "とも考えること",
    "と考えるのが",
    "と予測され",
    "見込まれ",
    "見込んで",
    "見込む",
    "見込み、",
    "見込みです",
    "見込みだ",
    "見込みで",
    "見込み。",
    "見込みとな",
    "見通しです",
    "見通しだ",
    "見通しで",
    "見通し。",
    "見通しとな",
    "可能性があ",
    "可能性も",
    "可能性が",
    "可能性は",
    "可能性を",
    "可能性として",
    "おそれがあ",
    "恐れがあ",
    "でしょう",
    "だろう",
    "であろう",
    "ではないでしょうか",
    "のではないか",
    "のでは?",
    "のではない",
    "ではないかと",
    "でしょうか",
    "だろうか",
    "のだろう",
    "ようです",
    "ようだ",
    "ようで、",
    "ようでした",
    "らしい",
    "模様です",
    "模様だ",
    "もようです",
    "もようだ",
    "もようで",
    "はずです",
    "はずだ",
    "はずで",
    "に違いあり",
    "に違いない",
    "にちがいな",
    "そうな気が",
    "になりそうです",
    "になりそうだ",
    "となりそう",
    "がありそう",
    "ありえ",
    "あり得",
    "夢ではありま",
    "夢ではない",
    "おかしくありま",
    "おかしくない",
    "不思議では",
    "とも言えそう",
    "推測され",
    "推定され",
    "想像され",
    "との予想",
    "という予想",
    "予想も",
    "予想が",
    "予想です",
    "見込み",
    "見通し",
    "計算にな",
    "計算です",
    "という計算",
    "との見方",
    "という見方",
    "と期待してもよ",
    "と予想します",
    "推測します",
    "思い浮か",
    "なりそうです",
    "なりそうだ",
    "そうです",
    "そうだ",
    "そうで",
    "そうな",
];

/// Words at the head of a sentence or clause that hedge what follows.
const HEADS: [&str; 16] = [
    "おそらく",
    "恐らく",
    "たぶん",
    "多分",
    "もしかすると",
    "もしかしたら",
    "ひょっとすると",
    "ひょっとしたら",
    "きっと",
    "例えば",
    "たとえば",
    "例として",
    "一例として",
    "一例を挙げると",
    "推測ですが",
    "想像ですが",
];

/// Words that open a supposition; it lasts for its sentence.
const SUPPOSITIONS: [&str; 13] = [
    "もし",
    "もしも",
    "仮に",
    "かりに",
    "仮定すると",
    "としたら",
    "とすれば",
    "と仮定",
    "なら",
    "買うと",
    "買えば",
    "買っても",
    "としても",
];

/// Words that make a guess of what a lead-in or a heading announces, and of nothing in their own sentence.
const ANNOUNCED: [&str; 8] =
    ["考えられる", "想定される", "予想される", "想像される", "想像に基づ", "推測に基づ", "(予想)", "(推測)"];

/// The hedges of a passage.
pub fn hedges(passage: &Passage<'_>) -> Vec<Hedge> {
    static CUES: LazyLock<AhoCorasick> = LazyLock::new(|| {
        let words = PREDICATES.iter().chain(&HEADS).chain(&SUPPOSITIONS).chain(&ANNOUNCED);
        AhoCorasick::new(words).expect("a small list")
    });
    let mut cues = CUES
        .find_overlapping_iter(&passage.text)
        .map(|found| (found.pattern().as_usize(), found.range()))
        .collect::<Vec<_>>();
    cues.sort_unstable_by_key(|(_, cue)| cue.start);
    let mut found = Vec::new();
    for (n, sentence) in passage.sentences.iter().enumerate() {
        let first = cues.partition_point(|(_, cue)| cue.start < sentence.range.start);
        let within = cues[first..].iter().take_while(|(_, cue)| cue.start < sentence.range.end);
        let mut within: Vec<(usize, Range<usize>)> =
            within.filter(|(_, cue)| cue.end <= sentence.range.end).cloned().collect();
        // Most sentences hold no cue at all.
        if within.is_empty() {
            continue;
        }
        within.sort_by_key(|(order, cue)| (*order, cue.start));
        let heads = within.partition_point(|(order, _)| *order < PREDICATES.len());
        let suppositions = within.partition_point(|(order, _)| *order < PREDICATES.len() + HEADS.len());
        let announced =
            within.partition_point(|(order, _)| *order < PREDICATES.len() + HEADS.len() + SUPPOSITIONS.len());
        let text = &passage.text[sentence.range.clone()];
        let (at, depths) = (sentence.range.start, Depths::of(text));
        let guesses = in_predicate(text, at, &depths, &within[..heads]);
        if !guesses.is_empty() {
            let granted = taken_for_granted(passage, &sentence.range);
            found.extend(without(guesses, &granted));
        }
        if heads < suppositions {
            found.extend(at_head(text, at, &depths, &within[heads..suppositions]));
        }
        if suppositions < announced {
            found.extend(supposition(text, at, &depths, &within[suppositions..announced]));
        }
        found.extend(lead_in::lead_in(passage, n));
    }
    found
}

/// Hedges within the sentence, each with the clauses that it closes.
///
/// `cues` are those of [`PREDICATES`] in its order: longer ones stand first and stay; ようです within のようですが counts
/// once.
fn in_predicate(sentence: &str, offset: usize, depths: &Depths, cues: &[(usize, Range<usize>)]) -> Vec<Hedge> {
    if cues.is_empty() {
        return Vec::new();
    }
    let mut hedges: Vec<Hedge> = Vec::new();
    let longest = cues.iter().map(|(_, cue)| cue.len()).max().unwrap_or(0);
    // Of those found so far, the furthest end at each start.
    let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
    let clauses = Clauses::of(sentence, depths);
    for (_, cue_range) in cues {
        let cue = cue_range.start - offset..cue_range.end - offset;
        let mut near = ends.range(cue_range.start.saturating_sub(longest)..=cue_range.start);
        if depths.at(cue.start) > 0
            || is_no_guess(sentence, cue.start, &sentence[cue.clone()])
            || near.any(|(_, end)| cue_range.end <= *end)
        {
            continue;
        }
        let end = ends.entry(cue_range.start).or_insert(cue_range.end);
        *end = cue_range.end.max(*end);
        let start = clauses.start_before(cue.start);
        let scope = offset + start..cue_range.end;
        hedges.push(Hedge { cue: cue_range.clone(), scope, reach: Reach::Predicate });
    }
    hedges
}

/// Cues whose words mean something else here.
fn is_no_guess(sentence: &str, at: usize, cue: &str) -> bool {
    let before = &sentence[..at];
    let after = &sentence[at + cue.len()..];
    match cue {
        // 可能性を秘めた, 可能性を広げる: a figure of speech.
        "可能性を" => ["秘め", "広げ", "高め", "示し", "切り", "拓", "探", "持つ", "引き出"]
            .iter()
            .any(|word| after.starts_with(word)),
        "可能性が" => after.starts_with("広が") || after.starts_with("高ま"),
        "可能性も" => after.starts_with("広が"),
        "可能性は" => after.starts_with("無限") || after.starts_with("広が"),
        // A clear view, and what was so clear that it needs no guess.
        "見通し" => {
            after.starts_with("の良")
                || after.starts_with("のよ")
                || after.starts_with("がよ")
                || after.starts_with("が良")
        }
        // 集まりそう is a guess, 集まるそう hearsay; そうで may be any «so».
        "そうです" | "そうだ" | "そうで" | "そうな" => {
            !before.ends_with([
                'り', 'し', 'き', 'ち', 'に', 'び', 'み', 'ぎ', 'れ', 'え', 'け', 'せ', 'て', 'め', 'べ', 'げ', 'ね',
            ]) || ["はて", "として", "それ", "に", "らし"].iter().any(|word| before.ends_with(word))
        }
        "見込み" => before.ends_with("申し") || after.starts_with("客"),
        "らしい" => !after.is_empty() && !after.starts_with(['。', '、', 'で', 'と', '!', 'の']),
        _ => false,
    }
}

/// What a sentence takes for granted: the clause of a past event before the noun that it describes,
/// (30社が参加した)催しは.
fn taken_for_granted(passage: &Passage<'_>, sentence: &Range<usize>) -> Vec<Range<usize>> {
    // Nouns that only lead on to what is said of the clause.
    const FORMAL: [&str; 51] = [
        "こと",
        "もの",
        "の",
        "ところ",
        "ため",
        "場合",
        "とき",
        "時",
        "ほう",
        "方",
        "結果",
        "うえ",
        "上",
        "後",
        "のち",
        "あと",
        "際",
        "可能性",
        "模様",
        "もよう",
        "よう",
        "はず",
        "見込み",
        "見通し",
        "おそれ",
        "恐れ",
        "中",
        "以上",
        "限り",
        "通り",
        "とおり",
        "まま",
        "ら",
        "わけ",
        "計算",
        "勘定",
        "例",
        "事例",
        "ケース",
        "形",
        "気",
        "気配",
        "様子",
        "印象",
        "話",
        "疑い",
        "点",
        "頃",
        "ころ",
        "当時",
        "経験",
    ];
    let text = passage.text.as_str();
    let words = passage.morphemes_in(sentence);
    let is_past = |word: &Morpheme| word.tag.inflection == Inflection::Ta && word.tag.form == Form::Basic;
    let describes = |at: usize| {
        words.get(at + 1).is_some_and(|next| {
            let surface = next.surface(text);
            (next.pos().is_nominal() || next.pos() == Pos::Adnominal)
                && !FORMAL.contains(&surface)
                && !surface.starts_with("可能")
        })
    };
    let ends = (0..words.len()).filter(|at| is_past(&words[*at]) && describes(*at)).map(|at| words[at].end);
    let clause = |end: usize| {
        let before = &text[sentence.start..end];
        let start = before.rfind('、').map_or(0, |n| n + '、'.len_utf8());
        let start = before[start..].rfind('は').map_or(start, |n| start + n + 'は'.len_utf8());
        sentence.start + start..end
    };
    ends.map(clause).collect()
}

/// The same guesses without what is taken for granted; of those that reach as far back, each covers what none before it does.
fn without(guesses: Vec<Hedge>, granted: &[Range<usize>]) -> Vec<Hedge> {
    let mut covered: BTreeMap<usize, usize> = BTreeMap::new();
    let mut parts = Vec::new();
    for guess in guesses {
        let (start, end) = (guess.scope.start, guess.scope.end);
        let covered = covered.entry(start).or_insert(start);
        let mut from = *covered;
        *covered = end.max(*covered);
        let part = |scope: Range<usize>| Hedge { scope, ..guess.clone() };
        // Of what is taken for granted, neither starts nor ends ever go back.
        let first = granted.partition_point(|gap| gap.end <= from);
        for gap in granted[first..].iter().take_while(|gap| gap.start < end) {
            if from < gap.start {
                parts.push(part(from..gap.start));
            }
            from = from.max(gap.end);
        }
        if from < end {
            parts.push(part(from..end));
        }
    }
    parts
}

fn at_head(sentence: &str, offset: usize, depths: &Depths, cues: &[(usize, Range<usize>)]) -> Option<Hedge> {
    let cues = cues.iter().map(|(_, cue)| cue).filter(|cue| depths.at(cue.start - offset) == 0);
    cues.min_by_key(|cue| cue.start).map(|cue| Hedge {
        cue: cue.clone(),
        scope: cue.start..offset + sentence.len(),
        reach: Reach::Head,
    })
}

fn supposition(sentence: &str, offset: usize, depths: &Depths, cues: &[(usize, Range<usize>)]) -> Option<Hedge> {
    let supposes = |range: &&Range<usize>| {
        let (before, after) = (&sentence[..range.start - offset], &sentence[range.end - offset..]);
        let is_supposition = match &sentence[range.start - offset..range.end - offset] {
            // ならでは, ならない, 並ぶ and 習う are no conditions; 今なら and 市内なら restrict.
            "なら" => {
                (after.starts_with(['、', 'ば']) || after.starts_with(|c: char| !matches!(c, 'ぁ'..='ゖ')))
                    && !["今", "内", "いま", "こちら", "様", "さ"].iter().any(|word| before.ends_with(word))
            }
            // もしかすると is a hedge of its own, もしくは an «or», もしもし a greeting.
            "もし" => !before.ends_with('か') && !["か", "くは", "もし"].iter().any(|word| after.starts_with(word)),
            _ => !before.ends_with('か'),
        };
        is_supposition && depths.at(before.len()) == 0
    };
    let cue = cues.iter().map(|(_, cue)| cue).filter(supposes).min_by_key(|cue| (cue.start, cue.end))?;
    Some(Hedge { cue: cue.clone(), scope: offset..offset + sentence.len(), reach: Reach::Supposition })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(text: &str, word: &str) -> Option<Reach> {
        let passage = Passage::new(text);
        let at = passage.text.find(word).unwrap();
        hedges(&passage).iter().find(|hedge| hedge.scope.contains(&at)).map(|hedge| hedge.reach)
    }

    #[test]
    fn a_guess_covers_its_clause_and_no_more() {
        for (text, word, expected) in [
            ("会場には約30社が参加したとみられます。", "約30社", Some(Reach::Predicate)),
            ("ガスは30万光年くらいあるのかもしれません。", "30万", Some(Reach::Predicate)),
            ("約30社が参加しました。来年も続くかもしれません。", "約30社", None),
            ("約30社が参加しましたが、来年は40社になるかもしれません。", "約30社", None),
            ("約30社が参加しましたが、来年は40社になるかもしれません。", "40社", Some(Reach::Predicate)),
            ("たとえば30社が集まる催しです。", "30社", Some(Reach::Head)),
            ("もし30社が集まれば大きな催しです。", "30社", Some(Reach::Supposition)),
            ("30社が参加したといいます。", "30社", None),
            ("30社の参加が期待されます。", "30社", None),
            ("30社が可能性を秘めた技術を示しました。", "30社", None),
            (
                "次のような活動が行われたと考えられます。\n- 30社の商談\n- 見学\n\n30分でした。",
                "30社",
                Some(Reach::LeadIn),
            ),
            ("次のような活動が行われたと考えられます。\n- 30社の商談\n- 見学\n\n30分でした。", "30分", None),
            ("次の目的が掲げられました。\n- 30社の商談", "30社", None),
            // What is foreseen is a guess in whatever form; what is planned or hoped for is none.
            ("約3万人の来場を見込んでいます。", "3万人", Some(Reach::Predicate)),
            ("約3万人が来場する見込みです。", "3万人", Some(Reach::Predicate)),
            ("約3万人の人出を予想しています。", "3万人", Some(Reach::Predicate)),
            ("約3万人の来場を目指しています。", "3万人", None),
            ("約3万人の来場を予定しています。", "3万人", None),
            ("約3万人が集まりそうです。", "3万人", Some(Reach::Predicate)),
            ("約3万人が集まったそうです。", "3万人", None),
            // A statement of its own before another topic or another time, and what is taken for granted.
            ("開幕は12月5日で、来場者は増える見込みです。", "12月5日", None),
            ("約3万人が来場し、来年はさらに増えるかもしれません。", "3万人", None),
            (
                "テーブルには50品目ほどが並び、味を確かめながら商談が進んだと想像されます。",
                "50品目",
                Some(Reach::Predicate),
            ),
            ("3万人が参加した催しは、続くかもしれません。", "3万人", None),
            ("催しには3万人が参加した可能性があります。", "3万人", Some(Reach::Predicate)),
            // A remark between a lead-in and its list, sections, steps.
            ("次のような催しが考えられます。詳しくは分かりません。\n- 30社の商談", "30社", Some(Reach::LeadIn)),
            ("次のような催しが考えられます。\n詳しくは分かりません。\n\n- 30社の商談", "30社", Some(Reach::LeadIn)),
            ("想定される内容は次のとおりです。\n- 30社の商談", "30社", Some(Reach::LeadIn)),
            ("## 内容\n以下のような内容だと推測されます。\n### 商談\n30社が集まります。", "30社", Some(Reach::LeadIn)),
            ("## 内容\n以下のような内容だと推測されます。\n## 結果\n30社が集まりました。", "30社", None),
            ("次のような流れが考えられます。\n\nまず、30社が集まります。", "30社", Some(Reach::LeadIn)),
        ] {
            assert_eq!(covered(text, word), expected, "{text} {word}");
        }
    }
}
