//! How fast a real server is asked that lets only so much through.

use serde_json::Value;

use crate::support::mock::Mock;
use crate::support::project::Project;

#[test]
fn a_servers_pace_is_found_and_the_journal_tells_how() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "--rpm 1200 --burst 10");
    let ids: Vec<String> = (0..60).map(|n| format!("c{n:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let config =
        format!("[[model]]\nid = \"m\"\nprovider = \"openai\"\nmodel = \"mock-ok\"\nbase_url = \"{}\"\n", mock.url);
    let project = Project::new(&config, &ids);
    project.done("run --out run").expect(0);
    let stats = mock.stats();
    assert_eq!(stats["answered"], 60, "{stats:#}");
    assert!(stats["requests"].as_u64().unwrap() <= 60 + 60, "{stats:#}");

    let journal: Vec<Value> =
        project.read("run/run.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let limits: Vec<&Value> = journal.iter().filter(|line| line["type"] == "limit").collect();
    assert!(!limits.is_empty() && limits.iter().all(|line| line["model"] == "m"), "{limits:#?}");
    assert!(limits.iter().any(|line| line["rpm"].is_number()), "{limits:#?}");
    project.done("report run").expect(0);
}

#[test]
fn a_configured_pace_is_kept_and_nothing_is_refused() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "--rpm 1200 --burst 5");
    let config = format!(
        "[[model]]\nid = \"m\"\nprovider = \"gemini\"\nmodel = \"mock-ok\"\nbase_url = \"{}\"\nlimits = {{ rpm = 1200 }}\n",
        mock.url
    );
    let project = Project::new(&config, &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]);
    project.done("run --out run").expect(0);
    let stats = mock.stats();
    assert_eq!((&stats["answered"], &stats["requests"]), (&12.into(), &12.into()), "{stats:#}");
}
