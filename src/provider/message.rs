//! What a server says, made fit to be shown: one short line without control characters, pages of HTML reduced to text.

use std::borrow::Cow;

/// The most characters of a server's message that are kept.
pub(super) const MAX_CHARS: usize = 500;

/// As much of a body as is looked at for a message.
const MAX_BODY: usize = 64 * 1024;

/// A text as one line of at most `max` characters; a cut is marked.
pub(super) fn tidy(text: &str, max: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    let mut blank = false;
    for c in text.chars().filter(|c| !turns_text_round(*c)) {
        if c.is_whitespace() || c.is_control() {
            blank = length > 0;
            continue;
        }
        for c in std::mem::take(&mut blank).then_some(' ').into_iter().chain([c]) {
            if length == max {
                line.pop();
                line.push('…');
                return line;
            }
            line.push(c);
            length += 1;
        }
    }
    line
}

/// The message that a body is, if it is no JSON: at most `max` characters of its text, or of what a page of HTML says.
pub(super) fn of_body(body: &[u8], max: usize) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_BODY)]);
    let text = text.trim_start_matches('\u{FEFF}');
    tidy(&without_html(text), max)
}

/// Why a success cannot be understood, and how its body begins.
pub(super) fn malformed(why: &str, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_BODY)]);
    let page = if is_html(&text) { " (a web page: is `base_url` right?)" } else { "" };
    let begins = tidy(&without_html(&text), 120);
    let begins = if begins.is_empty() { begins } else { format!("; it begins: {begins}") };
    tidy(&format!("{why}{page}{begins}"), MAX_CHARS)
}

/// The text itself, or the title of a page of HTML, or, without a title, its text.
pub(super) fn without_html(text: &str) -> Cow<'_, str> {
    if !is_html(text) {
        return Cow::Borrowed(text);
    }
    // Lowering ASCII alone keeps the places of all bytes.
    let lower = text.to_ascii_lowercase();
    let title = element(&lower, "title").map(|(start, end)| text_of(&text[start..end], &lower[start..end]));
    Cow::Owned(title.filter(|title| !title.trim().is_empty()).unwrap_or_else(|| text_of(text, &lower)))
}

fn is_html(text: &str) -> bool {
    let start = text.trim_start().get(..64).unwrap_or(text.trim_start()).to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body", "<title", "<h1", "<center", "<p>", "<pre"]
        .iter()
        .any(|tag| start.starts_with(tag))
}

/// Where the content of the first element of that name stands.
fn element(lower: &str, name: &str) -> Option<(usize, usize)> {
    let tag = lower.find(&format!("<{name}"))?;
    let start = tag + lower[tag..].find('>')? + 1;
    let end = start + lower[start..].find(&format!("</{name}"))?;
    Some((start, end))
}

/// A page's text: tags become blanks, scripts and styles are left out.
fn text_of(html: &str, lower: &str) -> String {
    let mut text = String::new();
    let mut at = 0;
    while let Some(found) = html[at..].find('<') {
        text.push_str(&html[at..at + found]);
        text.push(' ');
        let tag = at + found;
        let hidden = [("<script", "</script"), ("<style", "</style"), ("<!--", "--")]
            .into_iter()
            .find(|(begin, _)| lower[tag..].starts_with(begin))
            .and_then(|(begin, end)| lower[tag + begin.len()..].find(end).map(|n| tag + begin.len() + n));
        let from = hidden.unwrap_or(tag);
        at = lower[from..].find('>').map_or(html.len(), |n| from + n + 1);
    }
    text.push_str(&html[at..]);
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
        .into_iter()
        .fold(text, |text, (entity, c)| text.replace(entity, c))
}

/// Marks that have no width or reverse what follows them: a message could pretend to be another with them.
fn turns_text_round(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_short_line() {
        for (text, expected) in [
            ("  two\r\n lines\tand\u{7} a bell ", "two lines and a bell"),
            ("\u{1b}[31mred\u{202E}der", "[31mredder"),
            ("\u{0}", ""),
            ("a \u{FEFF} b \u{FEFF}", "a b"),
            ("日本語　の文", "日本語 の文"),
        ] {
            assert_eq!(tidy(text, MAX_CHARS), expected);
        }
        assert_eq!(tidy("日本語の文", 4), "日本語…");
        assert_eq!(tidy("日本語の", 4), "日本語の");
    }

    #[test]
    fn a_page_is_reduced_to_what_it_says() {
        for (page, expected) in [
            ("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>x</h1></body>", "502 Bad Gateway"),
            ("<!DOCTYPE html><TITLE lang=en>A &amp; B</TITLE>", "A & B"),
            ("<html><style>p > a {}</style><script>if (a < b) {}</script><!-- > --><p>Not<br>here", "Not here"),
            ("<html><title></title><body>空のページ</body></html>", "空のページ"),
            ("<html><title", ""),
            ("a < b and b > c", "a < b and b > c"),
        ] {
            assert_eq!(of_body(page.as_bytes(), MAX_CHARS), expected);
        }
    }
}
