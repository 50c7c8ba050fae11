"""What is printed: nothing that steers a terminal or follows its reader; a full disk is said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from on_terminal import on_terminal

from wavesim.visible import visible, visible_json

ROOT = Path(__file__).resolve().parents[2]
ASSEMBLY = ROOT / "kernels/lessons/two_waves.s"
HOSTILE = "x\x1b[31m\x1b]0;title\x07\r\x9b1m\u202e[/bold]"
PYTHON = [sys.executable, "-m", "wavesim"]


def printed(*words: object, cwd: Path) -> str:
    done = subprocess.run([*PYTHON, *map(str, words)], cwd=cwd, capture_output=True, timeout=60, check=False)
    text = (done.stdout + done.stderr).decode("utf-8")
    assert "Traceback" not in text
    return text


def on_a_terminal(*words: object, cwd: Path) -> str:
    """What a command writes to a terminal, with the colours of that terminal taken out."""
    return on_terminal([*PYTHON, *map(str, words)], cwd).replace("\r\n", "\n")


def steering(text: str) -> set[str]:
    return {
        each
        for each in text
        if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") and each not in "\n\t"
    }


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    shutil.copy(ASSEMBLY, tmp_path / f"{HOSTILE.replace('/', '')}.s")
    name = '"x\\e[31m\\e]0;title\\a\\r\\x9b1m\\u202e[/bold]"'
    (tmp_path / "m.yaml").write_text(
        f"base: gfx942\nname: {name}\ndescription: {name}\nlds:\n  read_latency_clk: "
        f"{{value: 45, unit: clk, source: {name}, confidence: measured, note: {name}}}\n"
    )
    return tmp_path


def test_names_from_files_and_the_command_line_do_not_steer(hostile: Path) -> None:
    kernel = next(hostile.glob("*.s")).name
    for words in (
        ("check", kernel),
        ("run", kernel),
        ("run", kernel, "--arg", f"{HOSTILE}=f32[64]", "--expect", HOSTILE),
        ("run", kernel, "--arg", HOSTILE),
        ("run", HOSTILE),
        ("run", kernel, f"--{HOSTILE}"),
        ("run", kernel, "--machine", "m.yaml"),
        ("run", kernel, "--json"),
        ("check", kernel, "--json"),
        ("isa", "show", "m.yaml", "lds"),
        ("isa", "show", "m.yaml", "--json"),
        ("isa", "explain", "m.yaml", "lds.read_latency"),
    ):
        assert not steering(printed(*words, cwd=hostile)), words


def test_on_a_terminal_only_the_own_colours_remain(hostile: Path) -> None:
    kernel = next(hostile.glob("*.s")).name
    for words in (
        ("isa", "show", "m.yaml", "lds"),
        ("isa", "explain", "m.yaml", "lds.read_latency"),
        ("run", kernel, "--machine", "m.yaml", "--width", "200"),
    ):
        text = on_a_terminal(*words, cwd=hostile)
        assert r"\x1b" in text, words
        assert "\x1b[31m\x1b" not in text
        assert "\x07" not in text
        assert steering(text) <= {"\x1b", "\r"}, words  # the line of progress returns to its start


def test_escapes_are_shown_and_json_keeps_its_text() -> None:
    assert visible("a\x1b[1mb\tc\n\x9b\u202e\udcff") == "a\\x1b[1mb\tc\n\\x9b\\u202e\\udcff"
    assert visible("▆ µ é 漢 – ·") == "▆ µ é 漢 – ·"
    assert visible_json('"\x9b\u202e"') == r'"\u009b\u202e"'


@given(st.text(), st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "L"])))
@example("\ud800", "\udc00")
@example("", "\U00013430")
def test_nothing_that_steers_is_left_of_any_text(one: str, other: str) -> None:
    shown = visible(one + other)
    assert not steering(shown)
    assert visible(shown) == shown
    written = visible_json(json.dumps(one + other, ensure_ascii=False))
    assert not steering(written)
    # as JSON itself has it: two halves of a character that meet are one character there
    assert json.loads(written) == json.loads(json.dumps(one + other))


@pytest.mark.parametrize(
    "words", [["isa", "list"], ["check", str(ASSEMBLY)], ["run", str(ASSEMBLY), "--json"]]
)
def test_a_full_device_is_said(words: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*PYTHON, *words], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"wavesim: standard output cannot be written: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "words", [["lower", "kernels/8wave.yaml"], ["isa", "show", "gfx942", "--json"], ["run", "-h"]]
)
def test_a_reader_that_goes_ends_nothing_and_hears_no_more(words: list[str]) -> None:
    """As ``| head``: quiet, and the exit code is the command's own."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*PYTHON, *words], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_closed_streams_and_poor_encodings_are_no_reason_to_fail() -> None:
    command = f"{sys.executable} -m wavesim isa list >&- 2>&-"
    assert subprocess.run(["bash", "-c", command], timeout=60, check=False).returncode == 0
    done = subprocess.run(
        [*PYTHON, "run", "nothing-é.s"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert b"nothing-" in done.stderr
    assert b"Traceback" not in done.stderr
