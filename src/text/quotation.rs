//! What stands in quotation brackets: speech, names, or words set off for some other reason.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::Passage;
use super::morpheme::Morpheme;
use super::tag::Pos;

/// A stretch in 「」, 『』 or “”.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotation {
    /// With its brackets.
    pub range: Range<usize>,
    /// Without them.
    pub inner: Range<usize>,
    /// What it is.
    pub role: Role,
}

/// What a quotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Words that somebody is said to have spoken or written.
    Speech,
    /// The name of something.
    Name,
    /// Words set off: a term, a thought of nobody's, an invitation.
    Other,
}

/// The outermost quotations of a passage, in order.
pub fn quotations(passage: &Passage<'_>) -> Vec<Quotation> {
    let found = outermost(&passage.text);
    if found.is_empty() {
        return Vec::new();
    }
    let signs = Signs::find(passage);
    let quotation = |(range, inner): (Range<usize>, Range<usize>)| {
        let role = role(passage, &signs, &range, &inner);
        Quotation { range, inner, role }
    };
    found.into_iter().map(quotation).collect()
}

/// What stands in outermost brackets, with them and without.
fn outermost(text: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let mut found = Vec::new();
    let mut open: Vec<(usize, char)> = Vec::new();
    // How many of the open ones 」 and 』 would close: one that closes none is passed over at once.
    let mut waiting = [0_usize; 2];
    let kind = |close: char| usize::from(close == '』');
    for (at, c) in text.char_indices() {
        match c {
            '「' | '『' => {
                let close = if c == '「' { '」' } else { '』' };
                open.push((at, close));
                waiting[kind(close)] += 1;
            }
            '」' | '』' if waiting[kind(c)] > 0 => {
                while let Some((start, close)) = open.pop() {
                    waiting[kind(close)] -= 1;
                    if close != c {
                        continue;
                    }
                    if open.is_empty() && at > start + 3 {
                        found.push((start..at + c.len_utf8(), start + 3..at));
                    }
                    break;
                }
            }
            // A bracket that is never closed ends with its line.
            '\n' => {
                open.clear();
                waiting = [0; 2];
            }
            _ => {}
        }
    }
    found
}

fn role(passage: &Passage<'_>, signs: &Signs, range: &Range<usize>, inner: &Range<usize>) -> Role {
    let text = &passage.text[inner.clone()];
    if is_sentence(passage, inner) || (text.chars().count() >= 8 && follows_speaker(passage, signs, range)) {
        return if is_attributed(passage, signs, range) { Role::Speech } else { Role::Other };
    }
    if is_name(passage, range, text) { Role::Name } else { Role::Other }
}

/// Whether the words are an utterance: they end in a predicate or hold a full stop.
fn is_sentence(passage: &Passage<'_>, inner: &Range<usize>) -> bool {
    let text = &passage.text[inner.clone()];
    if text.contains('。') || text.ends_with(['!', '?']) && text.chars().count() > 8 {
        return true;
    }
    let words = passage.morphemes_in(inner);
    let Some(last) = words.iter().rev().find(|word| word.pos() != Pos::Symbol) else { return false };
    let is_predicate =
        matches!(last.pos(), Pos::Auxiliary | Pos::Verb | Pos::DependentVerb | Pos::Adjective | Pos::FinalParticle);
    let ends_open =
        matches!(last.pos(), Pos::ConjunctiveParticle | Pos::CaseParticle | Pos::TopicParticle) && words.len() > 6;
    (is_predicate && words.len() > 3) || ends_open
}

/// Verbs and nouns by which speech is reported.
const SPEECH: [&str; 64] = [
    "エール",
    "と評",
    "話",
    "語",
    "述べ",
    "コメント",
    "振り返",
    "呼びかけ",
    "呼び掛け",
    "強調",
    "説明",
    "笑",
    "期待",
    "明か",
    "訴え",
    "意気込",
    "目を輝か",
    "笑顔",
    "答え",
    "指摘",
    "発言",
    "評価",
    "喜",
    "感想",
    "手応え",
    "決意",
    "抱負",
    "打ち明け",
    "胸を張",
    "声を弾ま",
    "涙ながら",
    "力を込め",
    "言い",
    "言う",
    "言っ",
    "いう言葉",
    "という談話",
    "との談話",
    "とのコメント",
    "と書",
    "つづ",
    "記し",
    "メッセージ",
    "ツイート",
    "投稿",
    "宣言",
    "主張",
    "見通しを示",
    "考えを示",
    "見解",
    "力説",
    "自信",
    "ほほえ",
    "うなず",
    "つぶや",
    "表現",
    "声を寄せ",
    "声が寄せられ",
    "声が聞かれ",
    "教えて",
    "伝え",
    "報告",
    "挨拶",
    "あいさつ",
];

/// A thought of readers or a supposition is nobody's speech.
const NOBODY: [&str; 24] = [
    "と言われがち",
    "と思われがち",
    "と思う方",
    "と思った方",
    "と感じる方",
    "と疑問",
    "と聞くと",
    "と聞いて",
    "と不思議",
    "といった声",
    "という声も",
    "そんな",
    "もし",
    "たとえば",
    "例えば",
    "あなた",
    "みなさん",
    "皆さん",
    "と願",
    "という思い",
    "という願い",
    "という問い",
    "かもしれ",
    "でしょう",
];

/// Those who can speak, and words for them.
const SPEAKERS: [&str; 56] = [
    "さん",
    "氏",
    "社長",
    "会長",
    "理事長",
    "教授",
    "知事",
    "市長",
    "町長",
    "村長",
    "区長",
    "大臣",
    "長官",
    "監督",
    "選手",
    "館長",
    "院長",
    "校長",
    "園長",
    "代表",
    "担当者",
    "広報",
    "職員",
    "関係者",
    "頭取",
    "主将",
    "船長",
    "杜氏",
    "研究員",
    "医師",
    "教員",
    "先生",
    "学生",
    "生徒",
    "児童",
    "参加者",
    "来場者",
    "利用者",
    "住民",
    "農家",
    "店主",
    "女性",
    "男性",
    "チーム",
    "同社",
    "同庁",
    "同省",
    "同市",
    "同協会",
    "同大",
    "市は",
    "県は",
    "町は",
    "同団体",
    "同組合",
    "会社は",
];

/// Where words stand, so that it is told at once whether any lies within a stretch.
struct Places {
    starts: Vec<usize>,
    /// For each start the least end from there on.
    ends: Vec<usize>,
}

impl Places {
    fn of(mut found: Vec<Range<usize>>) -> Self {
        found.sort_unstable_by_key(|range| range.start);
        let starts = found.iter().map(|range| range.start).collect();
        let mut ends: Vec<usize> = found.iter().map(|range| range.end).collect();
        for n in (1..ends.len()).rev() {
            ends[n - 1] = ends[n - 1].min(ends[n]);
        }
        Self { starts, ends }
    }

    fn have_one_in(&self, stretch: &Range<usize>) -> bool {
        let first = self.starts.partition_point(|start| *start < stretch.start);
        self.ends.get(first).is_some_and(|end| *end <= stretch.end)
    }
}

/// What tells speech, found in one pass over the passage: a sentence may hold ten thousand quotations.
struct Signs {
    /// Words by which speech is reported.
    reports: Places,
    /// Words of thoughts that are nobody's speech.
    nobody: Places,
    /// Somebody who can speak: a person, a post, a body.
    speakers: Places,
}

impl Signs {
    fn find(passage: &Passage<'_>) -> Self {
        static WORDS: LazyLock<AhoCorasick> =
            LazyLock::new(|| AhoCorasick::new(SPEECH.iter().chain(&NOBODY).chain(&SPEAKERS)).expect("a small list"));
        let (mut reports, mut nobody, mut speakers) = (Vec::new(), Vec::new(), Vec::new());
        for word in WORDS.find_overlapping_iter(&passage.text) {
            let n = word.pattern().as_usize();
            let places = match n {
                _ if n < SPEECH.len() => &mut reports,
                _ if n < SPEECH.len() + NOBODY.len() => &mut nobody,
                _ => &mut speakers,
            };
            places.push(word.range());
        }
        let is_person = |word: &&Morpheme| matches!(word.pos(), Pos::GivenName | Pos::FamilyName | Pos::PersonSuffix);
        speakers.extend(passage.morphemes().iter().filter(is_person).map(Morpheme::range));
        Self { reports: Places::of(reports), nobody: Places::of(nobody), speakers: Places::of(speakers) }
    }
}

/// Whether a sentence around the quotation says who spoke.
fn is_attributed(passage: &Passage<'_>, signs: &Signs, range: &Range<usize>) -> bool {
    let n = passage.sentences.partition_point(|sentence| sentence.range.end <= range.start);
    let Some(sentence) = passage.sentences.get(n).filter(|sentence| sentence.range.start <= range.start) else {
        return false;
    };
    let before = sentence.range.start..range.start;
    let after_end = following(passage, n, range.end);
    let after = range.end.min(after_end)..after_end;
    let text_after = &passage.text[after.clone()];
    let quotes_on = text_after.starts_with(['と', 'な', 'の'])
        || text_after.trim_start_matches(['。', ' ']).starts_with('と')
        || text_after.starts_with("など");
    let has_speaker = signs.speakers.have_one_in(&before) || signs.speakers.have_one_in(&after);
    let ends_as_nobodys = |text: &str| NOBODY.iter().any(|word| text.ends_with(word));
    let of_nobody = signs.nobody.have_one_in(&after) || ends_as_nobodys(&passage.text[before]);
    // 担当者「…」: a line of dialogue.
    let is_dialogue = after.is_empty() && has_speaker;
    if follows_speaker(passage, signs, range) || follows_named_speaker(passage, range) {
        return !of_nobody;
    }
    has_speaker && ((quotes_on && signs.reports.have_one_in(&after)) || is_dialogue) && !of_nobody
}

/// 館長は「…」と: somebody, marked as the one of whom the sentence speaks, right before the bracket.
fn follows_speaker(passage: &Passage<'_>, signs: &Signs, range: &Range<usize>) -> bool {
    let before = passage.text[..range.start].trim_end_matches('、');
    let after = &passage.text[range.end..];
    let topic = ["は", "も", "が", "によると", "いわく"].iter().find_map(|particle| before.strip_suffix(particle));
    topic.is_some_and(|topic| {
        let start = topic.char_indices().rev().nth(14).map_or(0, |(at, _)| at);
        let start = topic[start..]
            .rfind(['。', '、', '\n', '」'])
            .map_or(start, |n| start + n + topic[start + n..].chars().next().map_or(0, char::len_utf8));
        after.starts_with('と') && signs.speakers.have_one_in(&(start..topic.len()))
    })
}

/// 船長は大浜間光男さん。「…」と笑います: the sentence before ends with the speaker.
fn follows_named_speaker(passage: &Passage<'_>, range: &Range<usize>) -> bool {
    let before = passage.text[..range.start].trim_end();
    passage.text[range.end..].starts_with('と')
        && ["さん。", "氏。", "さん:", "氏:"].iter().any(|end| before.ends_with(end))
}

/// Where the sentence with this number, which holds the quotation, ends: at its own end, or that of the next if it stops inside.
fn following(passage: &Passage<'_>, n: usize, at: usize) -> usize {
    let (sentence, rest) = (&passage.sentences[n], &passage.sentences[n..]);
    let in_block = rest.iter().take_while(|other| other.block == sentence.block);
    let end = in_block.map(|other| other.range.end).find(|end| *end > at);
    end.unwrap_or(sentence.range.end.max(at))
}

/// Words after the brackets of a name.
const NAMED_AFTER: &str = "という名 という愛称 という新 という制度 という施設 という催し という商品 という取り組み というプロジェクト という事業 と名付け と名づけ と命名 と題し と銘打 プロジェクト シリーズ の販売 を発売 を開発 を発表";
/// Words before the brackets of a name.
const NAMED_BEFORE: &str = "愛称 名称は 名前は その名も ブランド 商品 製品 新型 衛星 ロケット 装置 アプリ サービス システム プロジェクト 事業 イベント 催し 大会 講座 制度 計画 キャンペーン 展 店 施設 会場は ホール 劇場 映画 小説 楽曲 雑誌 学術誌 専門誌 誌 機 船 列車 メーカー";
/// Last words of a name.
const HEADS: &str = "プロジェクト 計画 構想 ビジョン プラン システム サービス アプリ ネット 基金 財団 賞 大賞 祭 まつり フェスタ フェア 展 大会 杯 カップ リーグ シリーズ 号 丸 号機 灯台 広場 公園 ホール 館 センター ホテル カフェ 店 文庫 学園 大学 法 条例 宣言 憲章 制度 事業 手形 カード パス 便 教室 塾";

/// Whether bracketed words name something: by what stands around them, or by what they are made of.
fn is_name(passage: &Passage<'_>, range: &Range<usize>, inner: &str) -> bool {
    if inner.chars().count() > 40 {
        return true;
    }
    let before = &passage.text[..range.start];
    let after = &passage.text[range.end..];
    let words = passage.morphemes_in(&(range.start + 3..range.end - 3));
    let is_coined = words.iter().any(|word| {
        let surface = word.surface(&passage.text);
        // Unknown katakana is as often a new word as a name, capitals as often an abbreviation.
        let is_rare = !word.known
            && surface.chars().count() >= 2
            && surface.chars().any(|c| matches!(c, 'ぁ'..='ゖ' | '\u{4E00}'..='\u{9FFF}' | 'a'..='z'));
        is_rare
            || word.known && word.pos().is_proper() && word.pos() != Pos::CountryName && surface.chars().count() >= 2
    });
    let has_head = words.len() > 1
        && HEADS.split(' ').any(|head| inner.ends_with(head))
        && !inner.ends_with("番号")
        && !inner.ends_with("信号");
    is_coined
        || has_head
        || NAMED_AFTER.split(' ').any(|word| after.starts_with(word))
        || NAMED_BEFORE.split(' ').any(|word| {
            before.ends_with(word) || before.strip_suffix(['の', 'は']).is_some_and(|before| before.ends_with(word))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_names_and_set_off_words_are_told_apart() {
        for (text, role) in [
            ("担当者は「命を守る行動になります」と呼びかけます。", Role::Speech),
            ("坂口さんは「まず一杯を届けたい」と話しています。", Role::Speech),
            ("教員は「初めて具体的に知ることができた」と手応えを語っています。", Role::Speech),
            ("「遊びでしょ?」と言われがちです。", Role::Other),
            ("「どうして高いの?」と思った方もいるでしょう。", Role::Other),
            ("使われたロケットは「エレクトロン」です。", Role::Name),
            ("「離島文化振興基金」の助成を受けました。", Role::Name),
            ("いわゆる「量子」の性質です。", Role::Other),
        ] {
            let passage = Passage::new(text);
            assert_eq!(quotations(&passage)[0].role, role, "{text}");
        }
    }

    #[test]
    fn a_stretch_has_the_words_that_lie_in_it_whole() {
        let places = Places::of(vec![6..12, 0..9, 3..5]);
        for (stretch, expected) in [(0..5, true), (1..4, false), (4..12, true), (7..20, false), (0..0, false)] {
            assert_eq!(places.have_one_in(&stretch), expected, "{stretch:?}");
        }
    }

    #[test]
    fn brackets_that_do_not_match_are_no_quotation() {
        for text in ["「閉じない", "開かない」", "「」", "「a\nb」"] {
            assert!(quotations(&Passage::new(text)).is_empty(), "{text}");
        }
    }
}
