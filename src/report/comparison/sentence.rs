//! What a comparison says, in sentences for somebody who has never heard of a p: English and Japanese.

mod english;
mod japanese;

use english::ENGLISH;
use japanese::JAPANESE;

use crate::compare::{Compared, Measure, Verdict, Warning};
use crate::id::CaseId;
use crate::report::csv::decimal;
use crate::report::lang::Lang;
use crate::stats::{LEVEL, Undefined};

/// With fewer cases a test can tell hardly anything.
const TOO_FEW: usize = 6;

/// The sentences of one language.
#[derive(Debug)]
pub(crate) struct Sentences {
    pub(crate) lang: Lang,
    /// What was found of a subject, with the margin.
    pub(crate) finding: fn(&Compared, f64) -> String,
    /// A verdict in one or two words.
    pub(crate) verdict: fn(Option<Verdict>) -> &'static str,
    /// Why a figure is missing.
    pub(crate) undefined: fn(Undefined) -> &'static str,
    /// What could mislead.
    pub(crate) warning: fn(&Warning) -> String,
    /// How many properties moved clearly, of how many, where chance alone moves some.
    pub(crate) movement: fn(usize, usize) -> String,
    /// How often the same variant disagrees with itself.
    pub(crate) noise: fn(Option<f64>, Option<f64>) -> Option<String>,
    /// How the figures came about: level and margin, method, family of tests.
    pub(crate) method: fn(&Compared, f64) -> String,
    /// Cochran's test over several variants.
    pub(crate) several: fn(usize, Result<f64, Undefined>) -> String,
    /// So many variants.
    pub(crate) variants: fn(usize) -> String,
    /// The heading of several variants taken together.
    pub(crate) together: fn(usize) -> String,
    /// The heading of several variants one by one, with what they are compared by.
    pub(crate) apart: fn(&str) -> String,
    /// What is said of a variant that is worse by itself: its name, and its rates before and after.
    pub(crate) worse: fn(&str, &str) -> String,
    /// A share in percent.
    pub(crate) percent: fn(f64) -> String,
    /// A range of another level than the others.
    pub(crate) at_level: fn(&str, &str) -> String,
    /// What is measured beside the verdicts.
    pub(crate) measure: fn(Measure) -> &'static str,
    /// The cases compared.
    pub(crate) cases: fn(usize) -> String,
    /// Column headings: base, candidate, difference, its range, verdict, fixed, broken, mixed, flaky, p, p adjusted.
    pub(crate) columns: [&'static str; 11],
    /// How p was adjusted: for the subject that was declared to decide, and for the sizes of both families.
    pub(crate) adjusted: fn(&str, usize, usize) -> String,
    /// Headings: prompts, answers, other measures, warnings, cases that were renamed.
    pub(crate) prompts: &'static str,
    pub(crate) measures: &'static str,
    pub(crate) warnings: &'static str,
    pub(crate) renamed: &'static str,
    pub(crate) title: &'static str,
    /// The heading of cases that broke in some property and not as a whole.
    pub(crate) broken_in_part: &'static str,
    /// The heading of cases that one variant broke and another fixed.
    pub(crate) broken_with_some: &'static str,
    /// That more stood under a heading.
    pub(crate) clipped: &'static str,
    /// What was cut off.
    pub(crate) cut: &'static str,
    /// How many more there are than are shown.
    pub(crate) more: fn(usize) -> String,
}

/// The sentences of a language.
pub(crate) const fn sentences(lang: Lang) -> &'static Sentences {
    match lang {
        Lang::En => &ENGLISH,
        Lang::Ja => &JAPANESE,
    }
}

/// The most cases that a warning names.
const MOST_NAMES: usize = 5;

/// The names of cases, and how many more there are.
fn listed(cases: &[CaseId], lang: Lang) -> String {
    let words = lang.words();
    let mut names: Vec<String> = cases.iter().take(MOST_NAMES).map(ToString::to_string).collect();
    let more = cases.len() - names.len();
    names.extend((more > 0).then(|| (words.more)(more)));
    names.join(words.list)
}

/// Whether every case gave the same verdicts on both sides.
fn is_unchanged(compared: &Compared) -> bool {
    compared.fixed.is_empty() && compared.broken.is_empty() && compared.mixed.is_empty() && compared.flaky.is_empty()
}

/// The level of a range in percent, where it is not the usual one: several candidates widen those of what is to decide.
pub(crate) fn own_level(compared: &Compared) -> Option<String> {
    ((compared.level - LEVEL).abs() > 1e-9).then(|| decimal(compared.level * 100.0, 4))
}

/// The smallest p of a sign-flip test over so many sources.
fn least_p(sources: usize) -> f64 {
    2.0_f64.powi(1 - i32::try_from(sources).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Arm, Options, Pair, Side, compare};
    use crate::outcome::Subject;
    use crate::report::names::{full, quoted};
    use crate::report::sample::{RunBuilder, TrialBuilder};

    /// What each of `many` cases does with the base and with the candidate: a letter a repeat.
    fn compared(cases: &[(usize, &'static str, &'static str)], margin: f64) -> Compared {
        let repeats = u32::try_from(cases[0].1.len()).unwrap();
        let act = |trial: TrialBuilder, what: u8| match what {
            b'p' => trial.pass("length"),
            b'f' => trial.fail("length"),
            _ => trial.errored("timeout"),
        };
        let mut builder = RunBuilder::new(&["a", "b"], &["m"]).repeats(repeats);
        for (kind, (many, base, candidate)) in cases.iter().enumerate() {
            builder = (0..*many).fold(builder, |builder, n| {
                let id = format!("c{kind}-{n}");
                builder.titled(&id, &id, |trial| {
                    let acts = if trial.is_of("a") { base } else { candidate };
                    let what = acts.as_bytes()[trial.repeat() as usize];
                    act(trial, what)
                })
            });
        }
        let run = builder.build();
        let arm =
            |prompt: usize| Arm { run: &run, prompt: &run.header.prompts[prompt].id, model: &run.header.models[0].id };
        let pair = Pair { base: arm(0), candidate: arm(1) };
        let comparison = compare(&[pair], Options { margin, ..Options::default() }).unwrap();
        comparison.subject(Subject::All).unwrap().clone()
    }

    /// A finding of each form.
    fn findings(words: &Sentences) -> String {
        let worlds: [&[(usize, &'static str, &'static str)]; 11] = [
            &[(10, "p", "p"), (10, "f", "p")],
            &[(10, "p", "p"), (1, "f", "p"), (10, "p", "f")],
            &[(400, "p", "p"), (5, "f", "p"), (16, "p", "f")],
            &[(200, "p", "p"), (1, "f", "p"), (1, "p", "f")],
            &[(12, "p", "p"), (2, "f", "p"), (1, "p", "f")],
            &[(12, "p", "p")],
            &[(3, "p", "p"), (1, "f", "p")],
            &[(1, "p", "f")],
            &[(30, "p", "p"), (10, "f", "p"), (20, "p", "!")],
            &[(20, "pp", "pp"), (12, "ff", "pp"), (1, "pp", "pf")],
            &[(2, "!", "!")],
        ];
        let told = worlds.map(|cases| (words.finding)(&compared(cases, 0.05), 0.05));
        told.join("\n")
    }

    fn warnings(words: &Sentences) -> String {
        let cases = |count: usize| (0..count).map(|n| format!("c{n}").parse().unwrap()).collect::<Vec<CaseId>>();
        let warnings = [
            Warning::Itself,
            Warning::Unfinished(Side::Base),
            Warning::NoTexts(Side::Base),
            Warning::Missing { side: Side::Candidate, missing: 3, of: 24 },
            Warning::ScorerVersions(3, 4),
            Warning::PromptChanged("p".parse().unwrap()),
            Warning::ModelChanged("m".parse().unwrap(), "gemini flash-1".to_owned(), "gemini flash-2".to_owned()),
            Warning::ServedModels(vec!["flash-001".to_owned()], vec!["flash-002".to_owned()]),
            Warning::CasesChanged(cases(1)),
            Warning::CasesChanged(cases(7)),
            Warning::JudgedOtherwise(cases(2)),
            Warning::OnlyInOne(cases(2), cases(1)),
            Warning::OnlyInOne(Vec::new(), cases(1)),
            Warning::FewSources(4),
            Warning::Retries(0.0, 0.25),
            Warning::Repeats(1, 3),
        ];
        warnings.iter().map(words.warning).collect::<Vec<_>>().join("\n")
    }

    fn notes(words: &Sentences) -> String {
        let once = compared(&[(10, "p", "p"), (2, "f", "p")], 0.05);
        let repeated = compared(&[(10, "pp", "pf"), (2, "ff", "pp")], 0.05);
        let [base, candidate] = repeated.noise.map(Result::ok);
        [
            (words.movement)(0, 15),
            (words.movement)(2, 15),
            (words.noise)(base, candidate).unwrap(),
            (words.method)(&once, 0.05),
            (words.method)(&repeated, 0.05),
            (words.adjusted)(&quoted(Subject::All, words.lang), 1, 15),
            (words.worse)("p@m", "all 79 % → 0 %"),
            (words.together)(3),
            (words.apart)(&full(Subject::All, words.lang)),
            (words.several)(3, Ok(0.0123)),
            (words.several)(3, Err(Undefined::NoVariation)),
        ]
        .join("\n")
    }

    #[test]
    fn findings_are_sentences() {
        insta::assert_snapshot!(findings(sentences(Lang::En)), @"
        The candidate passes 10 more of 20 cases (fixed 10, broke 0); plausible range +26 to +70 points.
        The candidate passes 9 fewer of 21 cases (fixed 1, broke 10), worse by more than the 5 points allowed; plausible range −65 to −14 points.
        The candidate passes 11 fewer of 421 cases (fixed 5, broke 16); plausible range −5 to −0.5 points.
        The candidate is at most 2 points worse (limit 5) and could be 2 better (fixed 1, broke 1 of 202).
        Cannot tell: the candidate could be 20 points worse or 34 better (fixed 2, broke 1 of 15). About 152 cases would be needed to find a 10-point difference 4 times in 5.
        Every case gave the same verdict; with 12 cases a net change of up to 24 points could still be hidden.
        4 cases: even if all changed one way, it could barely be told from chance (fixed 1, broke 0). Read the texts.
        1 case: even if its verdict changed, it could barely be told from chance (fixed 0, broke 1). Read the texts.
        Cannot tell: the candidate could be 34 points worse or 40 better (fixed 10, broke 0 of 40). About 190 cases would be needed to find a 10-point difference 4 times in 5. The missing trials (20 cases) could change this.
        The candidate passes 35 points more over 33 cases (fixed 12, broke 0); plausible range +14 to +52 points.
        No figure: no case has a verdict on both sides.
        ");
    }

    #[test]
    fn findings_are_sentences_in_japanese() {
        insta::assert_snapshot!(findings(sentences(Lang::Ja)), @"
        20ケースのうち、合格が10ケース増えました(改善10ケース、悪化なし)。実際の差は+26〜+70ポイントと推定されます。
        21ケースのうち、合格が9ケース減りました(改善1ケース、悪化10ケース)。許容範囲の5ポイントを超える悪化です。実際の差は−65〜−14ポイントと推定されます。
        421ケースのうち、合格が11ケース減りました(改善5ケース、悪化16ケース)。実際の差は−5〜−0.5ポイントと推定されます。
        悪化していたとしても2ポイントまで(許容範囲は5ポイント)で、2ポイント改善している可能性もあります(202ケース中、改善1ケース、悪化1ケース)。
        改善とも悪化とも言えません。実際の差は−20〜+34ポイントと推定されます(15ケース中、改善2ケース、悪化1ケース)。10ポイントの差を8割の確率で見つけるには、約152ケースが必要です。
        どのケースでも判定は変わりませんでした。ただし12ケースでは、最大24ポイントの差を見逃している可能性があります。
        4ケースだけでは、すべてが同じ方向に変わっても偶然とほとんど区別できません(改善1ケース、悪化なし)。回答を読み比べてください。
        1ケースだけでは、判定が変わっても偶然とほとんど区別できません(悪化1ケース、改善なし)。回答を読み比べてください。
        改善とも悪化とも言えません。実際の差は−34〜+40ポイントと推定されます(40ケース中、改善10ケース、悪化なし)。10ポイントの差を8割の確率で見つけるには、約190ケースが必要です。ただし、結果のない20ケースしだいで結論が変わります。
        33ケースの合格率が35ポイント上がりました(改善12ケース、悪化なし)。実際の差は+14〜+52ポイントと推定されます。
        比べられません。両方で判定できたケースがありません。
        ");
    }

    #[test]
    fn warnings_are_sentences() {
        insta::assert_snapshot!(warnings(sentences(Lang::En)), @"
        a variant is compared with itself
        the base did not come to its end
        the base keeps no answers, so texts cannot be compared
        3 of 24 trials of the candidate have no outcome
        judged by different scorers (version 3 and 4): `evalrun rescore` both before comparing
        the prompt p has another text in each run
        m is another model now: gemini flash-1, then gemini flash-2
        servers answered with other models: flash-001, then flash-002
        1 case says something else than before and is left out: c0
        7 cases say something else than before and are left out: c0, c1, c2, c3, c4, and 2 more
        2 cases are judged by other requirements, aliases or background: c0, c1
        in the base alone: c0, c1; in the candidate alone: c0
        in the candidate alone: c0
        the cases share 4 sources: ranges over so few are rough, and p cannot be below 0.125
        retried answers: 0 % of the base's, 25 % of the candidate's
        a case was asked once of the base, 3 times of the candidate
        ");
    }

    #[test]
    fn warnings_are_sentences_in_japanese() {
        insta::assert_snapshot!(warnings(sentences(Lang::Ja)), @"
        同じもの同士を比べています
        比較元の実行は完了していません
        比較元には回答が残されていないため、文面は比べられません
        比較先の24試行のうち、3試行には結果がありません
        採点器のバージョンが違います(3と4)。比べる前に、両方を `evalrun rescore` で採点し直してください
        プロンプト p の文面が二つの実行で違います
        m の指すモデルが変わっています: gemini flash-1 → gemini flash-2
        応答したモデルが違います: flash-001 → flash-002
        内容の変わった1ケースは、比較から除いています: c0
        内容の変わった7ケースは、比較から除いています: c0、c1、c2、c3、c4、ほか2件
        2ケースで、判定の条件(要件・別名・背景知識)が変わっています: c0、c1
        比較元にしかないケース: c0、c1。比較先にしかないケース: c0
        比較先にしかないケース: c0
        ケースの元になったニュースが4本しかないため、範囲は大まかで、pは0.125を下回りません
        再試行で得た回答の割合が違います: 比較元0%、比較先25%
        1ケースあたりの試行回数が違います: 比較元1回、比較先3回
        ");
    }

    #[test]
    fn notes_are_sentences() {
        insta::assert_snapshot!(notes(sentences(Lang::En)), @"
        None of the 15 properties is clearly better or worse: each range includes 0. That does not say that nothing changed; more cases would tell.
        2 of 15 properties are clearly better or worse (the range does not include 0); about 0.8 would seem to be by chance alone.
        Asked again, the same variant changes its verdict on a case in 0 % (base) and 83 % (candidate) of askings: read differences against that.
        Ranges: 95 % two-sided, Tango's score interval over cases, McNemar's mid-p. Margin: 5 points.
        Ranges: 95 % two-sided, t interval over case means, guarded (conservative); the larger p of t and sign-flip. Margin: 5 points.
        p adjusted: `all` was declared to decide (Holm, 1); the others are exploration (Benjamini–Hochberg, 15).
        worse: p@m (all 79 % → 0 %)
        All 3 variants together
        Each variant by itself (all)
        All 3 variants together (Cochran's Q): p .012.
        All 3 variants together (Cochran's Q): undefined, no case tells the variants apart.
        ");
    }

    #[test]
    fn notes_are_sentences_in_japanese() {
        insta::assert_snapshot!(notes(sentences(Lang::Ja)), @"
        15項目のうち、はっきりした差が出たものはありません(どの範囲にも0が含まれます)。変化がなかったという意味ではなく、ケースを増やせば差が見えることもあります。
        15項目のうち2項目で、はっきりした差が出ました(範囲に0が含まれません)。ただし、偶然だけでも0.8項目ほどはそう見えます。
        同じ組み合わせで同じケースを試し直すだけでも、比較元では0%、比較先では83%の割合で判定が変わります。差を読むときは、この揺れと見比べてください。
        範囲は両側95%、ケース単位のTangoのスコア区間。pはMcNemar検定(mid-p)。悪化の許容範囲は5ポイント。
        範囲は両側95%、ケース平均のt区間(控えめに補正)。pはt検定と符号反転検定のうち大きい方。悪化の許容範囲は5ポイント。
        pの補正: 判断の基準に定めた全体(`all`)はHolm法(検定1件)、ほかの項目は探索的な参考としてBenjamini–Hochberg法(検定15件)。
        悪化した組み合わせ: p@m(all 79 % → 0 %)
        3通りの組み合わせの合計
        組み合わせごとの結果: 全体(all)
        3通りの組み合わせ全体の検定(CochranのQ検定): p .012
        3通りの組み合わせ全体の検定(CochranのQ検定): できません。結果の分かれたケースがありません。
        ");
    }
}
