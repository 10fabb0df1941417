//! Diffs as lines for a terminal, a log or a patch viewer: a sign, a sentence, changed words in brackets.
//!
//! Promises one line a sentence, and that a line's sign is never part of an answer.

use std::io::{self, Write};
use std::ops::Range;

use super::fold::{Stretch, stretches};
use super::marks::{Mark, Marks};
use super::pair::{Pair, are_kept, before, facts, grounds, kinds, standing, why_missing};
use super::{Change, Diff, DiffOptions, Kind, Piece, Prompts, Row, Text, align};
use crate::outcome::Outcome;
use crate::report::escape::{one_line, without_ci_commands};
use crate::report::evidence::with_remark;
use crate::report::lang::Words;
use crate::report::names::full;

/// The most quotations a verdict.
const MOST_QUOTES: usize = 3;

/// Writes the diffs of the prompts, then those of the answers, broken cases first.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_text(
    prompts: &[Prompts],
    diffs: &[Diff<'_>],
    options: DiffOptions<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (words, mut text) = (options.lang.words(), Vec::new());
    for Prompts { title, base, candidate } in prompts {
        writeln!(text, "{}\n", one_line(title))?;
        lines(&Text::plain(base), &Text::plain(candidate), options).iter().try_for_each(|l| writeln!(text, "{l}"))?;
        writeln!(text)?;
    }
    writeln!(text, "{}", words.diff_text_legend)?;
    for diff in diffs {
        write_diff(diff, options, &mut text)?;
    }
    out.write_all(without_ci_commands(&String::from_utf8_lossy(&text)).as_bytes())
}

fn write_diff(diff: &Diff<'_>, options: DiffOptions<'_>, out: &mut dyn Write) -> io::Result<()> {
    let words = options.lang.words();
    let pairs = diff.pairs()?;
    writeln!(out, "\n{} → {}", one_line(&diff.base.name()), one_line(&diff.candidate.name()))?;
    let counts = kinds(&pairs).into_iter().map(|(kind, count)| format!("{}: {count}", (words.diff_kind)(kind)));
    writeln!(out, "{}", counts.collect::<Vec<_>>().join(" · "))?;
    for pair in &pairs {
        match pair.kind {
            Kind::Same | Kind::Untold => {}
            Kind::Missing => writeln!(out, "\n{}: {}", pair.name(), why_missing(pair, words))?,
            _ => write_pair(diff, pair, options, out)?,
        }
    }
    let mark = |pair: &Pair<'_>| if pair.is_truncated() { format!(" ({})", words.truncated) } else { String::new() };
    for kind in [Kind::Same, Kind::Untold] {
        let of_kind = pairs.iter().filter(|pair| pair.kind == kind);
        let names: Vec<String> = of_kind.map(|pair| format!("{}{}", pair.name(), mark(pair))).collect();
        if !names.is_empty() {
            writeln!(out, "\n{}: {}", (words.diff_kind)(kind), names.join(", "))?;
        }
    }
    Ok(())
}

fn write_pair(diff: &Diff<'_>, pair: &Pair<'_>, options: DiffOptions<'_>, out: &mut dyn Write) -> io::Result<()> {
    let words = options.lang.words();
    let (Some(base), Some(candidate)) = (pair.base, pair.candidate) else { return Ok(()) };
    let (base, candidate) = (diff.base.outcomes.outcome(base)?, diff.candidate.outcomes.outcome(candidate)?);
    writeln!(out, "\n── {} · {} ({})", pair.name(), one_line(pair.title), (words.diff_kind)(pair.kind))?;
    for turn in &pair.turns {
        let (old, new) = (standing(turn.subject, turn.base, words), standing(turn.subject, turn.candidate, words));
        let (grounds, more) = grounds(*turn, &base, &candidate, MOST_QUOTES, words);
        let mut shown: Vec<String> = grounds.iter().map(|(quote, remark)| with_remark(quote, remark)).collect();
        shown.extend((more > 0).then(|| (words.more)(more)));
        let before = if shown.is_empty() { "" } else { before(*turn, words) };
        let subject = full(turn.subject, words.lang);
        writeln!(out, "{subject}: {old} → {new} {before}{}", shown.join(words.list))?;
    }
    let head = |outcome: &Outcome| facts(outcome, words).join(words.list);
    writeln!(out, "--- {} ({})\n+++ {} ({})", diff.base.name(), head(&base), diff.candidate.name(), head(&candidate))?;
    if !are_kept(&base, &candidate) {
        return Ok(());
    }
    let (old, new) = (Marks::of(&base, &pair.turns, words), Marks::of(&candidate, &pair.turns, words));
    let sides = (Text::of(&base, &old), Text::of(&candidate, &new));
    lines(&sides.0, &sides.1, options).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// The lines of two texts laid over each other.
pub(crate) fn lines(base: &Text<'_>, candidate: &Text<'_>, options: DiffOptions<'_>) -> Vec<String> {
    let words = options.lang.words();
    let alignment = align(base.text, candidate.text, options.splitters);
    let mut lines = Vec::new();
    lines.extend(alignment.is_coarse.then(|| format!("  ({})", words.diff_coarse)));
    for stretch in stretches(&alignment.rows) {
        match stretch {
            Stretch::Folded(range) => lines.push(format!("  … {} …", (words.diff_unchanged)(range.len()))),
            Stretch::Shown(range) => {
                lines.extend(alignment.rows[range].iter().map(|row| line(row, base, candidate, words)));
            }
        }
    }
    lines
}

fn line(row: &Row, base: &Text<'_>, candidate: &Text<'_>, words: &Words) -> String {
    let old = || row.base.as_ref().map_or_else(String::new, |passage| marked(base, passage.range.clone()));
    let new = || row.candidate.as_ref().map_or_else(String::new, |passage| marked(candidate, passage.range.clone()));
    let line = match &row.change {
        Change::Same => format!("  {}", new()),
        Change::Removed => format!("- {}", old()),
        Change::Added => format!("+ {}", new()),
        Change::MovedAway => format!("↗ {} ({})", old(), words.diff_moved_away),
        Change::MovedHere => format!("↘ {} ({})", new(), words.diff_moved_here),
        Change::Reworded(pieces) => {
            let (old, new) = row.starts();
            let piece = |piece: &Piece| match piece {
                Piece::Same { candidate: range, .. } => marked(candidate, new + range.start..new + range.end),
                Piece::Removed(range) => format!("[-{}-]", marked(base, old + range.start..old + range.end)),
                Piece::Added(range) => format!("{{+{}+}}", marked(candidate, new + range.start..new + range.end)),
            };
            format!("~ {}", pieces.iter().map(piece).collect::<String>())
        }
    };
    let indent = if line.starts_with("  ") { "  " } else { "" };
    format!("{indent}{}", one_line(&line))
}

/// The words of a range; those that speak against the answer stand between `⟦` and `⟧`.
fn marked(text: &Text<'_>, range: Range<usize>) -> String {
    let part = |(range, mark): (Range<usize>, Option<&Mark>)| match mark {
        Some(mark) if mark.is_against => format!("⟦{}⟧", &text.text[range]),
        _ => text.text[range].to_owned(),
    };
    text.parts(range).into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::super::against_first_prompt;
    use super::*;
    use crate::report::sample::diff_sample;

    #[test]
    fn a_line_is_a_sentence_with_its_sign_and_what_speaks_against_it() {
        let (run, mut out) = (diff_sample(), Vec::new());
        let (base, candidate) = ("優しく書いて。".to_owned(), "正確に書いて。短く。".to_owned());
        let prompts = [Prompts { title: "a → b".to_owned(), base, candidate }];
        write_text(&prompts, &against_first_prompt(&run, &run), DiffOptions::default(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @"
        a → b

        ~ [-優しく-]{+正確に+}書いて。
        + 短く。

        - removed, + added, ~ reworded [-from-]{+to+}, ↗ moved away, ↘ moved here, ⟦speaks against the answer⟧

        news-article@sample-writer → news-article-careful@sample-writer
        broken: 2 · fixed: 1 · text changed: 1 · same text: 1 · not comparable: 1

        ── chicago-quantum · 量子分野の日米交流会、シカゴで開催 (broken)
        no_fabrication: pass → fail 「約30社」 (number: nothing in the source supports it), 「山田太郎」 (person: nothing in the source supports it), 「歴史的な一歩だ」 (quote: nothing in the source supports it)
        --- news-article@sample-writer (passed, 180 characters)
        +++ news-article-careful@sample-writer (failed, 220 characters)
          # 量子分野の日米交流会、シカゴで開催
          日本とアメリカの企業や研究者が、量子技術について話し合う交流会がシカゴで開かれました。
        ~ この[-取り組み-]{+ミッション+}の目的は、日米の[-つながりを深める-]{+結びつきを強める+}こと[-です-]{+にあります+}。
          量子技術は、とても小さな世界のしくみを使う新しい技術です。
          計算や通信、センサーなどに使われます。
          世界中の国が研究に力を入れています。
          日本も例外ではありません。
        + 会場には⟦約30社⟧が集まり、⟦山田太郎⟧代表が「⟦歴史的な一歩だ⟧」と話しました。
          今後の協力が期待されます。

        ── osaka-expo · 万博の来場者が1000万人を突破 (broken)
        all: passed → failed the answer was blocked: SAFETY
        --- news-article@sample-writer (passed, 16 characters)
        +++ news-article-careful@sample-writer (failed, no answer)
        - 量子分野の交流会が開かれました。

        ── kyoto-tea · 宇治茶の輸出額が過去最高に (fixed)
        japanese_only: fail → pass before: 「Thank you for reading!」 (english)
        article_only: fail → pass before: 「はい、承知しました。以下に記事を作成します。」 (preamble)
        --- news-article@sample-writer (failed, 87 characters)
        +++ news-article-careful@sample-writer (failed, 46 characters)
        - ⟦はい、承知しました。⟧
        - ⟦以下に記事を作成します。⟧
          京都の宇治茶の輸出額が過去最高になりました。
          海外での日本食の人気が背景にあると考えられます。
        - ⟦Thank you for reading!⟧

        ── nara-deer · 奈良公園のシカ、3年ぶりに増加 (text changed)
        --- news-article@sample-writer (passed, 41 characters)
        +++ news-article-careful@sample-writer (passed, 41 characters, TRUNCATED)
        ↗ 奈良公園のシカが増えました。 (moved elsewhere)
          観光客の増加が理由と見られます。
          愛護会が調査しました。
        ↘ 奈良公園のシカが増えました。 (moved here)

        tokyo-rail: candidate errored: timeout: no answer within 120s

        same text: sapporo-snow
        ");
    }
}
