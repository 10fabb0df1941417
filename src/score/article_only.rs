//! `article_only`: nothing but the article. Value 1 or 0; evidence: what does not belong to it, with its kind.
//!
//! What speaks to the article's reader (a greeting, a caution, thanks) belongs to it; what speaks to whoever asked for
//! it, or about the writing, does not. Most of that stands at the edges: the patterns are tried where they belong.

mod pattern;

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Score, Subject};
use crate::property::Property;
use crate::text::Passage;
use crate::text::block::{Block, BlockKind};
use crate::text::normalize::Normalized;

pub(super) use pattern::prepare;

type Violation = (Range<usize>, &'static str);

pub(super) fn score(subject: &Subject<'_>) -> Score {
    let passage = &subject.passage;
    let mut violations = Vec::new();
    tokens(passage, &mut violations);
    thinking(passage, &mut violations);
    fence(passage, &mut violations);
    prompt_echo(subject, &mut violations);
    alternatives(passage, &mut violations);
    placeholders(passage, &mut violations);
    let (head, tail) = edges(passage, &violations);
    preamble(passage, &head, &mut violations);
    labels(passage, &mut violations);
    closing(passage, &tail, &mut violations);
    meta(passage, &mut violations);
    subject.violations(Property::ArticleOnly, without_overlaps(&passage.text, violations))
}

/// The violations in order: of two that overlap the earlier found stays, neighbours of one kind are one.
fn without_overlaps(text: &str, found: Vec<Violation>) -> Vec<Violation> {
    // None of those kept overlaps another, so that only the last one that begins before an end can reach into it.
    let mut kept: BTreeMap<(usize, usize), &'static str> = BTreeMap::new();
    for (range, kind) in found {
        let before = kept.range(..(range.end, 0)).next_back();
        if before.is_none_or(|((_, end), _)| *end <= range.start) {
            kept.entry((range.start, range.end)).or_insert(kind);
        }
    }
    let mut joined: Vec<Violation> = Vec::new();
    for ((start, end), kind) in kept {
        let range = start..end;
        match joined.last_mut() {
            Some((last, last_kind)) if *last_kind == kind && belong_together(&text[last.end..range.start], kind) => {
                last.end = range.end;
            }
            _ => joined.push((range, kind)),
        }
    }
    joined
}

/// Whether what parts two violations of one kind is too little to make two of them.
fn belong_together(between: &str, kind: &str) -> bool {
    match kind {
        "placeholder" => between.chars().count() <= 6 && !between.contains(['、', '。', '\n']),
        "label" | "fence" => false,
        _ => between.trim_matches(' ').is_empty(),
    }
}

/// Tokens of chat templates, wherever they stand.
fn tokens(passage: &Passage<'_>, violations: &mut Vec<Violation>) {
    violations.extend(pattern::TOKENS.find_iter(&passage.text).map(|found| (found.range(), "label")));
}

/// Thinking: tagged, with one tag lost, or untagged at the head.
fn thinking(passage: &Passage<'_>, violations: &mut Vec<Violation>) {
    const TAGS: [(&str, &str); 5] = [
        ("<think>", "</think>"),
        ("<thinking>", "</thinking>"),
        ("<reasoning>", "</reasoning>"),
        ("<analysis>", "</analysis>"),
        ("<|channel|>analysis", "<|channel|>final"),
    ];
    let text = passage.text.as_str();
    for (open, close) in TAGS {
        let mut rest = 0;
        while let Some(at) = text[rest..].find(open).map(|at| rest + at) {
            let end = text[at..].find(close).map(|n| at + n + close.len());
            // Without an end tag the thinking is taken to reach to the first blank line.
            let end = end.unwrap_or_else(|| text[at..].find("\n\n").map_or(text.len(), |n| at + n));
            violations.push((at..end, "thinking"));
            rest = end;
        }
        if let Some(at) = text.find(close).filter(|at| !violations.iter().any(|(range, _)| range.contains(at))) {
            violations.push((0..at + close.len(), "thinking"));
        }
    }
    if let Some(at) = text.find("assistantfinal").filter(|_| text.starts_with("analysis")) {
        violations.push((0..at, "thinking"));
    }
    let heads = (0..passage.blocks.len()).filter(|n| *n == 0 || passage.blocks[*n].after_blank).take(3);
    for paragraph in heads.map(|first| paragraph_at(passage, first)) {
        if is_planning(&text[paragraph.clone()]) {
            violations.push((paragraph, "thinking"));
        }
    }
}

/// From the block to the next blank line.
fn paragraph_at(passage: &Passage<'_>, first: usize) -> Range<usize> {
    let blocks = &passage.blocks[first..];
    let last = blocks.iter().skip(1).position(|block| block.after_blank).unwrap_or(blocks.len() - 1);
    blocks[0].range.start..blocks[last].range.end
}

/// Whether a paragraph plans an article instead of being one.
fn is_planning(paragraph: &str) -> bool {
    const CUES: [&str; 44] = [
        "何を書く",
        "書くべきか",
        "書き出し",
        "触れない",
        "よし、",
        "ええと",
        "決めよう",
        "構成を",
        "避けて",
        "です・ます調",
        "構成の検討",
        "構成案",
        "構成を考え",
        "構成としては",
        "方針",
        "ユーザー",
        "指示は",
        "指示では",
        "指示に",
        "依頼は",
        "読み手は",
        "読者は",
        "想定読者",
        "求められて",
        "求めている",
        "求めています",
        "導入で",
        "導入部",
        "導入→",
        "触れる",
        "盛り込む",
        "まとめる",
        "避ける",
        "→",
        "トーンは",
        "文体は",
        "ですます調",
        "必要がある",
        "書くこと",
        "書けばよい",
        "書こう",
        "しよう。",
        "考えよう",
        "整理すると",
    ];
    pattern::ENGLISH.is_match(paragraph) || pattern::STEPS.find_iter(paragraph).count() > 1 || {
        let cues = CUES.iter().filter(|cue| paragraph.contains(**cue)).count();
        let names_the_task =
            ["ユーザー", "読み手", "読者", "構成", "指示", "依頼", "記事を書", "文体", "方針", "何を書く", "書くべき"]
                .iter()
                .any(|cue| paragraph.contains(cue));
        cues >= 3 && names_the_task
    }
}

/// A code fence or JSON around the article.
fn fence(passage: &Passage<'_>, violations: &mut Vec<Violation>) {
    let text = passage.text.as_str();
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic() && !c.is_ascii()).count();
    let fences: Vec<&Block> = passage
        .blocks
        .iter()
        .filter(|b| b.kind == BlockKind::Code && text[b.range.clone()].starts_with(['`', '~']))
        .collect();
    let all_letters = if fences.is_empty() { 0 } else { letters(text) };
    for pair in fences.chunks(2) {
        let (open, close) = (pair[0], pair.get(1));
        let inner = open.range.end..close.map_or(text.len(), |block| block.range.start);
        if letters(&text[inner.clone()]) * 5 < all_letters * 2 {
            continue;
        }
        let head = json_head(text, inner.clone()).unwrap_or(open.range.end);
        violations.push((open.range.start..head, "fence"));
        violations.extend(json_middle(text, head..inner.end));
        if let Some(close) = close {
            let tail = json_tail(text, inner).unwrap_or(close.range.start);
            violations.push((tail..close.range.end, "fence"));
        }
    }
    let whole = text.trim();
    let whole = whole.rfind(['}', ']']).map_or(whole, |end| &whole[..=end]);
    if fences.is_empty() && whole.starts_with(['{', '[']) && whole.ends_with(['}', ']']) && whole.contains("\":") {
        let start = text.len() - text.trim_start().len();
        let range = start..start + whole.len();
        let head = json_head(text, range.clone()).unwrap_or(start + 1);
        violations.push((start..head, "fence"));
        violations.extend(json_middle(text, head..range.end));
        if let Some(tail) = json_tail(text, range.clone()) {
            violations.push((tail..range.end, "fence"));
        }
    }
}

/// Where the first text value of a JSON wrapper begins.
fn json_head(text: &str, range: Range<usize>) -> Option<usize> {
    let inner = &text[range.clone()];
    let start = inner.find(|c: char| !c.is_whitespace())?;
    inner[start..].starts_with(['{', '[']).then_some(())?;
    let colon = inner.find("\":")? + 2;
    let value = inner[colon..].find('"').map_or(colon, |n| colon + n + 1);
    Some(range.start + value)
}

fn json_middle(text: &str, range: Range<usize>) -> Vec<Violation> {
    pattern::KEYS
        .find_iter(&text[range.clone()])
        .map(|found| (range.start + found.start()..range.start + found.end(), "fence"))
        .collect()
}

fn json_tail(text: &str, range: Range<usize>) -> Option<usize> {
    let inner = text[range.clone()].trim_end();
    let trimmed = inner.trim_end_matches(['}', ']', '"', ' ', '\n', '\r', ',']);
    inner.ends_with(['}', ']']).then_some(range.start + trimmed.len())
}

/// The instruction repeated: against the prompt where it is known, else what looks like this kind of instruction.
fn prompt_echo(subject: &Subject<'_>, violations: &mut Vec<Violation>) {
    let prompt = subject.prompt.map(|prompt| instructions(prompt, subject)).unwrap_or_default();
    for sentence in &subject.passage.sentences {
        let text = &subject.passage.text[sentence.range.clone()];
        let repeats = prompt.iter().any(|part| shares_run(text, part));
        if repeats || pattern::INSTRUCTION.is_match(text) {
            violations.push((with_brackets(&subject.passage.text, sentence.range.clone()), "prompt_echo"));
        }
    }
}

/// The sentences of the prompt that instruct: those that do not merely hold the news.
fn instructions(prompt: &str, subject: &Subject<'_>) -> Vec<String> {
    let normalized = Normalized::new(prompt).text;
    let news: Vec<String> = subject.source.map_or_else(Vec::new, |source| {
        let texts = [&source.title].into_iter().chain(&source.body).chain(&source.facts);
        texts.map(|text| Normalized::new(text).text).collect()
    });
    let without_news = news.iter().fold(normalized, |prompt, text| prompt.replace(text.as_str(), "\n"));
    let parts = without_news.split(['\n', '。', '『', '』']).map(str::trim);
    parts.filter(|part| part.chars().count() >= LONGEST_CHANCE_RUN).map(str::to_owned).collect()
}

/// Runs up to this many characters may be the same by chance.
const LONGEST_CHANCE_RUN: usize = 14;

/// Whether the texts share a run that is longer than chance allows.
fn shares_run(text: &str, part: &str) -> bool {
    let chars: Vec<(usize, char)> = part.char_indices().collect();
    let windows = chars.windows(LONGEST_CHANCE_RUN);
    windows
        .map(|window| {
            &part[window[0].0..window[LONGEST_CHANCE_RUN - 1].0 + window[LONGEST_CHANCE_RUN - 1].1.len_utf8()]
        })
        .any(|run| text.contains(run))
}

/// A sentence with the quotation marks around it.
fn with_brackets(text: &str, range: Range<usize>) -> Range<usize> {
    let start =
        text[..range.start].chars().next_back().filter(|c| matches!(c, '「' | '『' | '"')).map_or(0, char::len_utf8);
    let end = text[range.end..].chars().next().filter(|c| matches!(c, '」' | '』' | '"')).map_or(0, char::len_utf8);
    range.start - start..range.end + end
}

/// Title candidates, drafts, options: the heading with the list under it.
fn alternatives(passage: &Passage<'_>, violations: &mut Vec<Violation>) {
    for (n, block) in passage.blocks.iter().enumerate() {
        let content = passage.text[block.content.clone()]
            .trim_start_matches(['*', '#', ' ', '■', '◆', '●', '<', '(', '【', '[', '〈', '《', '-', '―', '─']);
        if block.kind == BlockKind::Paragraph && content.contains('。') || !pattern::HEADING.is_match(content) {
            continue;
        }
        let items = passage.blocks[n + 1..].iter().take_while(|next| next.kind == BlockKind::Item && !next.after_blank);
        let end = items.last().map_or(block.range.end, |last| last.range.end);
        violations.push((block.range.start..end, "alternatives"));
    }
}

/// What was left to be filled in.
fn placeholders(passage: &Passage<'_>, violations: &mut Vec<Violation>) {
    let (mut is_quoted, mut seen) = (false, 0);
    for found in pattern::CIRCLES.find_iter(&passage.text) {
        let bracket = passage.text[seen..found.start()].rfind(['「', '『', '」', '』']).map(|at| seen + at);
        is_quoted = bracket.map_or(is_quoted, |at| passage.text[at..].starts_with(['「', '『']));
        seen = found.start();
        if !is_pattern_in_advice(passage, &found.range(), is_quoted) && !is_gloss(&passage.text, &found.range()) {
            violations.push((found.range(), "placeholder"));
        }
    }
    for found in pattern::BRACKETS.find_iter(&passage.text) {
        let text = found.as_str();
        // Round brackets and 【】 also hold remarks and headings: only what asks to be filled in counts there.
        let asks = [
            "を記入",
            "を挿入",
            "を入力",
            "ここに",
            "差し替え",
            "要確認",
            "を追記",
            "計算してください",
            "Insert",
            "insert",
        ];
        let is_form = text.starts_with(['[', '{', '<', '\\', '`']) && !is_link(&passage.text, found.end());
        if is_form || asks.iter().any(|ask| text.contains(ask)) {
            violations.push((found.range(), "placeholder"));
        }
    }
}

fn is_link(text: &str, end: usize) -> bool {
    text[end..].starts_with('(')
}

/// 氏名(名前): what an entry of a form is called otherwise.
fn is_gloss(text: &str, range: &Range<usize>) -> bool {
    text[range.clone()].starts_with('(')
        && ["氏名", "名前", "名称", "名", "所在地", "住所", "連絡先", "電話番号", "期日", "日付", "金額", "料金"]
            .iter()
            .any(|entry| text[..range.start].ends_with(entry))
}

/// 「〇〇さんのおかげです」と伝える: 〇〇 stands for whatever the reader puts in.
fn is_pattern_in_advice(passage: &Passage<'_>, range: &Range<usize>, is_quoted: bool) -> bool {
    let n = passage.sentences.partition_point(|sentence| sentence.range.end <= range.start);
    let sentence = passage.sentences.get(n).filter(|sentence| sentence.range.start <= range.start);
    let sentence = sentence.map_or("", |sentence| &passage.text[sentence.range.clone()]);
    let advice = [
        "のように",
        "といった",
        "という",
        "など",
        "たとえば",
        "例えば",
        "表現",
        "言葉",
        "場合",
        "伝え",
        "と言",
        "と書",
    ];
    passage.text[range.end..].starts_with("の部分")
        || passage.text[range.clone()].ends_with("の部分")
        || is_quoted && advice.iter().any(|cue| sentence.contains(cue))
}

/// The sentences at the head and at the tail that something addressed to whoever asked may be among.
fn edges(passage: &Passage<'_>, violations: &[Violation]) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let is_free = |range: &Range<usize>| {
        violations
            .iter()
            .all(|(other, kind)| *kind == "prompt_echo" || range.end <= other.start || other.end <= range.start)
    };
    let sentences: Vec<Range<usize>> =
        passage.sentences.iter().map(|s| s.range.clone()).filter(|r| is_free(r)).collect();
    let head = sentences.iter().take(4).cloned().collect();
    let tail_from = sentences.len().saturating_sub(7.max(sentences.len() / 5));
    (head, sentences[tail_from..].to_vec())
}

/// 「はい、承知しました」 and announcements of the article, from the first sentence on.
fn preamble(passage: &Passage<'_>, head: &[Range<usize>], violations: &mut Vec<Violation>) {
    let acknowledges = |range: &Range<usize>| pattern::ACKNOWLEDGES.is_match(opening(passage, range));
    // A heading may have come before it.
    let first = head.iter().position(|range| !is_heading(passage, range)).filter(|first| acknowledges(&head[*first]));
    let head = &head[first.unwrap_or(0)..];
    let mut end = None;
    for (n, range) in head.iter().enumerate() {
        let sentence = opening(passage, range);
        let announces = pattern::ANNOUNCES.is_match(sentence);
        // An acknowledgement opens; an announcement opens too, or follows one.
        let is_at_once = n == 1 && (sentence.starts_with("さっそく") || sentence.starts_with("早速"));
        if (n == 0 && acknowledges(range))
            || (announces && (n == 0 || is_at_once || end.is_some() || is_alone(passage, range)))
        {
            end = Some(n);
        } else if n > 0 && end.is_none_or(|last| n > last + 1) {
            break;
        }
    }
    if let Some(last) = end {
        violations.push((head[0].start..head[last].end, "preamble"));
    }
}

/// A sentence from its first word on.
fn opening<'t>(passage: &'t Passage<'_>, range: &Range<usize>) -> &'t str {
    passage.text[range.clone()].trim_start_matches(['*', '#', '>', ' ', '「', '-'])
}

fn is_heading(passage: &Passage<'_>, range: &Range<usize>) -> bool {
    let of_heading = |block: &&Block| block.kind == BlockKind::Heading && block.range.contains(&range.start);
    passage.blocks.iter().take(4).any(|block| of_heading(&block))
}

/// Whether a sentence is the whole of its line.
fn is_alone(passage: &Passage<'_>, range: &Range<usize>) -> bool {
    passage.blocks.iter().any(|block| block.content == *range || block.range == *range)
}

/// 「記事:」 before the article, 「以上」 after it.
fn labels(passage: &Passage<'_>, violations: &mut Vec<Violation>) {
    let is_near_head = |n: usize| n <= 6 || n * 4 <= passage.blocks.len();
    for (n, block) in passage.blocks.iter().enumerate() {
        let line = &passage.text[block.range.clone()];
        if is_near_head(n) && pattern::BEFORE.is_match(line) && line.chars().count() <= 24 {
            violations.push((block.range.clone(), "label"));
        } else if let Some(found) = pattern::INLINE.find(line).filter(|_| n <= 3) {
            violations.push((block.range.start..block.range.start + found.end(), "label"));
        }
    }
    let from = passage.sentences.len().saturating_sub(4);
    for sentence in &passage.sentences[from..] {
        if pattern::AFTER.is_match(&passage.text[sentence.range.clone()]) {
            violations.push((sentence.range.clone(), "label"));
        }
    }
}

/// Offers to whoever asked, at the tail.
fn closing(passage: &Passage<'_>, tail: &[Range<usize>], violations: &mut Vec<Violation>) {
    // What a reader may be asked to do as well.
    const TO_READERS: [&str; 18] = [
        "お問い合わせ",
        "窓口",
        "事務局",
        "会場",
        "申し込",
        "公式",
        "ホームページ",
        "ウェブサイト",
        "サイトで",
        "スタッフ",
        "受付",
        "お住まい",
        "応募",
        "提出",
        "送って",
        "添えて",
        "もらえます",
        "あなたの",
    ];
    let is_offer = |range: &Range<usize>| {
        let sentence = &passage.text[range.clone()];
        pattern::OFFERS.is_match(sentence) && !TO_READERS.iter().any(|word| sentence.contains(word))
    };
    for (n, range) in tail.iter().enumerate() {
        let leads_to_offer =
            || pattern::CHECKS.is_match(&passage.text[range.clone()]) && tail.get(n + 1).is_some_and(is_offer);
        if is_offer(range) || leads_to_offer() {
            violations.push((range.clone(), "closing"));
        }
    }
}

/// Remarks about the writing or the model.
fn meta(passage: &Passage<'_>, violations: &mut Vec<Violation>) {
    for sentence in &passage.sentences {
        let text = &passage.text[sentence.range.clone()];
        // A call for contributions tells its readers how long they may be.
        let is_call = ["送って", "応募", "募集", "投稿"].iter().any(|word| text.contains(word));
        if pattern::META.find(text).is_some_and(|found| !is_quoted(text, found.start())) && !is_call {
            violations.push((line_if_bracketed(passage, sentence.block, &sentence.range), "meta"));
        }
    }
}

/// Whether what stands at `at` is within quotation marks: somebody's words, not the model's.
fn is_quoted(text: &str, at: usize) -> bool {
    let before = &text[..at];
    before.rfind(['「', '『']).is_some_and(|open| before[open..].find(['」', '』']).is_none())
        && text[at..].contains(['」', '』'])
}

/// A remark in brackets is shown with all that the brackets hold.
fn line_if_bracketed(passage: &Passage<'_>, block: usize, range: &Range<usize>) -> Range<usize> {
    let line = passage.blocks[block].range.clone();
    let text = passage.text[line.clone()].trim_matches('*');
    if [('(', ')'), ('[', ']'), ('〔', '〕')]
        .iter()
        .any(|(open, close)| text.starts_with(*open) && text.ends_with(*close))
        || text.starts_with('※')
    {
        line
    } else {
        range.clone()
    }
}

#[cfg(test)]
mod tests;
