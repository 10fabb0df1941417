//! Server-sent events, from bytes as they arrive.
//!
//! Promises the same events however the bytes are parted, and that only CR, LF and CRLF end a line: a text may hold other
//! characters that end lines elsewhere.

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Event {
    /// Whether it is named `error`; other names say nothing that the data do not.
    pub is_error: bool,
    /// The data, several lines of it parted by LF.
    pub data: Vec<u8>,
}

/// Reads events.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    /// Whether the last byte was a CR: an LF now ends no line of its own.
    after_cr: bool,
    has_begun: bool,
    is_error: bool,
    data: Option<Vec<u8>>,
    stray: Vec<u8>,
}

impl Parser {
    /// The events that these bytes complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            self.line.extend_from_slice(&rest[..end]);
            events.extend(self.end_line());
            let is_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if is_cr {
                self.after_cr = rest.is_empty();
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
        }
        self.line.extend_from_slice(rest);
        events
    }

    /// The event that was not followed by an empty line, and the lines that belong to no event at all.
    pub(super) fn finish(mut self) -> (Option<Event>, Vec<u8>) {
        let last = if self.line.is_empty() { None } else { self.end_line() };
        (last.or_else(|| self.event()), self.stray)
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let first = !std::mem::replace(&mut self.has_begun, true);
        let text = if first { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line) } else { &line };
        if text.is_empty() {
            return self.event();
        }
        let (field, value) = match text.iter().position(|byte| *byte == b':') {
            Some(colon) => (&text[..colon], &text[colon + 1..]),
            None => (text, [].as_slice()),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            b"event" => self.is_error = value == b"error",
            // A comment, or fields that an answer does not need.
            b"" | b"id" | b"retry" => {}
            _ => {
                self.stray.extend_from_slice(text);
                self.stray.push(b'\n');
            }
        }
        None
    }

    fn event(&mut self) -> Option<Event> {
        let is_error = std::mem::take(&mut self.is_error);
        self.data.take().map(|data| Event { is_error, data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The events' data, `!` before an error's, and the stray lines after `|`.
    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
        let mut parser = Parser::default();
        let mut events: Vec<Event> = pieces.into_iter().flat_map(|piece| parser.feed(piece)).collect();
        let (last, stray) = parser.finish();
        events.extend(last);
        let shown = events.iter().map(|event| {
            let mark = if event.is_error { "!" } else { "" };
            format!("{mark}{:?}", String::from_utf8_lossy(&event.data))
        });
        format!("{}|{}", shown.collect::<Vec<_>>().join(" "), String::from_utf8_lossy(&stray))
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        for (text, expected) in [
            ("data: a\n\ndata: b\n\n", r#""a" "b"|"#),
            ("data: a\r\n\r\ndata:b\r\rdata:  c\n\r\n", r#""a" "b" " c"|"#),
            ("data: a\ndata: b\ndata\n\n", r#""a\nb\n"|"#),
            (": comment\n\nid: 1\nretry: 5\nevent: ping\ndata: a\n\n", r#""a"|"#),
            ("event: error\ndata: a\n\ndata: b\n\n", r#"!"a" "b"|"#),
            ("\u{FEFF}data: a\n\n\u{FEFF}data: b\n\n", "\"a\"|\u{FEFF}data: b\n"),
            // A line separator within a text is no end of a line.
            ("data: a\u{2028}b\u{85}c\n\n", "\"a\u{2028}b\u{85}c\"|"),
            // The last event counts without an empty line, too.
            ("data: a", r#""a"|"#),
            ("event: x\n\n", "|"),
            ("{\n \"error\": {}\n}", "|{\n \"error\": {}\n}\n"),
        ] {
            assert_eq!(
                read([text.as_bytes()]),
                expected.replace("\u{2028}", "\\u{2028}").replace("\u{85}", "\\u{85}"),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_parted_changes_nothing(
            text in "(data: |data:|event: error|: c|\\{|あ|x|\r|\n|\r\n|\n\n|\u{2028}){0,40}",
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let bytes = text.as_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.extend([0, bytes.len()]);
            places.sort_unstable();
            let pieces = places.windows(2).map(|place| &bytes[place[0]..place[1]]);
            prop_assert_eq!(read(pieces), read([bytes]));
            prop_assert_eq!(read(bytes.chunks(1)), read([bytes]));
        }
    }
}
