//! What a person sees in a terminal: pages, colours. The terminal is made by `script`; where there is none, that is said.
#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::project::Project;

/// What a terminal shows of a call, and the call's exit code; nothing if no terminal can be made.
fn in_a_terminal(project: &Project, arguments: &str, pager: &str) -> Option<(String, i32)> {
    let call = format!("'{}' {arguments}", env!("CARGO_BIN_EXE_evalrun"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &call, "/dev/null"]).current_dir(project.root());
    script.env("PAGER", pager).env("TERM", "xterm").env_remove("NO_COLOR").stdin(Stdio::null());
    let Ok(output) = script.output() else {
        let _ = writeln!(std::io::stderr(), "skipped: there is no `script` to make a terminal with");
        return None;
    };
    Some((String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code()?))
}

#[test]
fn a_pager_is_used_unless_it_is_unwanted_or_missing() {
    let project = Project::recorded("not_contains = [\"未定\"]", &[("a", "派遣の日は未定です。")]);
    project.done("run --out run").expect(0);
    for command in ["show run a", "report run", "compare run run"] {
        let Some((paged, code)) = in_a_terminal(&project, command, "sed s/^/paged:/") else { return };
        assert!(paged.contains("paged:") && code == 0, "{paged}");
        let (plain, code) = in_a_terminal(&project, &format!("{command} --no-pager"), "sed s/^/paged:/").unwrap();
        assert!(!plain.contains("paged:") && code == 0, "{plain}");
        // Colour is a terminal's, paged or not.
        assert!(paged.contains('\u{1b}') && plain.contains('\u{1b}'));
        let (left, code) = in_a_terminal(&project, command, "true").unwrap();
        assert_eq!(code, 0, "{left}");
        let (shown, code) = in_a_terminal(&project, command, "./no-such-pager").unwrap();
        assert!(shown.contains("`./no-such-pager` of $PAGER could not be started") && code == 0, "{shown}");
        assert!(shown.contains("contains"), "{shown}");
    }
    let (workbook, code) = in_a_terminal(&project, "report run --format xlsx", "cat").unwrap();
    assert!(code == 0 && !workbook.contains("PK\u{3}") && workbook.contains("report.xlsx"), "{workbook}");
}
