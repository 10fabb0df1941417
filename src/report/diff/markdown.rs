//! `diff.md`: diffs to be read on a code host.
//!
//! Promises that a case's changed verdicts stand before its text, and that nothing in an answer is markup.

use std::io::{self, Write};
use std::ops::Range;

use super::fold::{Stretch, stretches};
use super::marks::{Mark, Marks};
use super::pair::{Pair, are_kept, before, facts, grounds, kinds, standing, why_missing};
use super::{Change, Diff, DiffOptions, Kind, Piece, Row, Text, align};
use crate::outcome::{Outcome, Subject};
use crate::report::escape::{markdown as escape, markdown_name as name, markdown_part};
use crate::report::evidence::with_remark;
use crate::report::lang::Words;
use crate::report::names::marked as marked_name;

/// The most quotations a verdict.
const MOST_QUOTES: usize = 3;

/// Writes diff.md.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_markdown(diffs: &[Diff<'_>], options: DiffOptions<'_>, out: &mut dyn Write) -> io::Result<()> {
    let words = options.lang.words();
    writeln!(out, "# {}\n", words.diff_title)?;
    if diffs.is_empty() {
        return writeln!(out, "{}", words.diff_nothing);
    }
    writeln!(out, "{}", words.diff_legend)?;
    for diff in diffs {
        write_diff(diff, options, out)?;
    }
    Ok(())
}

/// Writes several diffs as one: what matters most first, whatever diff it is of.
pub(crate) fn write_by_matter(diffs: &[Diff<'_>], options: DiffOptions<'_>, out: &mut dyn Write) -> io::Result<()> {
    let words = options.lang.words();
    writeln!(out, "## {}\n\n{}\n", words.diff_title, words.diff_legend)?;
    let pairs = diffs.iter().map(Diff::pairs).collect::<io::Result<Vec<_>>>()?;
    for (diff, pairs) in diffs.iter().zip(&pairs) {
        writeln!(out, "- {}: {}", names(diff), counted(pairs, words))?;
    }
    for kind in Kind::ALL.into_iter().filter(|kind| *kind < Kind::Same) {
        for (diff, pairs) in diffs.iter().zip(&pairs) {
            let variant = if diffs.len() > 1 { format!(" · {}", names(diff)) } else { String::new() };
            let of_kind = pairs.iter().filter(|pair| pair.kind == kind);
            of_kind.into_iter().try_for_each(|pair| write_pair(diff, pair, &variant, options, out))?;
        }
    }
    pairs.iter().try_for_each(|pairs| write_others(pairs, words, out))
}

fn names(diff: &Diff<'_>) -> String {
    format!("{} → {}", name(&diff.base.name()), name(&diff.candidate.name()))
}

fn counted(pairs: &[Pair<'_>], words: &Words) -> String {
    let counts = kinds(pairs).into_iter().map(|(kind, count)| format!("{}: {count}", (words.diff_kind)(kind)));
    counts.collect::<Vec<_>>().join(" · ")
}

fn write_diff(diff: &Diff<'_>, options: DiffOptions<'_>, out: &mut dyn Write) -> io::Result<()> {
    let words = options.lang.words();
    let pairs = diff.pairs()?;
    writeln!(out, "\n## {}\n\n{}", names(diff), counted(&pairs, words))?;
    for pair in pairs.iter().filter(|pair| pair.kind < Kind::Same) {
        write_pair(diff, pair, "", options, out)?;
    }
    write_others(&pairs, words, out)
}

/// The cases that have nothing to be read, by name.
fn write_others(pairs: &[Pair<'_>], words: &Words, out: &mut dyn Write) -> io::Result<()> {
    for kind in [Kind::Same, Kind::Untold, Kind::Missing] {
        let names = pairs.iter().filter(|pair| pair.kind == kind).map(|pair| match kind {
            Kind::Missing => format!("{} ({})", name_marked(pair, words), escape(&why_missing(pair, words))),
            _ => name_marked(pair, words),
        });
        let names: Vec<String> = names.collect();
        if !names.is_empty() {
            writeln!(out, "\n**{}**: {}", (words.diff_kind)(kind), names.join(", "))?;
        }
    }
    Ok(())
}

/// The case's name; said to be truncated where an answer of it is.
fn name_marked(pair: &Pair<'_>, words: &Words) -> String {
    let mark = if pair.is_truncated() { format!(" ({})", words.truncated) } else { String::new() };
    format!("{}{mark}", name(&pair.name()))
}

fn write_pair(
    diff: &Diff<'_>,
    pair: &Pair<'_>,
    variant: &str,
    options: DiffOptions<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = options.lang.words();
    let (Some(base), Some(candidate)) = (pair.base, pair.candidate) else { return Ok(()) };
    let (base, candidate) = (diff.base.outcomes.outcome(base)?, diff.candidate.outcomes.outcome(candidate)?);
    let kind = (words.diff_kind)(pair.kind);
    writeln!(out, "\n### {}{variant}: {} ({kind})\n", name(&pair.name()), escape(pair.title))?;
    for turn in &pair.turns {
        let (old, new) = (standing(turn.subject, turn.base, words), standing(turn.subject, turn.candidate, words));
        write!(out, "- **{}: {old} → {new}**", marked_name(turn.subject, words.lang, name))?;
        let (grounds, more) = grounds(*turn, &base, &candidate, MOST_QUOTES, words);
        let mut shown: Vec<String> =
            grounds.iter().map(|(quote, remark)| escape(&with_remark(quote, remark))).collect();
        shown.extend((more > 0).then(|| (words.more)(more)));
        let before = if shown.is_empty() { String::new() } else { format!(" {}", before(*turn, words)) };
        writeln!(out, "{before}{}", shown.join(words.list))?;
    }
    if !pair.still_failing.is_empty() {
        let failing = pair.still_failing.iter();
        let names = failing.map(|property| marked_name(Subject::Property(*property), words.lang, name));
        writeln!(out, "- {}: {}", words.diff_still_failing, names.collect::<Vec<_>>().join(words.list))?;
    }
    let head = |side: &str, outcome: &Outcome| format!("{side}: {}", facts(outcome, words).join(words.list));
    let heads = (head(words.diff_base, &base), head(words.diff_candidate, &candidate));
    let blank = if pair.turns.is_empty() && pair.still_failing.is_empty() { "" } else { "\n" };
    writeln!(out, "{blank}{} · {}", heads.0, heads.1)?;
    if !are_kept(&base, &candidate) {
        return Ok(());
    }
    let (old, new) = (Marks::of(&base, &pair.turns, words), Marks::of(&candidate, &pair.turns, words));
    write_rows(&Text::of(&base, &old), &Text::of(&candidate, &new), options, out)
}

/// Two texts laid over each other, as a table.
pub(crate) fn write_rows(
    base: &Text<'_>,
    candidate: &Text<'_>,
    options: DiffOptions<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = options.lang.words();
    let alignment = align(base.text, candidate.text, options.splitters);
    if alignment.rows.iter().all(Row::is_same) {
        return if base.text == candidate.text { Ok(()) } else { writeln!(out, "\n{}", words.diff_only_blanks) };
    }
    if alignment.is_coarse {
        writeln!(out, "\n{}", words.diff_coarse)?;
    }
    writeln!(out, "\n| | |\n|---|---|")?;
    for stretch in stretches(&alignment.rows) {
        match stretch {
            Stretch::Folded(range) => writeln!(out, "| | *… {} …* |", (words.diff_unchanged)(range.len()))?,
            Stretch::Shown(range) => {
                for row in &alignment.rows[range] {
                    writeln!(out, "{}", line(row, base, candidate, words))?;
                }
            }
        }
    }
    Ok(())
}

fn line(row: &Row, base: &Text<'_>, candidate: &Text<'_>, words: &Words) -> String {
    let old = || row.base.as_ref().map_or_else(String::new, |passage| marked(base, passage.range.clone()));
    let new = || row.candidate.as_ref().map_or_else(String::new, |passage| marked(candidate, passage.range.clone()));
    match &row.change {
        Change::Same => format!("| | {} |", new()),
        Change::Reworded(pieces) => {
            let (old, new) = row.starts();
            let pieces = pieces.iter().map(|piece| match piece {
                Piece::Same { candidate: range, .. } => marked(candidate, new + range.start..new + range.end),
                Piece::Removed(range) => {
                    format!("<del>{}</del>", marked(base, old + range.start..old + range.end))
                }
                Piece::Added(range) => {
                    format!("<ins>{}</ins>", marked(candidate, new + range.start..new + range.end))
                }
            });
            format!("| ~ | {} |", pieces.collect::<String>())
        }
        Change::Removed => format!("| − | <del>{}</del> |", old()),
        Change::Added => format!("| + | <ins>{}</ins> |", new()),
        Change::MovedAway => format!("| ↗ | <del>{}</del> *({})* |", old(), words.diff_moved_away),
        Change::MovedHere => format!("| ↘ | <ins>{}</ins> *({})* |", new(), words.diff_moved_here),
    }
}

/// The words of a range; those that speak against the answer are marked.
fn marked(text: &Text<'_>, range: Range<usize>) -> String {
    let part = |(range, mark): (Range<usize>, Option<&Mark>)| {
        let words = markdown_part(&text.text[range]);
        if mark.is_some_and(|mark| mark.is_against) { format!("<mark>{words}</mark>") } else { words }
    };
    text.parts(range).into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::super::against_first_prompt;
    use super::*;
    use crate::report::lang::Lang;
    use crate::report::sample::{RunBuilder, diff_sample};

    fn rendered(run: &crate::report::sample::SampleRun, lang: Lang) -> String {
        let mut out = Vec::new();
        let options = DiffOptions { lang, ..DiffOptions::default() };
        write_markdown(&against_first_prompt(run, run), options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn broken_cases_stand_first_and_changed_verdicts_before_the_text() {
        insta::assert_snapshot!(rendered(&diff_sample(), Lang::En), @r#"
        # How the answers differ

        − removed, + added, ~ reworded, ↗ moved away, ↘ moved here; marked: the words that a verdict rests on

        ## `news-article@sample-writer` → `news-article-careful@sample-writer`

        broken: 2 · fixed: 1 · text changed: 1 · same text: 1 · not comparable: 1

        ### `chicago-quantum`: 量子分野の日米交流会、シカゴで開催 (broken)

        - **`no_fabrication`: pass → fail** 「約30社」 (number: nothing in the source supports it), 「山田太郎」 (person: nothing in the source supports it), 「歴史的な一歩だ」 (quote: nothing in the source supports it)

        base: passed, 180 characters · candidate: failed, 220 characters

        | | |
        |---|---|
        | | \# 量子分野の日米交流会、シカゴで開催 |
        | | 日本とアメリカの企業や研究者が、量子技術について話し合う交流会がシカゴで開かれました。 |
        | ~ | この<del>取り組み</del><ins>ミッション</ins>の目的は、日米の<del>つながりを深める</del><ins>結びつきを強める</ins>こと<del>です</del><ins>にあります</ins>。 |
        | | 量子技術は、とても小さな世界のしくみを使う新しい技術です。 |
        | | 計算や通信、センサーなどに使われます。 |
        | | 世界中の国が研究に力を入れています。 |
        | | 日本も例外ではありません。 |
        | + | <ins>会場には<mark>約30社</mark>が集まり、<mark>山田太郎</mark>代表が「<mark>歴史的な一歩だ</mark>」と話しました。</ins> |
        | | 今後の協力が期待されます。 |

        ### `osaka-expo`: 万博の来場者が1000万人を突破 (broken)

        - **`all`: passed → failed** the answer was blocked: SAFETY

        base: passed, 16 characters · candidate: failed, no answer

        | | |
        |---|---|
        | − | <del>量子分野の交流会が開かれました。</del> |

        ### `kyoto-tea`: 宇治茶の輸出額が過去最高に (fixed)

        - **`japanese_only`: fail → pass** before: 「Thank you for reading!」 (english)
        - **`article_only`: fail → pass** before: 「はい、承知しました。以下に記事を作成します。」 (preamble)
        - Fails on both sides: `length`

        base: failed, 87 characters · candidate: failed, 46 characters

        | | |
        |---|---|
        | − | <del><mark>はい、承知しました。</mark></del> |
        | − | <del><mark>以下に記事を作成します。</mark></del> |
        | | 京都の宇治茶の輸出額が過去最高になりました。 |
        | | 海外での日本食の人気が背景にあると考えられます。 |
        | − | <del><mark>Thank you for reading!</mark></del> |

        ### `nara-deer`: 奈良公園のシカ、3年ぶりに増加 (text changed)

        base: passed, 41 characters · candidate: passed, 41 characters, TRUNCATED

        | | |
        |---|---|
        | ↗ | <del>奈良公園のシカが増えました。</del> *(moved elsewhere)* |
        | | 観光客の増加が理由と見られます。 |
        | | 愛護会が調査しました。 |
        | ↘ | <ins>奈良公園のシカが増えました。</ins> *(moved here)* |

        **same text**: `sapporo-snow`

        **not comparable**: `tokyo-rail` (candidate errored: timeout: no answer within 120s)
        "#);
    }

    #[test]
    fn a_diff_is_written_in_japanese_too() {
        let run = RunBuilder::new(&["plain", "careful"], &["sample"])
            .case("nara", |trial| {
                let trial = trial.answer("約30社が参加しました。");
                if trial.is_of("plain") {
                    trial.invents("約30社", "number")
                } else {
                    trial.truncated().pass("no_fabrication")
                }
            })
            .build();
        insta::assert_snapshot!(rendered(&run, Lang::Ja), @"
        # 回答の差分

        − 削除、+ 追加、~ 言い換え、↗ 別の場所へ移動、↘ ここへ移動。印の付いた語句は判定の根拠です

        ## `plain@sample` → `careful@sample`

        改善: 1

        ### `nara`: 量子分野の交流会、シカゴで開催 (改善)

        - **捏造がない(`no_fabrication`): 不合格 → 合格** 変更前: 「約30社」 (数値: 元のニュースに裏付けがありません)

        比較元: 不合格、12文字 · 比較先: 合格、12文字、途中で打ち切り
        ");
    }

    #[test]
    fn one_prompt_has_nothing_to_be_compared_with() {
        let run = RunBuilder::new(&["plain"], &["sample"]).case("nara", |trial| trial).build();
        assert!(rendered(&run, Lang::En).contains("Nothing to compare"));
    }
}
