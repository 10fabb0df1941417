//! What properties are called: in English as files call them, in Japanese by words of its own, beside the name in files
//! where a user may want to type or look up that.

use crate::outcome::Subject;
use crate::property::Property;
use crate::report::lang::Lang;

/// What each property asks for, in words, in English and Japanese.
const LABELS: [[&str; 2]; Property::ALL.len()] = [
    ["Japanese only", "日本語だけ"],
    ["the article alone", "記事だけ"],
    ["says the purpose", "目的を述べる"],
    ["says the activities", "取り組みを述べる"],
    ["says the significance", "意義を述べる"],
    ["no fabrication", "捏造がない"],
    ["length", "長さ"],
    ["easy to read", "読みやすい"],
    ["one style", "文体が一貫"],
    ["no repetition", "繰り返しがない"],
    ["no refusal", "拒否しない"],
    ["contains the words", "必要な語句がある"],
    ["does not contain the words", "不要な語句がない"],
    ["matches the patterns", "パターンに合う"],
    ["does not match the patterns", "パターンに合わない"],
];

/// What a property asks for, in words.
pub(crate) const fn label(property: Property, lang: Lang) -> &'static str {
    LABELS[property.index()][lang as usize]
}

/// A subject in a list of such: its name, or its label in Japanese.
pub(crate) const fn short(subject: Subject, lang: Lang) -> &'static str {
    match (lang, subject) {
        (Lang::En, subject) => subject.name(),
        (Lang::Ja, Subject::All) => "全体",
        (Lang::Ja, Subject::Property(property)) => label(property, lang),
    }
}

/// A subject that something is said of: its name, in Japanese after its label.
pub(crate) fn full(subject: Subject, lang: Lang) -> String {
    marked(subject, lang, str::to_owned)
}

/// As [`full`], the name marked as one that files use.
pub(crate) fn marked(subject: Subject, lang: Lang, mark: impl Fn(&str) -> String) -> String {
    let name = mark(subject.name());
    match lang {
        Lang::En => name,
        Lang::Ja => format!("{}({name})", short(subject, lang)),
    }
}

/// As [`full`], in a sentence that says something of it.
pub(crate) fn quoted(subject: Subject, lang: Lang) -> String {
    marked(subject, lang, |name| format!("`{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_files_stands_after_its_japanese_label() {
        let subject = Subject::Property(Property::NoFabrication);
        assert_eq!(full(subject, Lang::En), "no_fabrication");
        assert_eq!(full(subject, Lang::Ja), "捏造がない(no_fabrication)");
        assert_eq!(quoted(Subject::All, Lang::Ja), "全体(`all`)");
        assert_eq!([Lang::En, Lang::Ja].map(|lang| short(subject, lang)), ["no_fabrication", "捏造がない"]);
    }
}
