//! The commit of a project, read from its repository's own files: no program is run for it.

use std::fs;
use std::path::Path;

/// The commit that is checked out in the repository around `root`; `None` where that cannot be told.
pub(super) fn commit_of(root: &Path) -> Option<String> {
    let dot_git = root.ancestors().map(|folder| folder.join(".git")).find(|path| path.exists())?;
    let folder = if dot_git.is_file() {
        // A further working tree, or a submodule: the file says where its repository is.
        let text = fs::read_to_string(&dot_git).ok()?;
        dot_git.parent()?.join(text.strip_prefix("gitdir:")?.trim())
    } else {
        dot_git
    };
    let head = fs::read_to_string(folder.join("HEAD")).ok()?;
    let Some(reference) = head.trim().strip_prefix("ref:").map(str::trim) else { return digest(&head) };
    let common =
        fs::read_to_string(folder.join("commondir")).map_or_else(|_| folder.clone(), |at| folder.join(at.trim()));
    let loose = [&folder, &common].into_iter().find_map(|folder| fs::read_to_string(folder.join(reference)).ok());
    loose.and_then(|text| digest(&text)).or_else(|| packed(&common, reference))
}

fn packed(common: &Path, reference: &str) -> Option<String> {
    let references = fs::read_to_string(common.join("packed-refs")).ok()?;
    let line = references.lines().find(|line| line.split_once(' ').is_some_and(|(_, name)| name == reference))?;
    digest(line.split_once(' ')?.0)
}

fn digest(text: &str) -> Option<String> {
    let text = text.trim();
    let is_digest = text.len() >= 40 && text.chars().all(|c| c.is_ascii_hexdigit());
    is_digest.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn the_commit_is_found_wherever_a_repository_keeps_it() {
        for (files, expected) in [
            (&[][..], None),
            (&[(".git/HEAD", COMMIT)], Some(COMMIT)),
            (&[(".git/HEAD", "ref: refs/heads/main\n")], None),
            (&[(".git/HEAD", "ref: refs/heads/main\n"), (".git/refs/heads/main", COMMIT)], Some(COMMIT)),
            (
                &[
                    (".git/HEAD", "ref: refs/heads/main\n"),
                    (".git/packed-refs", "# pack\n0123456789abcdef0123456789abcdef01234567 refs/heads/main\n"),
                ],
                Some(COMMIT),
            ),
            (
                &[
                    (".git", "gitdir: main/.git/worktrees/w\n"),
                    ("main/.git/worktrees/w/HEAD", "ref: refs/heads/w\n"),
                    ("main/.git/worktrees/w/commondir", "../..\n"),
                    ("main/.git/refs/heads/w", COMMIT),
                ],
                Some(COMMIT),
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            if !files.is_empty() {
                assert_eq!(commit_of(folder.path()).as_deref(), expected, "{files:?}");
            }
        }
    }
}
