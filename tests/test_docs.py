"""Commands shown in README.md and docs/ print what is shown.

A ``console`` block holds ``$ wavesim ...`` lines, each followed by its exact output; ``...`` stands for
anything, as in doctest. A command without output is only run. ``echo $?`` lines give the exit code.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import terminal_picture
import trust_tables

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    page: Path
    line: int
    command: str
    output: str

    @property
    def is_elided(self) -> bool:
        """Whether something is left out: three dots, no more (the ASCII pictures have rows of them)."""
        return bool(re.search(r"(?<!\.)\.{3}(?!\.)", self.output))


def examples() -> list[Example]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            line = text[: block.start(1)].count("\n") + 1
            for part in re.split(r"^(?=\$ )", block.group(1), flags=re.MULTILINE):
                if part.startswith("$ "):
                    command, _, output = part[2:].partition("\n")
                    found.append(Example(page, line, command, output))
                line += part.count("\n")
    return found


def run(command: str, folder: Path) -> tuple[str, int]:
    words = shlex.split(command)
    assert words[0] == "wavesim", command
    done = subprocess.run(
        [sys.executable, "-m", "wavesim", *words[1:]],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr, done.returncode


def furnish(folder: Path) -> None:
    """What the commands of the pages find in their folder: machine data, kernels, measured traces."""
    for name in ("isa", "kernels"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "traces").symlink_to(SHARED / "traces")


@pytest.mark.parametrize("example", examples(), ids=lambda example: f"{example.page.name}:{example.line}")
def test_shown_output_is_true(example: Example, tmp_path: Path) -> None:
    furnish(tmp_path)
    if " traces/" in example.command and not (SHARED / "traces").is_dir():
        pytest.skip("the measured traces are not here")
    printed, _code = run(example.command, tmp_path)
    if example.output.strip():
        flags = doctest.ELLIPSIS if example.is_elided else 0
        same = doctest.OutputChecker().check_output(example.output, printed, flags)
        assert same, f"{example.page.name}:{example.line}: $ {example.command} prints\n{printed}"


def test_readme_has_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make run" in text
    assert "make test" in text


def test_the_picture_of_the_readme_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else: python tests/update_docs.py README.md."""
    monkeypatch.chdir(ROOT)
    kept = terminal_picture.FILE.read_text(encoding="utf-8")
    assert terminal_picture.texts(kept) == terminal_picture.texts(terminal_picture.picture())
    assert "https:" not in kept.replace("https://www.textualize.io", "")


def test_the_tables_of_trust_are_those_of_the_data() -> None:
    """Else: python tests/update_docs.py docs/trust.md."""
    text = trust_tables.PAGE.read_text(encoding="utf-8")
    assert trust_tables.with_tables(text) == text


def test_every_kind_names_a_test_that_there_is() -> None:
    text = (ROOT / "docs" / "kinds.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)` \|$", text, re.MULTILINE)
    assert len(named) > 40
    assert [name for name in named if not (ROOT / "tests" / name).is_file()] == []
