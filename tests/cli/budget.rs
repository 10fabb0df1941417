//! A run stops before it passes its budget, says what it spent, and goes on with a higher one.

use crate::support::mock::Mock;
use crate::support::project::Project;

const CASES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/// A project whose model `m` is served by the mock and answers with at most 1,000 tokens, each for a hundredth of a dollar.
fn project(mock: &Mock, run: &str, more: &str) -> Project {
    let config = format!(
        "[run]\n{run}\n[[model]]\nid = \"m\"\nprovider = \"gemini\"\nbase_url = \"{}\"\n\
         params = {{ max_output_tokens = 1000 }}\nprice = {{ input = 0, output = 10000 }}\n{more}\n",
        mock.url
    );
    Project::new(&config, &CASES)
}

fn statuses(project: &Project) -> (usize, usize) {
    let metrics = project.csv("run/metrics.csv");
    let count = |status: &str| metrics.column("status").iter().filter(|cell| **cell == status).count();
    (count("passed"), count("skipped"))
}

#[test]
fn a_budget_of_requests_is_kept_and_a_higher_one_goes_on() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "");
    let project = project(&mock, "", "");
    let done = project.done("run --out run --max-requests 4").expect(3);
    done.says(&[
        "max_requests = 4 is used up: 4 requests spent",
        "6 of 10 trials are left",
        "a higher --max-requests goes on",
    ]);
    assert_eq!(statuses(&project), (4, 6));
    assert_eq!(mock.stats()["requests"], 4);
    let outcomes = project.read("run/run.jsonl").matches("\"type\":\"outcome\"").count();
    assert_eq!(outcomes, 4);

    // What the run has spent before counts: the same budget lets nothing more through.
    project.done("run --out run --max-requests 4").expect(3).says(&["continuing run: 4 of 10 trials are done"]);
    assert_eq!(mock.stats()["requests"], 4);
    project.done("run --out run --max-requests 7").expect(3).says(&["7 requests spent", "3 of 10 trials are left"]);
    assert_eq!(mock.stats()["requests"], 7);
    project.done("run --out run").expect(0);
    assert_eq!((statuses(&project), &mock.stats()["answered_again"]), ((10, 0), &0.into()));
}

#[test]
fn flag_variable_and_file_set_a_budget_in_this_order() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "");
    let project = project(&mock, "max_requests = 5", "");
    for (variable, flag, requests) in [(None, "", 5), (Some("3"), "", 3), (Some("3"), "--max-requests 2", 2)] {
        let before = mock.stats()["requests"].as_u64().unwrap();
        let mut call = project.call(&format!("run --out {requests} --no-cache {flag}"));
        if let Some(value) = variable {
            call = call.env("EVALRUN_MAX_REQUESTS", value);
        }
        call.done().expect(3);
        assert_eq!(mock.stats()["requests"].as_u64().unwrap() - before, requests);
    }
}

#[test]
fn a_budget_of_dollars_and_one_of_tokens_reserve_the_longest_answer() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "");
    let project = project(&mock, "", "");
    for (budget, says) in [
        (
            "--max-cost 30",
            ["max_cost = 30 is used up: ", " US dollars spent (", ", and one more request may cost 10.00"],
        ),
        (
            "--max-tokens 3000",
            ["max_tokens = 3000 is used up: ", " tokens spent (", ", and one more request may take 10"],
        ),
    ] {
        let done = project.done(&format!("run --out run --no-cache {budget}")).expect(3);
        done.says(&says);
        let (passed, skipped) = statuses(&project);
        // No answer is as long as it may be, so that more fit in than three.
        assert!((3..10).contains(&passed) && passed + skipped == 10, "{passed} {}", done.stderr);
        let tokens = project.csv("run/metrics.csv");
        let sum: u64 = tokens.column("output_tokens").iter().filter_map(|cell| cell.parse::<u64>().ok()).sum();
        assert!((2_000..=3_000).contains(&sum), "{sum}");
        std::fs::remove_dir_all(project.path("run")).unwrap();
    }
}

#[test]
fn answers_that_are_there_cost_nothing() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "");
    let project = project(&mock, "", "[[model]]\nid = \"file\"\nprovider = \"recorded\"\n")
        .with("cases/a/answers/p/file.md", "記事です。");
    project.done("run --out first --model m --case a --case j").expect(0);
    let done = project.done("run --out run --model m --model file --max-requests 0").expect(3);
    done.says(&["max_requests = 0 is used up: 0 requests spent"]);
    let cells = project.csv("run/metrics.csv").cells(&["case", "model", "status"]);
    assert_eq!(cells.iter().filter(|cell| cell.ends_with("|passed")).count(), 3, "{cells:?}");
    project.done("run --out all --model m --case a --case j --max-cost 0").expect(0);
    assert_eq!(mock.stats()["requests"], 2);
}

#[test]
fn a_bound_on_costs_needs_every_price_before_anything_is_sent() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "");
    let more = format!("[[model]]\nid = \"free\"\nprovider = \"openai\"\nbase_url = \"{}/v1\"", mock.url);
    let project = project(&mock, "max_cost = 1", &more);
    let says = ["max_cost is set, and nothing is known of what free costs", "price = { input = …, output = … }"];
    project.done("check").expect(2).says(&says);
    project.done("run --model m --model free").expect(2).says(&says);
    project.done("run --model free --max-requests 3").expect(2).says(&says);
    assert_eq!(mock.stats()["requests"], 0);
    for (budget, says) in [
        ("--max-cost=-1", "expected US dollars, such as 0.50"),
        ("--max-cost=much", "expected US dollars, such as 0.50"),
        ("--max-requests=-1", "invalid digit"),
        ("--max-tokens 1e6", "invalid digit"),
    ] {
        project.done(&format!("run {budget}")).expect(2).says(&[says]);
    }
    let project = project.with("evalrun.toml", "[run]\nmax_cost = -1\nmax_tokens = -1\nmax_requests = \"all\"\n");
    project.done("run").expect(2).says(&["`max_cost` is not negative", "evalrun.toml:3:14", "evalrun.toml:4:16"]);
}

#[test]
fn a_gate_on_a_run_that_ran_out_of_its_budget_says_so_unless_it_has_surely_failed() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "");
    for (gate, code) in
        [("all = 0.2", 3), ("all = 0.95", 3), ("all = 0.2\nmax_errored = 0.9", 3), ("contains = 0.9", 4)]
    {
        let gate = format!("[gate]\n{gate}\n[require]\ncontains = [\"どこにもない\"]\n");
        let gate = if code == 3 { gate.replace("どこにもない", "a") } else { gate };
        let project = project(&mock, "", &gate).with("prompts/p.md", "「a」と書く。\n");
        let done = project.done("run --out run --no-cache --max-requests 6").expect(code);
        done.says(&["max_requests = 6 is used up"]);
    }
}

#[test]
fn what_was_expected_and_what_was_spent_is_told_by_variant() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "");
    let project = project(&mock, "", "").with("prompts/q.md", "{{ title }}を伝える。\n");
    let done = project.done("run --out run").expect(0);
    let lines: Vec<&str> = done.stderr.lines().filter(|line| line.contains("@m ") || line.contains("in all")).collect();
    assert_eq!(lines.len(), 6, "{}", done.stderr);
    assert!(
        done.stderr.contains("expected if all is asked  requests  tokens in  tokens out       USD"),
        "{}",
        done.stderr
    );
    assert!(project.done("run --out run --quiet").expect(0).stderr.is_empty());
}

#[test]
fn a_budget_that_failures_used_up_says_why_they_failed() {
    // Nobody listens on the port of a listener that is gone.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!("[[model]]\nid = \"m\"\nprovider = \"openai\"\nbase_url = \"http://127.0.0.1:{port}/v1\"\n");
    let project = Project::new(&config, &CASES);
    let done = project.done("run --out run --max-requests 4 --quiet").expect(3);
    done.says(&[
        "max_requests = 4 is used up: 4 requests spent",
        "4 attempts failed; of each kind the last said:",
        "× m: connection: ",
        "efused",
        "10 of 10 trials are left",
        "none was answered: see to that first; then the same command with a higher --max-requests goes on",
    ]);
    // What came to nothing was spent all the same.
    project.done("run --out run --max-requests 4").expect(3).says(&["4 requests spent"]);
    project.done("run --out run --max-requests 5").expect(3).says(&["5 requests spent"]);
}

#[test]
fn list_tells_what_the_store_has_and_whether_the_budget_is_enough() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "");
    let project = project(&mock, "max_cost = 100", "");
    let text = project.done("list").expect(0).stdout;
    assert!(text.contains("10 requests over the network\n\n"), "{text}");
    assert!(text.contains("max_cost = 100 is enough for that"), "{text}");
    assert!(!project.path(".evalrun").exists());

    project.done("run --out run --case a --case b --case c").expect(0);
    let text = project.done("list --max-requests 6 --max-tokens 7500 --max-cost 2").expect(0).stdout;
    for said in [
        "10 requests over the network\n3 answers of them in the store already: a run asks for the other 7\n",
        "\nWithout what the store has: about ",
        "\nmax_cost = 2 is not enough for that: a run stops before it spends 70.00 US dollars.\n",
        "\nmax_requests = 6 is not enough for that: a run stops before it spends 7 requests.\n",
        "\nmax_tokens = 7500 is enough for that, if nothing takes more than is expected.\n",
    ] {
        assert!(text.contains(said), "no «{said}» in\n{text}");
    }
    let plan = project.done("list --format json").expect(0).json();
    assert_eq!(
        (&plan["stored"], &plan["variants"][0]["stored"], &plan["requests"]),
        (&3.into(), &3.into(), &10.into())
    );
    let bound = &plan["budget"][0];
    assert_eq!((&bound["bound"], &bound["enough"]), (&"max_cost".into(), &true.into()));
    for all in ["list --no-cache", "list --refresh", "list --cache elsewhere.db"] {
        assert!(project.done(all).expect(0).stdout.contains("10 requests over the network\n\n"), "{all}");
    }
    assert!(!project.path("elsewhere.db").exists());
    project
        .with("broken.db", &"x".repeat(4_096))
        .done("list --cache broken.db")
        .expect(0)
        .says(&["what the store has is not known"]);
}
