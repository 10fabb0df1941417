//! Made-up runs for the tests of reports.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use crate::case::Source;
use crate::model::Provider;
use crate::outcome::{
    Attempt, CaseRecord, Entry, ModelRecord, Outcome, Outcomes, PromptRecord, Run, RunHeader, Status,
};
use crate::property::Property;
use crate::response::{FailureKind, Finish, FinishReason, Usage};
use crate::score::plain::count_chars;
use crate::score::{Basis, Evidence, Score, Span, SpecificVerdict, Verdict};
use crate::trial::TrialId;

/// The title of cases that are given none.
const SHARED_TITLE: &str = "量子分野の交流会、シカゴで開催";

/// A run under construction: cases are added one by one, each asked of every prompt and model.
pub(crate) struct RunBuilder {
    header: RunHeader,
    outcomes: Vec<Outcome>,
}

/// A run with its texts.
pub(crate) struct SampleRun {
    run: Run,
    outcomes: Vec<Outcome>,
}

impl std::ops::Deref for SampleRun {
    type Target = Run;

    fn deref(&self) -> &Run {
        &self.run
    }
}

impl std::ops::DerefMut for SampleRun {
    fn deref_mut(&mut self) -> &mut Run {
        &mut self.run
    }
}

impl Outcomes for SampleRun {
    fn outcome(&self, entry: &Entry) -> io::Result<Outcome> {
        let place = usize::try_from(entry.place.0).unwrap();
        self.outcomes.get(place).cloned().ok_or_else(|| io::Error::other("the journal ends before this outcome"))
    }
}

/// One trial of a case under construction.
pub(crate) struct TrialBuilder(Outcome);

impl RunBuilder {
    pub(crate) fn new(prompts: &[&str], models: &[&str]) -> Self {
        let prompts = prompts.iter().map(|id| PromptRecord {
            id: id.parse().unwrap(),
            text: "『{{ title }}』について書いてください。".to_owned(),
            digest: "d1".to_owned(),
        });
        let models = models.iter().map(|id| ModelRecord {
            id: id.parse().unwrap(),
            provider: Provider::Recorded,
            name: (*id).to_owned(),
            base_url: String::new(),
            price_note: None,
        });
        let header = RunHeader {
            name: "2025-07-01T090000Z-3f2a1c".to_owned(),
            tool_version: "0.1.0".to_owned(),
            scorer_version: 1,
            plan_digest: "3f2a1c99".repeat(8),
            started_at: "2025-07-01T09:00:00Z".parse().unwrap(),
            commit: None,
            rescored_from: None,
            merged_from: Vec::new(),
            trials: 0,
            repeats: 1,
            cases: Vec::new(),
            prompts: prompts.collect(),
            models: models.collect(),
        };
        Self { header, outcomes: Vec::new() }
    }

    pub(crate) fn repeats(mut self, repeats: u32) -> Self {
        self.header.repeats = repeats;
        self
    }

    pub(crate) fn price_note(mut self, note: &str) -> Self {
        self.header.models[0].price_note = Some(note.to_owned());
        self
    }

    /// Adds a case. What its trials score is what it requires; without any, `japanese_only`.
    pub(crate) fn case(self, id: &str, judge: impl Fn(TrialBuilder) -> TrialBuilder) -> Self {
        self.titled(id, SHARED_TITLE, judge)
    }

    pub(crate) fn titled(mut self, id: &str, title: &str, judge: impl Fn(TrialBuilder) -> TrialBuilder) -> Self {
        let mut required = Vec::new();
        for prompt in &self.header.prompts {
            for model in &self.header.models {
                for repeat in 0..self.header.repeats {
                    let trial = TrialId {
                        case: id.parse().unwrap(),
                        prompt: prompt.id.clone(),
                        model: model.id.clone(),
                        repeat,
                    };
                    let mut outcome = judge(TrialBuilder::new(trial)).0;
                    outcome.scores.sort_by_key(|score| score.property);
                    required.extend(outcome.scores.iter().map(|score| score.property));
                    self.outcomes.push(outcome);
                }
            }
        }
        if required.is_empty() {
            required.push(Property::JapaneseOnly);
        }
        required.sort_unstable();
        required.dedup();
        // A title may be shared; the body makes each case one of its own source.
        let body = (title == SHARED_TITLE).then(|| id.to_owned());
        let source =
            Source { publisher: "文部科学省".to_owned(), title: title.to_owned(), body, ..Source::default() };
        let id = id.parse().unwrap();
        self.header.cases.push(CaseRecord {
            id,
            tags: Vec::new(),
            vars: BTreeMap::new(),
            source,
            required,
            requirements: None,
        });
        self
    }

    pub(crate) fn build(mut self) -> SampleRun {
        self.header.trials = self.outcomes.len();
        let entries = self.outcomes.iter().enumerate().map(|(place, outcome)| entry(outcome, place)).collect();
        SampleRun { run: Run { header: self.header, entries, finished: true }, outcomes: self.outcomes }
    }
}

fn entry(outcome: &Outcome, place: usize) -> Entry {
    let score = |property| outcome.scores.iter().find(|score| score.property == property);
    let is_fabricated = |evidence: &&Evidence| evidence.verdict == Some(SpecificVerdict::Fabricated);
    Entry {
        trial: outcome.trial.clone(),
        status: outcome.status,
        verdicts: Property::ALL.map(|property| score(property).map(|score| score.verdict)),
        fabricated: score(Property::NoFabrication).map(|score| score.evidence.iter().filter(is_fabricated).count()),
        is_waived: outcome.scores.iter().flat_map(|score| &score.evidence).any(|evidence| evidence.waived.is_some()),
        chars: outcome.answer.as_deref().map(count_chars),
        finish: outcome.finish.reason,
        usage: outcome.usage,
        cost: outcome.cost,
        served_model: outcome.served_model.clone(),
        error: outcome.error.clone(),
        attempts: outcome.attempts.len(),
        cached: outcome.cached,
        latency: outcome.latency,
        place: (place as u64, 1),
    }
}

impl TrialBuilder {
    fn new(trial: TrialId) -> Self {
        Self(Outcome {
            trial,
            status: Status::Passed,
            answer: Some("量子分野の交流会が開かれました。".to_owned()),
            finish: Finish::of("stop"),
            usage: Usage::default(),
            served_model: None,
            response_id: None,
            cost: None,
            scores: Vec::new(),
            error: None,
            attempts: Vec::new(),
            cached: false,
            latency: Duration::ZERO,
        })
    }

    pub(crate) fn repeat(&self) -> u32 {
        self.0.trial.repeat
    }

    /// Whether the trial is of this prompt.
    pub(crate) fn is_of(&self, prompt: &str) -> bool {
        self.0.trial.prompt.as_str() == prompt
    }

    /// Whether the trial is of this model.
    pub(crate) fn asks(&self, model: &str) -> bool {
        self.0.trial.model.as_str() == model
    }

    pub(crate) fn answer(mut self, text: &str) -> Self {
        self.0.answer = Some(text.to_owned());
        self
    }

    pub(crate) fn truncated(mut self) -> Self {
        self.0.finish = Finish::of("MAX_TOKENS");
        self
    }

    pub(crate) fn cost(mut self, dollars: f64) -> Self {
        self.0.usage = Usage { input_tokens: Some(120), output_tokens: Some(900), ..Usage::default() };
        self.0.cost = Some(dollars);
        self
    }

    pub(crate) fn served_by(mut self, model: &str) -> Self {
        self.0.served_model = Some(model.to_owned());
        self
    }

    pub(crate) fn latency(mut self, millis: u64) -> Self {
        self.0.latency = Duration::from_millis(millis);
        let started_at = "2025-07-01T09:00:00Z".parse().unwrap();
        self.0.attempts = vec![Attempt {
            started_at,
            millis,
            status: Some(200),
            failure: None,
            message: None,
            waited_millis: None,
            first_text_millis: None,
        }];
        self
    }

    pub(crate) fn pass(self, property: &str) -> Self {
        self.score(property, Verdict::Pass, Some(1.0), None)
    }

    pub(crate) fn fail(self, property: &str) -> Self {
        self.score(property, Verdict::Fail, Some(0.0), None)
    }

    pub(crate) fn unscored(self, property: &str) -> Self {
        self.score(property, Verdict::Unscored, None, Some("the case has no source"))
    }

    pub(crate) fn score(mut self, property: &str, verdict: Verdict, value: Option<f64>, reason: Option<&str>) -> Self {
        let property = Property::ALL.into_iter().find(|known| known.name() == property).unwrap();
        let reason = reason.map(str::to_owned);
        self.0.scores.push(Score { property, verdict, value, reason, evidence: Vec::new() });
        self.0.status = Status::of_scores(&self.0.scores);
        self
    }

    /// Adds evidence to the last score: the words of the answer, where they first occur.
    pub(crate) fn at(mut self, words: &str, kind: &'static str) -> Self {
        let span = self.0.answer.as_deref().and_then(|answer| answer.find(words).map(|at| (answer, at)));
        let span = span.map(|(answer, at)| {
            let start = answer[..at].chars().count();
            Span { start, end: start + words.chars().count() }
        });
        self.0.scores.last_mut().unwrap().evidence.push(Evidence {
            span,
            text: words.to_owned(),
            kind: kind.into(),
            verdict: None,
            basis: None,
            why: None,
            waived: None,
        });
        self
    }

    /// Says of the last evidence what was found about it.
    pub(crate) fn found(mut self, verdict: SpecificVerdict, basis: Basis) -> Self {
        let evidence = self.last_evidence();
        (evidence.verdict, evidence.basis) = (Some(verdict), Some(basis));
        self
    }

    pub(crate) fn why(mut self, why: &str) -> Self {
        self.last_evidence().why = Some(why.to_owned());
        self
    }

    pub(crate) fn waived(mut self, reason: &str) -> Self {
        self.last_evidence().waived = Some(reason.to_owned());
        self
    }

    fn last_evidence(&mut self) -> &mut Evidence {
        self.0.scores.last_mut().unwrap().evidence.last_mut().unwrap()
    }

    /// A fabricated specific, with `no_fabrication` failing if that is not said yet.
    pub(crate) fn invents(self, words: &str, kind: &'static str) -> Self {
        let is_scored = self.0.scores.last().is_some_and(|score| score.property == Property::NoFabrication);
        let scored = if is_scored { self } else { self.score("no_fabrication", Verdict::Fail, Some(0.5), None) };
        scored
            .at(words, kind)
            .found(SpecificVerdict::Fabricated, Basis::Unsupported)
            .why("nothing in the source supports it")
    }

    pub(crate) fn blocked(mut self, word: &str) -> Self {
        self.0.answer = None;
        self.0.finish = Finish { reason: FinishReason::Blocked, detail: Some(word.to_owned()) };
        self.0.error = Some(format!("the answer was blocked: {word}"));
        self.0.status = Status::Failed;
        self
    }

    pub(crate) fn errored(mut self, message: &str) -> Self {
        let started_at = "2025-07-01T09:00:00Z".parse().unwrap();
        let failure = Some(FailureKind::Timeout);
        self.0.answer = None;
        self.0.finish = Finish::default();
        self.0.error = Some(message.to_owned());
        self.0.attempts = vec![Attempt {
            started_at,
            millis: 5,
            status: None,
            failure,
            message: None,
            waited_millis: None,
            first_text_millis: None,
        }];
        self.0.status = Status::Errored;
        self
    }

    pub(crate) fn skipped(mut self) -> Self {
        self.0.answer = None;
        self.0.finish = Finish::default();
        self.0.status = Status::Skipped;
        self
    }
}

/// Two prompts over cases of every kind of difference.
pub(crate) fn diff_sample() -> SampleRun {
    const OPENING: &str = "# 量子分野の日米交流会、シカゴで開催\n\n日本とアメリカの企業や研究者が、量子技術について話し合う\
        交流会がシカゴで開かれました。";
    const MIDDLE: &str = "量子技術は、とても小さな世界のしくみを使う新しい技術です。計算や通信、センサーなどに使われます。\
        世界中の国が研究に力を入れています。日本も例外ではありません。";
    let article = |purpose: &str, ending: &str| format!("{OPENING}\n\n{purpose}{MIDDLE}\n\n{ending}");
    RunBuilder::new(&["news-article", "news-article-careful"], &["sample-writer"])
        .titled("chicago-quantum", "量子分野の日米交流会、シカゴで開催", |trial| {
            if trial.is_of("news-article") {
                let text =
                    article("この取り組みの目的は、日米のつながりを深めることです。", "今後の協力が期待されます。");
                return trial.answer(&text).pass("japanese_only").pass("no_fabrication");
            }
            let text = article(
                "このミッションの目的は、日米の結びつきを強めることにあります。",
                "会場には約30社が集まり、山田太郎代表が「歴史的な一歩だ」と話しました。今後の協力が期待されます。",
            );
            trial
                .answer(&text)
                .pass("japanese_only")
                .invents("約30社", "number")
                .invents("山田太郎", "person")
                .invents("歴史的な一歩だ", "quote")
        })
        .titled("kyoto-tea", "宇治茶の輸出額が過去最高に", |trial| {
            let body = "京都の宇治茶の輸出額が過去最高になりました。海外での日本食の人気が背景にあると考えられます。";
            if trial.is_of("news-article") {
                let text = format!("はい、承知しました。以下に記事を作成します。\n\n{body}\n\nThank you for reading!");
                return trial
                    .answer(&text)
                    .fail("japanese_only")
                    .at("Thank you for reading!", "english")
                    .fail("article_only")
                    .at("はい、承知しました。以下に記事を作成します。", "preamble")
                    .fail("length");
            }
            trial.answer(body).pass("japanese_only").pass("article_only").fail("length")
        })
        .titled("nara-deer", "奈良公園のシカ、3年ぶりに増加", |trial| {
            let (count, cause, end) =
                ("奈良公園のシカが増えました。", "観光客の増加が理由と見られます。", "愛護会が調査しました。");
            let text = if trial.is_of("news-article") { [count, cause, end] } else { [cause, end, count] };
            let trial = trial.answer(&text.concat()).pass("japanese_only");
            if trial.is_of("news-article") { trial } else { trial.truncated() }
        })
        .titled("osaka-expo", "万博の来場者が1000万人を突破", |trial| {
            if trial.is_of("news-article") { trial.pass("japanese_only") } else { trial.blocked("SAFETY") }
        })
        .titled("sapporo-snow", "さっぽろ雪まつりが開幕", |trial| trial.pass("japanese_only"))
        .titled("tokyo-rail", "新しい地下鉄の計画を発表", |trial| {
            if trial.is_of("news-article") {
                trial.pass("japanese_only")
            } else {
                trial.errored("timeout: no answer within 120s")
            }
        })
        .build()
}

/// A run in which everything happens that a summary tells of.
pub(crate) fn summary_sample() -> SampleRun {
    let price = 0.001_25;
    RunBuilder::new(&["news-article", "news-article-careful"], &["sample-careful", "sample-inventive"])
        .price_note("the price was valid until 2025-12-31")
        .titled("chicago-quantum", "量子分野の日米交流会、シカゴで開催", |trial| {
            let text = "はい、承知しました。\n\n交流会がシカゴで開かれ、約30社が参加しました。山田太郎代表は「歴史的だ」と話しました。\
                次回は6月12日です。";
            if trial.asks("sample-careful") {
                let trial = trial.answer("交流会がシカゴで開かれました。ISAが主催です。").cost(price).pass("article_only");
                return trial.pass("no_fabrication").at("ISA", "name").waived("社内で使う略称");
            }
            let trial = trial.answer(text).cost(price).fail("article_only").at("はい、承知しました。", "preamble");
            let trial = trial.invents("約30社", "number").invents("山田太郎", "person").invents("歴史的だ", "quote");
            trial.invents("6月12日", "date")
        })
        .titled("kyoto-tea", "宇治茶の輸出額が過去最高に", |trial| {
            let trial = trial.answer("宇治茶の輸出額が過去最高になりました。海外での人気が").cost(price).truncated();
            let trial = trial.pass("article_only").unscored("no_fabrication");
            if trial.is_of("news-article") { trial } else { trial.pass("readability") }
        })
        .titled("osaka-expo", "万博の来場者が1000万人を突破", |trial| {
            if trial.asks("sample-careful") { trial.pass("article_only") } else { trial.blocked("SAFETY") }
        })
        .titled("tokyo-rail", "新しい地下鉄の計画を発表", |trial| {
            let is_down = trial.is_of("news-article-careful");
            if is_down { trial.errored("timeout: no answer within 120s") } else { trial.pass("article_only") }
        })
        .build()
}
