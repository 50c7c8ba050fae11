"""--json [FILE] means the same for every command: alone on standard output, or a file beside the text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wavesim.cli.operands import keep_operands

ROOT = Path(__file__).resolve().parents[2]
KERNEL = "kernels/wrong/missing-wait.s"
COMMANDS: dict[str, tuple[str, ...]] = {
    "run": ("run", KERNEL),
    "check": ("check", KERNEL),
    "explain": ("explain", KERNEL),
    "compare": ("compare", KERNEL, KERNEL),
    "isa list": ("isa", "list"),
    "isa rules": ("isa", "rules"),
    "isa show": ("isa", "show", "gfx942", "lds"),
    "isa explain": ("isa", "explain", "gfx942", "lds.queue_entries"),
}


def wavesim(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wavesim", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_alone_or_to_a_file(name: str, tmp_path: Path) -> None:
    command = COMMANDS[name]
    file = tmp_path / "out.json"
    alone = wavesim(*command, "--json")
    beside = wavesim(*command, "--json", str(file))
    plain = wavesim(*command)
    assert (alone.stderr, beside.stderr) == ("", "")
    assert alone.stdout == file.read_text(encoding="utf-8")
    json.loads(alone.stdout)
    assert beside.stdout == plain.stdout
    assert {alone.returncode, beside.returncode} == {plain.returncode}


def test_an_operand_after_the_option_is_read_not_written(tmp_path: Path) -> None:
    kernel = tmp_path / "kernel.s"
    text = (ROOT / KERNEL).read_text(encoding="utf-8")
    kernel.write_text(text, encoding="utf-8")
    done = wavesim("check", "--json", str(kernel))
    assert json.loads(done.stdout)["good"] is False
    assert kernel.read_text(encoding="utf-8") == text


def test_what_follows_the_option(tmp_path: Path) -> None:
    kernel = tmp_path / "k.yaml"
    old = tmp_path / "old.json"
    for path in (kernel, old):
        path.write_text("x")
    assert keep_operands(["--json", str(kernel)]) == ["--json=-", str(kernel)]
    assert keep_operands(["--json", str(tmp_path)]) == ["--json=-", str(tmp_path)]
    assert keep_operands(["--json", "gfx942"]) == ["--json=-", "gfx942"]
    assert keep_operands(["k.yaml", "--json"]) == ["k.yaml", "--json=-"]
    assert keep_operands(["--json", "--sarif", "new.sarif"]) == ["--json=-", "--sarif", "new.sarif"]
    for name in (str(old), "new.json", "-", "new.txt"):
        assert keep_operands(["--json", name]) == ["--json", name]


def test_json_and_sarif_go_to_different_places(tmp_path: Path) -> None:
    file = tmp_path / "found.sarif"
    done = wavesim("check", KERNEL, "--json", "--sarif", str(file))
    json.loads(done.stdout)
    assert json.loads(file.read_text())["version"] == "2.1.0"
    both = wavesim("check", KERNEL, "--json", "--sarif")
    assert both.returncode == 2
    assert "give one of them a file" in both.stderr
