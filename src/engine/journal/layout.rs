//! Where each trial of a run has its place, and which places a plan fills.

use std::collections::HashMap;
use std::io;

use super::MOST_TRIALS;
use crate::outcome::RunHeader;
use crate::trial::TrialId;

/// The places of a run's trials: every case with every prompt, model and repeat, in this order.
pub(super) struct Layout<'h> {
    header: &'h RunHeader,
    cases: HashMap<&'h str, usize>,
    prompts: HashMap<&'h str, usize>,
    models: HashMap<&'h str, usize>,
    repeats: usize,
}

impl<'h> Layout<'h> {
    pub(super) fn of(header: &'h RunHeader) -> Self {
        Self {
            header,
            cases: header.cases.iter().map(|case| case.id.as_str()).zip(0..).collect(),
            prompts: header.prompts.iter().map(|prompt| prompt.id.as_str()).zip(0..).collect(),
            models: header.models.iter().map(|model| model.id.as_str()).zip(0..).collect(),
            repeats: header.repeats as usize,
        }
    }

    /// The number of places; `None` if they are more than any run has.
    fn len(&self) -> Option<usize> {
        let columns = self.header.prompts.len().checked_mul(self.header.models.len())?;
        let places = self.header.cases.len().checked_mul(columns)?.checked_mul(self.repeats)?;
        Some(places).filter(|places| *places <= MOST_TRIALS)
    }

    pub(super) fn place(&self, case: &str, prompt: &str, model: &str, repeat: u32) -> Option<usize> {
        let (case, prompt, model) = (self.cases.get(case)?, self.prompts.get(prompt)?, self.models.get(model)?);
        let repeat = Some(repeat as usize).filter(|repeat| *repeat < self.repeats)?;
        let column = prompt * self.header.models.len() + model;
        Some((case * self.header.prompts.len() * self.header.models.len() + column) * self.repeats + repeat)
    }

    pub(super) fn trial(&self, place: usize) -> TrialId {
        let (rest, repeat) = (place / self.repeats, place % self.repeats);
        let (rest, model) = (rest / self.header.models.len(), rest % self.header.models.len());
        let (case, prompt) = (rest / self.header.prompts.len(), rest % self.header.prompts.len());
        TrialId {
            case: self.header.cases[case].id.clone(),
            prompt: self.header.prompts[prompt].id.clone(),
            model: self.header.models[model].id.clone(),
            repeat: u32::try_from(repeat).unwrap_or(u32::MAX),
        }
    }

    /// Which places have a trial, as hexadecimal digits of four places each, the first one lowest; `None` if all have.
    pub(super) fn select<'t>(&self, trials: impl Iterator<Item = &'t TrialId>) -> io::Result<Option<String>> {
        let too_many = || io::Error::other(format!("a run has at most {MOST_TRIALS} trials"));
        let mut planned = vec![false; self.len().ok_or_else(too_many)?];
        for trial in trials {
            let TrialId { case, prompt, model, repeat } = trial;
            let place = self.place(case.as_str(), prompt.as_str(), model.as_str(), *repeat);
            let stranger = || io::Error::other(format!("the run's header knows no trial {trial}"));
            planned[place.ok_or_else(stranger)?] = true;
        }
        if planned.iter().all(|planned| *planned) {
            return Ok(None);
        }
        let digit = |places: &[bool]| places.iter().rev().fold(0, |digit, planned| digit * 2 + u32::from(*planned));
        Ok(Some(planned.chunks(4).filter_map(|places| char::from_digit(digit(places), 16)).collect()))
    }

    /// Reads what [`Layout::select`] wrote; `None` if it does not fit the header.
    pub(super) fn planned(&self, selection: Option<&str>, trials: usize) -> Option<Vec<bool>> {
        let len = self.len()?;
        let Some(selection) = selection else { return (len == trials).then(|| vec![true; len]) };
        if selection.len() != len.div_ceil(4) {
            return None;
        }
        let digits = selection.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
        let planned: Vec<bool> = (0..len).map(|n| digits[n / 4] >> (n % 4) & 1 == 1).collect();
        (planned.iter().filter(|planned| **planned).count() == trials).then_some(planned)
    }
}
