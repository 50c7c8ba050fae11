"""Shell completion: the scripts of three shells, and the names that are completed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from wavesim.checks.rules import RULES
from wavesim.cli.main import COMMANDS, cli
from wavesim.explanation.whatif import WHAT_IFS
from wavesim.glossary import entries
from wavesim.isa.names import devices, stock_machines
from wavesim.timing.rules import RULES as TIMING_RULES


def completed(*words: str) -> list[str]:
    """What the last of the words is completed to."""
    *before, incomplete = words
    found = ShellComplete(cli, {}, "wavesim", "_WAVESIM_COMPLETE").get_completions(before, incomplete)
    return [str(each.value) for each in found]


MACHINES = [*stock_machines(), *devices()]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([""], list(COMMANDS)),
        (["run", "kernels/8wave.yaml", "--arch", ""], MACHINES),
        (["compile", "--arch", "mi325"], ["MI325X"]),
        (["replay", "traces/x", "--arch", "gfx94"], ["gfx942"]),
        (["isa", "show", ""], MACHINES),
        (["isa", "show", "gfx942", "ld"], ["lds"]),
        (["isa", "explain", "gfx942", "lds.read_lat"], ["lds.read_latency_clk"]),
        (["check", "--rule", ""], list(RULES)),
        (["run", "--what-if", ""], [each.name for each in WHAT_IFS]),
        (["replay", "traces/x", "--without", ""], [rule.name for rule in TIMING_RULES]),
        (["explain-word", ""], [each.word for each in entries()]),
        (["run", "--engine", "s"], ["simpy"]),
    ],
    ids=" ".join,
)
def test_names_that_wavesim_knows_are_completed(words: list[str], found: list[str]) -> None:
    assert completed(*words) == found


def test_every_lesson_is_completed() -> None:
    pages = sorted(page.stem for page in Path(__file__).parents[2].glob("docs/lessons/[0-9][0-9]-*.md"))
    numbers, names = [str(int(page[:2])) for page in pages], [page[3:] for page in pages]
    assert completed("lesson", "") == [*numbers, "next", *names]
    assert completed("lesson", "half") == ["half-split"]


def test_kernels_that_come_with_wavesim_are_completed_in_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert completed("run", "kernels/8wave.y") == ["kernels/8wave.yaml"]
    assert "kernels/hip/8wave.hip" in completed("run", "ker")
    assert completed("run", "mine") == ["mine"]  # the shell completes files itself
    (tmp_path / "kernel.s").touch()
    assert completed("run", "kern")[0] == "kernel.s"


def test_a_folder_of_kernels_of_ones_own_is_the_shells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kernels").mkdir()
    monkeypatch.chdir(tmp_path)
    assert completed("run", "kernels/8wave.y") == ["kernels/8wave.y"]


def ask(shell: str, **given: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.argv[0] = 'wavesim'; from wavesim.cli.main import main; main()",
        ],
        env={**os.environ, "_WAVESIM_COMPLETE": shell, **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_accepts_its_script(shell: str, tmp_path: Path) -> None:
    """The script that the manual says to load; the shell itself reads it, where there is one."""
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("click asks bash for its version")
    script = tmp_path / "script"
    script.write_text(ask(f"{shell}_source"))
    assert f"_WAVESIM_COMPLETE={shell}_complete" in script.read_text()
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n", str(script)], check=True, timeout=60)


@pytest.mark.parametrize(
    ("shell", "given"),
    [
        ("bash", {"COMP_WORDS": "wavesim run --arch MI3", "COMP_CWORD": "3"}),
        ("zsh", {"COMP_WORDS": "wavesim run --arch MI3", "COMP_CWORD": "3"}),
        ("fish", {"COMP_WORDS": "wavesim run --arch MI3", "COMP_CWORD": "MI3"}),
    ],
)
def test_a_shell_is_answered(shell: str, given: dict[str, str]) -> None:
    assert "MI300X" in ask(f"{shell}_complete", **given)
