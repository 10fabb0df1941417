//! Comparisons as Markdown, fit to be a comment on a code host: the verdict first, then broken cases with their words.
//!
//! Promises fewer than [`MOST_BYTES`] bytes: broken cases are named whatever is cut, and what is cut is said to be.

use std::io::{self, Write};

use super::sentence::{Sentences, own_level, sentences};
use super::{Rows, Titled, apart, broken, columns, movement, p_in_words, signed, telling, worse};
use crate::compare::{Compared, Comparison, Measure, Measured};
use crate::outcome::Subject;
use crate::report::csv::decimal;
use crate::report::diff::{Diff, DiffOptions, Prompts, Text, write_by_matter, write_markdown_rows};
use crate::report::escape::{markdown as escape, markdown_name as name, markdown_prose as prose, without_ci_commands};
use crate::report::names::{marked, quoted};

/// The most bytes that the names of broken cases take.
const MOST_OF_NAMES: usize = 16_000;

/// The most broken cases that are named.
const MOST_NAMES: usize = 200;

/// The most bytes of what stands under one heading, where not everything fits: a fifth of the room.
const MOST_OF_A_BLOCK: usize = 12_000;

/// The most bytes: a comment on GitHub takes 65,536 characters.
pub const MOST_BYTES: usize = 60_000;

/// Writes comparisons, then the diffs of the changed cases.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_markdown(
    compared: &[Titled<'_>],
    prompts: &[Prompts],
    diffs: &[Diff<'_>],
    options: DiffOptions<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = sentences(options.lang);
    let mut text = Vec::new();
    for titled in compared {
        write_comparison(titled, words, &mut text)?;
    }
    for Prompts { title, base, candidate } in prompts {
        writeln!(text, "\n## {}: {}", words.prompts, name(title))?;
        write_markdown_rows(&Text::plain(base), &Text::plain(candidate), options, &mut text)?;
    }
    if !diffs.is_empty() {
        writeln!(text)?;
        write_by_matter(diffs, options, &mut text)?;
    }
    let text = without_ci_commands(&String::from_utf8_lossy(&text));
    out.write_all(within(&text, words).as_bytes())
}

/// The text within the most bytes: what stands under a heading is clipped where it alone would take much of the room, then
/// the rest is cut off.
fn within(text: &str, words: &Sentences) -> String {
    let room = MOST_BYTES - words.cut.len() - 8;
    if text.len() <= room {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(room);
    for (n, block) in blocks(text).into_iter().enumerate() {
        let left = room.saturating_sub(kept.len());
        // The first holds the findings and names what broke.
        let most = if n == 0 { room } else { MOST_OF_A_BLOCK };
        let clipped = clipped(block, left.min(most), words);
        kept.push_str(&clipped);
        // A block that there is no room for ends it: what follows matters less.
        if clipped.is_empty() || (clipped.len() < block.len() && left < MOST_OF_A_BLOCK) {
            break;
        }
    }
    format!("{}\n\n{}\n", kept.trim_end(), words.cut)
}

/// The parts of a text that begin with a heading.
fn blocks(text: &str) -> Vec<&str> {
    let is_heading = |at: &usize| {
        let rest = text[at + 1..].trim_start_matches('#');
        text[at + 1..].starts_with('#') && rest.starts_with(' ')
    };
    let heads = text.match_indices('\n').map(|(at, _)| at).filter(is_heading);
    let starts: Vec<usize> = std::iter::once(0).chain(heads.filter(|at| *at > 0)).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).collect()
}

/// A block within so many bytes: whole lines of it, and a note that it goes on; nothing if not even its heading fits.
fn clipped(block: &str, most: usize, words: &Sentences) -> String {
    if block.len() <= most {
        return block.to_owned();
    }
    let room = most.saturating_sub(words.clipped.len() + 3);
    // A line is never cut: it may hold markup that ends further on.
    let end = block.match_indices('\n').map(|(at, _)| at).take_while(|at| *at <= room).last().unwrap_or(0);
    let lines = block[..end].trim_end();
    if lines.is_empty() { String::new() } else { format!("{lines}\n\n{}\n", words.clipped) }
}

fn write_comparison(titled: &Titled<'_>, words: &Sentences, out: &mut dyn Write) -> io::Result<()> {
    let Titled { base, candidate, comparison, parts } = titled;
    writeln!(out, "# {}: {} → {}\n", words.title, name(base), name(candidate))?;
    let mut about = vec![(words.cases)(comparison.cases.same)];
    about.extend((comparison.variants > 1).then(|| (words.variants)(comparison.variants)));
    writeln!(out, "{}\n", about.join(" · "))?;
    worse(titled, words).iter().try_for_each(|worse| writeln!(out, "✗ **{}**\n", escape(worse)))?;
    write_broken(comparison, words, out)?;
    if let Some((heading, parts)) = apart(titled, words) {
        let rows = parts.into_iter().map(|(part, compared)| (part.named(name), compared));
        writeln!(out, "**{heading}**")?;
        write_table(&rows.collect::<Vec<_>>(), Rows::Variants, words, out)?;
        writeln!(out, "\n**{}**\n", (words.together)(comparison.variants))?;
    }
    write_findings(comparison, words, out)?;
    let rows = comparison.subjects.iter().map(|compared| (marked(compared.subject, words.lang, name), compared));
    write_table(&rows.collect::<Vec<_>>(), Rows::Subjects, words, out)?;
    let (moved, of) = movement(comparison);
    writeln!(out)?;
    if of > 1 {
        writeln!(out, "{}", (words.movement)(moved, of))?;
    }
    if let Some(all) = comparison.subject(Subject::All) {
        let [base, candidate] = all.noise.map(Result::ok);
        if let Some(noise) = (words.noise)(base, candidate) {
            writeln!(out, "{noise}")?;
        }
    }
    if let Some(primary) = comparison.subject(comparison.options.primary) {
        writeln!(out, "{}", (words.method)(primary, comparison.options.margin))?;
        writeln!(out, "{}", adjustment(comparison, primary, words))?;
    }
    write_measures(comparison, words, out)?;
    if !comparison.warnings.is_empty() {
        writeln!(out, "\n**{}**\n", words.warnings)?;
        comparison.warnings.iter().try_for_each(|warning| writeln!(out, "- {}", prose(&(words.warning)(warning))))?;
    }
    if !comparison.cases.renamed.is_empty() {
        let renamed = comparison
            .cases
            .renamed
            .iter()
            .map(|(old, new)| format!("{} → {}", name(old.as_str()), name(new.as_str())));
        writeln!(out, "\n**{}**: {}", words.renamed, renamed.collect::<Vec<_>>().join(", "))?;
    }
    for Titled { base, candidate, comparison, .. } in parts {
        writeln!(out, "\n## {} → {}\n", name(base), name(candidate))?;
        write_findings(comparison, words, out)?;
    }
    Ok(())
}

/// The cases that broke, by name, before all figures.
fn write_broken(comparison: &Comparison, words: &Sentences, out: &mut dyn Write) -> io::Result<()> {
    for broken in broken(comparison, words) {
        // Names may be long: as many as fit.
        let named = std::iter::successors(Some(MOST_NAMES), |most| Some(most / 2).filter(|most| *most > 0));
        let named = named.map(|most| broken.named(most, words, name)).find(|named| named.len() <= MOST_OF_NAMES);
        writeln!(out, "✗ **{}**: {}\n", broken.heading, named.unwrap_or_else(|| broken.named(1, words, name)))?;
    }
    Ok(())
}

fn write_findings(comparison: &Comparison, words: &Sentences, out: &mut dyn Write) -> io::Result<()> {
    telling(comparison).try_for_each(|compared| {
        let sentence = (words.finding)(compared, comparison.options.margin);
        writeln!(out, "- **{}**: {sentence}", marked(compared.subject, words.lang, name))
    })
}

/// A table of what was found, a row each with its heading.
fn write_table(named: &[(String, &Compared)], are: Rows, words: &Sentences, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<[String; 11]> = named.iter().map(|(_, compared)| row(compared, words)).collect();
    let columns = columns(&rows, are);
    let heads: Vec<&str> = columns.iter().map(|n| words.columns[*n]).collect();
    writeln!(out, "\n| | {} |\n|---|{}", heads.join(" | "), "---:|".repeat(heads.len()))?;
    for ((name, _), row) in named.iter().zip(&rows) {
        let cells: Vec<&str> = columns.iter().map(|n| row[*n].as_str()).collect();
        writeln!(out, "| {name} | {} |", cells.join(" | "))?;
    }
    Ok(())
}

/// The cells of a subject: rates, difference, range, verdict, counts, p.
pub(crate) fn row(compared: &Compared, words: &Sentences) -> [String; 11] {
    let none = || "–".to_owned();
    let percent = |side: usize| compared.rates.map_or_else(none, |rates| (words.percent)(rates[side]));
    let interval = compared.range;
    let count = |ids: &[crate::id::CaseId]| if ids.is_empty() { String::new() } else { ids.len().to_string() };
    [
        percent(0),
        percent(1),
        compared.estimate.map_or_else(none, signed),
        interval.map_or_else(none, |interval| {
            let range = format!("{} … {}", signed(interval.low), signed(interval.high));
            own_level(compared).map_or_else(|| range.clone(), |level| (words.at_level)(&range, &level))
        }),
        (words.verdict)(compared.verdict).to_owned(),
        count(&compared.fixed),
        count(&compared.broken),
        count(&compared.mixed),
        count(&compared.flaky),
        compared.p.map_or_else(|_| none(), p_in_words),
        compared.p_adjusted.map_or_else(none, p_in_words),
    ]
}

/// How p was adjusted.
pub(crate) fn adjustment(comparison: &Comparison, primary: &Compared, words: &Sentences) -> String {
    let others = comparison.subjects.iter().find(|compared| compared.subject != primary.subject);
    (words.adjusted)(&quoted(primary.subject, words.lang), primary.family, others.map_or(0, |other| other.family))
}

fn write_measures(comparison: &Comparison, words: &Sentences, out: &mut dyn Write) -> io::Result<()> {
    if comparison.measures.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = comparison.measures.iter().map(|measured| measure(measured, words)).collect();
    writeln!(out, "\n**{}**: {}", words.measures, shown.join(" · "))
}

/// A measure in a line: `chars 812 → 640 (−172; −230 … −114)`.
pub(crate) fn measure(measured: &Measured, words: &Sentences) -> String {
    let number = |value: f64| match measured.measure {
        Measure::Cost => decimal(value, 3),
        Measure::Chars | Measure::OutputTokens | Measure::Latency => format!("{value:.0}"),
    };
    let with_sign = |value: f64| {
        let (sign, shown) = (if value < 0.0 { "−" } else { "+" }, number(value.abs()));
        if shown == "0" { shown } else { format!("{sign}{shown}") }
    };
    let [base, candidate] = measured.means;
    let range =
        measured.interval.map(|interval| format!("; {} … {}", with_sign(interval.low), with_sign(interval.high)));
    let difference = format!("{}{}", with_sign(candidate - base), range.unwrap_or_default());
    format!("{} {} → {} ({difference})", (words.measure)(measured.measure), number(base), number(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Arm, Options, Pair, compare};
    use crate::report::diff::against_first_prompt;
    use crate::report::sample::{RunBuilder, SampleRun};

    fn rendered(run: &SampleRun) -> String {
        let arm = |prompt: usize, model: usize| {
            let (prompt, model) = (&run.header.prompts[prompt].id, &run.header.models[model].id);
            Arm { run, prompt, model }
        };
        let pairs = [0, 1].map(|model| Pair { base: arm(0, model), candidate: arm(1, model) });
        let comparison = compare(&pairs, Options::default()).unwrap();
        let (base, candidate) = ("run::a".to_owned(), "run::b".to_owned());
        let titled = Titled { base, candidate, comparison: &comparison, parts: Vec::new() };
        let mut out = Vec::new();
        write_markdown(&[titled], &[], &against_first_prompt(run, run), DiffOptions::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// With the first model cases are fixed, with the second they break; each answer has `sentences`.
    fn run(cases: usize, sentences: usize) -> SampleRun {
        let builder = RunBuilder::new(&["a", "b"], &["m", "n"]);
        let add = |builder: RunBuilder, n: usize| {
            let id = format!("case-{n:03}");
            builder.titled(&id, &id, |trial| {
                let (is_base, fixes) = (trial.is_of("a"), trial.asks("m"));
                let trial = trial.answer(&if is_base { "前の文です。" } else { "後の文です。" }.repeat(sentences));
                if is_base == fixes { trial.fail("length") } else { trial.pass("length") }
            })
        };
        (0..cases).fold(builder, add).build()
    }

    #[test]
    fn broken_cases_stand_before_fixed_ones_of_any_variant() {
        let text = rendered(&run(3, 1));
        let last_broken = text.rfind("(broken)").unwrap();
        let first_fixed = text.find("(fixed)").unwrap();
        assert!(last_broken < first_fixed, "{text}");
        assert!(text.contains("### `case-000` · `a@n` → `b@n`: case-000 (broken)"), "{text}");
    }

    #[test]
    fn a_case_with_a_huge_answer_is_clipped_and_hides_no_other() {
        let long = |first: &str| (0..4000).fold(String::new(), |text, n| text + &format!("{first}の文の{n}です。"));
        let builder = RunBuilder::new(&["a", "b"], &["m", "n"]);
        let run = ["huge", "small"].iter().fold(builder, |builder, id| {
            builder.titled(id, id, |trial| {
                let is_base = trial.is_of("a");
                let text = match (*id, is_base) {
                    ("huge", true) => long("前"),
                    ("huge", false) => long("後"),
                    (_, true) => "短い前の文です。".to_owned(),
                    (_, false) => "短い後の文です。".to_owned(),
                };
                let trial = trial.answer(&text);
                if is_base { trial.pass("length") } else { trial.fail("length") }
            })
        });
        let text = rendered(&run.build());
        let words = sentences(crate::report::Lang::En);
        assert!(text.len() < MOST_BYTES, "{}", text.len());
        assert!(text.contains("✗ **broken**: `huge` (`length`), `small` (`length`)"), "{text}");
        assert_eq!(text.matches(words.clipped).count(), 2, "{text}");
        assert_eq!(text.matches("### `small`").count(), 2, "{text}");
        for tag in ["del", "ins", "mark"] {
            assert_eq!(text.matches(&format!("<{tag}>")).count(), text.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }

    #[test]
    fn however_many_cases_broke_the_findings_are_there() {
        let text = rendered(&run(2000, 1));
        assert!(text.len() < MOST_BYTES, "{}", text.len());
        assert!(text.contains("(`length`), and 1800 more") && text.contains("| `length` |"), "{text}");
    }

    #[test]
    fn a_comment_is_cut_between_two_cases_and_says_so() {
        let text = rendered(&run(60, 40));
        assert!(text.len() < MOST_BYTES && text.len() > MOST_BYTES / 2, "{}", text.len());
        assert!(text.contains("(broken)") && !text.contains("(fixed)"));
        assert!(text.trim_end().ends_with(sentences(crate::report::Lang::En).cut), "{text}");
        assert!(text.starts_with("# Comparison: `run::a` → `run::b`"));
    }
}
