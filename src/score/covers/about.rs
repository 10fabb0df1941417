//! Whom a sentence is about: this news, its actors, or something else.

mod words;

use foldhash::{HashSet, HashSetExt as _};
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::case::Source;
use crate::text::Passage;
use crate::text::block::BlockKind;
use crate::text::morpheme::Morpheme;
use crate::text::name::names;
use crate::text::number::{Numeral, may_begin, numeral};
use crate::text::tag::{Form, Inflection, Pos};
use words::{EVENT_NOUNS, POINTERS, ROLES};

/// Whom a sentence, or the owner of a word in it, is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    /// This news or one of its actors, by name or by a word that points at it.
    News,
    /// Nobody says; what stands around it decides.
    Open,
    /// Something else: the field in general, another thing, the past.
    Other,
}

/// An article held against its news.
pub(super) struct Outline<'a> {
    /// The article.
    pub(super) passage: &'a Passage<'a>,
    /// Names of those who act: publisher, aliases, people and bodies of the source.
    actors: Vec<String>,
    /// Content words of the headline.
    title_words: HashSet<String>,
    /// Verbal nouns of the headline: what happens.
    title_actions: HashSet<String>,
    /// Figures of the source, by value.
    figures: HashSet<u64>,
    /// The characters of the actors' names.
    actor_characters: HashSet<char>,
    marks: Vec<(Range<usize>, Mark)>,
    signs: Vec<Signs>,
    about: Vec<About>,
    /// For each sentence those of the heading above it.
    headings: Vec<Range<usize>>,
}

/// What a piece of the article stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// An actor of this news, by name.
    Actor,
    /// An actor of any news.
    Role,
    /// Something that points at the news.
    Pointer,
    /// The content word of the headline with this number.
    TitleWord(usize),
}

/// What a sentence holds of the news.
#[derive(Debug, Clone, Copy, Default)]
struct Signs {
    actor: bool,
    pointer: bool,
    title_words: usize,
}

impl<'a> Outline<'a> {
    pub(super) fn new(passage: &'a Passage<'a>, source: &'a Source) -> Self {
        let title = Passage::new(&source.title);
        let body = source.body.as_deref().map(Passage::new);
        let mut actors: Vec<String> = source.aliases.iter().flatten().cloned().collect();
        actors.push(source.publisher.clone());
        for text in [Some(&title), body.as_ref()].into_iter().flatten() {
            actors.extend(names(text).into_iter().map(|name| text.text[name.core.clone()].to_owned()));
        }
        actors.extend(quoted(&title.text));
        // A name that stands in the source a hundred times is looked for once.
        actors.sort_unstable();
        actors.dedup();
        let mut actors: Vec<String> =
            actors.iter().map(|name| Passage::new(name).text).filter(|name| name.chars().count() >= 2).collect();
        actors.sort_unstable();
        actors.dedup();
        let content = |word: &&Morpheme| is_content(word) && word.range().len() >= 6;
        let words_of = |text: &Passage<'_>, test: &dyn Fn(&Morpheme) -> bool| -> HashSet<String> {
            text.morphemes()
                .iter()
                .filter(content)
                .filter(|word| test(word))
                .map(|word| word.surface(&text.text).to_owned())
                .collect()
        };
        let mut outline = Self {
            passage,
            actors,
            title_words: words_of(&title, &|_| true),
            title_actions: words_of(&title, &|word| word.pos() == Pos::VerbalNoun),
            figures: [Some(&title), body.as_ref()]
                .into_iter()
                .flatten()
                .flat_map(|text| figures(&text.text))
                .chain(source.facts.iter().flat_map(|fact| figures(&Passage::new(fact).text)))
                .collect(),
            actor_characters: HashSet::new(),
            marks: Vec::new(),
            signs: Vec::new(),
            about: Vec::new(),
            headings: headings_above(passage),
        };
        outline.actor_characters = outline.actors.iter().flat_map(|name| name.chars()).collect();
        outline.marks = outline.find_marks();
        outline.signs = outline.count_marks();
        outline.about = outline.judge_all();
        outline
    }

    /// The text of a sentence.
    pub(super) fn text(&self, n: usize) -> &str {
        &self.passage.text[self.passage.sentences[n].range.clone()]
    }

    /// Whom a sentence is about.
    pub(super) fn about(&self, n: usize) -> About {
        self.about[n]
    }

    /// Whether a sentence is mostly in another language.
    pub(super) fn is_foreign(&self, n: usize) -> bool {
        let text = self.text(n);
        text.chars().filter(|c| matches!(c, 'ぁ'..='ヺ')).count() * 8 < text.chars().count()
    }

    /// Whether a sentence has a word that points at the news: 今回, この取り組み.
    pub(super) fn points_at_news(&self, n: usize) -> bool {
        self.signs[n].pointer
    }

    /// The number of the headline's content words in a sentence.
    pub(super) fn title_overlap(&self, n: usize) -> usize {
        self.signs[n].title_words
    }

    /// Whether a sentence names an actor of the news.
    pub(super) fn mentions_actor(&self, n: usize) -> bool {
        self.signs[n].actor
    }

    /// Looks for actors, pointers and words of the headline.
    fn find_marks(&self) -> Vec<(Range<usize>, Mark)> {
        static OF_ANY_NEWS: LazyLock<AhoCorasick> =
            LazyLock::new(|| AhoCorasick::new(ROLES.iter().chain(&POINTERS)).expect("a small list"));
        let text = &self.passage.text;
        let of_any = OF_ANY_NEWS.find_overlapping_iter(text).map(|found| {
            (found.range(), if found.pattern().as_usize() < ROLES.len() { Mark::Role } else { Mark::Pointer })
        });
        let of_this = self.actors.iter().chain(&self.title_words);
        let of_this =
            AhoCorasick::builder().kind(Some(AhoCorasickKind::NoncontiguousNFA)).build(of_this).expect("a small list");
        let of_this = of_this.find_overlapping_iter(text).map(|found| {
            let word = found.pattern().as_usize().checked_sub(self.actors.len());
            (found.range(), word.map_or(Mark::Actor, Mark::TitleWord))
        });
        of_any.chain(of_this).collect()
    }

    /// Where actors of the news are named: bytes of the article, in order, none within another.
    pub(super) fn actor_places(&self) -> Vec<Range<usize>> {
        let named = self.marks.iter().filter(|(_, mark)| *mark == Mark::Actor).map(|(range, _)| range.clone());
        let mut places: Vec<Range<usize>> = named.collect();
        places.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut end = 0;
        places.retain(|range| {
            let is_outer = range.end > end;
            end = end.max(range.end);
            is_outer
        });
        places
    }

    fn count_marks(&self) -> Vec<Signs> {
        let sentences = &self.passage.sentences;
        let mut signs = vec![Signs::default(); sentences.len()];
        let mut seen = vec![usize::MAX; self.title_words.len()];
        for (range, mark) in &self.marks {
            let n = sentences.partition_point(|sentence| sentence.range.end < range.end);
            if sentences.get(n).is_none_or(|sentence| sentence.range.start > range.start) {
                continue;
            }
            match *mark {
                Mark::Actor | Mark::Role => signs[n].actor = true,
                Mark::Pointer => signs[n].pointer = true,
                Mark::TitleWord(word) if seen[word] != n => {
                    seen[word] = n;
                    signs[n].title_words += 1;
                }
                Mark::TitleWord(_) => {}
            }
        }
        signs
    }

    /// The sentences of the heading that a sentence stands under; none if there is none.
    pub(super) fn heading_above(&self, n: usize) -> Range<usize> {
        self.headings[n].clone()
    }

    /// How far down the article a sentence stands, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "articles have few sentences")]
    pub(super) fn position(&self, n: usize) -> f64 {
        n as f64 / self.passage.sentences.len().max(2) as f64
    }

    fn judge_all(&self) -> Vec<About> {
        let mut about = Vec::new();
        let mut general_block: Option<usize> = None;
        let mut general_section = false;
        for (n, sentence) in self.passage.sentences.iter().enumerate() {
            let block = &self.passage.blocks[sentence.block];
            let text = self.text(n);
            if block.kind == BlockKind::Heading {
                general_section = is_general_heading(text);
                general_block = None;
                about.push(About::Open);
                continue;
            }
            if block.after_blank && general_block.is_some_and(|general| general != sentence.block) {
                general_block = None;
            }
            let points = self.points_at_news(n) || self.mentions_actor(n);
            let opens_general = is_definition(text) || is_general_opening(text);
            if opens_general && !points {
                general_block = Some(sentence.block);
            }
            about.push(if points && !is_definition(text) {
                About::News
            } else if opens_general || general_block == Some(sentence.block) || general_section {
                About::Other
            } else {
                About::Open
            });
        }
        about
    }

    /// Whose a noun (bytes of the article) of a sentence is: the words before の, or the sentence's topic.
    pub(super) fn owner_of_noun(&self, n: usize, noun: &Range<usize>) -> About {
        let (text, start) = (self.text(n), self.passage.sentences[n].range.start);
        let at = noun.start - start;
        let before = &text[..at];
        if is_adnominal(&text[noun.end - start..]) && !self.topic_is_news(n, at) {
            return About::Other;
        }
        let phrase = owner_phrase(before).or_else(|| topic_phrase(before));
        phrase.map_or_else(|| self.about(n), |phrase| self.classify_owner(n, phrase))
    }

    fn topic_is_news(&self, n: usize, at: usize) -> bool {
        topic_phrase(&self.text(n)[..at]).is_some_and(|topic| self.classify_owner(n, topic) == About::News)
    }

    /// Whom a phrase (bytes of the sentence) names.
    fn classify_owner(&self, n: usize, phrase: Range<usize>) -> About {
        const DEICTIC: [&str; 14] = [
            "今回",
            "この",
            "その",
            "同",
            "本事業",
            "こう",
            "当",
            "そんな",
            "それ",
            "これ",
            "ここ",
            "大き",
            "最大",
            "もうひとつ",
        ];
        let start = self.passage.sentences[n].range.start;
        let place = start + phrase.start..start + phrase.end;
        let phrase = &self.text(n)[phrase];
        let has_mark = |(range, mark): &(Range<usize>, Mark)| {
            matches!(mark, Mark::Actor | Mark::Pointer) && place.start <= range.start && range.end <= place.end
        };
        let is_deictic = |part: &str| DEICTIC.iter().any(|word| part.starts_with(word));
        let points = self.marks.iter().any(has_mark) || phrase.split('、').any(is_deictic);
        let is_event = EVENT_NOUNS.iter().any(|noun| phrase.ends_with(noun))
            || self.title_actions.iter().any(|word| phrase.ends_with(word.as_str()));
        match (points || is_event, self.about(n)) {
            (true, About::Other) if !points => About::Other,
            (true, _) => About::News,
            (false, _) => About::Other,
        }
    }

    /// The number of content words of a sentence that the headline lacks.
    pub(super) fn details_beyond_title(&self, n: usize) -> usize {
        let words = self.passage.morphemes_in(&self.passage.sentences[n].range);
        let is_telling = |word: &Morpheme| is_content(word) || word.pos() == Pos::Verb && word.range().len() >= 6;
        // A name counts once, however many words the dictionary makes of it.
        let is_of_name = |word: &Morpheme| word.pos().is_proper() || !word.known;
        let goes_on = |n: usize| {
            n > 0 && words[n - 1].end == words[n].start && is_of_name(&words[n - 1]) && is_of_name(&words[n])
        };
        let new = (0..words.len()).filter(|n| is_telling(&words[*n]) && !goes_on(*n)).map(|n| &words[n]);
        let new: HashSet<&str> =
            new.map(|word| word.surface(&self.passage.text)).filter(|word| !self.title_words.contains(*word)).collect();
        new.iter().filter(|word| !self.is_of_an_actor(word)).count()
    }

    fn is_of_an_actor(&self, word: &str) -> bool {
        word.chars().all(|c| self.actor_characters.contains(&c)) && self.actors.iter().any(|actor| actor.contains(word))
    }

    /// Whether a sentence holds a figure of the source that the headline lacks or has.
    pub(super) fn has_known_figure(&self, n: usize) -> bool {
        figures(self.text(n)).iter().any(|figure| self.figures.contains(figure))
    }

    /// Whether the predicate tells an action done, being done or to be done: no copula, no state, no supposition.
    pub(super) fn has_concrete_action(&self, n: usize) -> bool {
        let range: &Range<usize> = &self.passage.sentences[n].range;
        let words = self.passage.morphemes_in(range);
        let Some(last) = words.iter().rposition(|word| !matches!(word.pos(), Pos::Symbol | Pos::FinalParticle)) else {
            return false;
        };
        let tail = &words[last.saturating_sub(6)..=last];
        let is_copula =
            tail.last().is_some_and(|word| matches!(word.tag.inflection, Inflection::Desu | Inflection::Da));
        let verb = tail.iter().rev().find(|word| matches!(word.pos(), Pos::Verb | Pos::VerbalNoun));
        let Some(verb) = verb else { return false };
        const STATES: [&str; 24] = [
            "ある",
            "なる",
            "いる",
            "できる",
            "言う",
            "いう",
            "思う",
            "考える",
            "呼ぶ",
            "知る",
            "わかる",
            "分かる",
            "見える",
            "違う",
            "異なる",
            "含む",
            "持つ",
            "期待",
            "注目",
            "みる",
            "見る",
            "示す",
            "願う",
            "感じる",
        ];
        let base = verb.base(&self.passage.text);
        !is_copula && !STATES.contains(&base) && !(verb.tag.form == Form::Conditional)
    }
}

/// For each sentence those of the last heading in a block above its own.
fn headings_above(passage: &Passage<'_>) -> Vec<Range<usize>> {
    let mut headings: Vec<Range<usize>> = Vec::with_capacity(passage.sentences.len());
    let (mut heading, mut block_start) = (0..0, 0);
    for (n, sentence) in passage.sentences.iter().enumerate() {
        let before = n.checked_sub(1).map(|before| passage.sentences[before].block);
        if before.is_some_and(|before| before != sentence.block) {
            if before.is_some_and(|before| passage.blocks[before].kind == BlockKind::Heading) {
                heading = block_start..n;
            }
            block_start = n;
        }
        headings.push(heading.clone());
    }
    headings
}

fn is_content(word: &Morpheme) -> bool {
    matches!(
        word.pos(),
        Pos::Noun
            | Pos::VerbalNoun
            | Pos::AdjectivalNoun
            | Pos::ProperNoun
            | Pos::PlaceName
            | Pos::OrganizationName
            | Pos::FamilyName
            | Pos::GivenName
    )
}

fn quoted(text: &str) -> Vec<String> {
    text.split('「').skip(1).filter_map(|part| part.split('」').next()).map(str::to_owned).collect()
}

/// The figures in a text, by value, that are worth telling: of two digits and more, in whatever digits.
fn figures(text: &str) -> Vec<u64> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(may_begin) {
        rest = &rest[start..];
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let number = numeral(rest).filter(|number| number.len > 0);
        // 百 of 百合 and 十 of 十分 count nothing.
        let is_telling = |number: &Numeral| number.value >= 10.0 && (number.has_digits || number.len > '十'.len_utf8());
        found.extend(number.as_ref().filter(|number| is_telling(number)).map(|number| number.value.to_bits()));
        rest = &rest[number.map_or(first, |number| number.len.max(first))..];
    }
    found
}

/// Whether a text has a figure, in whatever digits.
pub(super) fn has_figure(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) || !figures(text).is_empty()
}

/// A heading over an explanation of the field.
fn is_general_heading(text: &str) -> bool {
    [
        "とは",
        "って何",
        "ってなに",
        "ってどんな",
        "豆知識",
        "基礎知識",
        "歴史",
        "について知",
        "知っておきたい",
        "そもそも",
        "コラム",
        "用語",
    ]
    .iter()
    .any(|word| text.contains(word))
        && !["どんな大会", "どんな取り組み", "どんな事業"].iter().any(|word| text.contains(word))
}

/// Xとは、…のことです.
fn is_definition(text: &str) -> bool {
    let head = text.char_indices().nth(24).map_or(text, |(end, _)| &text[..end]);
    let is_topic = head.contains("とは、")
        || head.contains("とは")
            && (text.contains("のこと")
                || text.contains("を指")
                || text.contains("をいう")
                || text.contains("をいいます"));
    is_topic
        || text.ends_with("のことです。")
        || text.ends_with("のことだ。")
        || text.ends_with("を指す。")
        || text.ends_with("を指します。")
        || text.ends_with("をいう。")
        || text.ends_with("を言います。")
        || text.ends_with("をいいます。")
}

/// Openings that lead away from the news to the field, the past, the world.
fn is_general_opening(text: &str) -> bool {
    const OPENINGS: [&str; 40] = [
        "一般に",
        "一般的に",
        "そもそも",
        "もともと",
        "昔は",
        "昔から",
        "かつて",
        "古くから",
        "近年",
        "近ごろ",
        "日本では",
        "世界では",
        "世界の",
        "日本の",
        "全国の",
        "各地",
        "多くの",
        "歴史を",
        "これまで、",
        "普段",
        "ふだん",
        "最近",
        "現代",
        "今日では",
        "海外では",
        "ヨーロッパ",
        "アメリカでは",
        "人は",
        "人間",
        "わたしたちの身の回り",
        "私たちの身の回り",
        "身近な",
        "たとえば",
        "例えば",
        "ところで",
        "ちなみに",
        "なお",
        "実は",
        "みなさん",
        "皆さん",
    ];
    OPENINGS.iter().any(|opening| text.starts_with(opening))
}

/// The noun is part of what modifies another: …を目的とした施設.
fn is_adnominal(after: &str) -> bool {
    ["とした", "とする", "に合わせ", "に応じ", "別", "のため", "な部品", "なもの", "な要素", "な役割を果たして"]
        .iter()
        .any(|form| after.starts_with(form))
        && !after.starts_with("とした取り組み")
        && !after.starts_with("とした事業")
        && !after.starts_with("とする取り組み")
        && !after.starts_with("とする事業")
        && !after.starts_with("としたもの")
        && !after.starts_with("としています")
        && !after.starts_with("としている")
}

/// The phrase before の right before a noun: (この大会)の目的.
fn owner_phrase(before: &str) -> Option<Range<usize>> {
    let before = before
        .strip_suffix('の')
        .or_else(|| before.strip_suffix("という"))
        .or_else(|| before.strip_suffix("の大きな"))
        .or_else(|| before.strip_suffix("の主な"))?;
    let start = before
        .rfind(['、', '。', '「', '」', ' ', 'は', 'が', 'を', 'に', 'で'])
        .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    (start < before.len()).then_some(start..before.len())
}

/// The first topic of a sentence: (灯台)は、….
fn topic_phrase(before: &str) -> Option<Range<usize>> {
    let end = before.find("は、").or_else(|| before.find('は'))?;
    let start = before[..end].rfind(['、', '。']).map_or(0, |at| at + '、'.len_utf8());
    let phrase = before[start..end].trim();
    (!phrase.is_empty() && phrase.chars().count() <= 30).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_stands_under_the_last_heading_above_its_block() {
        let passage =
            Passage::new("はじめです。\n\n## なぜ? どうして?\n\n一です。二です。\n\n三です。\n\n## 次\n\n四です。");
        let shown: Vec<String> = headings_above(&passage)
            .into_iter()
            .zip(&passage.sentences)
            .map(|(heading, sentence)| {
                let heading: String =
                    passage.sentences[heading].iter().map(|above| &passage.text[above.range.clone()]).collect();
                format!("{}<{heading}>", &passage.text[sentence.range.clone()])
            })
            .collect();
        assert_eq!(
            shown.join(" "),
            "はじめです。<> なぜ?<> どうして?<> 一です。<なぜ?どうして?> 二です。<なぜ?どうして?> \
             三です。<なぜ?どうして?> 次<なぜ?どうして?> 四です。<次>"
        );
    }

    #[test]
    fn a_name_is_looked_for_once_however_often_the_source_has_it() {
        let source = Source { title: "「量子」".repeat(100), ..Source::default() };
        let passage = Passage::new("量子です。");
        let outline = Outline::new(&passage, &source);
        assert_eq!(outline.actors.iter().filter(|actor| *actor == "量子").count(), 1);
        assert!(
            outline.marks.iter().filter(|(_, mark)| *mark == Mark::Actor).count() == 1 && outline.mentions_actor(0)
        );
    }
}
