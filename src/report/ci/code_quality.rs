//! GitLab's code quality: a finding a failed test, told apart from run to run by its name alone.

use std::io::{self, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::FileOf;
use super::test::{Result, for_each_test, told};
use crate::outcome::{Outcomes, Run, Subject};
use crate::project::{GateSettings, Rule, Tier};
use crate::report::lang::Lang;

/// Writes the failed and errored tests of a run as findings at their prompt's file. How grave one is stands in the gate.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_code_quality(
    run: &Run,
    outcomes: &dyn Outcomes,
    gate: Option<&GateSettings>,
    file_of: FileOf<'_>,
    lang: Lang,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut findings: Vec<Value> = Vec::new();
    for_each_test(run, outcomes, |test, outcome| {
        let Some(outcome) = outcome.filter(|_| matches!(test.result, Result::Failed | Result::Errored)) else {
            return Ok(());
        };
        let trial = &test.entry.trial;
        let name = format!("{}@{} {}", trial.prompt, trial.model, test.name());
        let severity = match test.result {
            Result::Errored => "info",
            _ => severity(gate, test.subject),
        };
        findings.push(json!({
            "description": format!("{name}: {}", told(&test, outcome, lang.words()).message),
            "check_name": test.subject.name(),
            "fingerprint": fingerprint(&name),
            "severity": severity,
            "location": {"path": file_of(&trial.prompt), "lines": {"begin": 1}},
        }));
        Ok(())
    })?;
    serde_json::to_writer_pretty(&mut *out, &findings)?;
    writeln!(out)
}

fn fingerprint(name: &str) -> String {
    Sha256::digest(name.as_bytes()).iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

fn severity(gate: Option<&GateSettings>, subject: Subject) -> &'static str {
    let rules = gate.map(|gate| gate.rules.as_slice()).unwrap_or_default();
    let of = |rule: &&Rule| rule.property.map(Subject::Property) == Some(subject);
    match rules.iter().find(of).map(|rule| rule.tier) {
        Some(Tier::Critical) => "critical",
        Some(Tier::Supporting) => "major",
        Some(Tier::Advisory) => "info",
        None => "minor",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::RunBuilder;

    #[test]
    fn a_failed_test_is_a_finding_at_its_prompt() {
        let build = |what: &'static str| {
            RunBuilder::new(&["p"], &["m"])
                .case("nara", |trial| trial.answer(what).pass("length").invents(what, "number"))
                .build()
        };
        let findings = |what| -> Value {
            let (run, mut out) = (build(what), Vec::new());
            let file = |prompt: &crate::id::PromptId| format!("prompts/{prompt}.md");
            write_code_quality(&run, &run, None, &file, Lang::En, &mut out).unwrap();
            serde_json::from_slice(&out).unwrap()
        };
        let (one, other) = (findings("約50社"), findings("約60社"));
        assert_eq!(one.as_array().unwrap().len(), 1);
        assert_eq!(one[0]["location"], json!({"path": "prompts/p.md", "lines": {"begin": 1}}));
        assert_eq!((&one[0]["check_name"], &one[0]["severity"]), (&json!("no_fabrication"), &json!("minor")));
        assert!(one[0]["description"].as_str().unwrap().contains("nara no_fabrication: 「約50社」"), "{one}");
        assert_eq!(one[0]["fingerprint"], other[0]["fingerprint"]);
    }
}
