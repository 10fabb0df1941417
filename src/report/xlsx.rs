//! A workbook for people: the sheets summary, matrix, trials, scores and disagreements.
//!
//! Promises the same bytes for the same run; that texts are texts, whatever they look like, and numbers are numbers; that
//! verdicts are told by words, colour only helping; and that what a sheet cannot hold is said in it.
//! `docs/columns.md` tells what each column means.

mod sheet;

use std::collections::{HashMap, HashSet};
use std::io;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use self::sheet::{Column, Look, Sheet};
use super::table::{self, Cell};
use crate::id::CaseId;
use crate::outcome::{CaseRecord, Entry, Outcomes, Run, Status};
use crate::property::Property;
use crate::report::disagreement::{Between, Disagreement, disagreements};
use crate::report::evidence::against;
use crate::report::tally::{Required, is_truncated};
use crate::report::trouble::is_without_answer;
use crate::score::Verdict;

/// The columns of the sheet `disagreements`.
pub(super) const DISAGREEMENTS: [&str; 8] =
    ["case", "title", "property", "between", "variant", "passed", "failed", "evidence"];

/// The columns that the sheet `trials` has besides those of metrics.csv.
pub(super) const TRIALS_ALSO: [&str; 2] = ["title", "answer"];

/// The columns of the sheet `matrix` before the variants'.
pub(super) const MATRIX_BEFORE: [&str; 3] = ["case", "title", "publisher"];

/// The workbook's bytes.
///
/// # Errors
/// An outcome cannot be read.
pub fn workbook(run: &Run, outcomes: &dyn Outcomes) -> io::Result<Vec<u8>> {
    let mut workbook = Workbook::new();
    // A real date would make each file another one.
    let created = ExcelDateTime::from_ymd(2000, 1, 1).map_err(unexpected)?;
    workbook.set_properties(&DocProperties::new().set_title("evalrun").set_creation_datetime(&created));
    sheet::set_default_look(&mut workbook).map_err(unexpected)?;
    let titles = run.header.cases.iter().map(|case| (&case.id, case.source.title.as_str())).collect();
    let view = View { run, outcomes, titles };
    view.add_summary(&mut workbook)?;
    view.add_matrix(&mut workbook)?;
    view.add_trials(&mut workbook)?;
    view.add_scores(&mut workbook)?;
    view.add_disagreements(&mut workbook)?;
    workbook.save_to_buffer().map_err(unexpected)
}

/// The library refuses what no code here asks of it; should it ever, that is told and no panic.
fn unexpected(error: XlsxError) -> io::Error {
    io::Error::other(error)
}

/// What the sheets show.
struct View<'a> {
    run: &'a Run,
    outcomes: &'a dyn Outcomes,
    titles: HashMap<&'a CaseId, &'a str>,
}

impl View<'_> {
    fn title(&self, case: &CaseId) -> Cell<'_> {
        Cell::text(self.titles.get(case).copied().unwrap_or_default())
    }

    fn add_summary(&self, workbook: &mut Workbook) -> io::Result<()> {
        let look = |name: &str| match name {
            "rate" | "low" | "high" => Look::Share,
            _ => Look::Plain,
        };
        let columns = table::SUMMARY.iter().map(|name| Column::new(name, look(name)));
        let mut sheet = Sheet::begin(workbook, "summary", columns, 3).map_err(unexpected)?;
        for row in table::summary_rows(self.run) {
            sheet.push(&row).map_err(unexpected)?;
        }
        sheet.finish().map_err(unexpected)
    }

    /// A row a case, a column a variant: the trials' statuses, and what failed.
    fn add_matrix(&self, workbook: &mut Workbook) -> io::Result<()> {
        let variants: Vec<_> = self.run.variants().collect();
        let before = MATRIX_BEFORE.map(|name| Column::new(name, Look::Plain));
        let names = variants.iter().map(|(prompt, model)| Column::new(&format!("{prompt}@{model}"), Look::Verdict));
        let mut sheet = Sheet::begin(workbook, "matrix", before.into_iter().chain(names), 2).map_err(unexpected)?;
        let mut cells: HashMap<_, Vec<&Entry>> = HashMap::new();
        for entry in &self.run.entries {
            let trial = &entry.trial;
            cells.entry((&trial.case, &trial.prompt, &trial.model)).or_default().push(entry);
        }
        for CaseRecord { id, source, .. } in &self.run.header.cases {
            let mut row = vec![Cell::text(id.as_str()), Cell::text(&*source.title), Cell::text(&*source.publisher)];
            row.extend(variants.iter().map(|(prompt, model)| {
                cells.get(&(id, *prompt, *model)).map_or(Cell::Empty, |entries| Cell::text(in_one_cell(entries)))
            }));
            sheet.push(&row).map_err(unexpected)?;
        }
        sheet.finish().map_err(unexpected)
    }

    /// The rows of metrics.csv, without the columns of properties that nothing requires, with the answers.
    fn add_trials(&self, workbook: &mut Workbook) -> io::Result<()> {
        let required: Vec<Property> = self.run.properties().collect();
        let is_property = |name: &&str| Property::ALL.iter().any(|property| property.name() == *name);
        let is_left_out = |name: &&str| is_property(name) && !required.iter().any(|property| property.name() == *name);
        let names = table::trial_columns();
        let kept: Vec<usize> = (0..names.len()).filter(|n| !is_left_out(&names[*n])).collect();
        let look = |name: &str| match name {
            "status" => Look::Verdict,
            name if is_property(&name) => Look::Verdict,
            "error" => Look::Prose,
            _ => Look::Plain,
        };
        let [title, answer] = TRIALS_ALSO;
        let mut columns: Vec<Column> = kept.iter().map(|n| Column::new(names[*n], look(names[*n]))).collect();
        columns.insert(1, Column::new(title, Look::Plain));
        columns.push(Column::new(answer, Look::Prose));
        let mut sheet = Sheet::begin(workbook, "trials", columns.into_iter(), 2).map_err(unexpected)?;
        let required = Required::of(self.run);
        for entry in &self.run.entries {
            let all = table::trial_row(entry, &required, self.run);
            let mut row: Vec<Cell<'_>> = kept.iter().map(|n| all[*n].clone()).collect();
            row.insert(1, self.title(&entry.trial.case));
            let has_answer = entry.chars.is_some();
            let answer = if has_answer { self.outcomes.outcome(entry)?.answer } else { None };
            row.push(Cell::text(answer.unwrap_or_default()));
            sheet.push(&row).map_err(unexpected)?;
        }
        sheet.finish().map_err(unexpected)
    }

    fn add_scores(&self, workbook: &mut Workbook) -> io::Result<()> {
        let look = |name: &str| match name {
            "verdict" => Look::Verdict,
            "reason" | "evidence" | "detail" => Look::Prose,
            _ => Look::Plain,
        };
        let columns = table::SCORES.iter().map(|name| Column::new(name, look(name)));
        let mut sheet = Sheet::begin(workbook, "scores", columns, 1).map_err(unexpected)?;
        table::each_score_row(self.run, self.outcomes, &mut |row| sheet.push(row).map_err(unexpected))?;
        sheet.finish().map_err(unexpected)
    }

    fn add_disagreements(&self, workbook: &mut Workbook) -> io::Result<()> {
        let look = |name: &str| match name {
            "title" | "passed" | "failed" | "evidence" => Look::Prose,
            _ => Look::Plain,
        };
        let columns = DISAGREEMENTS.iter().map(|name| Column::new(name, look(name)));
        let mut sheet = Sheet::begin(workbook, "disagreements", columns, 1).map_err(unexpected)?;
        for found in disagreements(self.run) {
            let (between, variant) = match found.between {
                Between::Variants => ("variants", Cell::Empty),
                Between::Repeats(prompt, model) => ("repeats", Cell::text(format!("{prompt}@{model}"))),
            };
            let row = [
                Cell::text(found.case.id.as_str()),
                self.title(&found.case.id),
                Cell::text(found.property.name()),
                Cell::text(between),
                variant,
                Cell::text(named(&found.passed, found.between)),
                Cell::text(named(&found.failed, found.between)),
                Cell::text(self.words_against(&found)?),
            ];
            sheet.push(&row).map_err(unexpected)?;
        }
        sheet.finish().map_err(unexpected)
    }

    /// The words on which the failures rest, one a line; where there are none, the reasons.
    fn words_against(&self, found: &Disagreement<'_>) -> io::Result<String> {
        let mut lines: Vec<String> = Vec::new();
        for entry in &found.failed {
            let outcome = self.outcomes.outcome(entry)?;
            let Some(score) = outcome.scores.iter().find(|score| score.property == found.property) else { continue };
            let words: Vec<String> = against(score).map(|evidence| super::one_line(&evidence.text)).collect();
            if words.is_empty() {
                lines.extend(score.reason.as_deref().map(super::one_line));
            } else {
                lines.extend(words);
            }
        }
        let mut seen = HashSet::new();
        lines.retain(|line| !line.is_empty() && seen.insert(line.clone()));
        Ok(lines.join("\n"))
    }
}

/// The trials of a case and variant in one cell: statuses, the gravest first and counted if there are several; beneath
/// them what is odd about the answers, and the properties that failed.
fn in_one_cell(entries: &[&Entry]) -> String {
    const GRAVEST_FIRST: [Status; 5] =
        [Status::Failed, Status::Errored, Status::Undecided, Status::Skipped, Status::Passed];
    let counted = |status: Status| {
        let count = entries.iter().filter(|entry| entry.status == status).count();
        let counted = if entries.len() == 1 { status.name().to_owned() } else { format!("{} {count}", status.name()) };
        (count > 0).then_some(counted)
    };
    let statuses: Vec<String> = GRAVEST_FIRST.into_iter().filter_map(counted).collect();
    let any = |is: &dyn Fn(&Entry) -> bool| entries.iter().any(|entry| is(entry));
    let odd = [
        ("no answer", any(&|entry| entry.status == Status::Failed && is_without_answer(entry))),
        ("truncated", any(&is_truncated)),
    ];
    let has_failed = |property: &Property| any(&|entry| entry.verdicts[property.index()] == Some(Verdict::Fail));
    let mut lines = vec![statuses.join(", ")];
    lines.extend(odd.into_iter().filter(|(_, is)| *is).map(|(word, _)| word.to_owned()));
    lines.extend(Property::ALL.into_iter().filter(has_failed).map(|property| property.name().to_owned()));
    lines.join("\n")
}

/// Trials by what tells them apart: their variants, or their repeats.
fn named(entries: &[&Entry], between: Between<'_>) -> String {
    if let Between::Repeats(..) = between {
        let repeats: Vec<String> = entries.iter().map(|entry| entry.trial.repeat.to_string()).collect();
        return format!("repeat {}", repeats.join(", "));
    }
    let mut variants: Vec<String> = Vec::new();
    for entry in entries {
        let variant = format!("{}@{}", entry.trial.prompt, entry.trial.model);
        // The repeats of a variant follow one another.
        if variants.last() != Some(&variant) {
            variants.push(variant);
        }
    }
    variants.join("\n")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx, open_workbook_from_rs};

    use super::*;
    use crate::report::sample::{RunBuilder, SampleRun, summary_sample};

    fn sheet(run: &SampleRun, name: &str) -> Vec<Vec<Data>> {
        let bytes = workbook(run, run).unwrap();
        let mut read: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
        assert_eq!(read.sheet_names(), ["summary", "matrix", "trials", "scores", "disagreements"]);
        assert!(read.worksheet_formula(name).unwrap().used_cells().next().is_none(), "{name} holds a formula");
        read.worksheet_range(name).unwrap().rows().map(<[Data]>::to_vec).collect()
    }

    fn shown(rows: &[Vec<Data>]) -> String {
        let cell = |cell: &Data| cell.to_string().replace('\n', "⏎");
        rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" | ") + "\n").collect()
    }

    #[test]
    fn the_matrix_tells_statuses_and_what_failed() {
        insta::assert_snapshot!(shown(&sheet(&summary_sample(), "matrix")), @"
        case | title | publisher | news-article@sample-careful | news-article@sample-inventive | news-article-careful@sample-careful | news-article-careful@sample-inventive
        chicago-quantum | 量子分野の日米交流会、シカゴで開催 | 文部科学省 | passed | failed⏎article_only⏎no_fabrication | passed | failed⏎article_only⏎no_fabrication
        kyoto-tea | 宇治茶の輸出額が過去最高に | 文部科学省 | undecided⏎truncated | undecided⏎truncated | undecided⏎truncated | undecided⏎truncated
        osaka-expo | 万博の来場者が1000万人を突破 | 文部科学省 | passed | failed⏎no answer | passed | failed⏎no answer
        tokyo-rail | 新しい地下鉄の計画を発表 | 文部科学省 | passed | passed | errored | errored
        ");
        let run = RunBuilder::new(&["p"], &["m"])
            .repeats(3)
            .case("a", |trial| if trial.repeat() == 1 { trial.fail("length") } else { trial.pass("length") })
            .build();
        assert_eq!(sheet(&run, "matrix")[1][3], Data::String("failed 1, passed 2\nlength".to_owned()));
    }

    #[test]
    fn disagreements_name_both_sides_and_the_words() {
        insta::assert_snapshot!(shown(&sheet(&summary_sample(), "disagreements")), @"
        case | title | property | between | variant | passed | failed | evidence
        chicago-quantum | 量子分野の日米交流会、シカゴで開催 | article_only | variants |  | news-article@sample-careful⏎news-article-careful@sample-careful | news-article@sample-inventive⏎news-article-careful@sample-inventive | はい、承知しました。
        chicago-quantum | 量子分野の日米交流会、シカゴで開催 | no_fabrication | variants |  | news-article@sample-careful⏎news-article-careful@sample-careful | news-article@sample-inventive⏎news-article-careful@sample-inventive | 約30社⏎山田太郎⏎歴史的だ⏎6月12日
        ");
        let run = RunBuilder::new(&["p"], &["m"])
            .repeats(3)
            .case("a", |trial| if trial.repeat() == 1 { trial.fail("length") } else { trial.pass("length") })
            .build();
        insta::assert_snapshot!(shown(&sheet(&run, "disagreements")), @"
        case | title | property | between | variant | passed | failed | evidence
        a | 量子分野の交流会、シカゴで開催 | length | repeats | p@m | repeat 0, 2 | repeat 1 |
        ");
    }

    #[test]
    fn trials_are_those_of_metrics_with_title_and_answer() {
        let rows = sheet(&summary_sample(), "trials");
        insta::assert_snapshot!(shown(&rows[..2]), @"
        case | title | prompt | model | repeat | status | article_only | no_fabrication | readability | fabricated | chars | finish_reason | input_tokens | output_tokens | cost_usd | served_model | error | attempts | cached | latency_ms | run | answer
        chicago-quantum | 量子分野の日米交流会、シカゴで開催 | news-article | sample-careful | 0 | passed | pass | pass |  | 0 | 24 | stop | 120 | 900 | 0.00125 |  |  | 0 | false | 0 | 2025-07-01T090000Z-3f2a1c | 交流会がシカゴで開かれました。ISAが主催です。
        ");
        let column = |name: &str| rows[0].iter().position(|cell| *cell == Data::String(name.to_owned())).unwrap();
        assert_eq!(rows[1][column("cost_usd")], Data::Float(0.001_25));
        assert_eq!(rows[1][column("input_tokens")], Data::Float(120.0));
    }

    #[test]
    fn scores_and_summary_hold_what_the_files_hold() {
        let run = summary_sample();
        assert_eq!(sheet(&run, "summary").len(), 1 + table::summary_rows(&run).len());
        let mut rows = 0;
        let mut count = |_: &[Cell<'_>]| {
            rows += 1;
            Ok(())
        };
        table::each_score_row(&run, &run, &mut count).unwrap();
        assert_eq!(sheet(&run, "scores").len(), 1 + rows);
        let low = Cell::Number(sheet(&run, "summary")[1][9].to_string());
        assert_eq!(low, table::summary_rows(&run)[0][9]);
    }

    #[test]
    fn texts_stay_texts_and_are_cut_where_a_cell_ends() {
        let long = "あ".repeat(40_000);
        for (answer, expected) in [
            ("=HYPERLINK(\"http://e.example\")", "=HYPERLINK(\"http://e.example\")"),
            ("+81\u{202e}\x1b_x0041_", "+81[U+202E]␛_x0041_"),
            ("12", "12"),
            (" 前後の空白 ", " 前後の空白 "),
            (long.as_str(), &format!("{}… (8000 more characters)", "あ".repeat(32_000))),
        ] {
            let run = RunBuilder::new(&["p"], &["m"]).case("a", |trial| trial.answer(answer).pass("length")).build();
            let rows = sheet(&run, "trials");
            assert!(*rows[1].last().unwrap() == Data::String(expected.to_owned()), "{answer:.40}");
        }
    }

    #[test]
    fn the_same_run_gives_the_same_bytes() {
        let run = summary_sample();
        assert!(workbook(&run, &run).unwrap() == workbook(&summary_sample(), &run).unwrap());
    }
}
