//! `article_only`: nothing but the article. Value 1 or 0; evidence: what does not belong to it, with its kind.
//!
//! What speaks to the article's reader (a greeting, a caution, thanks) belongs to it; what speaks to whoever asked for
//! it, or about the writing, does not. Most of that stands at the edges: the patterns are tried where they belong.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Score, Subject};
use crate::property::Property;
use crate::text::Passage;
use crate::text::block::{Block, BlockKind};
use crate::text::normalize::Normalized;

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
    let mut kept: Vec<Violation> = Vec::new();
    for (range, kind) in found {
        if kept.iter().all(|(other, _)| range.end <= other.start || other.end <= range.start) {
            kept.push((range, kind));
        }
    }
    kept.sort_by_key(|(range, _)| range.start);
    let mut joined: Vec<Violation> = Vec::new();
    for (range, kind) in kept {
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

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// Tokens of chat templates, wherever they stand.
fn tokens(passage: &Passage<'_>, violations: &mut Vec<Violation>) {
    static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"<\|[a-z_]{2,24}\|>|</s>|<s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>(?:model|user)?|assistantfinal|assistantcommentary",
            r"|(?m:^#* ?(?:Assistant|ASSISTANT|User|USER|Human|System|assistant|user|アシスタント|ユーザー)[:：])",
            r"|(?m:^#+ ?<?(?:Response|Instruction|Input|Output|Question|Answer|Hierarchy|Article)>?:?$)",
            r"|\[(?:END|EOS|BOS)\]|<eos>|<bos>|(?m:^\[(?:キャッチー|出力|回答)\]$)",
        ))
    });
    violations.extend(TOKENS.find_iter(&passage.text).map(|found| (found.range(), "label")));
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
    static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^(?:Okay|OK|Alright|Hmm|So|First)?,? ?(?:the user|The user|we need|We need|I need|I should|let me|Let me|let's|Let's|I'll|analysis)",
        )
    });
    static STEPS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?:Step|STEP|ステップ|手順) ?[0-9]+[:.]? ?\**\s?(?:要点|構成|下書き|執筆|推敲|分析|整理|抽出|確認|情報)",
        )
    });
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
    ENGLISH.is_match(paragraph) || STEPS.find_iter(paragraph).count() > 1 || {
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
    for pair in fences.chunks(2) {
        let (open, close) = (pair[0], pair.get(1));
        let inner = open.range.end..close.map_or(text.len(), |block| block.range.start);
        if letters(&text[inner.clone()]) * 5 < letters(text) * 2 {
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
    static KEYS: LazyLock<Regex> = LazyLock::new(|| pattern(r#"",\s*"[A-Za-z_]{1,30}"\s*:\s*"?"#));
    KEYS.find_iter(&text[range.clone()])
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
    static INSTRUCTION: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?:記事|文章|原稿|コピー|広告|要約|物語|小説|メール|台本|スピーチ|詩|レポート|企画書|感想文)を?[^。「」\n]{0,20}(?:書いて|作成して|執筆して|まとめて|考えて)(?:ください|下さい)",
            r"|(?:返答|回答|出力)は[^。\n]{0,12}(?:日本語|記事)[^。\n]{0,16}(?:ください|下さい)",
            r"|あなたは[^。\n]{0,40}(?:アシスタント|AI|ライター|編集者|記者|専門家)です",
            r"|を(?:\d+|[一二三四五])つ(?:考えて|挙げて)ください",
            r"|を見ると『[^』\n]{4,}』が(?:公開|掲載|発表)されていました",
            r"|(?:条件|指示|要件|制約)[:：][^。\n]{0,60}(?:日本語のみ|記事のみ|記事だけ|優しい文章|やさしい文章|関連情報)",
        ))
    });
    let prompt = subject.prompt.map(|prompt| instructions(prompt, subject)).unwrap_or_default();
    for sentence in &subject.passage.sentences {
        let text = &subject.passage.text[sentence.range.clone()];
        let repeats = prompt.iter().any(|part| shares_run(text, part));
        if repeats || INSTRUCTION.is_match(text) {
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
    static HEADING: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"^(?:(?:記事)?(?:タイトル|見出し|題名|件名|キャッチコピー)(?:の)?(?:候補|案|例)|(?:別|他の|ほかの)(?:案|バージョン|パターン)",
            r"|もう(?:一つ|1つ|ひとつ)の(?:書き方|案|見出し|タイトル|バージョン|パターン)",
            r"|[A-C][).]\s?[^。\n:]{0,12}(?:見出し|タイトル|題名|書き方)[:：]",
            r"|※?[^。\n]{0,12}(?:一文|見出し|タイトル|題名|書き出し|締め)[^。\n]{0,8}(?:次|以下)から[^。\n]{0,6}選",
            r"|(?:案|パターン|バージョン|提案|候補|オプション|プラン|例文|下書き|ドラフト|草案)\s?(?:[0-9A-CＡ-Ｃ一二三①-⑤]|その[0-9一二三]))",
        ))
    });
    for (n, block) in passage.blocks.iter().enumerate() {
        let content = passage.text[block.content.clone()]
            .trim_start_matches(['*', '#', ' ', '■', '◆', '●', '<', '(', '【', '[', '〈', '《', '-', '―', '─']);
        if block.kind == BlockKind::Paragraph && content.contains('。') || !HEADING.is_match(content) {
            continue;
        }
        let items = passage.blocks[n + 1..].iter().take_while(|next| next.kind == BlockKind::Item && !next.after_blank);
        let end = items.last().map_or(block.range.end, |last| last.range.end);
        violations.push((block.range.start..end, "alternatives"));
    }
}

/// What was left to be filled in.
fn placeholders(passage: &Passage<'_>, violations: &mut Vec<Violation>) {
    static CIRCLES: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?:〇〇|○○|◯◯|●●|△△|□□|××|XX|◎◎)+[\p{Han}ァ-ヶー]{0,6}|_{2,}[円人年月日名件社]",
            r"|\((?:担当者|会社|団体|部署|商品|施設|代表者|人物|選手|講師)?(?:名|氏名|名前|日付|住所|電話番号|金額|地名)\)",
        ))
    });
    static BRACKETS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"\\?[\[({<【][^\])}>】\n]{0,24}(?:日付|日時|氏名|名前|会社名|社名|企業名|団体名|組織名|選手名|部署名|学校名|商品名|製品名|地名|場所名|会場名|発表元|発表者|発行元|公開日|媒体名",
            r"|金額|人数|数値|住所|電話番号|連絡先|リンク|URL|画像|写真|図|ここに|記入|挿入|入力|要確認|未定義|未記入|追記|差し替え|計算してください|Insert|insert|TODO|TBD|placeholder|名称)",
            r"[^\])}>】\n]{0,16}\\?[\])}>】]|\{\{[^}\n]{1,30}\}\}|`Insert [A-Za-z ]+`",
            // A word for what is to stand there, and nothing else.
            r"|[\[{][\p{Han}\p{Hiragana}\p{Katakana}ー・]{1,10}(?:名|先|数|額|日|欄)[\]}]",
        ))
    });
    for found in CIRCLES.find_iter(&passage.text) {
        if !is_pattern_in_advice(passage, &found.range()) {
            violations.push((found.range(), "placeholder"));
        }
    }
    for found in BRACKETS.find_iter(&passage.text) {
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

/// 「〇〇さんのおかげです」と伝える: 〇〇 stands for whatever the reader puts in.
fn is_pattern_in_advice(passage: &Passage<'_>, range: &Range<usize>) -> bool {
    let before = &passage.text[..range.start];
    let quoted =
        before.rfind(['「', '『']).is_some_and(|open| before.rfind(['」', '』']).is_none_or(|close| close < open));
    let sentence = passage.sentences.iter().find(|sentence| sentence.range.contains(&range.start));
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
        || quoted && advice.iter().any(|cue| sentence.contains(cue))
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
    static ACKNOWLEDGES: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"^(?:はい[、。!,]|もちろん(?:です|、)|承知(?:いた)?しました|承りました|かしこまりました|了解(?:です|(?:いた)?しました)|わかりました|分かりました|喜んで|お任せください|ご(?:依頼|質問|要望|リクエスト|指定|指示|提示)",
            r"|(?:Sure|Certainly|Of course|Absolutely|Okay|OK|Here is|Here's|Below is)\b)",
        ))
    });
    static ANNOUNCES: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"^(?:それでは、?|では、?)?(?:以下|次|下記)(?:に|は|が|の(?:ように|とおり|通り)|のような|、)[^。\n]{0,60}(?:記事|文章|原稿|本文|物語|小説|台本|メール|コピー|広告|要約|翻訳|訳|修正|返信|プラン|計画|例|案|セリフ|敬語|レポート|アイデア|提案|作成|まとめ)[^。\n]{0,40}",
            r"(?:です|ます|ました|ますね|まとめてみました|こちら|:)[。!:]?$",
            r"|(?:記事|文章|原稿|指導書|計画|台本|要約|物語)を[^。\n]{0,16}(?:ご用意|用意|作成|執筆|お書き|書き|まとめ|お届け|提案|提示|作り)[^。\n]{0,8}(?:しました|いたしました|いたします|します|ました|ますね|しますね|みました|みますね)[。!]?$",
            r"|記事(?:に|として)(?:まとめ|まとめていき|いたし|し)(?:ます|ました|てみました|ますね)[。!]?$",
            r"|(?:優し|やさし|易し|わかりやす|分かりやす|やわらか)[^。\n]{0,18}(?:まとめ|説明し|解説し|書い)(?:てみ|ていき|いたし)?(?:ます|ました|ますね|ましたので)[^。\n]{0,10}[。!]?$",
            r"|記事ですね[。!]?$",
            r"|^(?:さっそく|早速)[^。\n]{0,20}(?:書いて|まとめて|仕上げて|作成して)[^。\n]{0,8}(?:ます|ました)",
            r"|提案(?:いた)?しますね?[。!]?$",
        ))
    });
    let mut end = None;
    for (n, range) in head.iter().enumerate() {
        let sentence = passage.text[range.clone()].trim_start_matches(['*', '#', '>', ' ', '「', '-']);
        let acknowledges = ACKNOWLEDGES.is_match(sentence);
        let announces = ANNOUNCES.is_match(sentence);
        // An acknowledgement opens; an announcement opens too, or follows one.
        let is_at_once = n == 1 && (sentence.starts_with("さっそく") || sentence.starts_with("早速"));
        if (n == 0 && acknowledges)
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

/// Whether a sentence is the whole of its line.
fn is_alone(passage: &Passage<'_>, range: &Range<usize>) -> bool {
    passage.blocks.iter().any(|block| block.content == *range || block.range == *range)
}

/// 「記事:」 before the article, 「以上」 after it.
fn labels(passage: &Passage<'_>, violations: &mut Vec<Violation>) {
    static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            "^[\\[【(<〈《≪「*#■◆●\\s]*(?:ニュース)?(?:記事|回答|返答|出力(?:結果)?|生成結果|答え|本文|要約|原稿|完成版|完成記事|記事本文|ニュース記事|敬語版|修正(?:後|例|版)[^。\\n]{0,6}|直した文章|脚本|会話の要約|文章[(（][^)）]{1,8}[)）])(?:\\s?(?:例|案|全文|はこちら))?[\\]】)>〉》≫」*\\s]*[:：]?[\\]】)>〉》≫」*\\s]*$",
        )
    });
    static INLINE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^\**[\[【(]?(?:記事|回答|返答|出力|本文|要約|原稿|脚本)[\]】)]?\**[:：]\**"));
    static AFTER: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"^[\[【(<〈《―ー\-*\s~〜]*(?:以上(?:です|になります|でした|となります)?|記事(?:は)?(?:ここまで|終わり|おわり|終了|以上(?:です)?)|(?:記事|本文|本稿|原稿)の?(?:終わり|おわり|終了|ここまで)|ここまで|本文ここまで|終わり|おわり|了|完|終|END|End|Fin|FIN)[\]】)>〉》―ー\-*\s~〜。!]*$",
            r"|^以上(?:が|、)[^。\n]{0,24}(?:記事|文章|要約|案|内容)[^。\n]{0,12}(?:です|なります|でした|ました)?[。!]?$|は以上です[。!]?$",
        ))
    });
    let is_near_head = |n: usize| n <= 6 || n * 4 <= passage.blocks.len();
    for (n, block) in passage.blocks.iter().enumerate() {
        let line = &passage.text[block.range.clone()];
        if is_near_head(n) && BEFORE.is_match(line) && line.chars().count() <= 24 {
            violations.push((block.range.clone(), "label"));
        } else if let Some(found) = INLINE.find(line).filter(|_| n <= 3) {
            violations.push((block.range.start..block.range.start + found.end(), "label"));
        }
    }
    let from = passage.sentences.len().saturating_sub(4);
    for sentence in &passage.sentences[from..] {
        if AFTER.is_match(&passage.text[sentence.range.clone()]) {
            violations.push((sentence.range.clone(), "label"));
        }
    }
}

/// Offers to whoever asked, at the tail.
fn closing(passage: &Passage<'_>, tail: &[Range<usize>], violations: &mut Vec<Violation>) {
    static OFFERS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?:お気軽に|遠慮なく|ご遠慮なく|いつでも|ぜひ|お手数ですが)[^。\n]{0,24}(?:お申し?付け|お申しつけ|お知らせ|教えて|おっしゃって|仰って|お声[がか]け|ご指示|お伝え|お尋ね|ご相談|ご質問|リクエスト)",
            r"|(?:修正|調整|変更|追記|加筆|書き直し|リライト|要望|希望|文体|トーン|文字数|長さ|分量|(?:短く|長く|詳しく)(?:する|した|書|説明|まとめ)|別の?(?:案|バージョン|パターン))[^。\n]{0,50}(?:お申し?付け|お申しつけ|お知らせ|教えてくだ|おっしゃって|お声[がか]け|ご指示|対応(?:可能|いたし|でき)|可能です|いたします|承ります|できます)",
            r"|(?:加え|追加し|入れ|反映し|変え|整え)たい(?:場合|箇所|点)[^。\n]{0,40}(?:いただ|お送り|反映|お知らせ|ください|ます)|(?:いただければ|くだされば|頂ければ)[^。\n]{0,20}(?:反映|仕上げ|作成|修正|調整|補)",
            r"|(?:他に|ほかに|何か|もし)[^。\n]{0,40}(?:質問|困り事|お困り|気になる点|ご要望|ご希望|不明な?点|特定の)[^。\n]{0,40}(?:お知らせ|教えて|お尋ね|お申し?付け|聞いて|ください|アドバイス)",
            r"|必要(?:で(?:した|あれ|し)|に応じて|な場合は)[^。\n]{0,60}(?:調整|修正|変更|追加|作成|お知らせ|お申し|教えて|いたします|可能)",
            r"|ご(?:要望|希望|指示|依頼)(?:が(?:あれば|ありましたら|ございましたら)|に応じて)[^。\n]{0,40}(?:いたします|します|できます|可能です|承ります|ください|ますので)",
            r"|(?:別|他|ほか|向け|もの|切り口|パターン|版)[^。\n]{0,40}(?:お作り|ご用意|お出し|ご提案|お書き)(?:でき|いたし|する|も)[^。\n]{0,8}(?:ます|可能)",
            r"|遠慮なくどうぞ|(?:こちら|この)[^。\n]{0,8}で(?:よろしければ|よければ|問題なければ|大丈夫でしたら)",
            r"|「[^」\n]{1,10}」と(?:入力|送信|返信|お伝え)|どちらが(?:お好み|よろしい|ご希望)",
            r"|(?:雰囲気|感じ|形|かたち|調子)(?:で|に)(?:まとめて|書いて|仕上げて)み(?:ました|た)",
            r"|お役に立て(?:れば|たら|ると|ました)|(?:書き直し|執筆直し|添削)(?:ます|てみます|することも)",
            r"|調整してみてくださいね",
        ))
    });
    static CHECKS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^(?:いかがでしょうか|いかがでしたでしょうか|これでよろしいでしょうか|ご確認(?:ください|をお願い))[。?!]",
        )
    });
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
        OFFERS.is_match(sentence) && !TO_READERS.iter().any(|word| sentence.contains(word))
    };
    for (n, range) in tail.iter().enumerate() {
        let leads_to_offer = || CHECKS.is_match(&passage.text[range.clone()]) && tail.get(n + 1).is_some_and(is_offer);
        if is_offer(range) || leads_to_offer() {
            violations.push((range.clone(), "closing"));
        }
    }
}

/// Remarks about the writing or the model.
fn meta(passage: &Passage<'_>, violations: &mut Vec<Violation>) {
    static META: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?:私は|わたしは)?(?:AI|人工知能|大規模言語モデル|言語モデル|AIアシスタント)(?:として(?:は|の私|、|お|私)|である私|なので|ですので|の私|アシスタントとして)",
            r"|私は[^。\n]{0,20}(?:AI|言語モデル|アシスタント)(?:です|であ|なので|のため)|このアシスタントで",
            r"|(?:最新|リアルタイム)の?(?:情報|ニュース|データ)(?:に|を|へ)[^。\n]{0,16}(?:アクセス|直接|確認)[^。\n]{0,8}(?:できません|できない|できず|できないため|いません|ないため)",
            r"|(?:学習|訓練)データ|知識のカットオフ|私の知識",
            r"|文字数[:は約]|(?:約|およそ)?\d{2,5}(?:字|文字)(?:程度|ほど|前後|以内)?で(?:す|作成|執筆|書|まとめ|構成)|(?:字|調|向け)[^。\n]{0,14}で(?:執筆|作成|記述)(?:しました|しています|。|$)|(?:約|およそ)\d{2,5}字。",
            r"|(?:ですます|です・ます|である|敬体|常体|です、ます)調(?:で|を|に)[^。\n]{0,12}(?:作成|執筆|書|まとめ|統一|しま)",
            r"|ご(?:提示|指定|提供|依頼|入力|要望)(?:いただ|の|に|頂)",
            r"|(?:この|本|上記の?|以上の?|以下の?)(?:記事|文章|内容|台本|返信|セリフ|原稿)(?:は|では|に)[^。\n]{0,40}(?:推測|想像|一般的な知識|見出しのみ|タイトルのみ|見出しだけ|タイトルだけ|架空|フィクション|創作|AI(?:が|に|を)|構成されて|作成しています|執筆して|含んでいます|表現で[^。\n]{0,30}ています)",
            r"|以下の内容には[^。\n]{0,20}推測|(?:推測|想像|一般的な知識|一般論)(?:で|に基づ|をもとに|を元に|も含め|が含まれ|を含)[^。\n]{0,14}(?:書|作成|執筆|補|構成|記述)",
            r"|(?:公開|掲載|配信|投稿|ご使用|ご利用)(?:する)?前に[^。\n]{0,30}(?:ご?確認|照合|チェック|差し替え)",
            r"|(?:敬語化|表現を変更|言い換え)(?:に|し)[^。\n]{0,30}(?:しました|変更しました)",
            r"|^[(（※*\s]*(?:注|補足|備考|ポイント|改善ポイント)[:：(（][^。\n]{0,60}(?:修正|敬語|変更|要素|改善|指摘|表現|推測|作成)",
            r"|(?:見出し|タイトル|題名|発表文|元記事|原文)[^。\n]{0,20}(?:のみ|だけ|以外の情報|しか)[^。\n]{0,40}(?:生成|作成|執筆|省(?:き|い)|入れていま|書いていま|書けま)",
            r"|(?:本文|文章|記事|原稿)では[^。\n]{0,50}(?:体言止め|言い換え|言い回し|語尾|ですます|です・ます|敬体|文体)[^。\n]{0,40}(?:避け|用い|使|統一|工夫|心がけ)",
            r"|(?:読みやす|わかりやす|分かりやす)[^。\n]{0,30}(?:ですます|です・ます|敬体|文体)[^。\n]{0,20}(?:統一|整え|そろえ)",
            r"|(?:筆者|こちら|当方|私)(?:側)?で[^。\n]{0,10}補(?:い|って|足)|(?:構成|執筆|作成)メモ|目を通せて(?:い|お)",
            r"|(?:I used|I also changed|Note: I)",
        ))
    });
    for sentence in &passage.sentences {
        let text = &passage.text[sentence.range.clone()];
        // A call for contributions tells its readers how long they may be.
        let is_call = ["送って", "応募", "募集", "投稿"].iter().any(|word| text.contains(word));
        if META.find(text).is_some_and(|found| !is_quoted(text, found.start())) && !is_call {
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
