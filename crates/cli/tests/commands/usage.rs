//! Help, and command lines that are none.

use crate::plugin;

#[test]
fn help_names_every_flag_and_every_exit_code() {
    for (command, said) in [
        (
            "--help",
            &["plan", "windows", "layout", "profiles", "reasons"][..],
        ),
        (
            "layout --help",
            &[
                "--product",
                "--want",
                "--current",
                "--held",
                "--pinned",
                "--output",
                "0 feasible, 2 infeasible, 1 bad input",
                "blockedBy",
                "alternatives",
            ],
        ),
        (
            "profiles --help",
            &["--product", "--output", "Exit code: 0, or 1"],
        ),
    ] {
        let help = plugin(command);
        assert_eq!(help.code, 0, "{command}: {}", help.errors);
        for word in said {
            assert!(
                help.output.contains(word),
                "{command}: no {word} in {}",
                help.output
            );
        }
        let longest = help.output.lines().map(str::len).max().unwrap();
        assert!(longest <= 135, "{command}: a line of {longest} characters");
    }
}

#[test]
fn a_wrong_command_line_is_told_from_every_answer() {
    for (command, code) in [
        ("layout", 1),
        ("layout --product A30", 1),
        ("layout --want 1g.6gb=1", 1),
        ("layout --product A30 --want 1g.6gb=1 --wish 1g.6gb=1", 1),
        ("layout --product A30 --want 1g.6gb=1 -o yaml", 1),
        ("layout --product A30 --want 1g.6gb=1 2g.12gb=1", 1),
        ("layout --product A30 --product A30 --want 1g.6gb=1", 1),
        ("profiles A30", 1),
        ("profiles --product", 1),
        ("plan", 2),
        ("windows", 2),
        ("lay-out", 2),
        ("", 2),
    ] {
        let said = plugin(command);
        assert_eq!(said.code, code, "{command}: {}", said.errors);
        assert!(said.output.is_empty(), "{command}: {}", said.output);
        assert!(!said.errors.is_empty(), "{command}");
    }
}
