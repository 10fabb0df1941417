//! Chinese within Japanese text: simplified characters, traditional words, whole sentences in characters both share.

use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::{Foreign, ForeignKind};
use crate::text::Passage;
use crate::text::tag::Pos;

/// Runs of Chinese characters that are no Japanese.
pub(super) fn foreign(passage: &Passage<'_>, known: &str) -> Vec<Foreign> {
    let text = passage.text.as_str();
    let mut ranges = Vec::new();
    for clause in clauses(text) {
        if is_chinese_clause(passage, &clause) {
            ranges.push(clause);
        }
    }
    for run in han_runs(text) {
        let found = if is_chinese_word(&text[run.clone()]) {
            vec![run.clone()]
        } else {
            let found = [unencodable(text, &run), chinese_words(text, &run), traditional(passage, &run, known)];
            found.into_iter().flatten().collect()
        };
        // Looked for last, since few runs get here.
        if !found.is_empty() && !known.contains(&text[run.clone()]) && !is_original_name(text, &run) {
            ranges.extend(found);
        }
    }
    ranges.into_iter().map(|range| Foreign { range, kind: ForeignKind::Chinese }).collect()
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '々' | '〇' | '\u{20000}'..='\u{2FA1F}')
}

fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FE}')
}

/// Runs of Chinese characters without anything between.
fn han_runs(text: &str) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| is_han(*c)) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end = at + c.len_utf8(),
            _ => runs.push(at..at + c.len_utf8()),
        }
    }
    runs
}

/// A Chinese name in brackets after its Japanese: (光影戲團).
fn is_original_name(text: &str, run: &Range<usize>) -> bool {
    let before = text[..run.start].strip_suffix('(');
    let after_japanese = before.and_then(|before| before.chars().next_back()).is_some_and(|c| is_han(c) || is_kana(c));
    after_japanese && text[run.end..].starts_with([')', '、', ',']) && run.len() >= 9
}

/// Whether a run as a whole is a frequent Chinese word that no Japanese dictionary has.
fn is_chinese_word(run: &str) -> bool {
    static WORDS: OnceLock<Vec<&str>> = OnceLock::new();
    let words = WORDS.get_or_init(|| include_str!("../../../assets/chinese-words.txt").split_whitespace().collect());
    words.binary_search(&run).is_ok()
}

/// Stretches between marks and kana: where a Chinese sentence would stand.
fn clauses(text: &str) -> Vec<Range<usize>> {
    let is_edge = |c: char| {
        c == '\n'
            || matches!(c, '「' | '」' | '『' | '』' | '(' | ')' | '。' | '!' | '?' | '|' | '*' | '#' | '・' | ':')
    };
    let mut clauses = Vec::new();
    for sentence in text.split(is_edge) {
        let start = sentence.as_ptr() as usize - text.as_ptr() as usize;
        if sentence.chars().any(is_kana) || sentence.chars().filter(|c| is_han(*c)).count() < 5 {
            continue;
        }
        let trimmed = sentence.trim();
        let start = start + sentence.len() - sentence.trim_start().len();
        let mut end = start + trimmed.len();
        if text[end..].starts_with('。') {
            end += '。'.len_utf8();
        }
        clauses.push(start..end);
    }
    clauses
}

/// Whether a stretch without kana is a Chinese clause: it has characters or function words that only Chinese has there.
fn is_chinese_clause(passage: &Passage<'_>, clause: &Range<usize>) -> bool {
    let text = &passage.text[clause.clone()];
    let is_foreign = |c: &char| is_han(*c) && (!is_in_japanese_use(*c) || is_traditional(*c));
    let foreign = text.chars().filter(is_foreign).count();
    let han = text.chars().filter(|c| is_han(*c)).count();
    let function_words = passage
        .morphemes_in(clause)
        .iter()
        .filter(|word| {
            let surface = word.surface(&passage.text);
            let is_suffix =
                matches!(word.pos(), Pos::NounSuffix | Pos::AdverbialSuffix | Pos::PlaceSuffix | Pos::Counter);
            (STRONG_FUNCTION_WORDS.contains(&surface)) || (WEAK_FUNCTION_WORDS.contains(&surface) && !is_suffix)
        })
        .map(|word| if STRONG_FUNCTION_WORDS.contains(&word.surface(&passage.text)) { 2 } else { 1 })
        .sum::<usize>();
    (foreign * 5 >= han && foreign >= 2)
        || (han >= 6 && function_words + foreign >= 3)
        || (han >= 8 && function_words >= 2)
}

const STRONG_FUNCTION_WORDS: [&str; 22] = [
    "了", "们", "們", "這", "这", "與", "与", "為", "为", "是", "也", "都", "很", "就", "把", "被", "吗", "嗎", "呢",
    "於", "于", "讓",
];
const WEAK_FUNCTION_WORDS: [&str; 14] =
    ["的", "在", "和", "及", "並", "并", "由", "將", "将", "從", "从", "使", "對", "对"];

/// The characters that no Japanese text has, each with its word.
fn unencodable(text: &str, run: &Range<usize>) -> Vec<Range<usize>> {
    let has_one = |range: &Range<usize>| text[range.clone()].chars().any(|c| !is_in_japanese_use(c));
    if !has_one(run) {
        return Vec::new();
    }
    if text[run.clone()].chars().count() <= 6 {
        return vec![run.clone()];
    }
    // In a long run, each such character with its neighbours.
    let chars: Vec<(usize, char)> = text[run.clone()].char_indices().map(|(at, c)| (run.start + at, c)).collect();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (n, _) in chars.iter().enumerate().filter(|(_, (_, c))| !is_in_japanese_use(*c)) {
        let start = chars[n.saturating_sub(1)].0;
        let last = chars[(n + 1).min(chars.len() - 1)];
        let end = last.0 + last.1.len_utf8();
        match ranges.last_mut() {
            Some(range) if start <= range.end => range.end = end,
            _ => ranges.push(start..end),
        }
    }
    ranges
}

/// Whether Japanese text uses the character: it is in CP932, or one of the few that newer standards added.
fn is_in_japanese_use(c: char) -> bool {
    static SET: OnceLock<Vec<u64>> = OnceLock::new();
    if !('\u{4E00}'..='\u{9FFF}').contains(&c) {
        return !('\u{3400}'..='\u{4DBF}').contains(&c) && c < '\u{20000}' || BEYOND_CP932.contains(c);
    }
    let set = SET.get_or_init(|| {
        let mut set = vec![0_u64; 0x5200 / 64];
        let mut bytes = Vec::with_capacity(2 * 60 * 189);
        for lead in (0x81..=0x9F).chain(0xE0..=0xFC) {
            for trail in (0x40..=0x7E).chain(0x80..=0xFC) {
                bytes.extend([lead, trail]);
            }
        }
        let (decoded, _, _) = encoding_rs::SHIFT_JIS.decode(&bytes);
        for c in decoded.chars().chain(BEYOND_CP932.chars()).filter(|c| ('\u{4E00}'..='\u{9FFF}').contains(c)) {
            let n = c as usize - 0x4E00;
            set[n / 64] |= 1 << (n % 64);
        }
        set
    });
    let n = c as usize - 0x4E00;
    set[n / 64] >> (n % 64) & 1 == 1
}

/// Characters in Japanese use that CP932 lacks: the forms of the 2010 list of common kanji and of print, names.
const BEYOND_CP932: &str = "頰剝塡𠮟噓摑鷗俠啞嚙囊屛幷攢潑瀆焰瘦禱簞繡繫萊蔣蠟軀醬醱顚驒吞圳填头甁麴筓蟬鄧鬪鬭渚塚猪祥琢昊琤晧淸彅瀨淼仝倶箪\
    啐朒枻栁檉槩濹煇熈琇瑀瑒璉璘畯碯祓禊禮穣筰絈翺臏莵菟蓜蘂虬蜆裵詹賴赳軏遯邇鄕鈊鉎銈鏘閒隄霻靑靎顥骶髙鮏鮱鯏鵄黑龔﨑";

/// Chinese words written in characters that Japanese has, too.
fn chinese_words(text: &str, run: &Range<usize>) -> Vec<Range<usize>> {
    static WORDS: OnceLock<AhoCorasick> = OnceLock::new();
    let words = WORDS.get_or_init(|| {
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(CHINESE_WORDS.split_whitespace())
            .expect("a small list")
    });
    let found = words.find_iter(&text[run.clone()]).map(|found| run.start + found.start()..run.start + found.end());
    found.filter(|range| !is_within_japanese_word(text, run, range)).collect()
}

/// A word of the list may arise by chance across a boundary: 学生|会議 holds no Chinese 生会.
fn is_within_japanese_word(text: &str, run: &Range<usize>, range: &Range<usize>) -> bool {
    // Two-character words are trusted only at an edge of their run.
    text[range.clone()].chars().count() <= 2 && range.start != run.start && range.end != run.end
}

/// Words that Japanese does not have, or writes otherwise.
const CHINESE_WORDS: &str = "因為 因爲 因此 但是 如果 可以 没有 沒有 什麼 甚麼 這個 那個 那些 這些 我們 你們 他們 她們 它們 我的 你的 他的 已經 而且 并且 \
    並且 雖然 不僅 能夠 為了 關於 對於 由於 以及 及其 其他的 目前的 怎麼 一個 一些 這種 每個 許多 很多 更多 可再生 核糖体 核糖體 \
    口罩 氧素 例子 第三方 第3方 金幣 信息 網絡 網路 軟件 軟體 硬件 硬體 用戶 視頻 公里 公斤 厘米 千米 毫米 手機 電腦 互聯網 \
    人工智能 綠色 可持續 持續發展 總部 顧客群 創新 創業者 團隊 產品 夥伴 老師 疫情 防控 通過了 進行了 舉行 舉辦 參與 隨著 當前 然後 \
    然后 更加 不斷 不會 不是 只是 只有 只要 就是 還是 還有 也是 都是 將會 應該 語言 地區 區域 城鎮 旅遊 游客 餐廳 電視 電影 方面的 \
    原因是 目的是 起来 采用 采取 斗争 首先 重新 安排 尽管 来自 看着 看来 放在 不再 等等 至少 比如 加上 遇到 正在 担心 随后 随着 \
    遭到 相比 争取 推出 平方公里 平方千米 平方米 立方米 提升 提前 意味着 以便 随便 如今 感到 来到 不少 却是 即将 建有 透露 想法 提到 \
    予以 鼓励 身后 得以 遭受 依次 以致 即使 即便 高考 走向 使得 加快 依照 有着 接下来 下列 著称 旨在 朝着 首批 迫使 伴随 堪称 推送 \
    遍布 女性们 人们 他们 我们 你们 它们 孩子們 朋友們 不錯 特別是 尤其 尤其是 其中的 之間的 之后 之後 以后 左右的 一直 一定的 \
    信使RNA 分支 根据 孩子 首次 例如";

/// Traditional characters that modern Japanese keeps in names alone, each with its word.
fn traditional(passage: &Passage<'_>, run: &Range<usize>, known: &str) -> Vec<Range<usize>> {
    let text = passage.text.as_str();
    if !text[run.clone()].chars().any(is_traditional) {
        return Vec::new();
    }
    let words = passage.morphemes_in(run).iter();
    words
        .filter(|word| {
            let surface = word.surface(text);
            let is_name = word.known && (word.pos().is_proper() || surface.chars().count() > 1);
            surface.chars().any(is_traditional) && !is_name && !known.contains(surface)
        })
        .map(|word| whole_run(text, run, &word.range()))
        .collect()
}

fn is_traditional(c: char) -> bool {
    static SORTED: OnceLock<Vec<char>> = OnceLock::new();
    let sorted = SORTED.get_or_init(|| {
        let mut chars: Vec<char> = TRADITIONAL.chars().collect();
        chars.sort_unstable();
        chars
    });
    sorted.binary_search(&c).is_ok()
}

/// A word within a short run is shown with the run.
fn whole_run(text: &str, run: &Range<usize>, word: &Range<usize>) -> Range<usize> {
    if text[run.clone()].chars().count() <= 5 { run.clone() } else { word.clone() }
}

const TRADITIONAL: &str = "乘亂亞來傳僞價儉內兩剎劍劑勞勵勸區卻參吳單囑國圍圓圖團墮壓壘壞壤壹奧奬妝孃學寢實寫寶將專對屆屬峽帶廢廳彈徑從徵恆悅惡慘應懷戀戰戲挾插搖搜擇擊\
    擔據擴攝敘數斷晝曆曉會棧樂樓樞樣橫檢權歐歡歲歷歸殼毆氣淚溫溼滯滿潛澀濟灣燈燒營爐爭爲牀犧狀狹獨獵獸獻產畫當疊瘦癡發盜盡祕禦禪稅穩竊絕絲經綠緖\
    緣縣縱總繩繪繼續纔纖羣聯聲聽肅脣脫腦腳膽臟臺與舉舊菸藝藥處虛號蟲蠶蠻裝覺覽觀觸說謠證譯譽讀變讓貓貳賣踐輕轉辭辯遞遲鄉醫釀釋錄錢鍊鑄鑛閱關隨險\
    隱雙雜雞霸靈顏顯餘騷驅驗驛髓體髮麥麪黃點黨齊齒齡";
