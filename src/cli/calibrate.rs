//! `evalrun calibrate`: labelled texts judged, and the verdicts compared with people's.
//!
//! Promises what `stream` does (all processors, flat memory, bad lines told); with `--show` the texts on which scorers
//! and people differ are held until the end. Leaves counting to `calibration`, the tables to `report`.

use std::collections::BTreeSet;
use std::io;

use jiff::civil::Date;

use super::args::{CalibrateArgs, CalibrateFormat};
use super::console::Reader;
use super::context::{Context, language};
use super::error::Error;
use super::exit::Exit;
use super::items::open;
use super::judge::{has_defaults, judge_with_defaults};
use super::stream::{self, Steps, jobs, take_all};
use crate::calibration::{Calibration, Comparison, compare};
use crate::diagnostic::closest;
use crate::item::Item;
use crate::property::Property;
use crate::report::Lang;
use crate::report::calibration::{Calibrated, write_csv, write_json};
use crate::report::csv::Bom;
use crate::report::terminal::write_calibration;

/// Runs the command.
///
/// # Errors
/// There is no such file, nothing in it is labelled, or something cannot be read or written.
pub(super) fn execute(args: &CalibrateArgs, context: &Context) -> Result<Exit, Error> {
    let properties = properties(&args.property)?;
    let (today, of) = (context.environment.today(), properties.clone());
    let input = open(&context.path(&args.items))?;
    let steps = Steps::start(input, jobs(args.jobs), move |item| compare_item(&item, &of, today))?;
    let mut sum = Sum::new(&properties, args.show);
    let taken = take_all(steps, context, |compared| {
        if let Some(compared) = compared {
            sum.add(compared);
        }
        Ok(())
    });
    let bad = taken.map_err(|source| Error::System { what: "the results", source })??;
    for name in &sum.strangers {
        context.console.warn(&stranger(name));
    }
    if sum.texts == 0 && bad == 0 {
        return Err(nothing_labelled(args));
    }
    if sum.texts == 0 && args.format == CalibrateFormat::Text {
        context.console.say("no line that could be read has labels: there is nothing to compare");
        return Ok(stream::exit(bad, Reader::Listens, context));
    }
    let lang = language(args.lang, None);
    let write = |out: &mut dyn io::Write| sum.write(args.format, lang, context, out);
    let printed = match args.format {
        CalibrateFormat::Json => context.console.print_json(write)?,
        CalibrateFormat::Text | CalibrateFormat::Csv => context.console.print(write)?,
    };
    Ok(stream::exit(bad, printed, context))
}

/// The properties to compare, in report order.
fn properties(asked: &[Property]) -> Result<Vec<Property>, Error> {
    if let Some(property) = asked.iter().find(|property| !has_defaults(**property)) {
        return Err(Error::usage(format!(
            "--property {property}: what it asks for stands in a case, and here is none"
        ))
        .hint("it looks for texts and patterns as they are, and cannot be wrong about them"));
    }
    let is_asked = |property: &Property| asked.is_empty() || asked.contains(property);
    Ok(Property::ALL.into_iter().filter(|property| has_defaults(*property)).filter(is_asked).collect())
}

fn nothing_labelled(args: &CalibrateArgs) -> Error {
    let names: Vec<&str> = args.property.iter().map(|property| property.name()).collect();
    let of = if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) };
    Error::usage(format!("{}: no text has labels{of}", args.items.display()))
        .hint("a line is such as {\"output\": \"…\", \"labels\": {\"japanese_only\": {\"pass\": true, \"spans\": []}}}")
}

fn stranger(name: &str) -> String {
    let covers = ["covers.purpose", "covers.activities", "covers.significance"];
    let known: Vec<&str> = Property::ALL.map(Property::name).into_iter().chain(covers).collect();
    let hint = closest(name, &known).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    format!("labels of `{name}` are not counted: there is no such property{hint}")
}

/// What is to be counted of an item.
struct Compared {
    comparisons: Vec<Comparison>,
    strangers: Vec<String>,
}

/// Judges an item by the properties that people judged.
fn compare_item(item: &Item, properties: &[Property], today: Date) -> Result<Compared, String> {
    let Some(labels) = &item.labels else { return Ok(Compared { comparisons: Vec::new(), strangers: Vec::new() }) };
    labels.check()?;
    let labelled = properties.iter().copied().filter(|property| labels.of(*property).is_some());
    let scores = judge_with_defaults(labelled, &item.output, item.source.as_ref(), item.prompt.as_deref(), today);
    let comparisons = scores.iter().filter_map(|score| compare(item, labels, score)).collect();
    Ok(Compared { comparisons, strangers: labels.strangers().collect() })
}

/// The comparisons of all items.
struct Sum {
    calibrations: Vec<Calibration>,
    texts: usize,
    strangers: BTreeSet<String>,
    show: bool,
}

impl Sum {
    fn new(properties: &[Property], show: bool) -> Self {
        let calibrations = properties.iter().copied().map(Calibration::new).collect();
        Self { calibrations, texts: 0, strangers: BTreeSet::new(), show }
    }

    fn add(&mut self, compared: Compared) {
        self.texts += usize::from(!compared.comparisons.is_empty());
        // Names come from the file: of endlessly many, a few are enough to be told.
        const MOST: usize = 20;
        for name in compared.strangers {
            if self.strangers.len() < MOST {
                self.strangers.insert(name);
            }
        }
        for comparison in compared.comparisons {
            let mut calibrations = self.calibrations.iter_mut();
            let Some(calibration) = calibrations.find(|it| it.property == comparison.property) else { continue };
            calibration.count(&comparison);
            if self.show {
                calibration.keep(comparison);
            }
        }
    }

    fn write(
        mut self,
        format: CalibrateFormat,
        lang: Lang,
        context: &Context,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        self.calibrations.retain(|calibration| calibration.judged() + calibration.unscored > 0);
        let calibrated = Calibrated { texts: self.texts, properties: &self.calibrations, show: self.show };
        match format {
            CalibrateFormat::Text => write_calibration(calibrated, context.console.terminal_options(lang), out),
            CalibrateFormat::Json => write_json(calibrated, out),
            CalibrateFormat::Csv => write_csv(calibrated, out, Bom::Without),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(items: &[&str], asked: &[Property]) -> Result<Sum, String> {
        let properties = properties(asked).unwrap();
        let mut sum = Sum::new(&properties, true);
        for item in items {
            let item: Item = serde_json::from_str(item).unwrap();
            sum.add(compare_item(&item, &properties, jiff::civil::date(2026, 1, 1))?);
        }
        Ok(sum)
    }

    const LABELLED: &str = r#"{"id": 1, "output": "量子の交流会が開かれました。Furthermore, it was a great success for all of us.",
        "labels": {"japanese_only": {"pass": false, "spans": ["it was a great success"]}, "refusal": {"pass": true}}}"#;

    #[test]
    fn a_property_that_is_not_labelled_is_not_counted() {
        let sum = sum(&[LABELLED, r#"{"output": "量子です。"}"#], &[]).unwrap();
        let counted = sum.calibrations.iter().filter(|calibration| calibration.judged() > 0);
        let counted: Vec<Property> = counted.map(|calibration| calibration.property).collect();
        assert_eq!(counted, [Property::JapaneseOnly, Property::Refusal]);
        assert_eq!(sum.texts, 1);
        assert_eq!(sum.calibrations[0].both_fail, 1);
    }

    #[test]
    fn only_the_properties_that_are_asked_for_are_counted() {
        let sum = sum(&[LABELLED], &[Property::Refusal]).unwrap();
        assert_eq!(sum.calibrations.len(), 1);
        assert_eq!((sum.calibrations[0].property, sum.calibrations[0].both_pass), (Property::Refusal, 1));
        assert!(properties(&[Property::Contains]).is_err());
    }

    #[test]
    fn a_label_that_cannot_be_read_makes_its_line_bad() {
        let item = r#"{"output": "量子です。", "labels": {"register": {"passes": true}}}"#;
        assert_eq!(sum(&[item], &[]).err().as_deref(), Some("labels.register: missing field `pass`"));
    }

    #[test]
    fn a_mistyped_label_is_told_with_what_was_meant() {
        let item = r#"{"output": "量子です。", "labels": {"japanese-only": {"pass": true}}}"#;
        let sum = sum(&[item], &[]).unwrap();
        let told: Vec<String> = sum.strangers.iter().map(|name| stranger(name)).collect();
        assert!(told[0].ends_with("did you mean `japanese_only`?"), "{told:?}");
    }
}
