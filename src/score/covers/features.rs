//! What a sentence shows of purpose, activity and significance, as yes-or-no features.
//!
//! Some are general forms of Japanese (endings, cue words and whose they are, place in the article), others the words
//! themselves, names and figures left out. What each is worth for each topic was learned from labelled articles: see
//! `weights`.

use std::fmt;
use std::ops::Range;

use foldhash::{HashSet, HashSetExt as _};

use super::about::{About, Outline, has_figure};
use super::cues::{Cues, NOUNS, Section, Sections};
use crate::text::Passage;
use crate::text::block::BlockKind;
use crate::text::morpheme::Morpheme;
use crate::text::tag::{Form, Inflection, Pos};

/// What a sentence has or has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature<'t> {
    /// A form of the sentence or its place in the article, by our name for it.
    Form(&'t str),
    /// A word, in its base form.
    Word(&'t str),
    /// One of its last words, in its base form.
    Ending(&'t str),
    /// Two of its last words that follow each other.
    EndingPair(&'t str, &'t str),
}

/// As in the first columns of `weights.tsv`.
impl fmt::Display for Feature<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(name) => write!(f, "form\t{name}"),
            Self::Word(word) => write!(f, "word\t{word}"),
            Self::Ending(word) => write!(f, "ending\t{word}"),
            Self::EndingPair(first, second) => write!(f, "ending\t{first} {second}"),
        }
    }
}

/// The features of each sentence, each once.
pub(super) fn features<'t>(outline: &Outline<'t>) -> Vec<Vec<Feature<'t>>> {
    let cues = Cues::find(outline.passage);
    let actors = outline.actor_places();
    let mut found = vec![Vec::new(); outline.passage.sentences.len()];
    let mut above = (0..0, Sections::default());
    for (n, found) in found.iter_mut().enumerate() {
        let mut forms = cues.groups(n);
        place(outline, n, &mut forms);
        owned_nouns(outline, &cues, n, &mut forms);
        predicate(outline, n, &mut forms);
        // Most sentences stand under the heading of the one before.
        if above.0 != outline.heading_above(n) {
            above = (outline.heading_above(n), cues.announced(outline.heading_above(n)));
        }
        neighbours(outline, &cues, n, above.1, &mut forms);
        found.extend(forms.into_iter().map(Feature::Form));
        add_words(outline.passage, &actors, n, found);
    }
    found
}

/// How many words at the end of a sentence say how it ends.
const ENDING: usize = 6;

fn add_words<'t>(passage: &'t Passage<'_>, actors: &[Range<usize>], n: usize, found: &mut Vec<Feature<'t>>) {
    let words = passage.morphemes_in(&passage.sentences[n].range).iter().filter(|word| word.pos() != Pos::Symbol);
    let words: Vec<(&str, bool)> = words.map(|word| seen_as(passage, actors, word)).collect();
    let mut seen = HashSet::with_capacity(3 * words.len());
    let mut add = |feature: Feature<'t>| {
        if seen.insert(feature) {
            found.push(feature);
        }
    };
    for (word, _) in words.iter().filter(|(_, is_common)| *is_common) {
        add(Feature::Word(word));
    }
    let mut end = |words: &[(&'t str, bool)]| {
        let ending = &words[words.len().saturating_sub(ENDING)..];
        for (word, _) in ending {
            add(Feature::Ending(word));
        }
        for pair in ending.windows(2) {
            add(Feature::EndingPair(pair[0].0, pair[1].0));
        }
    };
    end(&words);
    for clause in clauses(passage, actors, n) {
        end(&clause);
    }
}

/// The clauses within a sentence that end in a noun and a copula, 〜が目的で、, as they would read on their own.
fn clauses<'t>(passage: &'t Passage<'_>, actors: &[Range<usize>], n: usize) -> Vec<Vec<(&'t str, bool)>> {
    let words = passage.morphemes_in(&passage.sentences[n].range);
    let is_end = |at: usize| {
        at > 0
            && words[at].surface(&passage.text) == "で"
            && words[at].pos() != Pos::Conjunction
            && words[at - 1].pos().is_nominal()
            && words.get(at + 1).is_some_and(|next| next.surface(&passage.text) == "、")
    };
    let ends = (0..words.len()).filter(|at| is_end(*at));
    let clause = |end: usize| {
        let clause = words[..end].iter().filter(|word| word.pos() != Pos::Symbol);
        let clause = clause.map(|word| seen_as(passage, actors, word));
        clause.chain([("です", true)]).collect()
    };
    ends.map(clause).collect()
}

/// A word in its base form, and whether it is a common one; of names and figures only their class.
///
/// What a name is called must make no difference: another town has the same news.
fn seen_as<'t>(passage: &'t Passage<'_>, actors: &[Range<usize>], word: &Morpheme) -> (&'t str, bool) {
    let next = actors.partition_point(|actor| actor.end <= word.start);
    if actors.get(next).is_some_and(|actor| actor.start <= word.start && word.end <= actor.end) {
        return ("当事者", false);
    }
    let class = match word.pos() {
        Pos::FamilyName | Pos::GivenName | Pos::PersonName => "人名",
        Pos::PlaceName => "地名",
        Pos::CountryName => "国名",
        Pos::OrganizationName => "組織名",
        Pos::ProperNoun => "固有名",
        Pos::Numeral => "数",
        _ if !word.known => "未知語",
        _ => return (word.base(&passage.text), true),
    };
    (class, false)
}

fn place(outline: &Outline<'_>, n: usize, found: &mut Vec<&'static str>) {
    let sentence = &outline.passage.sentences[n];
    found.push(match outline.about(n) {
        About::News => "about_news",
        About::Open => "about_open",
        About::Other => "about_other",
    });
    found.push(match outline.passage.blocks[sentence.block].kind {
        BlockKind::Heading => "heading",
        BlockKind::Item => "item",
        BlockKind::Table => "table",
        BlockKind::Code => "code",
        _ => "paragraph",
    });
    found.push(match outline.passage.sentences.len() {
        0..=2 => "of_two",
        3..=4 => "of_four",
        5..=8 => "of_eight",
        _ => "of_many",
    });
    match outline.position(n) {
        position if n == 0 || position < 0.12 => found.push("opening"),
        position if position > 0.7 => found.push("ending"),
        _ => {}
    }
    if outline.mentions_actor(n) {
        found.push("actor");
    }
    if outline.points_at_news(n) {
        found.push("pointer");
    }
    match outline.title_overlap(n) {
        0 => {}
        1 => found.push("title_1"),
        2 | 3 => found.push("title_2"),
        _ => found.push("title_4"),
    }
    match outline.details_beyond_title(n) {
        0..=2 => found.push("details_few"),
        3..=5 => found.push("details_some"),
        6..=9 => found.push("details_many"),
        _ => found.push("details_most"),
    }
    if outline.has_known_figure(n) {
        found.push("known_figure");
    } else if has_figure(outline.text(n)) {
        found.push("figure");
    }
    let length = outline.text(n).chars().count();
    if length < 20 {
        found.push("short");
    } else if length > 60 {
        found.push("long");
    }
}

fn owned_nouns(outline: &Outline<'_>, cues: &Cues, n: usize, found: &mut Vec<&'static str>) {
    let mut best: [Option<About>; NOUNS.len()] = [None; NOUNS.len()];
    for (noun, kind) in &cues.nouns[n] {
        let owner = outline.owner_of_noun(n, noun);
        best[*kind] = Some(best[*kind].map_or(owner, |best| best.min(owner)));
    }
    found.extend(best.iter().zip(NOUNS).filter_map(|(owner, (_, names))| Some(names[(*owner)? as usize])));
}

fn predicate(outline: &Outline<'_>, n: usize, found: &mut Vec<&'static str>) {
    let range: &Range<usize> = &outline.passage.sentences[n].range;
    let words = outline.passage.morphemes_in(range);
    let Some(last) = words.iter().rposition(|word| !matches!(word.pos(), Pos::Symbol | Pos::FinalParticle)) else {
        return;
    };
    let tail: &[Morpheme] = &words[last.saturating_sub(4)..=last];
    let inflected = |inflection: Inflection| tail.iter().any(|word| word.tag.inflection == inflection);
    if words[last].pos().is_nominal() {
        found.push("ends_in_noun");
    }
    if tail.last().is_some_and(|word| matches!(word.tag.inflection, Inflection::Desu | Inflection::Da)) {
        found.push("copula");
    }
    if inflected(Inflection::Ta) {
        found.push("past");
    }
    if tail.iter().any(|word| matches!(word.base(&outline.passage.text), "れる" | "られる")) {
        found.push("passive_or_able");
    }
    if tail.iter().any(|word| word.tag.form == Form::Imperative) {
        found.push("imperative");
    }
    if outline.has_concrete_action(n) {
        found.push("action_predicate");
    }
}

fn neighbours(outline: &Outline<'_>, cues: &Cues, n: usize, above: Sections, found: &mut Vec<&'static str>) {
    for (section, name) in
        [(Section::Why, "under_why"), (Section::Matters, "under_matters"), (Section::What, "under_what")]
    {
        if above.has(section) {
            found.push(name);
        }
    }
    let Some(before) = n.checked_sub(1) else { return };
    let text_before = outline.text(before);
    if cues.announces(before, Section::Why)
        && (text_before.ends_with("か。") || text_before.contains('?') && text_before.ends_with(['?', '。']))
    {
        found.push("after_why");
    }
    const REFERS_BACK: [&str; 16] = [
        "それが",
        "これが",
        "そんな",
        "その一言",
        "そうした",
        "こうした",
        "そこで",
        "だから",
        "そのため",
        "ここに",
        "それは",
        "そう",
        "そこから",
        "この二つ",
        "この空白",
        "という発想",
    ];
    let refers_back = |part: &str| REFERS_BACK.iter().any(|word| part.starts_with(word));
    if outline.text(n).split('、').any(refers_back) {
        found.push("refers_back");
    }
    if ["たい。", "ほしい。", "こと。", "ように。"].iter().any(|ending| text_before.ends_with(ending)) {
        found.push("after_wish");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_once_in_their_base_form_and_names_and_figures_not() {
        let passage = Passage::new("田中さんは3つの学校で学び、学びました。");
        let mut found = Vec::new();
        add_words(&passage, &[], 0, &mut found);
        let shown: Vec<String> = found.iter().map(|feature| feature.to_string().replace('\t', ":")).collect();
        assert_eq!(
            shown.join(" / "),
            "word:さん / word:は / word:つ / word:の / word:学校 / word:で / word:学ぶ / word:ます / word:た / ending:学校 / ending:で / \
             ending:学ぶ / ending:ます / ending:た / ending:学校 で / ending:で 学ぶ / ending:学ぶ 学ぶ / ending:学ぶ ます / \
             ending:ます た"
        );
    }
}
