//! `evalrun compare`: is a candidate better than the base, on which cases, and how sure is that?

use std::io::Write;

use super::args::{CompareArgs, CompareFormat};
use super::context::{Context, language};
use super::error::Error;
use super::exit::Exit;
use super::pager::Pager;
use super::runs::{Archive, OpenRun, Variant};
use crate::compare::{Arm, Comparison, Options, Pair, Warning, adjust, any_differs, compare, counterpart};
use crate::id::{ModelId, PromptId};
use crate::outcome::{Run, Subject};
use crate::report::comparison::{Titled, write_html, write_json, write_markdown};
use crate::report::diff::{Diff, DiffOptions, Prompts, Side, write_text};
use crate::report::terminal::write_comparison;
use crate::stats::{CochranQ, Undefined};

/// Runs the command.
///
/// # Errors
/// A run cannot be found or read, or two have no case in common.
pub(super) fn execute(args: &CompareArgs, context: &Context) -> Result<Exit, Error> {
    let place = context.place_if_any()?;
    let archive = context.archive(place.as_ref());
    let base = Chosen::open(&args.base, archive)?;
    let candidates: Vec<Chosen> =
        args.candidates.iter().map(|text| Chosen::open(text, archive)).collect::<Result<_, _>>()?;
    let contests = contests(&base, &candidates)?;
    let options = Options {
        margin: args.margin / 100.0,
        primary: args.primary,
        candidates: contests.len(),
        ..Options::default()
    };
    let compared: Vec<Made<'_>> =
        contests.iter().map(|contest| Made::of(contest, options)).collect::<Result<_, _>>()?;
    is_required(args.primary, &compared)?;
    let mut wholes: Vec<Comparison> = compared.iter().map(|made| made.whole.clone()).collect();
    adjust(&mut wholes);
    let titled: Vec<Titled<'_>> = contests
        .iter()
        .zip(&compared)
        .zip(&wholes)
        .map(|((contest, made), whole)| made.titled(contest, whole))
        .collect();
    let several = several(&contests, &options);
    let lang = language(args.lang, place.as_ref());
    let diffs = || contests.iter().flat_map(Contest::diffs).collect::<Vec<_>>();
    let diff_options = DiffOptions { lang, ..DiffOptions::default() };
    let write = |out: &mut dyn Write| match args.format {
        CompareFormat::Text => write_comparison(&titled, several.as_ref(), context.console.terminal_options(lang), out),
        CompareFormat::Json => write_json(&titled, several.as_ref(), lang, out),
        CompareFormat::Markdown => write_markdown(&titled, &prompts(&contests), &diffs(), diff_options, out),
        CompareFormat::Html => write_html(&titled, several.as_ref(), &prompts(&contests), &diffs(), diff_options, out),
        CompareFormat::Diff => write_text(&prompts(&contests), &diffs(), diff_options, out),
    };
    match args.format {
        CompareFormat::Json => context.console.print_json(write)?,
        CompareFormat::Text => {
            let pager = Pager::find(&context.environment, args.no_pager);
            context.console.page(pager.as_ref(), write)?
        }
        _ => context.console.print(write)?,
    };
    let is_incomplete =
        wholes.iter().flat_map(|whole| &whole.warnings).any(|warning| matches!(warning, Warning::Missing { .. }));
    Ok(if is_incomplete { Exit::Incomplete } else { Exit::Fine })
}

/// Whether cases require what was declared to decide.
///
/// # Errors
/// None does on both sides.
fn is_required(primary: Subject, compared: &[Made<'_>]) -> Result<(), Error> {
    let of =
        |made: &Made<'_>| made.whole.subject(primary).is_some_and(|compared| compared.n + compared.dropped.len() > 0);
    if primary == Subject::All || compared.iter().all(of) {
        return Ok(());
    }
    let subjects = compared.first().map(|made| made.whole.subjects.as_slice()).unwrap_or_default();
    let names: Vec<&str> = subjects.iter().map(|compared| compared.subject.name()).collect();
    let message = format!("no case requires `{}` on both sides, so it cannot decide", primary.name());
    Err(Error::usage(message).hint(format!("--primary takes one of {}", names.join(", "))))
}

/// What the user named: a run, and which of its variants.
struct Chosen {
    open: OpenRun,
    /// As reports name it.
    name: String,
    variants: Vec<Variant>,
    /// Whether the user named one variant.
    is_one: bool,
    /// Whether the user named the run and nothing of it.
    is_whole: bool,
}

impl Chosen {
    /// `RUN`, `RUN::PROMPT` or `RUN::PROMPT@MODEL`.
    fn open(text: &str, archive: Archive<'_>) -> Result<Self, Error> {
        let (run, selected) = text.split_once("::").map_or((text, None), |(run, selected)| (run, Some(selected)));
        if selected.is_some_and(|selected| selected.contains('@')) {
            let (open, variant) = archive.open_variant(text)?;
            let variants: Vec<Variant> = variant.into_iter().collect();
            let name = format!("{}::{}", open.reader.run.header.name, selected.unwrap_or_default());
            return Ok(Self { open, name, variants, is_one: true, is_whole: false });
        }
        let open = archive.open(run)?;
        let header = &open.reader.run.header;
        let is_chosen = |prompt: &PromptId| selected.is_none_or(|selected| selected == prompt.as_str());
        let all = open.reader.run.variants().map(|(prompt, model)| (prompt.clone(), model.clone()));
        let variants: Vec<Variant> = all.filter(|(prompt, _)| is_chosen(prompt)).collect();
        if let (true, Some(selected)) = (variants.is_empty(), selected) {
            let prompts: Vec<&str> = header.prompts.iter().map(|prompt| prompt.id.as_str()).collect();
            return Err(Error::usage(format!("the run {run} has no prompt {selected}"))
                .did_you_mean(selected, "prompts", prompts));
        }
        let name = selected.map_or_else(|| header.name.clone(), |selected| format!("{}::{selected}", header.name));
        Ok(Self { name, variants, is_one: false, is_whole: selected.is_none(), open })
    }

    fn run(&self) -> &Run {
        &self.open.reader.run
    }
}

/// A candidate with its base: the variants of both that belong together.
struct Contest<'a> {
    base: &'a Chosen,
    candidate: &'a Chosen,
    /// The base's and the candidate's, as reports name them.
    names: [String; 2],
    variants: Vec<[&'a Variant; 2]>,
}

impl<'a> Contest<'a> {
    fn pairs(&self) -> Vec<Pair<'a>> {
        let pair = |[base, candidate]: &[&'a Variant; 2]| Pair {
            base: arm(self.base, base),
            candidate: arm(self.candidate, candidate),
        };
        self.variants.iter().map(pair).collect()
    }

    fn diffs(&self) -> Vec<Diff<'a>> {
        let are_one = self.base.run().header == self.candidate.run().header;
        let diff = |[base, candidate]: &[&'a Variant; 2]| Diff {
            base: side(self.base, base, are_one),
            candidate: side(self.candidate, candidate, are_one),
        };
        self.variants.iter().map(diff).collect()
    }
}

fn arm<'a>(chosen: &'a Chosen, (prompt, model): &'a Variant) -> Arm<'a> {
    Arm { run: chosen.run(), prompt, model }
}

fn side<'a>(chosen: &'a Chosen, (prompt, model): &'a Variant, are_one: bool) -> Side<'a> {
    let run_name = (!are_one).then(|| chosen.run().header.name.clone());
    Side { run: chosen.run(), outcomes: &chosen.open.reader, prompt, model, run_name }
}

/// Who is compared with whom. A run alone: each further prompt with the first. A base that is one variant: each variant
/// of the candidates by itself. Else each variant with its counterpart, all together.
fn contests<'a>(base: &'a Chosen, candidates: &'a [Chosen]) -> Result<Vec<Contest<'a>>, Error> {
    if candidates.is_empty() {
        return if base.is_whole { within(base) } else { Err(alone(base)) };
    }
    let mut contests = Vec::new();
    for candidate in candidates {
        match (base.variants.as_slice(), base.is_one || candidate.is_one) {
            ([one], true) if !candidate.is_one => {
                let others = candidate.variants.iter().filter(|other| {
                    candidate.variants.len() == 1 || *other != one || candidate.run().header != base.run().header
                });
                contests.extend(others.map(|other| Contest {
                    base,
                    candidate,
                    names: [base.name.clone(), variant_name(candidate, other)],
                    variants: vec![[one, other]],
                }));
            }
            _ => {
                let with = |other: &'a Variant| Some([counterpart_of(base, arm(candidate, other))?, other]);
                let variants: Vec<_> = candidate.variants.iter().filter_map(with).collect();
                if variants.is_empty() {
                    let message = format!("{} has no counterpart in {}", candidate.name, base.name);
                    return Err(Error::usage(message).hint("name the variants: RUN::PROMPT@MODEL"));
                }
                contests.push(Contest {
                    base,
                    candidate,
                    names: [base.name.clone(), candidate.name.clone()],
                    variants,
                });
            }
        }
    }
    Ok(contests)
}

/// That a part of a run was named and nothing to compare it with.
fn alone(base: &Chosen) -> Error {
    let run = base.run();
    let others = run.variants().filter(|(prompt, model)| {
        !base.variants.iter().any(|own| own.0 == **prompt && (!base.is_one || own.1 == **model))
    });
    let name = |(prompt, model): (&PromptId, &ModelId)| {
        let variant = if base.is_one { format!("{prompt}@{model}") } else { prompt.to_string() };
        format!("{}::{variant}", run.header.name)
    };
    let mut names: Vec<String> = others.map(name).collect();
    names.dedup();
    let hint = if names.is_empty() {
        format!("name a second run: evalrun compare {} RUN", base.name)
    } else {
        format!("name a second: {}", names.join(", "))
    };
    Error::usage(format!("{} alone has nothing to be compared with", base.name)).hint(hint)
}

/// Each further prompt of a run with its first.
fn within(run: &Chosen) -> Result<Vec<Contest<'_>>, Error> {
    let prompts = &run.run().header.prompts;
    let Some((first, others)) = prompts.split_first().filter(|(_, others)| !others.is_empty()) else {
        let message = format!("{} has one prompt: there is nothing to compare it with", run.name);
        return Err(Error::usage(message).hint("name a second run"));
    };
    let contest = |other: &PromptId| {
        let of = |id: &PromptId| run.variants.iter().filter(|variant| variant.0 == *id).collect::<Vec<_>>();
        Contest {
            base: run,
            candidate: run,
            names: [&first.id, other].map(|id| format!("{}::{id}", run.run().header.name)),
            variants: of(&first.id).into_iter().zip(of(other)).map(|(base, candidate)| [base, candidate]).collect(),
        }
    };
    Ok(others.iter().map(|other| contest(&other.id)).collect())
}

fn variant_name(chosen: &Chosen, (prompt, model): &Variant) -> String {
    format!("{}::{prompt}@{model}", chosen.run().header.name)
}

/// The variant of the base to compare with.
fn counterpart_of<'a>(base: &'a Chosen, candidate: Arm<'_>) -> Option<&'a Variant> {
    let among: Vec<_> = base.variants.iter().map(|(prompt, model)| (prompt, model)).collect();
    let (prompt, model) = counterpart(base.run(), &among, candidate)?;
    base.variants.iter().find(|variant| (&variant.0, &variant.1) == (prompt, model))
}

/// A comparison, and each of its variants by itself.
struct Made<'a> {
    whole: Comparison,
    parts: Vec<(Pair<'a>, Comparison)>,
}

impl<'a> Made<'a> {
    fn of(contest: &Contest<'a>, options: Options) -> Result<Self, Error> {
        let pairs = contest.pairs();
        let whole = compare(&pairs, options).filter(|whole| whole.cases.same > 0).ok_or_else(|| {
            let [base, candidate] = &contest.names;
            Error::usage(format!("{base} and {candidate} have no case in common")).hint(
                "cases are joined by id, or by what was sent; one that says something else than before is another",
            )
        })?;
        let alone = Options { candidates: 1, ..options };
        let part = |pair: Pair<'a>| Some((pair, compare(&[pair], alone)?));
        let parts = if pairs.len() > 1 { pairs.into_iter().filter_map(part).collect() } else { Vec::new() };
        Ok(Self { whole, parts })
    }

    fn titled<'t>(&'t self, contest: &Contest<'_>, whole: &'t Comparison) -> Titled<'t> {
        let [base, candidate] = contest.names.clone();
        let part = |(pair, comparison): &'t (Pair<'_>, Comparison)| Titled {
            base: pair.base.name(),
            candidate: pair.candidate.name(),
            comparison,
            parts: Vec::new(),
        };
        Titled { base, candidate, comparison: whole, parts: self.parts.iter().map(part).collect() }
    }
}

/// Whether any of three or more single variants differs, for the subject that was declared to decide.
fn several(contests: &[Contest<'_>], options: &Options) -> Option<Result<CochranQ, Undefined>> {
    let pairs: Vec<Pair<'_>> = contests.iter().flat_map(Contest::pairs).collect();
    let is_single = contests.iter().all(|contest| contest.variants.len() == 1);
    let arms = pairs.first().map(|pair| pair.base).into_iter().chain(pairs.iter().map(|pair| pair.candidate));
    (contests.len() > 1 && is_single).then(|| any_differs(&arms.collect::<Vec<_>>(), options.primary))
}

/// The prompts of each contest whose texts differ, once each.
fn prompts(contests: &[Contest<'_>]) -> Vec<Prompts> {
    let mut differing: Vec<Prompts> = Vec::new();
    for contest in contests {
        for [base, candidate] in &contest.variants {
            let text = |chosen: &Chosen, id: &PromptId| {
                let prompts = &chosen.run().header.prompts;
                prompts.iter().find(|prompt| prompt.id == *id).map(|prompt| prompt.text.clone()).unwrap_or_default()
            };
            let prompts = Prompts {
                title: format!("{} → {}", base.0, candidate.0),
                base: text(contest.base, &base.0),
                candidate: text(contest.candidate, &candidate.0),
            };
            if prompts.base != prompts.candidate && !differing.contains(&prompts) {
                differing.push(prompts);
            }
        }
    }
    differing
}
