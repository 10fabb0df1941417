//! What must make no difference: the same articles in other line ends, widths, forms of characters, marks and spaces are
//! judged the same.

use jiff::civil::date;
use unicode_normalization::UnicodeNormalization as _;

use super::{Subject, Verdict, score};
use crate::case::Source;
use crate::property::{Property, Requirements};

/// A way of writing the same article otherwise, by its name.
type Mutation = (&'static str, fn(&str) -> String);

const MUTATIONS: [Mutation; 8] = [
    ("CRLF", |text| text.replace('\n', "\r\n")),
    ("decomposed", |text| text.nfd().collect()),
    ("full-width digits", |text| text.chars().map(wide).collect()),
    ("wide commas and full stops", |text| text.replace('、', "，").replace('。', "．")),
    ("blank lines", |text| text.replace('\n', "\n\n")),
    ("spaces at the ends of lines", |text| text.replace('\n', "  \n") + "\n\n"),
    ("bold figures", bold_figures),
    ("a hashtag", |text| format!("{text}\n\n#三十社")),
];

fn wide(c: char) -> char {
    match c {
        '0'..='9' | '%' => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// 52% as **52**%.
fn bold_figures(text: &str) -> String {
    let mut bold = String::new();
    let mut is_figure = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let goes_on =
            c.is_ascii_digit() || is_figure && matches!(c, ',' | '.') && chars.peek().is_some_and(char::is_ascii_digit);
        if goes_on != is_figure {
            bold.push_str("**");
            is_figure = goes_on;
        }
        bold.push(c);
    }
    bold
}

/// The verdicts on an article that must stay.
fn verdicts(source: &Source, output: &str) -> Vec<(Property, Verdict)> {
    let require = Requirements::default();
    let subject = Subject::new(output, Some(source), None, &require, date(2026, 1, 1));
    [
        Property::JapaneseOnly,
        Property::ArticleOnly,
        Property::NoFabrication,
        Property::CoversPurpose,
        Property::CoversActivities,
        Property::CoversSignificance,
    ]
    .map(|property| (property, score(property, &subject).verdict))
    .to_vec()
}

#[test]
fn another_spelling_of_the_same_article_is_judged_the_same() {
    let items = include_str!("../../tests/corpus/news-seen.jsonl").lines();
    let mut changed = Vec::new();
    for line in items.step_by(2) {
        let item: serde_json::Value = serde_json::from_str(line).unwrap();
        let source: Source = serde_json::from_value(item["source"].clone()).unwrap();
        let output = item["output"].as_str().unwrap();
        let before = verdicts(&source, output);
        for (name, mutation) in MUTATIONS {
            let after = verdicts(&source, &mutation(output));
            let differs = before.iter().zip(&after).filter(|(before, after)| before != after);
            // A line more may tip a topic; it is no part of the article either way.
            let differs =
                differs.filter(|((property, _), _)| name != "a hashtag" || *property == Property::NoFabrication);
            changed.extend(differs.map(|(before, after)| format!("{} {name}: {before:?} {after:?}", item["id"])));
        }
    }
    assert!(changed.is_empty(), "{changed:#?}");
}
