//! The rules of the house (`ARCHITECTURE.md`) that a machine can check.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use crate::common::root;

/// A file may be longer than this only if it stands in [`LONG_FILES`].
const MAX_LINES: usize = 600;

/// Longer files and why one idea takes that much.
const LONG_FILES: &[(&str, &str)] = &[];

/// What the core must not name: no runtime, no client, no clock, no files, no sockets, no logs.
const NOT_IN_THE_CORE: &[&str] = &[
    "tokio",
    "rdkafka",
    "redis",
    "reqwest",
    "rusqlite",
    "axum",
    "async_graphql",
    "mongodb",
    "tracing",
    "metrics::",
    "SystemTime",
    "Instant",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
];

/// Every Rust file below `src/`, as a path from the root, with its text.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((from_root(&path), text));
            }
        }
    }
    files.sort();
    files
}

fn from_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")
}

/// The text without comments and without the tests at its end, line by line with its number.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    // `#[cfg(test)] mod tests;` declares a file and ends nothing.
    let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].ends_with('{'));
    let end = tests.unwrap_or(lines.len());
    text.lines().take(end).enumerate().map(|(number, line)| (number + 1, line.split("//").next().unwrap_or_default()))
}

fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether `word` stands in `line` and is not part of a longer name.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(is_word)
            && !line[at + word.len()..].chars().next().is_some_and(is_word)
    })
}

/// The first names after each `crate::` of a line of code, also in `use crate::{a, b::c}`.
fn modules_used(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, prefix) in line.match_indices("crate::") {
        if line[..at].ends_with('$') || line[..at].chars().next_back().is_some_and(is_word) {
            continue;
        }
        let rest = &line[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.push(rest.chars().take_while(|&character| is_word(character)).collect());
            continue;
        };
        let mut depth = 0;
        let mut name = String::new();
        for character in group.chars() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => found.push(std::mem::take(&mut name)),
                _ if depth == 0 => name.push(character),
                _ => {}
            }
        }
        found.push(name);
    }
    let first = |name: &String| name.trim().split("::").next().unwrap_or_default().trim().to_owned();
    found.iter().map(first).filter(|name| !name.is_empty()).collect()
}

/// Joins the lines of a `use crate::{` that goes over several.
fn joined(text: &str) -> Vec<(usize, String)> {
    let mut statements: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in code(text) {
        if open {
            if let Some((_, statement)) = statements.last_mut() {
                statement.push_str(line.trim());
            }
        } else {
            statements.push((number, line.to_owned()));
        }
        let statement = statements.last().map_or("", |(_, statement)| statement);
        open = statement.contains("use crate::{") && !statement.contains(';');
    }
    statements
}

#[test]
fn a_module_uses_only_modules_above_it() {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let order: Vec<&str> = code(&lib)
        .filter_map(|(_, line)| line.trim().trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert!(order.len() > 10, "src/lib.rs declares {order:?}");
    let place = |module: &str| order.iter().position(|&other| other == module);
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let module = file["src/".len()..].split(['/', '.']).next().unwrap_or_default().to_owned();
        let Some(own) = place(&module) else { continue };
        if is_test(&file) {
            continue;
        }
        for (number, line) in joined(&text) {
            for used in modules_used(&line) {
                if place(&used).is_some_and(|used| used > own) {
                    wrong.push(format!(
                        "{file}:{number}: `{module}` uses `{used}`, which stands below it in src/lib.rs"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn uses_are_found_in_every_form() {
    assert_eq!(modules_used("use crate::twin::City;"), ["twin"]);
    assert_eq!(modules_used("use crate::{twin::{City, Id}, store, kafka::Topic};"), ["twin", "store", "kafka"]);
    assert_eq!(modules_used("let x: crate::live::Hub = crate::app::run();"), ["live", "app"]);
    assert_eq!(modules_used("$crate::twin::x, mycrate::twin"), Vec::<String>::new());
    let over_lines = "use crate::{\n    twin::City,\n    store,\n};\nfn f() {}";
    assert_eq!(
        joined(over_lines).iter().flat_map(|(_, line)| modules_used(line)).collect::<Vec<_>>(),
        ["twin", "store"]
    );
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        if !file.starts_with("src/twin/") || is_test(&file) {
            continue;
        }
        for (number, line) in code(&text) {
            for word in NOT_IN_THE_CORE.iter().filter(|word| names(line, word)) {
                wrong.push(format!("{file}:{number}: the core names `{word}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_found_whole_and_outside_of_comments_and_tests() {
    assert!(names("use tokio::sync::watch;", "tokio") && names("let now: Instant = x;", "Instant"));
    assert!(!names("fn tokio_like()", "tokio") && !names("InstantMeal", "Instant"));
    let text = "#[cfg(test)]\nmod tests;\nuse a; // tokio\n#[cfg(test)]\nmod inline {\nuse tokio;\n}\n";
    let lines: Vec<(usize, &str)> = code(text).collect();
    assert_eq!(lines, [(1, "#[cfg(test)]"), (2, "mod tests;"), (3, "use a; ")]);
}

#[test]
fn files_are_short_or_say_why_not() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let lines = text.lines().count();
        let allowed = LONG_FILES.iter().any(|(long, reason)| *long == file && !reason.is_empty());
        if lines > MAX_LINES && !allowed {
            wrong.push(format!("{file}: {lines} lines, over {MAX_LINES}"));
        }
    }
    for (long, _) in LONG_FILES {
        let lines = std::fs::read_to_string(root().join(long)).map_or(0, |text| text.lines().count());
        if lines <= MAX_LINES {
            wrong.push(format!("{long} need not be in LONG_FILES any more"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files of the repository with their text; those that are no text are left out.
fn tracked() -> Vec<(String, String)> {
    let list = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git is installed");
    assert!(list.status.success(), "git ls-files: {}", String::from_utf8_lossy(&list.stderr));
    String::from_utf8_lossy(&list.stdout)
        .split('\0')
        .filter(|name| !name.is_empty())
        // A file that is deleted and not yet committed is still listed.
        .filter_map(|name| Some((name.to_owned(), std::fs::read_to_string(root().join(name)).ok()?)))
        .collect()
}

/// Every place where one of `patterns` stands in a tracked file of which `looked_at` is true. What the rules themselves
/// must spell is spelt in pieces, so that this file needs no exception.
fn places(patterns: &[String], looked_at: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in tracked() {
        if !looked_at(&file) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            for pattern in patterns.iter().filter(|pattern| line.contains(*pattern)) {
                found.push(format!("{file}:{}: {pattern}", number + 1));
            }
        }
    }
    found
}

fn is_rust(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "rs")
}

#[test]
fn nothing_is_left_undone_and_no_test_is_ignored() {
    let patterns = [("#[ig", "nore"), ("tod", "o!("), ("unimple", "mented!(")].map(|(a, b)| format!("{a}{b}"));
    let found = places(&patterns, is_rust);
    assert!(found.is_empty(), "{}", found.join("\n"));
    let skipped = [(".sk", "ip("), (".to", "do("), (".on", "ly(")].map(|(a, b)| format!("{a}{b}"));
    let found = places(&skipped, |file| file.contains(".test.") || file.contains(".spec."));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_path_of_a_machine_is_tracked() {
    let homes = ["root", "home", "Users", "work"];
    let mut found = Vec::new();
    for (file, text) in tracked() {
        for (number, line) in text.lines().enumerate() {
            let hit = homes.iter().any(|home| {
                let path = format!("/{home}/");
                line.match_indices(&path).any(|(at, _)| {
                    // Inside a longer path or an address (`…/tree/work/…`) it is none of a machine.
                    let before = line[..at].chars().next_back();
                    // A user of one letter is made up.
                    let user = line[at + path.len()..].chars().take_while(|&character| is_word(character)).count();
                    user != 1 && before.is_none_or(|character| !is_word(character) && !".-~)}>*".contains(character))
                })
            });
            if hit {
                found.push(format!("{file}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Lock files and settings name no package registry: each machine uses the one that it is set to.
#[test]
fn no_package_registry_is_tracked() {
    let mut found = Vec::new();
    for (file, text) in tracked() {
        let name = file.rsplit('/').next().unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            let wrong = match name {
                "package-lock.json" => line.starts_with("\"resolved\": \"http"),
                // The name that cargo gives to its default registry, wherever it is fetched from.
                "Cargo.lock" => {
                    line.starts_with("source =")
                        && !line.ends_with("\"registry+https://github.com/rust-lang/crates.io-index\"")
                }
                ".npmrc" => line.contains("registry="),
                "pom.xml" | "settings.xml" => line.contains("<repository>") || line.contains("<mirror>"),
                "config.toml" => file.contains(".cargo/") && (line.contains("registry") || line.starts_with("[source")),
                _ => line.contains(concat!("registry.npm", "js.org")) || line.contains(concat!("proxy.golang", ".org")),
            };
            if wrong {
                found.push(format!("{file}:{}: {line}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The words after `make` in the code of a Markdown text: in fences, or between backticks.
fn make_targets(text: &str) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    let mut fence = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fence = !fence;
            continue;
        }
        let pieces: Vec<&str> = if fence { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for piece in pieces {
            for command in piece.split("&&") {
                // What stands in quotes is an argument's value, not a target.
                let command: String = command.split('"').step_by(2).collect();
                let command = command.trim().trim_start_matches("$ ");
                let words = command.strip_prefix("make ").unwrap_or_default().split('#').next().unwrap_or_default();
                let words = words.split_whitespace().filter(|word| !word.starts_with('-') && !word.contains('='));
                targets.extend(words.map(str::to_owned));
            }
        }
    }
    targets
}

#[test]
fn every_make_target_that_the_documents_name_is_there() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let defined: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| !line.starts_with(['\t', '#', '.', ' ']))
        .filter_map(|line| line.split_once(':').filter(|(_, rest)| !rest.starts_with('=')))
        .flat_map(|(targets, _)| targets.split_whitespace())
        .collect();
    for target in ["demo", "test", "lint", "bench", "services-up", "services-down", "schema"] {
        assert!(defined.contains(target), "Makefile has no `{target}`");
    }
    let mut wrong = Vec::new();
    for (file, text) in tracked() {
        if PathBuf::from(&file).extension().is_some_and(|extension| extension == "md") {
            for target in make_targets(&text) {
                if !defined.contains(target.as_str()) {
                    wrong.push(format!("{file}: `make {target}` is not in the Makefile"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn make_targets_are_read_from_code_only() {
    let text = "make sure that `make demo` runs.\n```sh\nmake test && make lint  # both\nmake -s services-up\nmake bench ARGS=\"catch-up living\"\n```\n";
    let targets: Vec<String> = make_targets(text).into_iter().collect();
    assert_eq!(targets, ["bench", "demo", "lint", "services-up", "test"]);
}
