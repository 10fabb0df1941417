//! A digest of what is required of an answer: equal for requirements that judge alike, however they are written.
//!
//! Its text is fixed here and not by the types' `Debug`, so that another evalrun gives the same.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{Hedged, KeyPoint, Pattern, Property, Requirements, SpecificKind, Style, Topic};

/// How many hexadecimal digits a digest has: enough that two requirements of a project never share one.
const DIGITS: usize = 16;

impl Requirements {
    /// The digest of the required properties with their settings and waivers (SHA-256, shortened, hexadecimal). Settings of
    /// properties that are not required, and the reasons of waivers, are no part of it.
    pub fn digest(&self) -> String {
        let mut text = String::new();
        for property in self.properties() {
            let mut line = |key: &str, value: &str| {
                // Lengths keep two values from running into one.
                writeln!(text, "{property} {key} {} {value}", value.len()).expect("a String takes all");
            };
            line("required", "");
            for waiver in self.waivers(property) {
                let until = waiver.until.map(|day| day.to_string()).unwrap_or_default();
                line("allow", &format!("{until} {}", waiver.text));
            }
            for (key, value) in self.settings(property) {
                line(key, &value);
            }
        }
        let digest = Sha256::digest(text.as_bytes());
        let digits = digest.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
        digits[..DIGITS].to_owned()
    }

    /// The settings that a property's scorer asks for, as far as they are given.
    fn settings(&self, property: Property) -> Vec<(&'static str, String)> {
        let number = |key, number: Option<usize>| number.map(|number| (key, number.to_string()));
        let patterns = |list: &Option<Vec<Pattern>>| -> Vec<(&'static str, String)> {
            list.iter().flatten().map(|pattern| ("pattern", pattern.0.as_str().to_owned())).collect()
        };
        let texts = |list: &Option<Vec<String>>| -> Vec<(&'static str, String)> {
            list.iter().flatten().map(|text| ("text", text.clone())).collect()
        };
        match property {
            Property::NoFabrication => {
                let hedged = (self.hedged == Some(Hedged::Fail)).then(|| ("hedged", "fail".to_owned()));
                let kinds = self.kinds.iter().flatten().copied().map(SpecificKind::name);
                hedged.into_iter().chain(kinds.map(|kind| ("kind", kind.to_owned()))).collect()
            }
            Property::Length => {
                let settings = [number("min_chars", self.min_chars), number("max_chars", self.max_chars)];
                settings.into_iter().flatten().collect()
            }
            Property::Readability => {
                let least = self.min_readability.map(|least| ("min_score", least.to_string()));
                number("max_sentence_chars", self.max_sentence_chars).into_iter().chain(least).collect()
            }
            Property::Register => match self.style {
                None | Some(Style::Any) => Vec::new(),
                Some(Style::Polite) => vec![("style", "polite".to_owned())],
                Some(Style::Plain) => vec![("style", "plain".to_owned())],
            },
            Property::Contains => texts(&self.contains),
            Property::NotContains => texts(&self.not_contains),
            Property::Matches => patterns(&self.matches),
            Property::NotMatches => patterns(&self.not_matches),
            Property::CoversPurpose => self.key_points_of(Topic::Purpose),
            Property::CoversActivities => self.key_points_of(Topic::Activities),
            Property::CoversSignificance => self.key_points_of(Topic::Significance),
            Property::JapaneseOnly | Property::ArticleOnly | Property::Repetition | Property::Refusal => Vec::new(),
        }
    }

    fn key_points_of(&self, topic: Topic) -> Vec<(&'static str, String)> {
        let own = self.key_points.iter().flatten().filter(|point| point.topic == topic);
        let parts = |KeyPoint { any_of, all_of, .. }: &KeyPoint| {
            let part = |key| move |pattern: &Pattern| (key, pattern.0.as_str().to_owned());
            let parts: Vec<_> = any_of.iter().map(part("any_of")).chain(all_of.iter().map(part("all_of"))).collect();
            std::iter::once(("topic", String::new())).chain(parts)
        };
        own.flat_map(parts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::TextFile;
    use crate::document::{Reader, parse_toml};

    fn digest(text: &str) -> String {
        let file = TextFile::new("evalrun.toml", text);
        let node = parse_toml(&file, 0..text.len()).unwrap();
        let reader = Reader::new(&file);
        let require = Requirements::read(&reader, &node);
        reader.finish(()).unwrap();
        require.digest()
    }

    #[test]
    fn requirements_that_judge_alike_have_one_digest() {
        for (one, other) in [
            ("length = true\nregister = true", "register = true\nlength = true"),
            ("covers = [\"purpose\"]", "covers_purpose = true"),
            ("no_fabrication = true", "no_fabrication = { hedged = \"pass\" }"),
            ("register = true", "register = { style = \"any\" }"),
            ("length = false", "refusal = false"),
            (
                "article_only = { allow = [{ text = \"以上\", reason = \"a\" }] }",
                "article_only = { allow = [{ text = \"以上\", reason = \"b\" }] }",
            ),
        ] {
            assert_eq!(digest(one), digest(other), "{one} / {other}");
        }
    }

    #[test]
    fn each_setting_counts() {
        let texts = [
            "",
            "japanese_only = true",
            "article_only = true",
            "article_only = { allow = [{ text = \"以上\", reason = \"a\" }] }",
            "article_only = { allow = [{ text = \"以上\", reason = \"a\", until = 2027-01-01 }] }",
            "length = true",
            "length = { min_chars = 300 }",
            "length = { max_chars = 300 }",
            "no_fabrication = true",
            "no_fabrication = { hedged = \"fail\" }",
            "no_fabrication = { kinds = [\"date\"] }",
            "readability = { max_sentence_chars = 90 }",
            "readability = { min_score = 1.5 }",
            "register = { style = \"plain\" }",
            "contains = [\"ab\"]",
            "contains = [\"a\", \"b\"]",
            "not_contains = [\"ab\"]",
            "matches = [\"ab\"]",
            "covers_purpose = true",
            "[[topic]]\nid = \"purpose\"\nany_of = [\"a\"]",
            "[[topic]]\nid = \"purpose\"\nall_of = [\"a\"]",
        ];
        let mut digests: Vec<String> = texts.iter().map(|text| digest(text)).collect();
        assert!(digests.iter().all(|digest| digest.len() == DIGITS));
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), texts.len());
    }

    #[test]
    fn a_digest_is_the_same_from_one_evalrun_to_the_next() {
        assert_eq!(digest("length = { min_chars = 300 }\ncontains = [\"量子\"]"), "4d820de719623e04");
    }
}
