//! The specifics of an answer: what can be looked up, each found once and by the most telling of its readings.

use std::ops::Range;

use jiff::civil;

use super::contact::contacts;
use crate::property::SpecificKind;
use crate::text::Passage;
use crate::text::date::{DateMention, dates};
use crate::text::name::{Name, names};
use crate::text::quantity::{Quantity, Unit, quantities};
use crate::text::quotation::{Role, quotations};

/// A specific of the answer.
#[derive(Debug, Clone)]
pub(super) enum Specific {
    /// A date or time.
    Date(DateMention),
    /// A number with its unit.
    Quantity(Quantity),
    /// A person, organization, place or thing.
    Name(Name),
    /// Reported speech, with its brackets.
    Quote(Range<usize>),
    /// A web address, e-mail address or telephone number.
    Contact(Range<usize>),
}

impl Specific {
    /// Its kind.
    pub(super) fn kind(&self) -> SpecificKind {
        match self {
            Self::Date(_) => SpecificKind::Date,
            Self::Quantity(quantity) => match quantity.unit {
                Unit::Money(_) => SpecificKind::Money,
                Unit::Percent => SpecificKind::Percent,
                _ => SpecificKind::Number,
            },
            Self::Name(name) => name.kind,
            Self::Quote(_) => SpecificKind::Quote,
            Self::Contact(_) => SpecificKind::Contact,
        }
    }

    /// Its place in the normalised text.
    pub(super) fn range(&self) -> Range<usize> {
        match self {
            Self::Date(mention) => mention.range.clone(),
            Self::Quantity(quantity) => quantity.range.clone(),
            Self::Name(name) => name.range.clone(),
            Self::Quote(range) | Self::Contact(range) => range.clone(),
        }
    }
}

/// The specifics of a passage, in order; `base` is the day of publication.
pub(super) fn specifics(passage: &Passage<'_>, base: Option<civil::Date>) -> Vec<Specific> {
    let mut found: Vec<Specific> = Vec::new();
    let mut taken: Vec<Range<usize>> = Vec::new();
    for range in contacts(&passage.text) {
        taken.push(range.clone());
        found.push(Specific::Contact(range));
    }
    for quotation in quotations(passage) {
        match quotation.role {
            Role::Speech => {
                taken.push(quotation.range.clone());
                found.push(Specific::Quote(quotation.range));
            }
            Role::Name => {
                taken.push(quotation.range.clone());
                let name = Name { range: quotation.range, core: quotation.inner, kind: SpecificKind::Name };
                found.push(Specific::Name(name));
            }
            // Words set off are looked into like any others.
            Role::Other => {}
        }
    }
    let taken = merged(taken);
    let is_free = |range: &Range<usize>| {
        let next = taken.partition_point(|other| other.end <= range.start);
        taken.get(next).is_none_or(|other| range.end <= other.start)
    };
    for mention in dates(&passage.text, base).into_iter().filter(|mention| is_free(&mention.range)) {
        found.push(Specific::Date(mention));
    }
    let dated: Vec<Range<usize>> = found.iter().map(Specific::range).chain(taken.iter().cloned()).collect();
    for quantity in quantities(passage, &dated) {
        found.push(Specific::Quantity(quantity));
    }
    for name in names(passage).into_iter().filter(|name| is_free(&name.range)) {
        found.push(Specific::Name(name));
    }
    found.sort_by_key(|specific| (specific.range().start, std::cmp::Reverse(specific.range().end)));
    found
}

/// The same places in order, overlapping ones as one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_overlap_are_one() {
        assert_eq!(merged(vec![8..9, 0..3, 2..5, 5..6, 1..2]), [0..5, 5..6, 8..9]);
    }
}
