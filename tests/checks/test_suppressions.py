"""Comments in the source allow findings, with a reason, and never more than they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.checks.rules import RULES
from wavesim.checks.suppressions import read_suppressions
from wavesim.cli.main import cli

CODE = """\
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
	global_load_dword v2, v0, s[0:1]{above}
	v_mov_b32 v3, v2{here}
	s_endpgm
"""
BARE = CODE.format(above="", here="")


def check(path: Path, text: str, *words: str) -> tuple[int, str]:
    path.write_text(text)
    done = CliRunner().invoke(cli, ["check", str(path), *words], standalone_mode=False)
    assert done.exception is None, done.exception
    return int(done.return_value or 0), done.output


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (BARE, 1, "1 error"),
        (CODE.format(above="", here=" ; wavesim: allow missing-wait: v2 is 0"), 0, "allowed by the source"),
        (
            CODE.format(above="\n\t// wavesim: allow missing-wait: v2 is 0\n\n", here=""),
            0,
            "allowed by the source (missing-wait)",
        ),
        ("; wavesim: allow-file missing-wait, occupancy: an exercise\n" + BARE, 0, "2 findings allowed"),
        (CODE.format(above="", here=" ; wavesim: allow missing-wait"), 1, "without a reason"),
        (CODE.format(above="", here=" ; wavesim: allow missing-waits: x"), 1, "missing-waits: no such rule"),
        (CODE.format(above="", here=" ; wavesim: allow lds-race, missing-wait: x"), 0, "1 note"),
        (CODE.format(above=" ; wavesim: allow missing-wait: x", here=""), 1, "allows nothing"),
        (CODE.format(above="", here=" ; wavesim: allow wait-states: x"), 1, "wait-states allows nothing"),
    ],
)
def test_what_a_comment_allows(tmp_path: Path, text: str, code: int, said: str) -> None:
    given, output = check(tmp_path / "k.s", text)
    assert (given, said in output) == (code, True), output


def test_a_rule_that_looks_at_executions_is_not_stale_without_one(tmp_path: Path) -> None:
    text = CODE.format(above="", here=" ; wavesim: allow missing-wait: x") + "; wavesim: allow lds-race: x\n"
    assert "allows nothing" not in check(tmp_path / "k.s", text)[1]
    assert "allows nothing" in check(tmp_path / "k.s", text, "--arg", "A=f32[64]", "--block", "64")[1]


def test_json_and_sarif_keep_what_is_allowed(tmp_path: Path) -> None:
    text = CODE.format(above="", here=" ; wavesim: allow missing-wait: v2 is 0")
    (allowed,) = json.loads(check(tmp_path / "k.s", text, "--json")[1])["allowed"]
    assert (allowed["rule"], allowed["reason"]) == ("missing-wait", "v2 is 0")
    results = json.loads(check(tmp_path / "k.s", text, "--sarif")[1])["runs"][0]["results"]
    (quiet,) = [each for each in results if "suppressions" in each]
    assert quiet["suppressions"] == [{"kind": "inSource", "justification": "v2 is 0"}]


def test_a_line_of_the_source_is_covered(tmp_path: Path) -> None:
    """Compiled code: the comment is in the file that the line table names, not in the assembly."""
    (tmp_path / "k.hip").write_text("int a;\n// wavesim: allow missing-wait: known\nint b;\n")
    text = BARE.replace("k:\n", f'\t.file 1 "{tmp_path}" "k.hip"\nk:\n').replace(
        "\tv_mov", "\t.loc 1 3 1\n\tv_mov"
    )
    assert check(tmp_path / "k.s", text)[0] == 0
    assert check(tmp_path / "k.s", text.replace("1 3 1", "1 1 1"))[0] == 1


def test_forms_of_comments() -> None:
    for comment in (
        "# wavesim: allow lds-race: why",
        "x /* wavesim: allow lds-race: why */",
        ";wavesim: allow lds-race:why",
    ):
        ((found,), faults) = read_suppressions(comment, "k", RULES)
        assert (found.rule, found.reason, faults) == ("lds-race", "why", [])
    for comment in ("; wavesim: allow", "; wavesim: allow: x", "; wavesim: allow lds-race x"):
        found_none, (fault,) = read_suppressions(comment, "k", RULES)
        assert not found_none
        assert "cannot be read" in fault.message
    assert read_suppressions("wavesim: allow lds-race: x\n; wavesim: allowed", "k", RULES) == ([], [])
