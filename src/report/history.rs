//! Runs over time: what each came to, variant by variant, as CSV and JSON.
//!
//! Promises rates as the reports of each run have them, the oldest run first. Leaves finding runs to `cli`, the table to
//! `terminal`, and whether two runs differ to `compare`.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::json;

use super::csv::{Bom, begin};
use super::json;
use super::table::{self, Cell};
use crate::id::{ModelId, PromptId};
use crate::outcome::{Run, Subject};
use crate::report::tally::{Tally, method, tally};

/// What is kept of a run to show it beside others.
#[derive(Debug, Clone)]
pub struct PastRun {
    /// Its name.
    pub name: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The project's commit, if it was in a repository.
    pub commit: Option<String>,
    /// The version of its scorers: verdicts of different versions do not compare.
    pub scorer_version: u32,
    /// The digest of its plan.
    pub plan_digest: String,
    /// Whether it came to its end.
    pub finished: bool,
    /// Its variants, in its own order.
    pub variants: Vec<PastVariant>,
    method: &'static str,
}

/// What a variant came to in a run.
#[derive(Debug, Clone)]
pub struct PastVariant {
    /// The prompt.
    pub prompt: PromptId,
    /// The model.
    pub model: ModelId,
    subjects: Vec<(Subject, Tally)>,
}

impl PastRun {
    /// What is kept of a run.
    pub fn of(run: &Run) -> Self {
        let header = &run.header;
        let variant = |variant: crate::report::tally::VariantTally<'_>| PastVariant {
            prompt: variant.prompt.clone(),
            model: variant.model.clone(),
            subjects: variant.subjects,
        };
        Self {
            name: header.name.clone(),
            started_at: header.started_at,
            commit: header.commit.clone(),
            scorer_version: header.scorer_version,
            plan_digest: header.plan_digest.clone(),
            finished: run.finished,
            variants: tally(run).into_iter().map(variant).collect(),
            method: method(run),
        }
    }

    /// What a variant came to, if it took part.
    pub fn variant(&self, prompt: &PromptId, model: &ModelId) -> Option<&PastVariant> {
        self.variants.iter().find(|variant| variant.prompt == *prompt && variant.model == *model)
    }
}

impl PastVariant {
    /// `prompt@model`.
    pub fn name(&self) -> String {
        format!("{}@{}", self.prompt, self.model)
    }

    pub(crate) fn tally(&self, subject: Subject) -> Option<&Tally> {
        self.subjects.iter().find(|(known, _)| *known == subject).map(|(_, tally)| tally)
    }
}

/// The columns before those of summary.csv.
const RUN: [&str; 5] = ["run", "started_at", "commit", "scorers", "plan"];

/// Writes a row a run, variant and property, `all` first: the columns of summary.csv after those that name the run.
///
/// # Errors
/// `out` cannot be written.
pub fn write_csv(runs: &[PastRun], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = begin(out, Bom::Without)?;
    csv.record(RUN.into_iter().chain(table::SUMMARY))?;
    for run in runs {
        let started_at = run.started_at.to_string();
        for variant in &run.variants {
            for (subject, tally) in &variant.subjects {
                let mut row = vec![
                    Cell::text(run.name.as_str()),
                    Cell::text(started_at.as_str()),
                    run.commit.as_deref().map_or(Cell::Empty, Cell::text),
                    Cell::count(Some(run.scorer_version)),
                    Cell::text(run.plan_digest.as_str()),
                ];
                let (prompt, model) = (variant.prompt.as_str(), variant.model.as_str());
                row.extend(table::summary_row(prompt, model, *subject, tally, run.method));
                csv.row(&row)?;
            }
        }
    }
    csv.flush()
}

/// Writes one object: `runs`, each with its `summary`, as `evalrun report --format json` has it.
///
/// # Errors
/// `out` cannot be written.
pub fn write_json(runs: &[PastRun], out: &mut dyn Write) -> io::Result<()> {
    let told = runs.iter().map(|run| {
        let rows = run.variants.iter().flat_map(|variant| {
            let (prompt, model) = (variant.prompt.as_str(), variant.model.as_str());
            let row = move |(subject, tally): &(Subject, Tally)| {
                json::summary_row(prompt, model, *subject, tally, run.method)
            };
            variant.subjects.iter().map(row)
        });
        json!({
            "run": run.name,
            "started_at": run.started_at.to_string(),
            "commit": run.commit,
            "scorer_version": run.scorer_version,
            "plan_digest": run.plan_digest,
            "finished": run.finished,
            "summary": rows.collect::<Vec<_>>(),
        })
    });
    serde_json::to_writer_pretty(&mut *out, &json!({"runs": told.collect::<Vec<_>>()}))?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::RunBuilder;

    #[test]
    fn a_row_names_its_run_and_then_says_what_summary_csv_says() {
        let run = RunBuilder::new(&["p"], &["m"]).case("a", |trial| trial.pass("length")).build();
        let mut out = Vec::new();
        write_csv(&[PastRun::of(&run)], &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap().replace("\r\n", "\n").replace(&run.header.plan_digest, "PLAN"), @r"
        run,started_at,commit,scorers,plan,prompt,model,property,trials,passed,failed,unscored,errored,rate,low,high,method
        2025-07-01T090000Z-3f2a1c,2025-07-01T09:00:00Z,,1,PLAN,p,m,all,1,1,0,0,0,1,0.206549,1,wilson95
        2025-07-01T090000Z-3f2a1c,2025-07-01T09:00:00Z,,1,PLAN,p,m,length,1,1,0,0,0,1,0.206549,1,wilson95
        ");
    }

    #[test]
    fn the_object_has_every_run_with_its_rates() {
        let run = RunBuilder::new(&["p"], &["m"]).case("a", |trial| trial.fail("length")).build();
        let mut out = Vec::new();
        write_json(&[PastRun::of(&run), PastRun::of(&run)], &mut out).unwrap();
        let told: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(told["runs"].as_array().unwrap().len(), 2);
        assert_eq!(told["runs"][1]["summary"][1]["property"], "length");
        assert_eq!(told["runs"][1]["summary"][1]["rate"], 0.0);
    }
}
