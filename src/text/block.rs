//! The lines of a text and what each of them is: heading, paragraph, list item, quotation, code, table row.
//!
//! Knows the Markdown that models write and the marks of plain Japanese text (■ ● ・ ①). Works on normalised text.

use std::ops::Range;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockKind {
    /// A title, marked or recognised by its form.
    Heading,
    /// Running text.
    Paragraph,
    /// An element of a list.
    Item,
    /// A line of a `>` quotation.
    Quote,
    /// A line of fenced code, the fences included.
    Code,
    /// A row of a table.
    Table,
    /// A line of dashes.
    Rule,
}

/// One line that is not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// The line without white space around it.
    pub range: Range<usize>,
    /// Its text without marks (`#`, `- `, `**`).
    pub content: Range<usize>,
    /// How many bytes the line is indented by.
    pub indent: usize,
    /// Whether a blank line or nothing stands before it.
    pub after_blank: bool,
}

/// Longer lines without a full stop are paragraphs, not headings.
const LONGEST_HEADING: usize = 45;

/// The lines of `text` that are not blank.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fence: Option<&str> = None;
    let mut after_blank = true;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let indent = line.len() - line.trim_start().len();
        let range = start + indent..start + indent + trimmed.len();
        start += line.len();
        if trimmed.is_empty() {
            after_blank = true;
            continue;
        }
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        let (kind, content) = match (fence, mark) {
            (Some(open), _) => {
                if trimmed.starts_with(open) {
                    fence = None;
                }
                (BlockKind::Code, range.clone())
            }
            (None, Some(mark)) => {
                fence = Some(mark);
                (BlockKind::Code, range.clone())
            }
            (None, None) => classify(text, range.clone()),
        };
        blocks.push(Block { kind, range, content, indent, after_blank });
        after_blank = false;
    }
    blocks
}

fn classify(text: &str, range: Range<usize>) -> (BlockKind, Range<usize>) {
    let line = &text[range.clone()];
    let after = |mark: usize| {
        let rest = &line[mark..];
        let start = range.start + mark + (rest.len() - rest.trim_start().len());
        start..range.end
    };
    if is_rule(line) {
        return (BlockKind::Rule, range);
    }
    let hashes = line.bytes().take_while(|&byte| byte == b'#').count();
    if (1..=6).contains(&hashes) && line[hashes..].starts_with([' ', '\u{3000}']) {
        return (BlockKind::Heading, without_emphasis(text, after(hashes)));
    }
    if let Some(rest) = line.strip_prefix('>') {
        return (BlockKind::Quote, after(line.len() - rest.len()));
    }
    if line.starts_with('|') && line.len() > 1 {
        return (BlockKind::Table, range);
    }
    if let Some(mark) = item_mark(line) {
        let content = after(mark);
        // ■ and its kind mark headings as often as items: a short line without a full stop is a heading.
        let heading_mark = line.starts_with(['■', '◆', '●', '▼', '★', '☆', '◎', '□', '◇', '▶', '►']);
        if heading_mark && looks_like_heading(&text[content.clone()]) {
            return (BlockKind::Heading, content);
        }
        return (BlockKind::Item, content);
    }
    let bold = line.strip_prefix("**").and_then(|rest| rest.strip_suffix("**"));
    if bold.is_some_and(|inner| !inner.is_empty() && !inner.contains("**") && !inner.contains('。')) {
        return (BlockKind::Heading, without_emphasis(text, range));
    }
    if looks_like_heading(line) {
        return (BlockKind::Heading, range);
    }
    (BlockKind::Paragraph, range)
}

fn is_rule(line: &str) -> bool {
    let mut marks = line.chars().filter(|c| !c.is_whitespace());
    let Some(first) = marks.next() else { return false };
    matches!(first, '-' | '*' | '_' | '=' | '―' | '~' | '〜' | '・')
        && marks.clone().all(|c| c == first)
        && marks.count() >= 2
}

/// The length of a list mark with what follows it up to the text.
fn item_mark(line: &str) -> Option<usize> {
    let mut chars = line.chars();
    let first = chars.next()?;
    let rest = chars.as_str();
    match first {
        '-' | '*' | '+' => rest.starts_with([' ', '\t', '\u{3000}']).then_some(1),
        '・' | '●' | '○' | '◆' | '■' | '•' | '※' | '▼' | '★' | '☆' | '◎' | '□' | '◇' | '▶' | '►' | '✔' | '✓' | '✅'
        | '☑' | '➢' | '→' => Some(first.len_utf8()),
        // A dash may be a bullet of its own.
        '―' => rest.starts_with(' ').then_some(first.len_utf8()),
        '①'..='⑳' | '❶'..='❿' | '㊀'..='㊉' => Some(first.len_utf8()),
        '(' => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            ((1..=2).contains(&digits) && rest[digits..].starts_with(')')).then_some(digits + 2)
        }
        '0'..='9' => {
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            let rest = &line[digits..];
            let mark = rest.chars().next().filter(|c| matches!(c, '.' | ')' | '、' | ':'))?;
            let next = rest[mark.len_utf8()..].chars().next();
            // `1.5` is a number, `10:00` a time.
            let is_mark = match mark {
                '.' | ':' => next.is_some_and(|c| !c.is_ascii_digit()),
                _ => next.is_some(),
            };
            (digits <= 2 && is_mark).then_some(digits + mark.len_utf8())
        }
        _ => None,
    }
}

fn looks_like_heading(line: &str) -> bool {
    let is_short = line.chars().nth(LONGEST_HEADING).is_none();
    let ends_open = line.ends_with(['、', ':', '「', ',', '。', '.', '」', ')', '!', '♪']);
    let is_bracketed = line.starts_with(['【', '<', '≪', '《', '[']);
    let is_title = line.ends_with('」') || line.ends_with(')') || line.ends_with('!');
    is_short && !line.contains('。') && (!ends_open || is_bracketed || (is_title && !ends_polite(line)))
}

/// Whether a line without a full stop is still a sentence.
fn ends_polite(line: &str) -> bool {
    let line = line.trim_end_matches(['!', ')', '」', '♪', '?']);
    ["です", "ます", "ました", "ません", "でした", "でしょう", "ください", "ましょう", "だ", "た", "る", "ね", "よ"]
        .iter()
        .any(|end| line.ends_with(end))
}

fn without_emphasis(text: &str, range: Range<usize>) -> Range<usize> {
    let line = &text[range.clone()];
    match line.strip_prefix("**").and_then(|rest| rest.strip_suffix("**")) {
        Some(inner) if !inner.is_empty() => range.start + 2..range.end - 2,
        _ => range,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        use BlockKind::*;
        for (line, kind, content) in [
            ("# 量子の話", Heading, "量子の話"),
            ("**量子の話**", Heading, "量子の話"),
            ("量子ミッションとは?", Heading, "量子ミッションとは?"),
            ("■活動の内容", Heading, "活動の内容"),
            ("【ねらい】", Heading, "【ねらい】"),
            (
                "ジェトロは交流を深めるためにこの派遣を決めました。",
                Paragraph,
                "ジェトロは交流を深めるためにこの派遣を決めました。",
            ),
            ("さあ、行ってみましょう!", Paragraph, "さあ、行ってみましょう!"),
            ("- 見学", Item, "見学"),
            ("1. 見学する", Item, "見学する"),
            ("1.5倍に増えました。", Paragraph, "1.5倍に増えました。"),
            ("①会場へ行く", Item, "会場へ行く"),
            ("(2)会場へ行く", Item, "会場へ行く"),
            ("・見学会の開催。", Item, "見学会の開催。"),
            ("> 引用です。", Quote, "引用です。"),
            ("| 項目 | 内容 |", Table, "| 項目 | 内容 |"),
            ("---", Rule, "---"),
        ] {
            let blocks = blocks(line);
            assert_eq!((blocks[0].kind, &line[blocks[0].content.clone()]), (kind, content), "{line}");
        }
    }

    #[test]
    fn a_fence_makes_code_of_everything_to_its_end() {
        let kinds: Vec<BlockKind> = blocks("```json\n# x\n```\n# y").iter().map(|block| block.kind).collect();
        assert_eq!(kinds, [BlockKind::Code, BlockKind::Code, BlockKind::Code, BlockKind::Heading]);
    }
}
