//! What could mislead a reader of a comparison.

use std::collections::BTreeSet;

use super::cases::Joined;
use super::subject::Compared;
use super::{Arm, Pair};
use crate::id::{CaseId, ModelId, PromptId};
use crate::outcome::{Entry, Run, Status, Subject};

/// From so many sources on, errors robust against clusters can be trusted.
const ENOUGH_CLUSTERS: usize = 10;

/// A difference of the shares of retried trials that is worth a word.
const RETRIES_APART: f64 = 0.1;

/// A side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What is compared with.
    Base,
    /// What is compared.
    Candidate,
}

/// What could mislead.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// Both sides are the same variant of the same run.
    Itself,
    /// A run did not come to its end.
    Unfinished(Side),
    /// A run keeps verdicts and no answers.
    NoTexts(Side),
    /// Trials errored, or were not tried.
    Missing {
        /// Whose.
        side: Side,
        /// How many.
        missing: usize,
        /// Of how many.
        of: usize,
    },
    /// The verdicts are of different scorers: those of the base, and of the candidate.
    ScorerVersions(u32, u32),
    /// A prompt of the same name has another text.
    PromptChanged(PromptId),
    /// A model of the same name is another: its provider's names for it.
    ModelChanged(ModelId, String, String),
    /// Servers answered with other models than before, as they name them.
    ServedModels(Vec<String>, Vec<String>),
    /// Cases that say something else than before and are left out.
    CasesChanged(Vec<CaseId>),
    /// Cases that are judged by something else than before.
    JudgedOtherwise(Vec<CaseId>),
    /// Cases of the base alone, and of the candidate alone.
    OnlyInOne(Vec<CaseId>, Vec<CaseId>),
    /// Cases share few sources.
    FewSources(usize),
    /// One side was retried more often: the shares of trials that needed more than one attempt.
    Retries(f64, f64),
    /// The sides were asked differently often.
    Repeats(u32, u32),
}

/// What could mislead in this comparison.
pub(super) fn warnings(pairs: &[Pair<'_>], joined: &Joined<'_>, subjects: &[Compared]) -> Vec<Warning> {
    let runs = [pairs[0].base.run, pairs[0].candidate.run];
    let headers = runs.map(|run| &run.header);
    let mut warnings = Vec::new();
    // A run may lie in several folders under several names.
    let made = headers.map(|header| (&header.plan_digest, header.started_at, &header.rescored_from, &header.cases));
    let is_itself = |pair: &Pair<'_>| made[0] == made[1] && pair.base.name() == pair.candidate.name();
    warnings.extend(pairs.iter().any(is_itself).then_some(Warning::Itself));
    let arms: [Vec<Arm<'_>>; 2] =
        [pairs.iter().map(|pair| pair.base).collect(), pairs.iter().map(|pair| pair.candidate).collect()];
    for (side, arms) in [Side::Base, Side::Candidate].into_iter().zip(&arms) {
        warnings.extend((!arms[0].run.finished).then_some(Warning::Unfinished(side)));
        let entries: Vec<&Entry> = entries(arms);
        warnings.extend(entries.iter().any(|entry| entry.has_lost_its_text()).then_some(Warning::NoTexts(side)));
        let is_missing = |entry: &&&Entry| matches!(entry.status, Status::Errored | Status::Skipped);
        let missing = entries.iter().filter(is_missing).count();
        warnings.extend((missing > 0).then_some(Warning::Missing { side, missing, of: entries.len() }));
    }
    if headers[0].scorer_version != headers[1].scorer_version {
        warnings.push(Warning::ScorerVersions(headers[0].scorer_version, headers[1].scorer_version));
    }
    if headers[0].repeats != headers[1].repeats {
        warnings.push(Warning::Repeats(headers[0].repeats, headers[1].repeats));
    }
    warnings.extend(changed_prompts(pairs, runs));
    warnings.extend(changed_models(pairs, runs));
    warnings.extend(served(&arms));
    let cases = &joined.cases;
    let of =
        |cases: &[CaseId], warning: fn(Vec<CaseId>) -> Warning| (!cases.is_empty()).then(|| warning(cases.to_vec()));
    warnings.extend(of(&cases.changed, Warning::CasesChanged));
    warnings.extend(of(&cases.judged_otherwise, Warning::JudgedOtherwise));
    let (only_base, only_candidate) = (&cases.only_base, &cases.only_candidate);
    if !only_base.is_empty() || !only_candidate.is_empty() {
        warnings.push(Warning::OnlyInOne(only_base.clone(), only_candidate.clone()));
    }
    let all = subjects.iter().find(|compared| compared.subject == Subject::All);
    let few = all.filter(|all| all.clusters < all.n && all.clusters < ENOUGH_CLUSTERS);
    warnings.extend(few.map(|all| Warning::FewSources(all.clusters)));
    let [base, candidate] = arms.each_ref().map(|arms| retried(arms));
    warnings.extend(((base - candidate).abs() > RETRIES_APART).then_some(Warning::Retries(base, candidate)));
    warnings
}

fn entries<'a>(arms: &[Arm<'a>]) -> Vec<&'a Entry> {
    let of = |arm: &Arm<'a>| {
        let Arm { run, prompt, model } = *arm;
        run.entries.iter().filter(move |entry| entry.trial.prompt == *prompt && entry.trial.model == *model)
    };
    arms.iter().flat_map(of).collect()
}

fn changed_prompts(pairs: &[Pair<'_>], [base, candidate]: [&Run; 2]) -> Vec<Warning> {
    let digest = |run: &Run, id: &PromptId| {
        run.header.prompts.iter().find(|prompt| prompt.id == *id).map(|prompt| prompt.digest.clone())
    };
    let same = pairs.iter().filter(|pair| pair.base.prompt == pair.candidate.prompt).map(|pair| pair.base.prompt);
    let changed = same.filter(|id| digest(base, id) != digest(candidate, id));
    let changed: BTreeSet<&PromptId> = changed.collect();
    changed.into_iter().cloned().map(Warning::PromptChanged).collect()
}

fn changed_models(pairs: &[Pair<'_>], [base, candidate]: [&Run; 2]) -> Vec<Warning> {
    let name = |run: &Run, id: &ModelId| {
        let record = run.header.models.iter().find(|model| model.id == *id);
        record.map(|model| format!("{} {}", model.provider, model.name)).unwrap_or_default()
    };
    let same = pairs.iter().filter(|pair| pair.base.model == pair.candidate.model).map(|pair| pair.base.model);
    let same: BTreeSet<&ModelId> = same.collect();
    let names = same.into_iter().map(|id| (id, name(base, id), name(candidate, id)));
    let changed = names.filter(|(_, before, now)| before != now);
    changed.map(|(id, before, now)| Warning::ModelChanged(id.clone(), before, now)).collect()
}

/// The models that answered, where both sides say so and they are not the same though the models asked are.
fn served(arms: &[Vec<Arm<'_>>; 2]) -> Option<Warning> {
    let asked = |arms: &[Arm<'_>]| arms.iter().map(|arm| arm.model.clone()).collect::<BTreeSet<_>>();
    let served = |arms: &[Arm<'_>]| -> Vec<String> {
        let names: BTreeSet<String> = entries(arms).iter().filter_map(|entry| entry.served_model.clone()).collect();
        names.into_iter().collect()
    };
    let [before, now] = arms.each_ref().map(|arms| served(arms));
    let is_apart = asked(&arms[0]) == asked(&arms[1]) && !before.is_empty() && !now.is_empty() && before != now;
    is_apart.then_some(Warning::ServedModels(before, now))
}

fn retried(arms: &[Arm<'_>]) -> f64 {
    let entries = entries(arms);
    let tried: Vec<_> = entries.iter().filter(|entry| entry.attempts > 0).collect();
    let again = tried.iter().filter(|entry| entry.attempts > 1).count();
    if tried.is_empty() { 0.0 } else { again as f64 / tried.len() as f64 }
}
