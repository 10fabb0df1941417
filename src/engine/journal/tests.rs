//! What a journal promises: nothing written is lost, and what is damaged is told with its place.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::case::Source;
use crate::engine::answers::Answer;
use crate::engine::testing::{model, small_plan};
use crate::id::{CaseId, ModelId, PromptId};
use crate::model::Provider;
use crate::outcome::{Attempt, CaseRecord, ModelRecord, Outcome, Outcomes as _, PromptRecord, Run, RunHeader, Status};
use crate::property::Property;
use crate::response::{FailureKind, Finish, FinishReason, Response, Usage};
use crate::score::plain::count_chars;
use crate::score::{Basis, Evidence, Score, Span, SpecificVerdict, Verdict};
use crate::trial::{Plan, Trial, TrialId};

fn plan() -> Plan {
    small_plan(2, vec![model("a", Provider::OpenAi), model("b", Provider::OpenAi)], 2)
}

fn header(plan: &Plan) -> RunHeader {
    let started_at = "2026-11-22T01:02:03Z".parse().unwrap();
    let case = |id: &CaseId| CaseRecord {
        id: id.clone(),
        tags: vec!["news".into()],
        vars: BTreeMap::from([("tone".into(), "優しい".into())]),
        source: Source { publisher: "日本貿易振興機構".into(), title: "派遣".into(), ..Source::default() },
        required: vec![Property::JapaneseOnly, Property::NoFabrication],
        requirements: None,
    };
    let prompt = |id: &PromptId| PromptRecord { id: id.clone(), text: "{{ title }}".into(), digest: "00".into() };
    let model = |id: &ModelId| ModelRecord {
        id: id.clone(),
        provider: Provider::OpenAi,
        name: id.to_string(),
        base_url: "http://m.test".into(),
        price_note: None,
    };
    RunHeader {
        name: "run".into(),
        tool_version: "0.1.0".into(),
        scorer_version: 1,
        plan_digest: "d1".into(),
        started_at,
        commit: None,
        rescored_from: None,
        merged_from: Vec::new(),
        trials: plan.trials.len(),
        repeats: plan.repeats,
        cases: plan.cases.iter().map(|entry| case(&entry.id)).collect(),
        prompts: plan.prompts.iter().map(|entry| prompt(&entry.id)).collect(),
        models: plan.models.iter().map(|entry| model(&entry.id)).collect(),
    }
}

/// An outcome with something in every field.
fn full_outcome(trial: TrialId) -> Outcome {
    let specific = |text: &str, verdict, waived: Option<&str>| Evidence {
        span: Some(Span { start: 3, end: 7 }),
        text: text.into(),
        kind: "number".into(),
        verdict: Some(verdict),
        basis: Some(Basis::Unsupported),
        why: Some("「25社」とある".into()),
        waived: waived.map(str::to_owned),
    };
    let evidence = vec![
        specific("約30社", SpecificVerdict::Fabricated, None),
        specific("40社", SpecificVerdict::Fabricated, Some("許容")),
        specific("25社", SpecificVerdict::Grounded, None),
    ];
    let attempt = |failure| Attempt {
        first_text_millis: None,
        started_at: "2026-11-22T01:02:04.5Z".parse().unwrap(),
        millis: 1_500,
        status: Some(200),
        failure,
        message: failure.map(|_| "later".into()),
        waited_millis: failure.map(|_| 7_000),
    };
    let score = |property, verdict, value, evidence| Score { property, verdict, value, reason: None, evidence };
    Outcome {
        status: Status::Failed,
        answer: Some("量子\u{2028}技術\n「\u{1F600}」".into()),
        finish: Finish::of("MAX_TOKENS"),
        usage: Usage { input_tokens: Some(10), output_tokens: Some(20), ..Usage::default() },
        served_model: Some("a-001".into()),
        response_id: Some("r1".into()),
        cost: Some(0.000_12),
        scores: vec![
            score(Property::JapaneseOnly, Verdict::Pass, Some(1.0), vec![]),
            score(Property::NoFabrication, Verdict::Fail, Some(2.0 / 3.0), evidence),
        ],
        attempts: vec![attempt(Some(FailureKind::RateLimited)), attempt(None)],
        latency: Duration::from_secs(10),
        ..Outcome::without_answer(trial, Status::Failed, None)
    }
}

fn write(path: &Path, plan: &Plan, outcomes: &[Outcome]) {
    let journal = JournalFile::open(path).unwrap().begin(&header(plan), &plan.trials).unwrap();
    for outcome in outcomes {
        journal.append(outcome).unwrap();
    }
    journal.end("2026-11-22T01:03:00Z".parse().unwrap(), false).unwrap();
}

/// Writes a whole journal, lets `change` change its text, and reads it.
fn reread(change: impl Fn(String) -> String) -> Result<JournalReader, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let plan = plan();
    let errored = |trial: &Trial| Outcome::without_answer(trial.id.clone(), Status::Errored, Some("no".into()));
    write(&path, &plan, &[full_outcome(plan.trials[5].id.clone()), errored(&plan.trials[0])]);
    std::fs::write(&path, change(std::fs::read_to_string(&path).unwrap())).unwrap();
    let strip = |error: JournalError| error.to_string().replace(&path.display().to_string(), "run.jsonl");
    JournalReader::open(&path).map_err(strip)
}

fn statuses(run: &Run) -> Vec<Status> {
    run.entries.iter().map(|entry| entry.status).collect()
}

#[test]
fn a_run_is_read_in_the_plans_order_with_what_reports_count() {
    use Status::{Errored, Failed, Skipped};
    let reader = reread(|text| text).unwrap();
    let run = &reader.run;
    assert_eq!(run.header, header(&plan()));
    let planned: Vec<TrialId> = plan().trials.into_iter().map(|trial| trial.id).collect();
    assert_eq!(run.entries.iter().map(|entry| entry.trial.clone()).collect::<Vec<_>>(), planned);
    assert_eq!(statuses(run), [Errored, Skipped, Skipped, Skipped, Skipped, Failed, Skipped, Skipped]);
    assert!(run.finished && reader.torn_line.is_none());
    let entry = &run.entries[5];
    assert_eq!((entry.fabricated, entry.chars, entry.attempts), (Some(1), Some(7), 2));
    assert_eq!(entry.verdicts[Property::JapaneseOnly.index()], Some(Verdict::Pass));
    assert_eq!(entry.verdicts[Property::NoFabrication.index()], Some(Verdict::Fail));
    assert_eq!(entry.verdicts[Property::Length.index()], None);
    assert_eq!(reader.outcome(entry).unwrap(), full_outcome(entry.trial.clone()));
    let skipped = &run.entries[1];
    let outcome = reader.outcome(skipped).unwrap();
    assert_eq!(outcome, Outcome::without_answer(skipped.trial.clone(), Status::Skipped, None));
}

#[test]
fn a_torn_last_line_is_left_out_and_told() {
    for torn in ["{\"type\":\"outcome\",\"case\":\"c1\"", "{", "{\"type\":\"end\",\"interrupted\":false}"] {
        let reader = reread(|text| {
            let whole: Vec<&str> = text.lines().take(3).collect();
            format!("{}\n{torn}", whole.join("\n"))
        })
        .unwrap();
        assert_eq!((reader.torn_line, reader.run.finished, reader.run.count(Status::Skipped)), (Some(4), false, 6));
    }
}

#[test]
fn what_is_no_whole_journal_is_refused_with_the_reason() {
    let damaged = |text: String| text.replace("\"repeat\":1", "\"repeat\":-1");
    for (change, expected) in [
        (&(|_| String::new()) as &dyn Fn(String) -> String, "run.jsonl: this journal was never begun"),
        (&|text| text[..100].to_owned(), "run.jsonl: this journal was never begun"),
        (&|_| "case,prompt\n".into(), "run.jsonl: this is no journal of a run"),
        (&|_| "{\"type\":\"outcome\"}\n".into(), "run.jsonl: this is no journal of a run"),
        (
            &|text| text.replace("\"format\":1", "\"format\":2"),
            "run.jsonl: this journal has format 2, and this evalrun reads format 1",
        ),
        (&damaged, "run.jsonl:2: this line is damaged: invalid value: integer `-1`, expected u32, at byte 66"),
        (
            &|text| text.replace("\"case\":\"c2\"", "\"case\":\"c9\""),
            "run.jsonl:2: this line is damaged: its trial is not in the plan",
        ),
        (
            &|text| text.replace("\"trials\":8", "\"trials\":7"),
            "run.jsonl:1: this line is damaged: its trials do not add up",
        ),
        (
            &|text| text.replacen("\n{", "\n\n{", 1),
            "run.jsonl:2: this line is damaged: EOF while parsing a value, at byte 0",
        ),
    ] {
        assert_eq!(reread(change).err().as_deref(), Some(expected));
    }
}

#[test]
fn lines_that_a_later_evalrun_adds_are_passed_over() {
    let added = "{\"type\":\"limit\",\"account\":\"a\"}\n{\"type\":\"end\"";
    let reader =
        reread(|text| text.replace("{\"type\":\"end\"", added).replace("\"cached\"", "\"new\":1,\"cached\"")).unwrap();
    assert!(reader.run.finished && reader.run.count(Status::Failed) == 1);
}

#[test]
fn only_planned_trials_are_entries() {
    let folder = tempfile::tempdir().unwrap();
    for (index, count) in [(1, 3), (2, 3), (3, 3), (1, 8), (1, 1)] {
        let mut plan = plan();
        plan.keep_shard(index, count);
        let path = folder.path().join(format!("{index}-{count}.jsonl"));
        write(&path, &plan, &[full_outcome(plan.trials[0].id.clone())]);
        let reader = JournalReader::open(&path).unwrap();
        let read: Vec<&TrialId> = reader.run.entries.iter().map(|entry| &entry.trial).collect();
        assert_eq!(read, plan.trials.iter().map(|trial| &trial.id).collect::<Vec<_>>());
        assert_eq!(reader.run.entries[0].status, Status::Failed);
    }
}

#[test]
fn a_resumed_journal_drops_its_torn_line_and_the_later_outcome_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let plan = plan();
    let trial = plan.trials[0].id.clone();
    let journal = JournalFile::open(&path).unwrap().begin(&header(&plan), &plan.trials).unwrap();
    journal.append(&Outcome::without_answer(trial.clone(), Status::Errored, Some("no".into()))).unwrap();
    journal.end(Timestamp::UNIX_EPOCH, true).unwrap();
    drop(journal);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all("{\"type\":\"outcome\",\"answer\":\"量".repeat(3_000).as_bytes()).unwrap();
    drop(file);
    assert_eq!(JournalReader::open(&path).unwrap().torn_line, Some(4));

    let journal = JournalFile::open(&path).unwrap().go_on().unwrap();
    journal.append(&full_outcome(trial)).unwrap();
    journal.end(Timestamp::UNIX_EPOCH, false).unwrap();
    drop(journal);
    let reader = JournalReader::open(&path).unwrap();
    assert_eq!((reader.torn_line, reader.run.finished), (None, true));
    assert_eq!((reader.run.count(Status::Failed), reader.run.count(Status::Errored)), (1, 0));
}

#[test]
fn one_process_writes_a_journal_and_none_overwrites_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let plan = plan();
    let journal = JournalFile::open(&path).unwrap().begin(&header(&plan), &plan.trials).unwrap();
    assert!(matches!(JournalFile::open(&path), Err(JournalError::Busy { .. })));
    assert!(journal.read().unwrap().run.count(Status::Skipped) == 8);
    drop(journal);
    let file = JournalFile::open(&path).unwrap();
    assert!(matches!(file.begin(&header(&plan), &plan.trials), Err(JournalError::Io { .. })));
}

#[test]
fn a_journal_that_was_never_begun_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    std::fs::write(&path, "{\"type\":\"header\",\"format\":1,").unwrap();
    let file = JournalFile::open(&path).unwrap();
    assert!(matches!(file.read(), Err(JournalError::Empty { .. })));
    let plan = plan();
    drop(file.begin(&header(&plan), &plan.trials).unwrap());
    assert_eq!(JournalReader::open(&path).unwrap().run.header, header(&plan));
}

#[test]
fn an_answer_is_there_until_its_trial_has_an_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let plan = plan();
    let ids: Vec<TrialId> = plan.trials.iter().map(|trial| trial.id.clone()).collect();
    let outcome = full_outcome(ids[1].clone());
    let answer = Answer {
        response: Response {
            text: Some("量子\u{2028}".into()),
            finish: Finish::of("MAX_TOKENS"),
            usage: outcome.usage,
            served_model: Some("a-001".into()),
            id: Some("r1".into()),
            rest: None,
        },
        attempts: outcome.attempts.clone(),
        latency: outcome.latency,
        cached: false,
    };
    let journal = JournalFile::open(&path).unwrap().begin(&header(&plan), &plan.trials).unwrap();
    journal.append(&Outcome::without_answer(ids[5].clone(), Status::Errored, Some("no".into()))).unwrap();
    for n in [5, 1, 3] {
        journal.append_answer(&ids[n], &answer).unwrap();
    }
    journal.append(&outcome).unwrap();
    let reader = journal.read().unwrap();
    assert_eq!(reader.unjudged().unwrap(), [(ids[3].clone(), answer.clone()), (ids[5].clone(), answer)]);
    assert_eq!((reader.run.count(Status::Skipped), reader.run.finished), (6, false));
    // Both have one file: what is written next must stand at the end all the same.
    journal.append(&full_outcome(ids[0].clone())).unwrap();
    drop(journal);
    assert_eq!(JournalReader::open(&path).unwrap().run.count(Status::Failed), 2);
}

#[test]
fn parts_of_an_answer_are_there_and_count_until_their_trial_has_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let plan = plan();
    let ids: Vec<TrialId> = plan.trials.iter().map(|trial| trial.id.clone()).collect();
    let outcome = full_outcome(ids[1].clone());
    let part = |token: &str| {
        let rest = Some(token.into());
        let finish = Finish::of("CONTINUATION");
        let response = Response { text: Some("第".into()), finish, usage: outcome.usage, rest, ..Response::default() };
        Answer { response, attempts: outcome.attempts.clone(), latency: outcome.latency, cached: false }
    };
    let journal = JournalFile::open(&path).unwrap().begin(&header(&plan), &plan.trials).unwrap();
    for (n, token) in [(3, "t1"), (1, "t1"), (5, "t1"), (3, "t2"), (6, "t1")] {
        journal.append_part(&ids[n], &part(token)).unwrap();
    }
    journal.append(&outcome).unwrap();
    journal.append_answer(&ids[5], &Answer::default()).unwrap();
    journal.append(&Outcome { cached: true, ..full_outcome(ids[6].clone()) }).unwrap();
    let reader = journal.read().unwrap();
    assert_eq!(reader.parts().unwrap(), [(ids[3].clone(), vec![part("t1"), part("t2")])]);
    let lost = |n: usize| Lost { trial: ids[n].clone(), attempts: 2, dropped: false, usage: outcome.usage };
    assert_eq!(reader.lost, [lost(6), lost(3), lost(3)]);
}

#[test]
fn a_run_with_every_outcome_is_finished_though_it_has_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let plan = plan();
    let journal = JournalFile::open(&path).unwrap().begin(&header(&plan), &plan.trials).unwrap();
    for trial in &plan.trials {
        journal.append(&full_outcome(trial.id.clone())).unwrap();
    }
    let reader = journal.read().unwrap();
    assert_eq!((reader.run.finished, reader.has_end), (true, false));
}

#[test]
fn what_is_no_file_or_takes_all_memory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &Path| JournalReader::open(path).unwrap_err().to_string();
    assert!(refused(folder.path()).ends_with("this is no file"));
    assert!(JournalFile::open(folder.path()).unwrap_err().to_string().ends_with("this is no file"));
    #[cfg(unix)]
    {
        let path = folder.path().join("zero");
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(refused(&path).ends_with("this is no file"));
    }
    let huge = |text: String| {
        text.replace("\"repeats\":2", "\"repeats\":4000000000").replace("\"trials\":8", "\"trials\":16000000000")
    };
    let expected = "run.jsonl:1: this line is damaged: it plans more than 2097152 trials";
    assert_eq!(reread(huge).err().as_deref(), Some(expected));
}

#[test]
fn the_stored_journal_of_format_1_is_still_read() {
    use Status::{Errored, Failed, Skipped};
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal/format-1.jsonl");
    let reader = JournalReader::open(&stored).unwrap();
    assert_eq!(reader.run.header, header(&plan()));
    assert_eq!(statuses(&reader.run), [Failed, Skipped, Skipped, Failed, Skipped, Skipped, Errored, Skipped]);
    let outcome = |n: usize| reader.outcome(&reader.run.entries[n]).unwrap();
    assert_eq!(outcome(0), full_outcome(plan().trials[0].id.clone()));
    assert_eq!((outcome(3).finish, outcome(3).answer), (Finish::of("SAFETY"), None));
    assert_eq!(outcome(6).error.as_deref(), Some("authentication (401): bad key"));
}

fn any_outcome() -> impl Strategy<Value = (usize, Outcome)> {
    let text = || proptest::option::of(any::<String>());
    let scores = proptest::collection::btree_map(0..Property::ALL.len(), (0..3_u8, text(), any::<String>()), 0..4);
    let counts = (any::<Option<u64>>(), any::<Option<u64>>(), any::<bool>());
    (0..8_usize, text(), text(), text(), scores, counts, 0..100_000_u64).prop_map(
        |(n, answer, error, detail, scores, (input_tokens, output_tokens, cached), millis)| {
            let score = |(property, (verdict, reason, text)): (usize, (u8, Option<String>, String))| Score {
                property: Property::ALL[property],
                verdict: [Verdict::Pass, Verdict::Fail, Verdict::Unscored][usize::from(verdict)],
                value: (verdict < 2).then_some(1.0 / 3.0),
                reason,
                evidence: vec![Evidence {
                    span: (verdict == 1).then_some(Span { start: 0, end: text.len() }),
                    text,
                    kind: "kind".into(),
                    verdict: None,
                    basis: None,
                    why: None,
                    waived: None,
                }],
            };
            let outcome = Outcome {
                answer,
                finish: Finish { reason: FinishReason::Other, detail },
                usage: Usage { input_tokens, output_tokens, ..Usage::default() },
                cost: cached.then_some(0.1 + 0.2),
                scores: scores.into_iter().map(score).collect(),
                cached,
                latency: Duration::from_millis(millis),
                ..Outcome::without_answer(plan().trials[n].id.clone(), Status::Undecided, error)
            };
            (n, outcome)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(outcomes in proptest::collection::vec(any_outcome(), 0..12)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let written: Vec<Outcome> = outcomes.iter().map(|(_, outcome)| outcome.clone()).collect();
        write(&path, &plan(), &written);
        let reader = JournalReader::open(&path).unwrap();
        let last: BTreeMap<usize, Outcome> = outcomes.into_iter().collect();
        for (n, entry) in reader.run.entries.iter().enumerate() {
            let outcome = reader.outcome(entry).unwrap();
            let skipped = Outcome::without_answer(entry.trial.clone(), Status::Skipped, None);
            prop_assert_eq!(&outcome, last.get(&n).unwrap_or(&skipped));
            prop_assert_eq!(entry.chars, outcome.answer.as_deref().map(count_chars));
        }
    }
}
