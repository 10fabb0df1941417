//! How variables, flags and their help go together.

use std::collections::HashMap;

use super::super::environment::Stream;
use super::*;

fn environment(arguments: &[&str], variables: &[(&str, &str)]) -> Environment {
    let stream = Stream { is_terminal: false, colour: false, width: None };
    Environment {
        arguments: std::iter::once("evalrun").chain(arguments.iter().copied()).map(OsString::from).collect(),
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        folder: PathBuf::new(),
        now: jiff::Timestamp::UNIX_EPOCH,
        stdout: stream,
        stderr: stream,
    }
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(RunArgs, CommonArgs), String> {
    let arguments: Vec<&str> = std::iter::once("run").chain(arguments.iter().copied()).collect();
    let args = parse(&environment(&arguments, variables)).map_err(|error| error.error.to_string())?;
    match args.command {
        Command::Run(run) => Ok((run, args.common)),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn the_declarations_are_sound() {
    Args::command().debug_assert();
}

#[test]
fn every_flag_that_a_variable_can_set_exists() {
    let mut root = Args::command();
    root.build();
    let longs: Vec<&str> =
        root.get_subcommands().flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long).collect();
    for flag in FROM_ENVIRONMENT {
        assert!(longs.contains(&flag), "{flag}");
    }
    assert!(FROM_ENVIRONMENT.is_sorted());
}

#[test]
fn a_flag_wins_over_its_variable() {
    let variables = [("EVALRUN_REPEATS", "3"), ("EVALRUN_MODEL", "a, b"), ("EVALRUN_NO_BOM", "1")];
    let (args, _) = run(&[], &variables).unwrap();
    assert_eq!(args.selection.repeats, Some(3));
    assert_eq!(args.selection.model, ["a", "b"]);
    assert!(args.reporting.no_bom);
    let (args, _) = run(&["--repeats", "2", "--model", "c"], &variables).unwrap();
    assert_eq!((args.selection.repeats, args.selection.model), (Some(2), vec!["c".to_owned()]));
}

#[test]
fn an_empty_or_false_variable_sets_nothing() {
    let variables = [("EVALRUN_REPEATS", ""), ("EVALRUN_QUIET", "0"), ("EVALRUN_FAIL_FAST", "False")];
    let (args, common) = run(&[], &variables).unwrap();
    assert_eq!((args.selection.repeats, args.fail_fast, common.quiet), (None, false, false));
}

#[test]
fn a_variable_stands_back_where_a_flag_excludes_it() {
    let (_, common) = run(&["-v"], &[("EVALRUN_QUIET", "1")]).unwrap();
    assert!(common.verbose == 1 && !common.quiet);
    let (args, _) = run(&["--diff", "a..b"], &[("EVALRUN_BASELINE", "latest")]).unwrap();
    assert_eq!(args.reporting.baseline, None);
}

#[test]
fn a_variables_value_is_checked_like_a_flags() {
    assert!(run(&[], &[("EVALRUN_REPEATS", "0")]).unwrap_err().contains("--repeats"));
    assert!(run(&[], &[("EVALRUN_SHARD", "3/2")]).unwrap_err().contains("expected K/N"));
}

#[test]
fn a_mistyped_variable_is_noticed() {
    let variables: HashMap<&str, &str> = HashMap::from([("EVALRUN_REPEETS", "3"), ("EVALRUN_REPEATS", "3")]);
    let variables: Vec<(&str, &str)> = variables.into_iter().collect();
    let unknown = unknown_variables(&environment(&[], &variables));
    assert_eq!(unknown, [("EVALRUN_REPEETS".to_owned(), Some("EVALRUN_REPEATS".to_owned()))]);
}

#[test]
fn a_shard_is_a_part_of_a_whole() {
    assert_eq!("2/4".parse(), Ok(Shard { index: 2, count: 4 }));
    for text in ["0/4", "5/4", "1", "a/b", "1/0", "/"] {
        assert!(text.parse::<Shard>().is_err(), "{text}");
    }
}
