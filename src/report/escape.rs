//! Hostile text made harmless, for each place that a report puts it.
//!
//! Promises that nothing in an answer acts (no formula, no markup, no terminal command) and nothing hides: characters
//! that are invisible or reorder their neighbours are spelt out.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with its hidden characters spelt out: `␛` for control characters, `[U+202E]` for the others. Line feeds and
/// tabs stay; a carriage return before a line feed goes.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\0'..'\x20' if is_hidden(c) => shown.push(control_picture(c)),
            '\x7f' => shown.push('␡'),
            _ if is_hidden(c) => write!(shown, "[U+{:04X}]", u32::from(c)).expect("a String takes all"),
            _ => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// The visible text in one line: each run of blanks and line breaks is one space.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in visible(text).split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Control characters.
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        // Direction marks, embeddings, overrides and isolates.
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // Invisible: soft hyphen, zero-width space, line and paragraph separators, word joiner and invisible operators,
        // byte-order mark, interlinear notes. The joiners U+200C and U+200D stay: emoji and names need them.
        | '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        // Blank letters.
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
        // Tags: a whole hidden alphabet.
        | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

fn control_picture(c: char) -> char {
    char::from_u32(0x2400 + u32::from(c)).expect("U+2400 to U+241F are characters")
}

/// The lines of a terminal, without the commands that a CI service would find in its log: `::` at a line's beginning, `##[`
/// anywhere. Their first character is spelt out.
pub fn without_ci_commands(lines: &str) -> String {
    let mut safe = String::with_capacity(lines.len());
    for line in lines.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start().len();
        if let Some(rest) = line[blanks..].strip_prefix("::") {
            safe.extend([&line[..blanks], "[U+003A]:", rest]);
        } else {
            safe.push_str(line);
        }
    }
    for command in ["##[", "##vso[", "##teamcity["] {
        if safe.contains(command) {
            safe = safe.replace(command, &format!("[U+0023]{}", &command[1..]));
        }
    }
    safe
}

/// JSON without hidden characters and without what CI services take for a command anywhere in a line, the `[` of `##[` and
/// `##name[`: all of them can only stand in texts, which say the same when they are escaped.
pub fn json_for_logs(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    // How many `#` were seen last, letters after two of them left aside.
    let mut marks = 0;
    for c in json.chars() {
        let is_command = c == '[' && marks == 2;
        marks = match c {
            '#' => (marks + 1).min(2),
            c if marks == 2 && c.is_ascii_alphabetic() => 2,
            _ => 0,
        };
        if is_command || is_hidden(c) && !c.is_ascii_control() {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(safe, "\\u{unit:04x}").expect("a String takes all");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// JSON for a `<script>` of a page: nothing in it ends the element or begins a comment, and hidden characters are escaped.
/// All of them can only stand in texts, which say the same when they are escaped.
pub(crate) fn json_for_pages(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    let mut copied = 0;
    for (at, c) in json.char_indices().filter(|(_, c)| matches!(c, '<' | '>' | '&') || is_hidden(*c)) {
        safe.push_str(&json[copied..at]);
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(safe, "\\u{unit:04x}").expect("a String takes all");
        }
        copied = at + c.len_utf8();
    }
    safe.push_str(&json[copied..]);
    safe
}

/// The hidden characters as ranges, first and last, for those who must spell them out themselves.
pub(crate) fn hidden_ranges() -> Vec<[u32; 2]> {
    let mut ranges: Vec<[u32; 2]> = Vec::new();
    for c in ('\0'..=char::MAX).filter(|c| is_hidden(*c)).map(u32::from) {
        match ranges.last_mut() {
            Some([_, last]) if *last + 1 == c => *last = c,
            _ => ranges.push([c, c]),
        }
    }
    ranges
}

/// The text for an HTML element or a quoted attribute.
pub(crate) fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// The text for an XML element or a quoted attribute; what XML 1.0 does not know is spelt out.
pub(crate) fn xml(text: &str) -> String {
    html(&known_to_xml(text))
}

fn known_to_xml(text: &str) -> String {
    let mut known = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{fffe}' | '\u{ffff}' => write!(known, "[U+{:04X}]", u32::from(c)).expect("a String takes all"),
            _ => known.push(c),
        }
    }
    known
}

/// The text in one line of Markdown, in a table's cell too; nothing in it is markup, a link, a mention or a reference.
pub(crate) fn markdown(text: &str) -> String {
    markdown_part(&one_line(text))
}

/// As [`markdown`], for a part of a line: blanks at its ends stay.
pub(crate) fn markdown_part(text: &str) -> String {
    let text = visible(text);
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // Code hosts look for mentions after rendering, so an escaped `@` still calls people; a comment parts it.
            '@' => escaped.push_str("@<!-- -->"),
            '\n' | '\t' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '#' => escaped.extend(['\\', c]),
            // An emoji's name, or an address.
            ':' if after.starts_with(|next: char| next.is_ascii_alphanumeric() || "/+-_".contains(next)) => {
                escaped.push_str("\\:");
            }
            '+' | '-' | '=' if before.is_empty() => escaped.extend(['\\', c]),
            '.' if ends_with_www(before) => escaped.extend(['\\', c]),
            '.' | ')' if is_list_number(before, after) => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// One of our own names as code; one that holds anything else than ids do is escaped as text.
pub(crate) fn markdown_name(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-@:/#, ".contains(c);
    if name.chars().all(is_plain) { format!("`{name}`") } else { markdown(name) }
}

/// A sentence of our own as Markdown: what stands between backticks is code.
pub(crate) fn markdown_prose(text: &str) -> String {
    prose(&one_line(text), markdown_part, |code| format!("`{}`", visible(code)))
}

/// A sentence of our own as HTML: what stands between backticks is code.
pub(crate) fn html_prose(text: &str) -> String {
    prose(text, html, |code| format!("<code>{}</code>", html(code)))
}

fn prose(text: &str, plain: fn(&str) -> String, code: fn(&str) -> String) -> String {
    // A sentence may hold a name that a server gave: only what looks like our own keys and commands is code.
    let is_ours = |code: &str| code.chars().all(|c| c.is_ascii_alphanumeric() || " _.-=\"…".contains(c));
    if text.matches('`').count() % 2 == 1 || !text.split('`').skip(1).step_by(2).all(is_ours) {
        return plain(text);
    }
    text.split('`').enumerate().map(|(n, part)| if n % 2 == 0 { plain(part) } else { code(part) }).collect()
}

fn is_list_number(before: &str, after: &str) -> bool {
    !before.is_empty()
        && before.bytes().all(|byte| byte.is_ascii_digit())
        && (after.is_empty() || after.starts_with(' '))
}

fn ends_with_www(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 3 && bytes[bytes.len() - 3..].eq_ignore_ascii_case(b"www")
}

/// What a cell keeps of a text: Excel holds 32,767 UTF-16 units, and spills the rest of a CSV file's cell into the next row.
const MOST_CELL_UNITS: usize = 32_000;

/// A text as a cell of a workbook: hidden characters are spelt out, and what no cell can hold is cut with a note.
pub(crate) fn cell(text: &str) -> String {
    within_a_cell(known_to_xml(&visible(text)))
}

/// A text as a cell of a CSV file: as in a workbook, and one that would be taken for a formula is prefixed with `'`. Line
/// breaks stay as they are. Not for numbers.
pub(crate) fn csv(text: &str) -> Cow<'_, str> {
    // Most cells are as they are to be.
    if text.len() <= MOST_CELL_UNITS && !text.chars().any(is_hidden) && !starts_formula(text) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<Cow<'_, str>> = text.split("\r\n").map(visible).collect();
    let prefix = if starts_formula(text) { "'" } else { "" };
    Cow::Owned(within_a_cell(format!("{prefix}{}", lines.join("\r\n"))))
}

fn within_a_cell(mut text: String) -> String {
    let mut units = 0;
    let cut = text.char_indices().find_map(|(at, c)| {
        units += c.len_utf16();
        (units > MOST_CELL_UNITS).then_some(at)
    });
    if let Some(at) = cut {
        let left_out = text[at..].chars().count();
        text.truncate(at);
        write!(text, "… ({left_out} more characters)").expect("a String takes all");
    }
    text
}

/// Whether a spreadsheet may take the text for a formula.
pub(crate) fn starts_formula(text: &str) -> bool {
    for c in text.chars() {
        match c {
            '\t' | '\r' | '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' => return true,
            _ if c.is_whitespace() || c.is_control() || is_hidden(c) => {}
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_spelt_out() {
        for (text, shown) in [
            ("量子\tミッション\n派遣", "量子\tミッション\n派遣"),
            ("a\r\nb\rc", "a\nb␍c"),
            ("\x1b[31m赤\x07\0\x7f", "␛[31m赤␇␀␡"),
            ("\u{202e}逆\u{2069}", "[U+202E]逆[U+2069]"),
            ("ゼロ\u{200b}幅\u{feff}", "ゼロ[U+200B]幅[U+FEFF]"),
            ("\u{9b}31m", "[U+009B]31m"),
            ("\u{e0041}", "[U+E0041]"),
            ("👩\u{200d}🔬 葛\u{e0100}", "👩\u{200d}🔬 葛\u{e0100}"),
        ] {
            assert_eq!(visible(text), shown);
        }
        assert_eq!(one_line("  一\n\n 二\u{3000}三 "), "一 二 三");
    }

    #[test]
    fn html_is_text_in_elements_and_attributes() {
        assert_eq!(
            html("<script>alert('x' && \"y\")</script>\u{202e}"),
            "&lt;script&gt;alert(&#39;x&#39; &amp;&amp; &quot;y&quot;)&lt;/script&gt;[U+202E]"
        );
    }

    #[test]
    fn what_stands_between_backticks_in_our_sentences_is_code() {
        let text = "judged otherwise: `evalrun rescore` <both>";
        assert_eq!(html_prose(text), "judged otherwise: <code>evalrun rescore</code> &lt;both&gt;");
        assert_eq!(markdown_prose(text), "judged otherwise: `evalrun rescore` &lt;both&gt;");
        assert_eq!(html_prose("a ` alone"), "a ` alone");
        for hostile in ["`<b>` @you", "` &x `", "`[x](y)`"] {
            assert_eq!(markdown_prose(hostile), markdown(hostile));
            assert_eq!(html_prose(hostile), html(hostile));
        }
    }

    #[test]
    fn a_log_holds_no_commands_for_a_ci_service() {
        for (lines, safe) in [
            ("std::fmt\n a :: b\n", "std::fmt\n a :: b\n"),
            ("::error::x\n  ::set-env::y\n", "[U+003A]:error::x\n  [U+003A]:set-env::y\n"),
            ("a ##[group]b ##vso[task]c", "a [U+0023]#[group]b [U+0023]#vso[task]c"),
        ] {
            assert_eq!(without_ci_commands(lines), safe);
        }
    }

    #[test]
    fn json_says_the_same_without_commands_and_hidden_characters() {
        for text in [
            "a ##[error]b",
            "##vso[task.x]",
            "####[group]",
            "##teamcity[x",
            "## 見出し [1]",
            "#[1] ##a b[",
            "",
            "\u{202e}逆\u{e0041}\u{feff}\u{9b}",
        ] {
            let safe = json_for_logs(&serde_json::json!({ "text": text }).to_string());
            assert!(["##[", "##vso[", "##teamcity["].iter().all(|command| !safe.contains(command)), "{safe}");
            assert!(!safe.chars().any(is_hidden), "{safe}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap()["text"], text);
        }
    }

    #[test]
    fn markdown_is_text_in_paragraphs_and_tables() {
        for (text, escaped) in [
            ("量子ミッションを派遣しました。", "量子ミッションを派遣しました。"),
            ("# 見出し", "\\# 見出し"),
            ("- 項目", "\\- 項目"),
            ("AI-driven", "AI-driven"),
            ("12. 項目", "12\\. 項目"),
            ("12)", "12\\)"),
            ("3.5倍", "3.5倍"),
            ("**太字** `code` a|b", "\\*\\*太字\\*\\* \\`code\\` a\\|b"),
            ("[x](https://e.example) <b>", "\\[x\\](https\\://e.example) &lt;b&gt;"),
            ("WWW.e.example", "WWW\\.e.example"),
            ("@all &amp; :tada:", "@<!-- -->all &amp;amp; \\:tada:"),
            ("一\n二", "一 二"),
        ] {
            assert_eq!(markdown(text), escaped);
        }
    }

    #[test]
    fn names_are_code_where_they_can_be() {
        assert_eq!(markdown_name("run::news-article@gemini-flash"), "`run::news-article@gemini-flash`");
        assert_eq!(markdown_name("a`<b>"), "a\\`&lt;b&gt;");
    }

    #[test]
    fn a_cell_that_looks_like_a_formula_is_prefixed() {
        for text in [
            "=1+1",
            "+81",
            "-5",
            "@SUM(A1)",
            "\tx",
            "＝1",
            "＋1",
            "－1",
            "＠x",
            "  =1",
            "\u{3000}=1",
            "\n=1",
            " \tx",
            "\r\n=1",
        ] {
            assert_eq!(csv(text), format!("'{text}"));
        }
        for text in ["", "量子", " x", "1-2", "a=b", "'=1", "→", "一\r\n二"] {
            assert_eq!(csv(text), text);
        }
        for (text, shown) in [
            ("\rx", "'␍x"),
            ("\x1b=1\0", "'␛=1␀"),
            ("\u{feff}=1", "'[U+FEFF]=1"),
            ("\u{200b}=1", "'[U+200B]=1"),
            ("安全\u{202e}gpj.exe", "安全[U+202E]gpj.exe"),
        ] {
            assert_eq!(csv(text), shown);
        }
    }

    #[test]
    fn a_workbooks_cell_needs_no_prefix() {
        for (text, shown) in
            [("=1+1", "=1+1"), ("一\r\n二\u{202e}\x1b", "一\n二[U+202E]␛"), ("\u{fffe}\u{ffff}", "[U+FFFE][U+FFFF]")]
        {
            assert_eq!(cell(text), shown);
        }
        assert!(starts_formula(" \u{3000}=1") && !starts_formula("1=1"));
    }

    #[test]
    fn a_cell_holds_no_more_than_excel_does() {
        for cut in [|text: &str| csv(text).into_owned(), cell] {
            assert!(cut(&"あ".repeat(40_000)).ends_with("あ… (8000 more characters)"));
            // Two units each.
            let rare = cut(&"𠮷".repeat(20_000));
            assert!(rare.ends_with("𠮷… (4000 more characters)") && rare.encode_utf16().count() < 32_767);
            assert!(cut(&"\u{202e}".repeat(32_000)).encode_utf16().count() < 32_767);
        }
    }
}
