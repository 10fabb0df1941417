//! What a case's author allows an answer to say, taken apart once: the source, its aliases and its background.

use std::cell::OnceCell;
use std::ops::Range;

use jiff::civil;

use super::contact::contacts;
use super::derived::derived;
use crate::case::{PublishedAt, Source};
use crate::score::Basis;
use crate::text::Passage;
use crate::text::date::{DateMention, dates};
use crate::text::name::{Name, names};
use crate::text::quantity::{Quantity, quantities};

/// What was found about a specific.
#[derive(Debug, Clone)]
pub(super) enum Finding {
    /// Something supports it.
    Supported {
        /// How.
        basis: Basis,
        /// By what.
        why: String,
    },
    /// Nothing does.
    Unsupported {
        /// Whether it is merely unsupported, contradicted or an altered quotation.
        basis: Basis,
        /// What was looked for, or what contradicts it.
        why: String,
        /// Where the words end that turn a right figure round, if they do.
        extended_to: Option<Range<usize>>,
    },
}

impl Finding {
    pub(super) fn unsupported(why: impl Into<String>) -> Self {
        Self::Unsupported { basis: Basis::Unsupported, why: why.into(), extended_to: None }
    }

    pub(super) fn contradicted(why: impl Into<String>) -> Self {
        Self::Unsupported { basis: Basis::Contradicted, why: why.into(), extended_to: None }
    }
}

/// Everything allowed.
pub(super) struct Allowed<'a> {
    texts: Vec<Known<'a>>,
    /// Groups of names for the same thing, in the form in which names are compared.
    pub(super) aliases: Vec<Vec<String>>,
    /// When the news was published, on a clock in Japan.
    pub(super) published: Option<civil::DateTime>,
    /// Dates that follow from the source, each with the words that it follows from.
    pub(super) derived_dates: Vec<(DateMention, String)>,
}

/// One allowed text.
pub(super) struct Known<'a> {
    /// The text, taken apart.
    pub(super) passage: Passage<'a>,
    /// What it is: `title`, `body`, `facts`, ….
    pub(super) what: &'static str,
    /// Whether it is general knowledge, not part of the news.
    pub(super) is_background: bool,
    /// The text in the form in which names are compared.
    pub(super) plain: String,
    /// Its dates.
    pub(super) dates: Vec<DateMention>,
    /// Its amounts.
    pub(super) quantities: Vec<Quantity>,
    names: OnceCell<Vec<Name>>,
}

impl<'a> Known<'a> {
    fn new(text: &'a str, what: &'static str, base: Option<civil::Date>) -> Self {
        let passage = Passage::new(text);
        let dates = dates(&passage.text, base);
        let skip: Vec<Range<usize>> =
            dates.iter().map(|mention| mention.range.clone()).chain(contacts(&passage.text)).collect();
        let quantities = quantities(&passage, &skip);
        let plain = plain(&passage.text);
        Self { passage, what, is_background: what == "background", plain, dates, quantities, names: OnceCell::new() }
    }

    /// `basis`, or `background` if this text is background.
    pub(super) fn basis(&self, basis: Basis) -> Basis {
        if self.is_background { Basis::Background } else { basis }
    }

    /// A part of the text for a reader: 「30社」 in the title.
    pub(super) fn shown(&self, range: &Range<usize>) -> String {
        format!("「{}」 in the {}", &self.passage.text[range.clone()], self.what)
    }

    /// Its names.
    pub(super) fn names(&self) -> &[Name] {
        self.names.get_or_init(|| names(&self.passage))
    }
}

/// The form in which names are compared: without spaces, brackets and marks, in small letters.
pub(super) fn plain(text: &str) -> String {
    const DROPPED: &str = " \n「」『』()\"'・=〈〉《》【】*-、。";
    text.chars().filter(|c| !DROPPED.contains(*c)).flat_map(char::to_lowercase).collect()
}

impl<'a> Allowed<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        let published = source.published_at.map(PublishedAt::in_japan);
        let base = published.map(civil::DateTime::date);
        let mut texts =
            vec![Known::new(&source.title, "title", base), Known::new(&source.publisher, "publisher", base)];
        texts.extend(source.body.iter().map(|body| Known::new(body, "body", base)));
        texts.extend(source.facts.iter().map(|fact| Known::new(fact, "facts", base)));
        texts.extend(source.background.iter().map(|text| Known::new(text, "background", base)));
        fix_years(&mut texts);
        let aliases = source
            .aliases
            .iter()
            .map(|group| group.iter().map(|name| plain(&Passage::new(name).text)).collect())
            .collect();
        let derived_dates =
            texts.iter().filter(|known| !known.is_background).flat_map(|known| derived(known, base)).collect();
        Self { texts, aliases, published, derived_dates }
    }

    /// The day of publication.
    pub(super) fn base(&self) -> Option<civil::Date> {
        self.published.map(civil::DateTime::date)
    }

    /// The texts of the source before those of the background.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Known<'a>> {
        self.texts
            .iter()
            .filter(|known| !known.is_background)
            .chain(self.texts.iter().filter(|known| known.is_background))
    }

    /// The texts of the source alone.
    pub(super) fn of_source(&self) -> impl Iterator<Item = &Known<'a>> {
        self.texts.iter().filter(|known| !known.is_background)
    }
}

/// A day without a year has the year that another text gives the same day.
fn fix_years(texts: &mut [Known<'_>]) {
    let dated: Vec<DateMention> =
        texts.iter().flat_map(|known| known.dates.iter().filter(|own| own.date().is_some()).cloned()).collect();
    for own in texts.iter_mut().flat_map(|known| known.dates.iter_mut()) {
        let same = dated
            .iter()
            .find(|other| own.year.is_none() && own.day.is_some() && (own.month, own.day) == (other.month, other.day));
        if let Some(other) = same {
            own.year = other.year;
        }
    }
}
