//! How the reports of a run were asked for, where by more than the command alone: in which language, compared with what.
//!
//! Promises that `evalrun report RUN` writes the files again as they were, and leaves what is told of them to the flags.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::args::{Language, ReportingArgs};
use super::error::Error;

/// The file beside the reports; there is none where nothing was asked for.
pub(super) const ASKED: &str = "reports.json";

/// What flags and variables asked for.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(skip_serializing_if = "Option::is_none")]
    lang: Option<Language>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) baseline: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_bom: bool,
}

impl Asked {
    /// What these flags ask for.
    pub(super) fn by(args: &ReportingArgs) -> Self {
        let ReportingArgs { no_bom, xlsx: _, diff, baseline, lang } = args.clone();
        Self { lang, diff, baseline, no_bom }
    }

    /// What the reports in a folder were asked for.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn of(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(ASKED);
        if !path.is_file() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path).map_err(Error::file(&path))?;
        let unread = |error| Error::usage(format!("{}: {error}", path.display()));
        serde_json::from_str(&text)
            .map_err(|error| unread(error).hint("it tells how the reports beside it were asked for: take it out"))
    }

    /// The flags, and this where they ask for nothing.
    pub(super) fn under(self, args: &ReportingArgs) -> ReportingArgs {
        let is_compared = args.diff.is_some() || args.baseline.is_some();
        let (diff, baseline) =
            if is_compared { (args.diff.clone(), args.baseline.clone()) } else { (self.diff, self.baseline) };
        ReportingArgs {
            no_bom: args.no_bom || self.no_bom,
            xlsx: args.xlsx,
            diff,
            baseline,
            lang: args.lang.or(self.lang),
        }
    }

    /// The file's text; `None` where nothing was asked for.
    pub(super) fn text(&self) -> Option<String> {
        (*self != Self::default()).then(|| serde_json::to_string_pretty(self).unwrap_or_default() + "\n")
    }
}
