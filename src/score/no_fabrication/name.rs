//! What supports a name: the same characters in the source, a listed alias, a shorter form, its parts.

use super::source::{Allowed, Finding, Known, plain};
use crate::property::SpecificKind;
use crate::score::Basis;
use crate::text::Passage;
use crate::text::name::Name;

/// What the case says of a name in the answer.
pub(super) fn find(allowed: &Allowed<'_>, passage: &Passage<'_>, name: &Name) -> Finding {
    let written = &passage.text[name.core.clone()];
    let wanted = plain(written);
    if let Some(known) = allowed.in_order().find(|known| known.plain.contains(&wanted)) {
        return Finding::Supported {
            basis: known.basis(Basis::Exact),
            why: format!("「{written}」 in the {}", known.what),
        };
    }
    if let Some((short, known)) = without_legal_form(allowed, &wanted) {
        let why = format!("「{short}」 in the {}", known.what);
        return Finding::Supported { basis: known.basis(Basis::Normalised), why };
    }
    if let Some(why) = alias(allowed, &wanted) {
        return Finding::Supported { basis: Basis::Alias, why };
    }
    let by_rule = abbreviation(allowed, name, &wanted)
        .or_else(|| by_parts(allowed, passage, name))
        .or_else(|| in_two_halves(allowed, name, &wanted));
    if let Some((basis, why)) = by_rule {
        return Finding::Supported { basis, why };
    }
    match misspelt(allowed, name, &wanted) {
        Some(why) => Finding::contradicted(why),
        None => Finding::unsupported(format!("no 「{written}」 in the source, its aliases or background")),
    }
}

/// The name without its legal form, where that stands in an allowed text: ミナト技研 of 株式会社ミナト技研.
fn without_legal_form<'w, 'a>(allowed: &'a Allowed<'_>, wanted: &'w str) -> Option<(&'w str, &'a Known<'a>)> {
    const FORMS: [&str; 7] =
        ["株式会社", "有限会社", "合同会社", "一般社団法人", "公益財団法人", "国立大学法人", "独立行政法人"];
    let short = FORMS.iter().find_map(|form| wanted.strip_prefix(form).or_else(|| wanted.strip_suffix(form)))?;
    let known = allowed.in_order().find(|known| known.plain.contains(short))?;
    (short.chars().count() >= 2).then_some((short, known))
}

/// Another name of the same thing, as the case lists them.
fn alias(allowed: &Allowed<'_>, wanted: &str) -> Option<String> {
    let is_it = |name: &String| name == wanted || (name.contains(wanted) && wanted.chars().nth(2).is_some());
    let group = allowed.aliases.iter().find(|group| group.iter().any(is_it))?;
    Some(format!("a listed alias of 「{}」", group[0]))
}

/// 経産省 for 経済産業省, 国農財団 for 国際農業協力財団.
fn abbreviation(allowed: &Allowed<'_>, name: &Name, wanted: &str) -> Option<(Basis, String)> {
    if name.kind != SpecificKind::Organization || wanted.chars().count() < 3 {
        return None;
    }
    for known in allowed.in_order() {
        let own = known.names().iter().find(|own| {
            own.kind == SpecificKind::Organization && abbreviates(wanted, &plain(&known.passage.text[own.core.clone()]))
        });
        if let Some(own) = own {
            return Some((known.basis(Basis::Normalised), format!("short for {}", known.shown(&own.range))));
        }
    }
    None
}

/// Whether `short` is `long` with characters left out, the first and the last kept.
fn abbreviates(short: &str, long: &str) -> bool {
    let (short, long): (Vec<char>, Vec<char>) = (short.chars().collect(), long.chars().collect());
    if short.len() >= long.len() || short.first() != long.first() || short.last() != long.last() {
        return false;
    }
    let mut rest = long.iter();
    short.iter().all(|c| rest.any(|other| other == c))
}

/// Words that make a place out of whatever stands before them: the name must be known as a whole.
const FACILITIES: [&str; 22] = [
    "駅",
    "港",
    "空港",
    "ホテル",
    "ホール",
    "会館",
    "アリーナ",
    "スタジアム",
    "体育館",
    "公園",
    "美術館",
    "博物館",
    "図書館",
    "水族館",
    "動物園",
    "神社",
    "城",
    "ドーム",
    "プラザ",
    "タワー",
    "灯台",
    "競技場",
];

/// A place put together from what the source has: each proper part must be known; 県, 山頂, 市内 name nothing alone.
fn by_parts(allowed: &Allowed<'_>, passage: &Passage<'_>, name: &Name) -> Option<(Basis, String)> {
    let text = &passage.text[name.core.clone()];
    if name.kind != SpecificKind::Place || FACILITIES.iter().any(|facility| text.ends_with(facility)) {
        return None;
    }
    let parts: Vec<String> = passage
        .morphemes_in(&name.core)
        .iter()
        .filter(|word| word.pos().is_proper() || !word.known)
        .map(|word| plain(word.surface(&passage.text)))
        .collect();
    let mut basis = Basis::Normalised;
    let mut why = Vec::new();
    for part in &parts {
        // 黒島 is no part of 小黒島: what is found must not go on as a longer proper word, which plain text cannot tell;
        // two characters and more are taken as they are.
        let known = allowed.in_order().find(|known| part.chars().count() >= 2 && known.plain.contains(part))?;
        if known.is_background {
            basis = Basis::Background;
        }
        why.push(format!("「{part}」 in the {}", known.what));
    }
    (!parts.is_empty()).then(|| (basis, why.join(", ")))
}

/// 竹富町立図書館, where the source speaks of 竹富町 and of its 町立図書館.
fn in_two_halves(allowed: &Allowed<'_>, name: &Name, wanted: &str) -> Option<(Basis, String)> {
    if !matches!(name.kind, SpecificKind::Place | SpecificKind::Organization) {
        return None;
    }
    let cuts: Vec<usize> = wanted.char_indices().map(|(at, _)| at).skip(2).collect();
    let known_half = |half: &str| allowed.of_source().find(|known| known.plain.contains(half));
    cuts.into_iter().filter(|at| wanted[*at..].chars().nth(3).is_some()).find_map(|at| {
        let (first, second) = (known_half(&wanted[..at])?, known_half(&wanted[at..])?);
        let why = format!("「{}」 in the {}, 「{}」 in the {}", &wanted[..at], first.what, &wanted[at..], second.what);
        Some((Basis::Normalised, why))
    })
}

/// A person of the source whose name is nearly this one.
fn misspelt(allowed: &Allowed<'_>, name: &Name, wanted: &str) -> Option<String> {
    if name.kind != SpecificKind::Person || wanted.chars().count() < 3 {
        return None;
    }
    allowed.of_source().find_map(|known| {
        let is_close = |theirs: &str| {
            let distance = strsim::levenshtein(wanted, theirs);
            (1..=2).contains(&distance) && distance * 2 < theirs.chars().count()
        };
        let people = known.names().iter().filter(|own| own.kind == SpecificKind::Person);
        let own = people.into_iter().find(|own| is_close(&plain(&known.passage.text[own.core.clone()])))?;
        Some(format!("the source has {}", known.shown(&own.range)))
    })
}
