//! `summary.md`: a run on a page, for people who were not there.
//!
//! Promises that nothing in it differs from run to run of the same answers: no name, no time, no commit.

use std::io::{self, Write};

use crate::outcome::{Entry, Outcomes, Run, Status};
use crate::report::csv::decimal;
use crate::report::escape::{markdown as escape, markdown_name as name};
use crate::report::evidence::{against, cited};
use crate::report::lang::{Lang, Words};
use crate::report::names::marked;
use crate::report::tally::{Subject, Tally, VariantTally, is_truncated, status_name, tally};
use crate::report::trouble::{Grouped, Waivers, errors, is_without_answer, waivers, why_no_answer, without_answer};
use crate::report::worst::worst;
use crate::score::{Score, Verdict};

/// The most failures shown, quotations of each failed property, and trials named in a list.
const MOST_FAILURES: usize = 10;
const MOST_QUOTES: usize = 3;
const MOST_NAMES: usize = 20;

/// Writes summary.md.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_summary(run: &Run, outcomes: &dyn Outcomes, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let words = lang.words();
    let variants = tally(run);
    write_head(run, words, out)?;
    write_counts(&variants, words, out)?;
    write_rates(run, &variants, words, out)?;
    write_worst(run, outcomes, words, out)?;
    write_trials(words.summary_truncated, run.entries.iter().filter(|entry| is_truncated(entry)), words, out)?;
    write_grouped(words.summary_no_answers, &without_answer(run), words, out)?;
    write_grouped(words.summary_errored, &errors(run), words, out)?;
    write_waivers(&waivers(run, outcomes)?, words, out)?;
    write_costs(run, &variants, words, out)?;
    write_again(run, words, out)
}

fn write_head(run: &Run, words: &Words, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}\n\n{}\n", words.summary_title, scale(run, words))?;
    let counts = Status::ALL.map(|status| (words.counted)((words.status)(status), run.count(status)));
    writeln!(out, "**{}**: {}", (words.trials)(run.entries.len()), counts.join(" · "))?;
    if !run.finished {
        writeln!(out, "\n**{}**", (words.unfinished)(run.tried(), run.header.trials))?;
    }
    Ok(())
}

/// `12 cases × 2 prompts × 3 models`.
pub(super) fn scale(run: &Run, words: &Words) -> String {
    let header = &run.header;
    (words.scale)(header.cases.len(), header.prompts.len(), header.models.len(), header.repeats)
}

fn write_counts(variants: &[VariantTally<'_>], words: &Words, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## {}\n", words.summary_counts)?;
    let statuses = Status::ALL.map(words.status);
    writeln!(
        out,
        "| {} | {} | {} | {} |",
        words.summary_variant,
        statuses.join(" | "),
        words.summary_cut,
        words.summary_cost
    )?;
    writeln!(out, "|---|{}", "--:|".repeat(statuses.len() + 2))?;
    for variant in variants {
        let counts = Status::ALL.map(|status| variant.all().count(status).to_string());
        let cost = variant.cost.map_or_else(|| "–".to_owned(), |cost| decimal(cost, 4));
        writeln!(out, "| {} | {} | {} | {cost} |", name(&variant.name()), counts.join(" | "), variant.truncated)?;
    }
    Ok(())
}

fn write_rates(run: &Run, variants: &[VariantTally<'_>], words: &Words, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## {}\n\n{}", words.summary_rates, words.summary_rates_note)?;
    if run.header.repeats > 1 {
        writeln!(out, "{}", words.summary_repeats_note)?;
    }
    let properties: Vec<String> =
        run.properties().map(|property| marked(Subject::Property(property), words.lang, name)).collect();
    let columns = properties.iter().fold(words.summary_all.to_owned(), |columns, next| format!("{columns} | {next}"));
    writeln!(out, "\n| {} | {columns} |\n|---|{}", words.summary_variant, "---|".repeat(properties.len() + 1))?;
    for variant in variants {
        let cells: Vec<String> =
            variant.subjects.iter().map(|(subject, tally)| rate_cell(*subject, tally, words)).collect();
        writeln!(out, "| {} | {} |", name(&variant.name()), cells.join(" | "))?;
    }
    Ok(())
}

/// The rate, with what is no part of it.
fn rate_cell(subject: Subject, tally: &Tally, words: &Words) -> String {
    let mut cell = tally.rate_in_words(words);
    for status in [Status::Undecided, Status::Errored] {
        if tally.count(status) > 0 {
            let beside = (words.counted)(status_name(subject, status, words), tally.count(status));
            cell = format!("{cell}{}{beside}", words.list);
        }
    }
    cell
}

fn write_worst(run: &Run, outcomes: &dyn Outcomes, words: &Words, out: &mut dyn Write) -> io::Result<()> {
    let failures = worst(run, MOST_FAILURES);
    if failures.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {}\n", words.summary_worst)?;
    writeln!(out, "{}", (words.summary_worst_of)(failures.len(), run.count(Status::Failed)))?;
    for entry in failures {
        let outcome = outcomes.outcome(entry)?;
        let mark = if is_truncated(entry) { format!(" ({})", words.truncated) } else { String::new() };
        writeln!(out, "\n### {} · {}{mark}\n", case_name(entry), name(&variant_name(entry)))?;
        if is_without_answer(entry) {
            writeln!(out, "- **{}**: {}", words.no_answer, escape(&(words.reason)(&why_no_answer(entry))))?;
        }
        for score in outcome.scores.iter().filter(|score| score.verdict == Verdict::Fail) {
            let property = marked(Subject::Property(score.property), words.lang, name);
            writeln!(out, "- **{property}**: {}", failure(score, words))?;
        }
    }
    Ok(())
}

/// The words that a failed score rests on, and why.
fn failure(score: &Score, words: &Words) -> String {
    let quoted = |evidence| escape(&cited(evidence, words));
    let mut parts: Vec<String> = score.reason.iter().map(|reason| escape(&(words.reason)(reason))).collect();
    // What is missing stands in the reason already.
    let evidence = || against(score).filter(|evidence| evidence.span.is_some() || score.reason.is_none());
    parts.extend(evidence().take(MOST_QUOTES).map(quoted));
    let more = evidence().count().saturating_sub(MOST_QUOTES);
    parts.extend((more > 0).then(|| (words.more)(more)));
    if parts.is_empty() { (words.verdict)(Status::Failed).to_owned() } else { parts.join(words.list) }
}

fn case_name(entry: &Entry) -> String {
    let trial = &entry.trial;
    if trial.repeat == 0 { name(trial.case.as_str()) } else { name(&format!("{} #{}", trial.case, trial.repeat)) }
}

fn variant_name(entry: &Entry) -> String {
    format!("{}@{}", entry.trial.prompt, entry.trial.model)
}

fn write_trials<'a>(
    title: &str,
    entries: impl Iterator<Item = &'a Entry>,
    words: &Words,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut names: Vec<String> =
        entries.map(|entry| format!("{} · {}", case_name(entry), name(&variant_name(entry)))).collect();
    if names.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {title}: {}\n", names.len())?;
    let more = names.len().saturating_sub(MOST_NAMES);
    names.truncate(MOST_NAMES);
    names.extend((more > 0).then(|| (words.more)(more)));
    names.iter().try_for_each(|name| writeln!(out, "- {name}"))
}

fn write_grouped(title: &str, grouped: &Grouped<'_>, words: &Words, out: &mut dyn Write) -> io::Result<()> {
    if grouped.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {title}: {}\n", grouped.values().sum::<usize>())?;
    for ((model, message), count) in grouped.iter().take(MOST_NAMES) {
        writeln!(out, "- {}: {count} × {}", name(model), escape(&(words.reason)(message)))?;
    }
    let more = grouped.len().saturating_sub(MOST_NAMES);
    if more > 0 { writeln!(out, "- {}", (words.more)(more)) } else { Ok(()) }
}

fn write_waivers(waivers: &Waivers, words: &Words, out: &mut dyn Write) -> io::Result<()> {
    if waivers.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {}\n", words.summary_waivers)?;
    writeln!(out, "| {} |\n|---|---|---|--:|", words.summary_waiver_columns.join(" | "))?;
    for ((property, text, reason), count) in waivers {
        writeln!(out, "| {} | {} | {} | {count} |", name(property), escape(text), escape(reason))?;
    }
    Ok(())
}

fn write_costs(run: &Run, variants: &[VariantTally<'_>], words: &Words, out: &mut dyn Write) -> io::Result<()> {
    let costs: Vec<f64> = variants.iter().filter_map(|variant| variant.cost).collect();
    let notes = run.header.models.iter().filter_map(|model| Some((model.id.as_str(), model.price_note.as_deref()?)));
    let notes: Vec<(&str, &str)> = notes.collect();
    if costs.is_empty() && notes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {}\n", words.summary_costs)?;
    if !costs.is_empty() {
        let unknown = variants.iter().map(|variant| variant.without_cost).sum::<usize>();
        let total = (words.summary_total_cost)(&decimal(costs.iter().sum(), 4));
        let unknown = if unknown > 0 { (words.summary_unknown_cost)(unknown) } else { String::new() };
        writeln!(out, "- {total}{unknown}")?;
    }
    notes.iter().try_for_each(|(model, note)| writeln!(out, "- {}: {}", name(model), escape(&(words.reason)(note))))
}

fn write_again(run: &Run, words: &Words, out: &mut dyn Write) -> io::Result<()> {
    let header = &run.header;
    writeln!(out, "\n## {}\n\n```sh", words.summary_again)?;
    write!(out, "evalrun run")?;
    header.prompts.iter().try_for_each(|prompt| write!(out, " --prompt {}", prompt.id))?;
    header.models.iter().try_for_each(|model| write!(out, " --model {}", model.id))?;
    writeln!(out, " --repeats {}\n```\n", header.repeats)?;
    let prompts: Vec<String> = header
        .prompts
        .iter()
        .map(|prompt| format!("{} {}", name(prompt.id.as_str()), name(beginning(&prompt.digest))))
        .collect();
    let note = words
        .summary_again_note
        .replace("{tool}", &escape(&header.tool_version))
        .replace("{scorers}", &header.scorer_version.to_string())
        .replace("{plan}", &name(beginning(&header.plan_digest)))
        .replace("{prompts}", &prompts.join(words.list));
    writeln!(out, "{note}")
}

/// As much of a digest as people compare.
fn beginning(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{RunBuilder, SampleRun, summary_sample};

    fn rendered(run: &SampleRun, lang: Lang) -> String {
        let mut out = Vec::new();
        write_summary(run, run, lang, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_summary_says_what_happened_with_quotations() {
        insta::assert_snapshot!(rendered(&summary_sample(), Lang::En), @"
        # Summary

        4 cases × 2 prompts × 2 models

        **16 trials**: 6 passed · 4 failed · 4 undecided · 2 errored · 0 skipped

        ## Trials

        | variant | passed | failed | undecided | errored | skipped | truncated | cost, USD |
        |---|--:|--:|--:|--:|--:|--:|--:|
        | `news-article@sample-careful` | 3 | 0 | 1 | 0 | 0 | 1 | 0.0025 |
        | `news-article@sample-inventive` | 1 | 2 | 1 | 0 | 0 | 1 | 0.0025 |
        | `news-article-careful@sample-careful` | 2 | 0 | 1 | 1 | 0 | 1 | 0.0025 |
        | `news-article-careful@sample-inventive` | 0 | 2 | 1 | 1 | 0 | 1 | 0.0025 |

        ## Rates

        Passed of those that passed or failed, with the 95 % interval (Wilson) in brackets. Undecided and errored trials are no part of a rate and stand beside it.

        | variant | all | `article_only` | `no_fabrication` | `readability` |
        |---|---|---|---|---|
        | `news-article@sample-careful` | 3/3 100 % (44–100), 1 undecided | 4/4 100 % (51–100) | 1/1 100 % (21–100), 1 unscored | –, 1 unscored |
        | `news-article@sample-inventive` | 1/3 33 % (6–79), 1 undecided | 2/3 67 % (21–94), 1 unscored | 0/1 0 % (0–79), 1 unscored | –, 1 unscored |
        | `news-article-careful@sample-careful` | 2/2 100 % (34–100), 1 undecided, 1 errored | 3/3 100 % (44–100), 1 errored | 1/1 100 % (21–100), 1 unscored | 1/1 100 % (21–100) |
        | `news-article-careful@sample-inventive` | 0/2 0 % (0–66), 1 undecided, 1 errored | 1/2 50 % (9–91), 1 unscored, 1 errored | 0/1 0 % (0–79), 1 unscored | 1/1 100 % (21–100) |

        ## Worst failures

        4 of 4 failures; variants take turns, each with its worst.

        ### `osaka-expo` · `news-article@sample-inventive`

        - **no answer**: the answer was blocked: SAFETY

        ### `osaka-expo` · `news-article-careful@sample-inventive`

        - **no answer**: the answer was blocked: SAFETY

        ### `chicago-quantum` · `news-article@sample-inventive`

        - **`article_only`**: 「はい、承知しました。」 (preamble)
        - **`no_fabrication`**: 「約30社」 (number: nothing in the source supports it), 「山田太郎」 (person: nothing in the source supports it), 「歴史的だ」 (quote: nothing in the source supports it), and 1 more

        ### `chicago-quantum` · `news-article-careful@sample-inventive`

        - **`article_only`**: 「はい、承知しました。」 (preamble)
        - **`no_fabrication`**: 「約30社」 (number: nothing in the source supports it), 「山田太郎」 (person: nothing in the source supports it), 「歴史的だ」 (quote: nothing in the source supports it), and 1 more

        ## Truncated answers: 4

        - `kyoto-tea` · `news-article@sample-careful`
        - `kyoto-tea` · `news-article@sample-inventive`
        - `kyoto-tea` · `news-article-careful@sample-careful`
        - `kyoto-tea` · `news-article-careful@sample-inventive`

        ## No answer (blocked, refused or empty): 2

        - `sample-inventive`: 2 × the answer was blocked: SAFETY

        ## Errored trials: 2

        - `sample-careful`: 1 × timeout: no answer within 120s
        - `sample-inventive`: 1 × timeout: no answer within 120s

        ## Waivers used

        | property | words | reason | times |
        |---|---|---|--:|
        | `no_fabrication` | ISA | 社内で使う略称 | 2 |

        ## Cost

        - 0.01 US dollars in all. Of 4 answers the cost is not known.
        - `sample-careful`: the price was valid until 2025-12-31

        ## The same again

        ```sh
        evalrun run --prompt news-article --prompt news-article-careful --model sample-careful --model sample-inventive --repeats 1
        ```

        with evalrun 0.1.0, scorers 1, plan `3f2a1c993f2a`; prompts `news-article` `d1`, `news-article-careful` `d1`.
        ");
    }

    #[test]
    fn a_summary_is_written_in_japanese_too() {
        insta::assert_snapshot!(rendered(&summary_sample(), Lang::Ja), @"
        # まとめ

        4ケース × 2プロンプト × 2モデル

        **全16試行**: 合格 6 · 不合格 4 · 判定保留 4 · エラー 2 · 未実施 0

        ## 試行

        | 組み合わせ | 合格 | 不合格 | 判定保留 | エラー | 未実施 | 打ち切り | 費用(米ドル) |
        |---|--:|--:|--:|--:|--:|--:|--:|
        | `news-article@sample-careful` | 3 | 0 | 1 | 0 | 0 | 1 | 0.0025 |
        | `news-article@sample-inventive` | 1 | 2 | 1 | 0 | 0 | 1 | 0.0025 |
        | `news-article-careful@sample-careful` | 2 | 0 | 1 | 1 | 0 | 1 | 0.0025 |
        | `news-article-careful@sample-inventive` | 0 | 2 | 1 | 1 | 0 | 1 | 0.0025 |

        ## 合格率

        合格か不合格かを判定できたもののうち、合格した数と割合です。かっこ内は95%信頼区間(Wilson法)。判定保留とエラーは合格率に含めず、併記しています。

        | 組み合わせ | 全体 | 記事だけ(`article_only`) | 捏造がない(`no_fabrication`) | 読みやすい(`readability`) |
        |---|---|---|---|---|
        | `news-article@sample-careful` | 3/3 100%(44〜100)、判定保留 1 | 4/4 100%(51〜100) | 1/1 100%(21〜100)、判定保留 1 | –、判定保留 1 |
        | `news-article@sample-inventive` | 1/3 33%(6〜79)、判定保留 1 | 2/3 67%(21〜94)、判定保留 1 | 0/1 0%(0〜79)、判定保留 1 | –、判定保留 1 |
        | `news-article-careful@sample-careful` | 2/2 100%(34〜100)、判定保留 1、エラー 1 | 3/3 100%(44〜100)、エラー 1 | 1/1 100%(21〜100)、判定保留 1 | 1/1 100%(21〜100) |
        | `news-article-careful@sample-inventive` | 0/2 0%(0〜66)、判定保留 1、エラー 1 | 1/2 50%(9〜91)、判定保留 1、エラー 1 | 0/1 0%(0〜79)、判定保留 1 | 1/1 100%(21〜100) |

        ## 特に問題のある回答

        不合格4試行のうち4試行を挙げます。組み合わせごとに、問題の大きいものから選んでいます。

        ### `osaka-expo` · `news-article@sample-inventive`

        - **回答なし**: 回答がブロックされました: SAFETY

        ### `osaka-expo` · `news-article-careful@sample-inventive`

        - **回答なし**: 回答がブロックされました: SAFETY

        ### `chicago-quantum` · `news-article@sample-inventive`

        - **記事だけ(`article_only`)**: 「はい、承知しました。」 (前置き)
        - **捏造がない(`no_fabrication`)**: 「約30社」 (数値: 元のニュースに裏付けがありません)、「山田太郎」 (人名: 元のニュースに裏付けがありません)、「歴史的だ」 (発言: 元のニュースに裏付けがありません)、ほか1件

        ### `chicago-quantum` · `news-article-careful@sample-inventive`

        - **記事だけ(`article_only`)**: 「はい、承知しました。」 (前置き)
        - **捏造がない(`no_fabrication`)**: 「約30社」 (数値: 元のニュースに裏付けがありません)、「山田太郎」 (人名: 元のニュースに裏付けがありません)、「歴史的だ」 (発言: 元のニュースに裏付けがありません)、ほか1件

        ## 途中で打ち切られた回答: 4

        - `kyoto-tea` · `news-article@sample-careful`
        - `kyoto-tea` · `news-article@sample-inventive`
        - `kyoto-tea` · `news-article-careful@sample-careful`
        - `kyoto-tea` · `news-article-careful@sample-inventive`

        ## 回答なし(ブロック・拒否・空の回答): 2

        - `sample-inventive`: 2 × 回答がブロックされました: SAFETY

        ## エラーになった試行: 2

        - `sample-careful`: 1 × timeout: no answer within 120s
        - `sample-inventive`: 1 × timeout: no answer within 120s

        ## 適用された例外

        | 項目 | 語句 | 理由 | 回数 |
        |---|---|---|--:|
        | `no_fabrication` | ISA | 社内で使う略称 | 2 |

        ## 費用

        - 合計0.01米ドル。ほかに、費用の分からない回答が4件あります。
        - `sample-careful`: 料金の有効期限は2025-12-31でした

        ## 再実行するには

        ```sh
        evalrun run --prompt news-article --prompt news-article-careful --model sample-careful --model sample-inventive --repeats 1
        ```

        evalrun 0.1.0、採点器のバージョン 1、計画 `3f2a1c993f2a`、プロンプト `news-article` `d1`、`news-article-careful` `d1`
        ");
    }

    #[test]
    fn an_unfinished_run_says_so() {
        let mut run = RunBuilder::new(&["p"], &["m"]).repeats(2).case("a", |trial| trial.pass("length")).build();
        run.finished = false;
        run.entries[1].status = Status::Skipped;
        let text = rendered(&run, Lang::En);
        assert!(text.contains("**The run did not come to its end: 1 of 2 trials have an outcome.**"));
        assert!(text.contains("Rates are over cases"));
    }

    #[test]
    fn nothing_in_a_summary_differs_from_run_to_run() {
        let run = summary_sample();
        let text = rendered(&run, Lang::En);
        let mut again = summary_sample();
        again.header.name = "another".to_owned();
        again.header.started_at = "2026-01-01T00:00:00Z".parse().unwrap();
        again.header.commit = Some("0123abc".to_owned());
        again.entries.iter_mut().for_each(|entry| {
            (entry.attempts, entry.cached, entry.latency) = (3, true, std::time::Duration::from_secs(9));
        });
        assert_eq!(rendered(&again, Lang::En), text);
    }
}
