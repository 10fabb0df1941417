//! Calibrations for programs and spreadsheets: how far each scorer agrees with people, as JSON and as CSV.
//!
//! Promises strict JSON in which what is undefined is null with a reason, and CSV in which it is an empty cell. The
//! table for people is in [`terminal`](super::terminal).

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::calibration::{Calibration, Comparison, Counts, Mark, SPECIFIC_VERDICTS, Side};
use crate::property::Property;
use crate::report::csv::{Bom, CsvWriter, begin, decimal};
use crate::report::escape;
use crate::score::Verdict;
use crate::stats::{Agreement, LEVEL};

/// Calibrations with the number of texts that they are from.
#[derive(Debug, Clone, Copy)]
pub struct Calibrated<'a> {
    /// The texts with a label of one of the properties.
    pub texts: usize,
    /// One comparison a property, in report order; of properties that nobody labelled, none.
    pub properties: &'a [Calibration],
    /// Whether to list the texts on which the two sides differ.
    pub show: bool,
}

/// A measure that may be undefined: its column, its value, and why it has none.
type Measure = (&'static str, Option<f64>, &'static str);

/// The measures of a property's verdicts, in the order of the columns.
fn measures(calibration: &Calibration) -> [Measure; 12] {
    let (alarms, table) = (calibration.alarms(), calibration.table());
    let none = table.n() == 0;
    let because = |reason: &'static str| if none { "there is no verdict to compare" } else { reason };
    let (agreement, kappa, ac1) = (table.agreement(LEVEL), table.kappa(LEVEL), table.ac1(LEVEL));
    let estimate = |agreement: Option<Agreement>| agreement.map(|agreement| agreement.estimate);
    let ends = |agreement: Option<Agreement>| agreement.and_then(|agreement| agreement.interval);
    let one_verdict = because("both sides gave all texts one verdict, so chance explains all agreement");
    let no_width = |agreement: Option<Agreement>| match agreement {
        None => one_verdict,
        Some(_) => "nobody disagreed, so the large-sample interval would have no width",
    };
    [
        ("precision", alarms.precision(), because("the scorer fails no text")),
        ("recall", alarms.recall(), because("people fail no text")),
        ("f1", alarms.f1(), because("neither side fails a text")),
        ("agreement", agreement.map(|it| it.estimate), because("")),
        ("agreement_low", agreement.map(|it| it.low), because("")),
        ("agreement_high", agreement.map(|it| it.high), because("")),
        ("kappa", estimate(kappa), one_verdict),
        ("kappa_low", ends(kappa).map(|(low, _)| low), no_width(kappa)),
        ("kappa_high", ends(kappa).map(|(_, high)| high), no_width(kappa)),
        ("ac1", estimate(ac1), because("")),
        ("ac1_low", ends(ac1).map(|(low, _)| low), no_width(ac1)),
        ("ac1_high", ends(ac1).map(|(_, high)| high), no_width(ac1)),
    ]
}

/// The counts of a property, in the order of the columns.
fn counts(calibration: &Calibration) -> [(&'static str, usize); 6] {
    [
        ("n", calibration.judged()),
        ("unscored", calibration.unscored),
        ("both_fail", calibration.both_fail),
        ("false_alarms", calibration.false_alarms),
        ("missed", calibration.missed),
        ("both_pass", calibration.both_pass),
    ]
}

fn span_measures(counts: Counts) -> [Measure; 3] {
    [
        ("precision", counts.precision(), "the scorer marked no words"),
        ("recall", counts.recall(), "people marked no words"),
        ("f1", counts.f1(), "neither side marked words"),
    ]
}

/// Writes calibrations as one JSON object: `texts`, `level` and `properties`, one a line.
///
/// `n` counts the texts that both judged; `both_fail`, `false_alarms`, `missed` and `both_pass` are their table. A
/// measure that is undefined is null, and `reasons` says why. `spans` are the words that a failing verdict rests on,
/// `specifics` those of `no_fabrication` by verdict.
///
/// # Errors
/// `out` cannot be written.
pub fn write_json(calibrated: Calibrated<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"texts\": {}, \"level\": {LEVEL},\n\"properties\": [", calibrated.texts)?;
    for (n, calibration) in calibrated.properties.iter().enumerate() {
        out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &property(calibration, calibrated.show))?;
    }
    out.write_all(b"]}\n")
}

fn property(calibration: &Calibration, show: bool) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), calibration.property.name().into());
    object.extend(counts(calibration).map(|(name, count)| (name.to_owned(), count.into())));
    insert_measures(&mut object, &measures(calibration));
    object.insert("spans".to_owned(), spans(calibration.spans));
    if calibration.property == Property::NoFabrication {
        let verdicts = SPECIFIC_VERDICTS.iter().zip(calibration.specifics);
        let verdicts: Map<String, Value> =
            verdicts.map(|(verdict, counts)| (verdict.name().to_owned(), spans(counts))).collect();
        object.insert("specifics".to_owned(), verdicts.into());
    }
    if show {
        object.insert("disagreements".to_owned(), calibration.disagreements.iter().map(disagreement).collect());
    }
    object.into()
}

fn spans(counts: Counts) -> Value {
    let mut object = Map::new();
    let Counts { matched, found, wanted } = counts;
    let counts = [("matched", matched), ("scorer", found), ("people", wanted)];
    object.extend(counts.map(|(name, count)| (name.to_owned(), count.into())));
    insert_measures(&mut object, &span_measures(Counts { matched, found, wanted }));
    object.into()
}

fn insert_measures(object: &mut Map<String, Value>, measures: &[Measure]) {
    let undefined = measures.iter().filter(|(_, value, _)| value.is_none());
    let reasons: Map<String, Value> =
        undefined.map(|(name, _, reason)| ((*name).to_owned(), (*reason).into())).collect();
    object.extend(measures.iter().map(|(name, value, _)| ((*name).to_owned(), json!(value))));
    object.insert("reasons".to_owned(), reasons.into());
}

fn disagreement(comparison: &Comparison) -> Value {
    let mark = |mark: &Mark| json!({"by": mark.by.name(), "text": mark.text, "kind": mark.kind, "note": mark.note});
    json!({
        "id": comparison.id,
        "people": verdict(comparison.label_passes).name(),
        "scorer": comparison.verdict.name(),
        "reason": comparison.reason,
        "marks": comparison.marks.iter().map(mark).collect::<Vec<_>>(),
    })
}

const fn verdict(passes: bool) -> Verdict {
    if passes { Verdict::Pass } else { Verdict::Fail }
}

impl Side {
    /// The name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Scorer => "scorer",
            Self::Both => "both",
        }
    }
}

/// Writes calibrations as CSV: a row a property; with `show`, a row a mark of each text on which the two sides differ.
///
/// # Errors
/// `out` cannot be written.
pub fn write_csv(calibrated: Calibrated<'_>, out: &mut dyn Write, bom: Bom) -> io::Result<()> {
    let mut csv = begin(out, bom)?;
    if calibrated.show {
        write_disagreements(calibrated, &mut csv)?;
    } else {
        write_properties(calibrated, &mut csv)?;
    }
    csv.flush()
}

fn write_properties(calibrated: Calibrated<'_>, csv: &mut CsvWriter<'_>) -> io::Result<()> {
    let empty = Calibration::new(Property::JapaneseOnly);
    let header = ["property"].into_iter().chain(counts(&empty).map(|(name, _)| name));
    let header = header.chain(measures(&empty).map(|(name, _, _)| name));
    let spans = ["span_matched", "span_scorer", "span_people", "span_precision", "span_recall", "span_f1"];
    csv.record(header.chain(spans))?;
    let cell = |(_, value, _): Measure| value.map(|value| decimal(value, 6)).unwrap_or_default();
    for calibration in calibrated.properties {
        let Counts { matched, found, wanted } = calibration.spans;
        let mut row = vec![calibration.property.name().to_owned()];
        row.extend(counts(calibration).map(|(_, count)| count.to_string()));
        row.extend(measures(calibration).map(cell));
        row.extend([matched, found, wanted].map(|count| count.to_string()));
        row.extend(span_measures(calibration.spans).map(cell));
        csv.record(&row)?;
    }
    Ok(())
}

fn write_disagreements(calibrated: Calibrated<'_>, csv: &mut CsvWriter<'_>) -> io::Result<()> {
    csv.record(["property", "id", "people", "scorer", "reason", "by", "text", "kind", "note"])?;
    for comparison in calibrated.properties.iter().flat_map(|calibration| &calibration.disagreements) {
        let keys = [
            comparison.property.name().to_owned(),
            escape::csv(&comparison.id).into_owned(),
            verdict(comparison.label_passes).name().to_owned(),
            comparison.verdict.name().to_owned(),
            escape::csv(comparison.reason.as_deref().unwrap_or_default()).into_owned(),
        ];
        if comparison.marks.is_empty() {
            csv.record(keys.iter().chain(&[const { String::new() }; 4]))?;
        }
        for mark in &comparison.marks {
            let texts = [&mark.text, &mark.kind, mark.note.as_deref().unwrap_or_default()].map(escape::csv);
            let cells = std::iter::once(mark.by.name().into()).chain(texts);
            csv.record(keys.iter().map(|key| key.as_str().into()).chain(cells).map(Cow::into_owned))?;
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::calibration::SPECIFIC_VERDICTS;

    /// Two properties, and texts on which the two sides differ, with what a hostile answer may hold.
    pub(in crate::report) fn sample() -> Vec<Calibration> {
        let mark = |by, text: &str, note: Option<&str>| Mark {
            by,
            text: text.to_owned(),
            kind: "number".to_owned(),
            note: note.map(str::to_owned),
        };
        let comparison = |id: &str, label_passes, verdict, marks| Comparison {
            property: Property::NoFabrication,
            id: id.to_owned(),
            label_passes,
            verdict,
            reason: None,
            marks,
            spans: Some(Counts { matched: 0, found: 1, wanted: 1 }),
            specifics: None,
        };
        let disagreements = vec![
            comparison(
                "a-1",
                false,
                Verdict::Pass,
                vec![mark(Side::People, "約30社", Some("the scorer says hedged: かも"))],
            ),
            comparison(
                "a-2",
                false,
                Verdict::Fail,
                vec![
                    mark(Side::Scorer, "=1+1\x1b[2J\n::error::x", Some("unsupported; people say grounded")),
                    mark(Side::Both, "40社", Some("contradicted")),
                ],
            ),
            Comparison {
                reason: Some("the item has no source".to_owned()),
                spans: None,
                ..comparison("a-3", true, Verdict::Unscored, vec![])
            },
        ];
        let no_fabrication = Calibration {
            both_fail: 40,
            missed: 6,
            false_alarms: 9,
            both_pass: 45,
            unscored: 1,
            spans: Counts { matched: 30, found: 40, wanted: 60 },
            specifics: SPECIFIC_VERDICTS.map(|_| Counts { matched: 30, found: 40, wanted: 60 }),
            disagreements,
            ..Calibration::new(Property::NoFabrication)
        };
        vec![no_fabrication, Calibration { both_pass: 100, ..Calibration::new(Property::Refusal) }]
    }

    fn csv(show: bool) -> String {
        let mut out = Vec::new();
        write_csv(Calibrated { texts: 101, properties: &sample(), show }, &mut out, Bom::Without).unwrap();
        String::from_utf8(out).unwrap().replace("\r\n", "↵\n")
    }

    #[test]
    fn a_property_is_a_row_in_which_the_undefined_is_empty() {
        insta::assert_snapshot!(csv(false), @"
        property,n,unscored,both_fail,false_alarms,missed,both_pass,precision,recall,f1,agreement,agreement_low,agreement_high,kappa,kappa_low,kappa_high,ac1,ac1_low,ac1_high,span_matched,span_scorer,span_people,span_precision,span_recall,span_f1↵
        no_fabrication,100,1,40,9,6,45,0.816327,0.869565,0.842105,0.85,0.767164,0.90694,0.699519,0.55959,0.839448,0.700748,0.560901,0.840595,30,40,60,0.75,0.5,0.6↵
        refusal,100,0,0,0,0,100,,,,1,0.963007,1,,,,1,,,0,0,0,,,↵
        ");
    }

    #[test]
    fn what_is_shown_is_a_row_a_mark_and_no_formula() {
        insta::assert_snapshot!(csv(true).replace('\x1b', "^"), @r#"
        property,id,people,scorer,reason,by,text,kind,note↵
        no_fabrication,a-1,fail,pass,,people,約30社,number,the scorer says hedged: かも↵
        no_fabrication,a-2,fail,fail,,scorer,"'=1+1␛[2J
        ::error::x",number,unsupported; people say grounded↵
        no_fabrication,a-2,fail,fail,,both,40社,number,contradicted↵
        no_fabrication,a-3,pass,unscored,the item has no source,,,,↵
        "#);
    }

    #[test]
    fn what_is_undefined_is_null_with_a_reason() {
        let mut out = Vec::new();
        let unjudged = Calibration { unscored: 2, ..Calibration::new(Property::Length) };
        let properties: Vec<Calibration> = sample().into_iter().chain([unjudged]).collect();
        write_json(Calibrated { texts: 101, properties: &properties, show: true }, &mut out).unwrap();
        let json: Value = serde_json::from_slice(&out).unwrap();
        let [no_fabrication, refusal, length] = json["properties"].as_array().unwrap().as_slice() else { panic!() };
        assert!((no_fabrication["kappa"].as_f64().unwrap() - 0.699_519_2).abs() < 5e-8);
        assert_eq!(no_fabrication["reasons"], json!({}));
        assert_eq!(no_fabrication["specifics"]["hedged"]["recall"], 0.5);
        assert_eq!(no_fabrication["disagreements"][0]["marks"][0]["by"], "people");
        assert_eq!(
            (&refusal["agreement"], &refusal["ac1"], &refusal["kappa"]),
            (&json!(1.0), &json!(1.0), &Value::Null)
        );
        for object in [refusal, length, &length["spans"]] {
            let named = object["reasons"].as_object().unwrap();
            let null = object.as_object().unwrap().iter().filter(|(_, value)| value.is_null());
            for (name, _) in null {
                assert!(!named[name].as_str().unwrap().is_empty(), "{name}");
            }
        }
        assert_eq!(length["reasons"].as_object().unwrap().len(), 12);
    }
}
