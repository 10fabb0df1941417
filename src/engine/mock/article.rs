//! The article of a server that has no better answer: about the title that the prompt quotes, by no model.
//!
//! Promises Japanese prose that states nothing a reader could check, and the same prose for the same question and seed.

/// The parts of an article in their order, each in several wordings; `{}` stands for the title.
const PARTS: [&[&str]; 5] = [
    &[
        "「{}」という発表がありました。どのような内容なのか、できるだけやさしい言葉でお伝えします。",
        "このたび、「{}」というお知らせが公開されました。要点を順に見ていきましょう。",
        "「{}」という話題が公開されています。はじめて聞く方にも分かるように、背景からご紹介します。",
    ],
    &[
        "この取り組みの目的は、関係する人たちが互いに理解を深め、課題の解決につなげることです。一つの組織だけでは届かないところを、力を合わせて補おうとしています。",
        "ねらいは、現場の困りごとを減らし、利用する人にとってより使いやすい形をつくることにあります。そのために、関係者が早い段階から話し合うことが大切だとされています。",
        "目指しているのは、これまでの経験を生かしながら、新しい可能性を広げることです。背景には、暮らしや仕事のあり方が変わってきたことがあると考えられます。",
    ],
    &[
        "具体的には、関係者が集まって意見を交わし、これからの進め方を確かめる活動が行われます。参加した人たちは、それぞれの立場から経験や知識を持ち寄ります。",
        "活動としては、説明や意見交換の場を設け、寄せられた声を次の計画に取り入れていきます。内容は分かりやすい形でまとめられ、広く共有される見込みです。",
        "当日は担当者が内容を説明し、参加者からの質問に答える形で進められます。終わったあとも、寄せられた意見をもとに見直しが続けられるとみられます。",
    ],
    &[
        "こうした取り組みには、立場の違う人どうしをつなぎ、将来の選択肢を増やすという意義があります。すぐに目に見える成果が出なくても、積み重ねが次の一歩を支えるでしょう。",
        "この動きが重要なのは、同じ悩みを抱えるほかの地域や分野にとっても参考になるからです。経験が共有されれば、社会全体の備えにもつながると期待されます。",
        "意義は、情報が開かれた形で伝わることにもあります。多くの人が内容を知ることで、より良い方法を一緒に考えるきっかけになるはずです。",
    ],
    &[
        "詳しい内容は、今後の発表で明らかになる見通しです。続報を待ちながら、身近なところとの関わりを考えてみてはいかがでしょうか。",
        "今後の進み具合については、発表元からのお知らせを確かめるのが確実です。新しいことが分かれば、あらためて注目が集まりそうです。",
        "まずは、どのような変化が生まれるのかを見守りたいところです。関心のある方は、発表元の案内をご覧になるとよいでしょう。",
    ],
];

/// What stands for a title where the prompt quotes none.
const NO_TITLE: &str = "新しい取り組みのお知らせ";

/// The longest text in brackets that is taken for a title.
const LONGEST_TITLE: usize = 200;

/// An article about what `prompt` quotes; `choice` picks the wordings.
pub(super) fn write(prompt: &str, choice: u64) -> String {
    let title = title(prompt).unwrap_or(NO_TITLE);
    let mut choice = choice;
    let paragraphs = PARTS.iter().map(|wordings| {
        let count = wordings.len() as u64;
        let picked = wordings[usize::try_from(choice % count).unwrap_or_default()];
        choice /= count;
        picked.replace("{}", title)
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// What stands in the outermost brackets of a quotation.
fn title(prompt: &str) -> Option<&str> {
    let between = |open: char, close: char| {
        let start = prompt.find(open)? + open.len_utf8();
        let end = start + prompt[start..].find(close)?;
        Some(prompt[start..end].trim())
    };
    let is_title = |title: &&str| !title.is_empty() && title.chars().count() <= LONGEST_TITLE;
    between('『', '』').filter(is_title).or_else(|| between('「', '」').filter(is_title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_is_about_the_title_that_the_prompt_quotes() {
        for (prompt, expected) in [
            ("『米国で「量子ミッション」派遣』が公開されていました。", "米国で「量子ミッション」派遣"),
            ("「新航路」について書く。", "新航路"),
            ("何か書く。", NO_TITLE),
            ("『』と『", NO_TITLE),
        ] {
            let article = write(prompt, 0);
            assert!(article.starts_with(&format!("「{expected}」という発表")), "{article}");
            assert!(!article.contains("{}"));
        }
    }

    #[test]
    fn a_choice_picks_one_wording_of_each_part() {
        let all: std::collections::BTreeSet<String> = (0..243).map(|choice| write("『題』", choice)).collect();
        assert_eq!(all.len(), 243);
        assert_eq!(write("『題』", 7), write("『題』", 7));
    }
}
