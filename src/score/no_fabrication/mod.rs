//! `no_fabrication`: no specific without support is stated as fact. Value: 1 − fabricated / specifics (1 without any).
//!
//! Evidence lists every specific of the answer once, with its verdict, how that was found and why. A guess is no
//! fabrication unless the case says so; what the source contradicts is told apart from what it merely lacks.

mod amount;
mod arithmetic;
mod contact;
mod date;
mod derived;
mod equivalent;
mod name;
mod quote;
mod source;
mod specific;

use foldhash::{HashSet, HashSetExt as _};
use std::ops::Range;

use super::{Basis, Evidence, Score, SpecificVerdict, Subject, Verdict};
use crate::property::{Hedged, Property, SpecificKind};
use crate::text::Passage;
use crate::text::hedge::{Hedge, Reach, hedges};
use crate::text::quantity::Quantity;
use source::{Allowed, Finding};
use specific::{Specific, specifics};

pub(super) fn score(subject: &Subject<'_>) -> Score {
    let Some(source) = subject.source else {
        return Score {
            property: Property::NoFabrication,
            verdict: Verdict::Unscored,
            value: None,
            reason: Some("without a source nothing can be checked".to_owned()),
            evidence: Vec::new(),
        };
    };
    let mut judge =
        Judge { subject, allowed: Allowed::new(source), hedges: hedges(&subject.passage), supported: Vec::new() };
    let kinds = subject.require.kinds.as_deref().unwrap_or(&SpecificKind::ALL);
    let base = judge.allowed.base();
    let mut seen = HashSet::new();
    let mut evidence = Vec::new();
    for specific in specifics(&subject.passage, base).iter().filter(|specific| kinds.contains(&specific.kind())) {
        // A specific that is mentioned again with the same verdict is listed once.
        if let Some(judged) = judge.judge(specific)
            && seen.insert((judged.text.replace(' ', ""), judged.verdict))
        {
            evidence.push(judged);
        }
    }
    total(subject, evidence)
}

struct Judge<'a> {
    subject: &'a Subject<'a>,
    allowed: Allowed<'a>,
    hedges: Vec<Hedge>,
    /// Amounts of the answer that were found supported: the next may follow from them.
    supported: Vec<Quantity>,
}

impl Judge<'_> {
    /// The evidence of one specific; `None` for what turns out to be none.
    fn judge(&mut self, specific: &Specific) -> Option<Evidence> {
        let mut range = specific.range();
        let finding = self.find(specific, &range);
        let hedge = self.hedges.iter().find(|hedge| hedge.scope.start <= range.start && range.start < hedge.scope.end);
        let (verdict, basis, why) = match (finding, hedge) {
            (Finding::Supported { basis: Basis::Background, why }, _) => {
                (SpecificVerdict::Background, Basis::Background, why)
            }
            (Finding::Supported { basis, why }, _) => (SpecificVerdict::Grounded, basis, why),
            (_, Some(hedge)) => (SpecificVerdict::Hedged, Basis::Hedge, hedge_reason(self.subject, hedge)),
            (Finding::Unsupported { basis, why, extended_to }, None) => {
                if is_bare_weekday(specific) || self.is_where_to_ask(specific, &range) {
                    return None;
                }
                range = extended_to.unwrap_or(range);
                (SpecificVerdict::Fabricated, basis, why)
            }
        };
        let mut evidence = self.subject.evidence(&range, specific.kind().name());
        evidence.verdict = Some(verdict);
        evidence.basis = Some(basis);
        evidence.why = Some(why);
        if verdict == SpecificVerdict::Fabricated {
            evidence.waived = self.subject.waiver(Property::NoFabrication, &range);
        }
        Some(evidence)
    }

    /// A body that readers are sent to (気象庁の情報をご確認ください): nothing is said of it.
    fn is_where_to_ask(&self, specific: &Specific, range: &Range<usize>) -> bool {
        let passage = &self.subject.passage;
        let text = &passage.text[sentence_of(passage, range)];
        let text = text.trim_end_matches(['。', '!', '*', ')']);
        specific.kind() == SpecificKind::Organization
            && ["ください", "ましょう", "くださいね", "ましょうね"].iter().any(|end| text.ends_with(end))
            && ["確認", "確かめ", "ご覧", "参照", "チェック", "相談", "見て"].iter().any(|word| text.contains(word))
    }

    fn find(&mut self, specific: &Specific, range: &Range<usize>) -> Finding {
        let passage = &self.subject.passage;
        match specific {
            Specific::Date(mention) => date::find(&self.allowed, passage, mention),
            Specific::Quantity(quantity) => {
                let sentence = sentence_of(passage, range);
                let finding = amount::find(&self.allowed, passage, quantity, &sentence, &self.supported);
                if matches!(finding, Finding::Supported { basis: Basis::Computed, .. }) {
                    self.supported.push(quantity.clone());
                }
                finding
            }
            Specific::Name(name) => name::find(&self.allowed, passage, name),
            Specific::Quote(range) => quote::find(&self.allowed, passage, range),
            Specific::Contact(range) => quote::find_contact(&self.allowed, passage, range),
        }
    }
}

/// 火曜・木曜 in general: a day of the week that the source lacks says nothing that could be checked.
fn is_bare_weekday(specific: &Specific) -> bool {
    matches!(specific, Specific::Date(mention) if mention.day.is_none() && mention.time.is_none() && mention.month.is_none() && mention.year.is_none())
}

/// The sentence that a specific stands in; of an endless one what stands around it.
fn sentence_of(passage: &Passage<'_>, range: &Range<usize>) -> Range<usize> {
    /// Bytes on each side.
    const FARTHEST: usize = 1500;
    let n = passage.sentences.partition_point(|sentence| sentence.range.end <= range.start);
    let Some(sentence) = passage.sentences.get(n).filter(|sentence| sentence.range.start <= range.start) else {
        return range.clone();
    };
    let start = sentence.range.start.max(range.start.saturating_sub(FARTHEST));
    let end = sentence.range.end.min(range.end + FARTHEST).max(range.end);
    let is_boundary = |at: &usize| passage.text.is_char_boundary(*at);
    (start..range.start).find(is_boundary).unwrap_or(range.start)
        ..(range.end..=end).rev().find(is_boundary).unwrap_or(range.end)
}

fn hedge_reason(subject: &Subject<'_>, hedge: &Hedge) -> String {
    let cue = &subject.passage.text[hedge.cue.clone()];
    match hedge.reach {
        Reach::Predicate => format!("hedged by 「{cue}」 in its sentence"),
        Reach::Head => format!("hedged by 「{cue}」 before it"),
        Reach::Supposition => format!("part of a supposition (「{cue}」)"),
        Reach::LeadIn => format!("in a list led in by 「{cue}」"),
    }
}

fn total(subject: &Subject<'_>, evidence: Vec<Evidence>) -> Score {
    let hedges_fail = subject.require.hedged.unwrap_or_default() == Hedged::Fail;
    let fails = |evidence: &&Evidence| match evidence.verdict {
        Some(SpecificVerdict::Fabricated) => evidence.waived.is_none(),
        Some(SpecificVerdict::Hedged) => hedges_fail,
        _ => false,
    };
    let failing = evidence.iter().filter(fails).count();
    #[expect(clippy::cast_precision_loss, reason = "an answer has few specifics")]
    let value = if evidence.is_empty() { 1.0 } else { 1.0 - failing as f64 / evidence.len() as f64 };
    Score { value: Some(value), ..Score::binary(Property::NoFabrication, failing == 0, evidence) }
}

#[cfg(test)]
mod tests {
    use jiff::civil;

    use crate::case::Source;
    use crate::property::Requirements;
    use crate::score::{Basis, SpecificVerdict, Subject};

    /// Verdict and basis of the specific that holds `word`.
    fn judged(news: &str, answer: &str, word: &str) -> Option<(SpecificVerdict, Basis)> {
        let source: Source = serde_json::from_value(serde_json::json!({
            "published_at": "2025-11-24T09:00:00+09:00",
            "publisher": "楢原市",
            "title": "お知らせ",
            "body": news,
            "background": ["楢原城は1573年に築かれた"],
            "aliases": [["楢原商工会", "NCC"]],
        }))
        .unwrap();
        let require = Requirements::default();
        let subject = Subject::new(answer, Some(&source), None, &require, civil::date(2026, 1, 1));
        let score = super::score(&subject);
        let evidence = score.evidence.iter().find(|evidence| evidence.text.contains(word))?;
        Some((evidence.verdict?, evidence.basis?))
    }

    #[test]
    fn each_specific_is_held_against_what_the_source_says_or_implies() {
        use Basis::{Alias, Computed, Contradicted, Exact, Hedge, Normalised, Unsupported};
        use SpecificVerdict::{Background, Fabricated, Grounded, Hedged};
        for (news, answer, word, verdict, basis) in [
            ("30社が参加した。", "30社が参加しました。", "30社", Grounded, Exact),
            ("30社が参加した。", "三十社が参加しました。", "三十社", Grounded, Normalised),
            ("1.2億円を投じる。", "1億2,000万円を投じます。", "2,000万円", Grounded, Normalised),
            ("令和7年12月に開く。", "2025年12月に開きます。", "2025年12月", Grounded, Normalised),
            ("12月1日に開く。", "来週の月曜、12月1日に開きます。", "12月1日", Grounded, Exact),
            ("NCCが主催する。", "楢原商工会が主催します。", "楢原商工会", Grounded, Alias),
            ("催しを開く。", "1573年に築かれた楢原城で開きます。", "1573年", Background, Basis::Background),
            ("催しを開く。", "約30社が参加しました。", "30社", Fabricated, Unsupported),
            ("催しを開く。", "約30社が参加したとみられます。", "30社", Hedged, Hedge),
            ("12月1日に開く。", "12月8日に開きます。", "12月8日", Fabricated, Contradicted),
            // Arithmetic and the calendar.
            ("電車31編成と26の停留場に置いた。", "合わせて57か所に置きました。", "57か所", Grounded, Computed),
            ("予定は9月12日だった。発売は10月17日。", "発売は5週間の延期です。", "5週間", Grounded, Computed),
            ("価格は440円。14日間もつ。", "1日あたりにすると、およそ31円です。", "31円", Grounded, Computed),
            ("15分間隔で走る。", "1時間に4本の割合で走ります。", "4本", Grounded, Computed),
            ("毎月第4水曜に開く。", "次は12月24日です。", "12月24日", Grounded, Computed),
            ("毎月第2・第4水曜に開く。", "次は12月17日です。", "12月17日", Fabricated, Unsupported),
            ("3年の宇治原ここみさんが話した。", "三年生の宇治原ここみさんです。", "三年生", Grounded, Normalised),
            ("3種類を売る。3種類ある。", "満足度は100%でした。", "100%", Fabricated, Unsupported),
            ("50人のうち20人が選んだ。", "4割が選びました。", "4割", Grounded, Computed),
            // What follows from words of time, age and distance from the day of publication.
            ("あす発売する。", "11月25日に発売されます。", "11月25日", Grounded, Computed),
            ("来週月曜に始める。", "12月1日に始まります。", "12月1日", Grounded, Computed),
            ("10年ぶりに改めた。", "前回は2015年でした。", "2015年", Grounded, Computed),
            ("91歳で亡くなった。", "1934年の生まれです。", "1934年", Grounded, Computed),
            ("4〜9月期の決算。", "第2四半期までの決算です。", "第2四半期", Grounded, Normalised),
            ("12月7日に開幕する。", "開幕まであと13日です。", "13日", Grounded, Computed),
            // The same in other words.
            ("3連覇を果たした。", "3年連続の優勝です。", "3年連続", Grounded, Normalised),
            ("5-2で快勝した。", "3点差の勝利です。", "3点", Grounded, Computed),
            ("33%が賛成した。", "3人に1人が賛成しました。", "3人", Grounded, Computed),
            ("33%が賛成した。", "5人に2人が賛成しました。", "5人", Fabricated, Unsupported),
            ("44.8%だった。", "5割に届きませんでした。", "5割", Grounded, Normalised),
            ("ミナト技研の新製品。", "株式会社ミナト技研の新製品です。", "ミナト技研", Grounded, Normalised),
        ] {
            assert_eq!(judged(news, answer, word), Some((verdict, basis)), "{news} / {answer}");
        }
    }
}
