//! One outcome on a terminal: the answer with its evidence marked in place, and the scores beneath.

use std::cmp::Reverse;
use std::io::{self, Write};

use anstyle::Style;

use super::{BAD, GOOD, ODD, QUIET, TITLE, TerminalOptions, style, write_lines};
use crate::case::Source;
use crate::outcome::{Outcome, Run, Status, Subject};
use crate::property::Property;
use crate::report::csv::decimal;
use crate::report::escape::{one_line, visible};
use crate::report::evidence::{Weight, quote, weight};
use crate::report::lang::Words;
use crate::report::names::full;
use crate::score::plain::count_chars;
use crate::score::{Basis, Evidence, Score, Span, SpecificVerdict, Verdict};

/// Writes an outcome of `run`: what it was, the answer with numbered evidence, the scores.
///
/// Evidence stands in brackets, `[1✗ 約30社]`; with colour it is underlined and its number follows.
///
/// # Errors
/// `out` cannot be written.
pub fn write_outcome(run: &Run, outcome: &Outcome, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    write_head(run, outcome, options, &mut text)?;
    writeln!(text)?;
    let marks = marks(outcome.answer.as_deref().unwrap_or_default(), &outcome.scores);
    if let Some(answer) = outcome.answer.as_ref().filter(|answer| !answer.trim().is_empty()) {
        writeln!(text, "{}", marked(answer, &marks, options).trim_end())?;
    }
    // A blocked answer may have begun with some text: that it was not judged is said nevertheless.
    if outcome.answer.is_none() || outcome.error.is_some() {
        write_no_answer(outcome, options, &mut text)?;
    }
    if is_truncated(outcome) {
        let words = options.lang.words();
        writeln!(text, "{}", options.paint(ODD, &format!("… {}", words.truncated)))?;
    }
    write_scores(&outcome.scores, &marks, options, &mut text)?;
    write_lines(&text, out)
}

/// Writes a text that was judged by itself: its name, the news it is about, the text with numbered evidence, the scores.
///
/// # Errors
/// `out` cannot be written.
pub fn write_scored(
    name: &str,
    source: Option<&Source>,
    answer: &str,
    scores: &[Score],
    options: TerminalOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut text = Vec::new();
    writeln!(text, "{}", options.paint(TITLE, &one_line(name)))?;
    if let Some(about) = source.map(about).filter(|about| !about.is_empty()) {
        writeln!(text, "{about}")?;
    }
    let marks = marks(answer, scores);
    writeln!(text, "\n{}", marked(answer, &marks, options).trim_end())?;
    write_scores(scores, &marks, options, &mut text)?;
    write_lines(&text, out)
}

fn write_no_answer(outcome: &Outcome, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let why = outcome.error.as_deref().unwrap_or_else(|| outcome.finish.reason.name());
    writeln!(
        out,
        "{}: {}",
        options.paint(TITLE, options.lang.words().no_answer),
        one_line(&(options.lang.words().reason)(why))
    )
}

fn write_scores(scores: &[Score], marks: &[Mark], options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    for (n, score) in scores.iter().enumerate() {
        if n == 0 {
            writeln!(out)?;
        }
        write_score(n, score, marks, options, out)?;
    }
    Ok(())
}

fn is_truncated(outcome: &Outcome) -> bool {
    outcome.finish.reason.is_truncated()
}

fn write_head(run: &Run, outcome: &Outcome, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let words = options.lang.words();
    writeln!(out, "{}", options.paint(TITLE, &outcome.trial.to_string()))?;
    if let Some(case) = run.header.cases.iter().find(|case| case.id == outcome.trial.case) {
        writeln!(out, "{}", about(&case.source))?;
    }
    let mut facts = vec![options.paint(style(outcome.status), (words.status)(outcome.status))];
    if is_truncated(outcome) {
        facts.push(options.paint(ODD, words.truncated));
    }
    facts.extend(details(outcome, words));
    writeln!(out, "{}", facts.join(" · "))
}

/// When, who, what.
fn about(source: &Source) -> String {
    let parts = [one_line(&source.publisher), one_line(&source.title)];
    let published = source.published_at.map(|at| at.to_string());
    let parts: Vec<String> = published.into_iter().chain(parts).filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

/// Length, finish reason, tokens, cost, model and attempts, as far as they are known.
fn details(outcome: &Outcome, words: &Words) -> Vec<String> {
    let usage = outcome.usage;
    let tokens = match (usage.input_tokens, usage.output_tokens) {
        (None, None) => None,
        (input, output) => {
            let count = |tokens: Option<u64>| tokens.map_or_else(|| "?".to_owned(), |tokens| tokens.to_string());
            Some((words.tokens)(&count(input), &count(output)))
        }
    };
    let reason = outcome.finish.reason.name();
    let details = [
        outcome.answer.as_ref().map(|answer| (words.chars)(count_chars(answer))),
        Some((words.finish)(reason)).filter(|_| !reason.is_empty()),
        tokens,
        outcome.cost.map(|cost| format!("{} USD", decimal(cost, 4))),
        outcome.served_model.as_deref().map(one_line),
        Some((words.attempts)(outcome.attempts.len())).filter(|_| outcome.attempts.len() > 1),
    ];
    details.into_iter().flatten().collect()
}

/// A piece of evidence with its place.
#[derive(Debug)]
struct Mark {
    /// From 1, in the order in which the answer is read.
    number: usize,
    /// Which score, and which piece of its evidence.
    of: (usize, usize),
    span: Span,
    weight: Weight,
}

/// All evidence that has a place in the answer, numbered.
fn marks(answer: &str, scores: &[Score]) -> Vec<Mark> {
    let length = answer.chars().count();
    let mut marks = Vec::new();
    for (s, score) in scores.iter().enumerate() {
        for (e, evidence) in score.evidence.iter().enumerate() {
            let Some(span) = evidence.span.filter(|span| span.start < span.end && span.end <= length) else { continue };
            marks.push(Mark { number: 0, of: (s, e), span, weight: weight(score, evidence) });
        }
    }
    marks.sort_by_key(|mark| (mark.span.start, Reverse(mark.span.end), mark.of));
    marks.iter_mut().enumerate().for_each(|(n, mark)| mark.number = n + 1);
    marks
}

impl Weight {
    const fn sign(self) -> char {
        match self {
            Self::Against => '✗',
            Self::Neutral => '?',
            Self::For => '✓',
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Against => BAD,
            Self::Neutral => ODD,
            Self::For => GOOD,
        }
    }
}

/// The answer with its marks.
fn marked(answer: &str, marks: &[Mark], options: TerminalOptions) -> String {
    let mut edges: Vec<usize> = marks.iter().flat_map(|mark| [mark.span.start, mark.span.end]).collect();
    edges.extend([0, answer.chars().count()]);
    edges.sort_unstable();
    edges.dedup();
    let mut text = String::with_capacity(answer.len() * 2);
    let mut chars = answer.chars();
    let mut open: Vec<&Mark> = Vec::new();
    let mut next = marks.iter().peekable();
    for (n, edge) in edges.iter().enumerate() {
        let (closed, still_open): (Vec<&Mark>, Vec<&Mark>) = open.into_iter().partition(|mark| mark.span.end == *edge);
        open = still_open;
        text.extend(closed.into_iter().rev().map(|mark| closing(mark, options)));
        while let Some(mark) = next.next_if(|mark| mark.span.start == *edge) {
            text.push_str(&opening(mark, options));
            open.push(mark);
        }
        let Some(end) = edges.get(n + 1) else { break };
        let part: String = chars.by_ref().take(end - edge).collect();
        text.push_str(&painted(&visible(&part), &open, options));
    }
    text
}

fn opening(mark: &Mark, options: TerminalOptions) -> String {
    if options.colour { String::new() } else { format!("[{}{} ", mark.number, mark.weight.sign()) }
}

fn closing(mark: &Mark, options: TerminalOptions) -> String {
    if !options.colour {
        return "]".to_owned();
    }
    options.paint(mark.weight.style(), &format!("[{}{}]", mark.number, mark.weight.sign()))
}

/// Underlined in the colour of the gravest open mark, line by line, so that no style runs over a line's end.
fn painted(part: &str, open: &[&Mark], options: TerminalOptions) -> String {
    let gravest = [Weight::Against, Weight::Neutral, Weight::For]
        .into_iter()
        .find(|weight| open.iter().any(|mark| mark.weight == *weight));
    let Some(weight) = gravest else { return part.to_owned() };
    let lines: Vec<String> = part.split('\n').map(|line| options.paint(weight.style().underline(), line)).collect();
    lines.join("\n")
}

fn write_score(
    n: usize,
    score: &Score,
    marks: &[Mark],
    options: TerminalOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = options.lang.words();
    let (sign, status) = match score.verdict {
        Verdict::Pass => ("✓", Status::Passed),
        Verdict::Fail => ("✗", Status::Failed),
        Verdict::Unscored => ("?", Status::Undecided),
    };
    let verdict = options.paint(
        style(status),
        &format!("{sign} {} {}", full(Subject::Property(score.property), options.lang), (words.verdict)(status)),
    );
    let value = score.value.map(|value| decimal(value, 3));
    // A reason may begin with the value that it is about.
    let is_said = |value: &String| score.reason.as_ref().is_some_and(|reason| reason.starts_with(&format!("{value} ")));
    let value = value.filter(|value| !is_said(value)).map(|value| match score.property {
        Property::Length => format!(" {}", (words.chars_of_length)(&value)),
        _ => format!(" {value}"),
    });
    let value = value.unwrap_or_default();
    let reason =
        score.reason.as_deref().map(|reason| format!(" {}", one_line(&(words.reason)(reason)))).unwrap_or_default();
    writeln!(out, "{verdict}{value}{reason}")?;
    for (e, evidence) in score.evidence.iter().enumerate() {
        let number = marks.iter().find(|mark| mark.of == (n, e)).map_or(String::new(), |mark| mark.number.to_string());
        let weight = weight(score, evidence);
        let mark = options.paint(weight.style(), &format!("[{number}{}]", weight.sign()));
        writeln!(out, "    {mark} {} {}", quote(evidence, words), options.paint(QUIET, &said(evidence, words)))?;
    }
    Ok(())
}

/// `number · fabricated · unsupported · why · waived: reason`.
fn said(evidence: &Evidence, words: &Words) -> String {
    let waived = evidence.waived.as_deref().map(|reason| (words.waived)(&one_line(reason)));
    // `hedged · hedge` says one thing twice.
    let is_said = |basis: Basis| {
        matches!(
            (evidence.verdict, basis),
            (Some(SpecificVerdict::Hedged), Basis::Hedge) | (Some(SpecificVerdict::Background), Basis::Background)
        )
    };
    let parts = [
        Some((words.kind)(&evidence.kind).to_owned()),
        evidence.verdict.map(|verdict| (words.specific)(verdict).to_owned()),
        evidence.basis.filter(|basis| !is_said(*basis)).map(|basis| (words.basis)(basis).to_owned()),
        evidence.why.as_deref().map(|why| one_line(&(words.reason)(why))),
        waived,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcomes;
    use crate::report::lang::Lang;
    use crate::report::sample::{RunBuilder, SampleRun};

    fn rendered(run: &SampleRun, options: TerminalOptions) -> String {
        let mut out = Vec::new();
        write_outcome(run, &run.outcome(&run.entries[0]).unwrap(), options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn sample() -> SampleRun {
        RunBuilder::new(&["news-article"], &["sample-inventive"])
            .titled("chicago-quantum", "量子分野の日米交流会、シカゴで開催", |trial| {
                let trial = trial
                    .answer("はい、承知しました。\n\n交流会の目的は、約30社が参加して\x1bつながりを\n深めることです。次は京都かも")
                    .truncated()
                    .cost(0.001_25)
                    .served_by("sample-2")
                    .fail("article_only")
                    .at("はい、承知しました。", "preamble")
                    .pass("covers_purpose")
                    .at("交流会の目的は、約30社が参加して\x1bつながりを\n深めることです。", "purpose")
                    .invents("約30社", "number");
                trial
                    .at("京都", "place")
                    .found(SpecificVerdict::Hedged, Basis::Hedge)
                    .why("かも")
                    .at("交流会", "name")
                    .found(SpecificVerdict::Fabricated, Basis::Unsupported)
                    .waived("社内の呼び名")
                    .unscored("matches")
            })
            .build()
    }

    #[test]
    fn evidence_stands_in_brackets_with_the_scores_beneath() {
        insta::assert_snapshot!(rendered(&sample(), TerminalOptions::default()), @"
        chicago-quantum · news-article@sample-inventive
        文部科学省 · 量子分野の日米交流会、シカゴで開催
        failed · TRUNCATED · 47 characters · ended by length · 120 + 900 tokens · 0.00125 USD · sample-2

        [1✗ はい、承知しました。]

        [2✓ [3? 交流会]の目的は、[4✗ 約30社]が参加して␛つながりを
        深めることです。]次は[5? 京都]かも
        … TRUNCATED

        ✗ article_only fail 0
            [1✗] 「はい、承知しました。」 preamble
        ✓ covers_purpose pass 1
            [2✓] 「交流会の目的は、約30社が参加して␛つながりを 深めることです。」 purpose
        ✗ no_fabrication fail 0.5
            [4✗] 「約30社」 number · fabricated · unsupported · nothing in the source supports it
            [5?] 「京都」 place · hedged · かも
            [3?] 「交流会」 name · fabricated · unsupported · waived: 社内の呼び名
        ? matches unscored the case has no source
        ");
    }

    #[test]
    fn an_outcome_is_shown_in_japanese_too() {
        let options = TerminalOptions { lang: Lang::Ja, ..TerminalOptions::default() };
        let text = rendered(&sample(), options);
        assert!(text.contains("不合格 · 途中で打ち切り · 47文字"), "{text}");
    }

    #[test]
    fn with_colour_evidence_is_underlined_and_its_number_follows() {
        let text = rendered(&sample(), TerminalOptions { colour: true, ..TerminalOptions::default() });
        let escape = text.replace('\x1b', "^");
        let answer: Vec<&str> = escape.lines().skip(4).take(4).collect();
        insta::assert_snapshot!(answer.join("\n"), @"
        ^[4m^[31mはい、承知しました。^[0m^[31m[1✗]^[0m

        ^[4m^[33m交流会^[0m^[33m[3?]^[0m^[4m^[32mの目的は、^[0m^[4m^[31m約30社^[0m^[31m[4✗]^[0m^[4m^[32mが参加して␛つながりを^[0m
        ^[4m^[32m深めることです。^[0m^[32m[2✓]^[0m次は^[4m^[33m京都^[0m^[33m[5?]^[0mかも
        ");
    }

    #[test]
    fn a_trial_without_an_answer_says_why() {
        let run = RunBuilder::new(&["p"], &["m"]).case("a", |trial| trial.errored("timeout: none\nwithin 1s")).build();
        insta::assert_snapshot!(rendered(&run, TerminalOptions::default()), @"
        a · p@m
        文部科学省 · 量子分野の交流会、シカゴで開催
        errored

        no answer: timeout: none within 1s
        ");
    }

    #[test]
    fn evidence_beyond_the_answer_is_listed_without_a_place() {
        let run = RunBuilder::new(&["p"], &["m"])
            .case("a", |trial| trial.answer("短い。").fail("contains").at("必須の語", "missing"))
            .build();
        assert!(rendered(&run, TerminalOptions::default()).contains("[✗] missing: 「必須の語」 missing"));
    }
}
