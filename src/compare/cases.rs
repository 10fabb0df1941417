//! Which case of one run is which of the other: by id, and by what was sent where a case was renamed.

use std::collections::{BTreeMap, HashMap};

use crate::case::{PublishedAt, Source};
use crate::id::CaseId;
use crate::outcome::{CaseRecord, Run};

/// How the cases of two runs correspond.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cases {
    /// Cases of both that were sent the same: the ones that are compared.
    pub same: usize,
    /// Cases that say the same under another id: as the base and as the candidate call them.
    pub renamed: Vec<(CaseId, CaseId)>,
    /// Cases that say something else than before: their verdicts are not compared.
    pub changed: Vec<CaseId>,
    /// Cases that were sent the same and are judged by something else: background, aliases or requirements.
    pub judged_otherwise: Vec<CaseId>,
    /// Cases of the base alone.
    pub only_base: Vec<CaseId>,
    /// Cases of the candidate alone.
    pub only_candidate: Vec<CaseId>,
}

/// Cases that correspond.
#[derive(Debug)]
pub(super) struct Joined<'a> {
    /// As the base has them and as the candidate has them, by the candidate's id.
    pub(super) pairs: Vec<(&'a CaseRecord, &'a CaseRecord)>,
    pub(super) cases: Cases,
}

/// Joins the cases of two runs.
pub(super) fn join<'a>(base: &'a Run, candidate: &'a Run) -> Joined<'a> {
    let by_id = |run: &'a Run| -> BTreeMap<&CaseId, &CaseRecord> {
        run.header.cases.iter().map(|case| (&case.id, case)).collect()
    };
    let (mut bases, candidates) = (by_id(base), by_id(candidate));
    let (mut pairs, mut cases, mut strangers) = (Vec::new(), Cases::default(), Vec::new());
    for (id, case) in candidates {
        match bases.remove(id) {
            Some(before) if Sent::of(before) == Sent::of(case) => pairs.push((before, case)),
            Some(_) => cases.changed.push(id.clone()),
            None => strangers.push(case),
        }
    }
    let before = by_sent(bases.values().copied());
    let now = by_sent(strangers.iter().copied());
    for case in strangers {
        let sent = Sent::of(case);
        // Of several that say the same, none is surely the one.
        match (before.get(&sent).map(Vec::as_slice), now[&sent].as_slice()) {
            (Some([old]), [_]) => {
                bases.remove(&old.id);
                cases.renamed.push((old.id.clone(), case.id.clone()));
                pairs.push((*old, case));
            }
            _ => cases.only_candidate.push(case.id.clone()),
        }
    }
    cases.only_base = bases.into_keys().cloned().collect();
    pairs.sort_by_key(|(_, case)| &case.id);
    let is_otherwise = |(before, case): &&(&CaseRecord, &CaseRecord)| is_judged_otherwise(before, case);
    cases.judged_otherwise = pairs.iter().filter(is_otherwise).map(|(_, case)| case.id.clone()).collect();
    cases.same = pairs.len();
    Joined { pairs, cases }
}

/// Whether a case is judged by something else than before. Of settings that a run does not tell nothing is said.
fn is_judged_otherwise(before: &CaseRecord, case: &CaseRecord) -> bool {
    let known =
        |case: &CaseRecord| (case.source.background.clone(), case.source.aliases.clone(), case.required.clone());
    let settings = before.requirements.as_ref().zip(case.requirements.as_ref());
    known(before) != known(case) || settings.is_some_and(|(before, now)| before != now)
}

fn by_sent<'a>(cases: impl Iterator<Item = &'a CaseRecord>) -> HashMap<Sent<'a>, Vec<&'a CaseRecord>> {
    let mut by_sent: HashMap<Sent<'_>, Vec<&CaseRecord>> = HashMap::new();
    for case in cases {
        by_sent.entry(Sent::of(case)).or_default().push(case);
    }
    by_sent
}

/// What of a case can reach a model.
#[derive(PartialEq, Eq, Hash)]
struct Sent<'a> {
    published_at: Option<PublishedAt>,
    publisher: &'a str,
    title: &'a str,
    body: Option<&'a str>,
    facts: &'a [String],
    vars: String,
}

impl<'a> Sent<'a> {
    fn of(case: &'a CaseRecord) -> Self {
        let Source { published_at, publisher, title, body, facts, background: _, aliases: _ } = &case.source;
        let vars = serde_json::to_string(&case.vars).unwrap_or_default();
        Self { published_at: *published_at, publisher, title, body: body.as_deref(), facts, vars }
    }
}

/// What two cases must share to be of one source.
pub(super) fn source_of(case: &CaseRecord) -> SourceKey<'_> {
    source_key(&case.source)
}

/// What tells sources apart.
pub type SourceKey<'a> = (Option<PublishedAt>, &'a str, &'a str, Option<&'a str>);

/// What tells a source from others.
pub fn source_key(source: &Source) -> SourceKey<'_> {
    let Source { published_at, publisher, title, body, .. } = source;
    (*published_at, publisher, title, body.as_deref())
}
