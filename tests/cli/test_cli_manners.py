"""Manners of every command: `| head` ends it quietly, NO_COLOR and --quiet hold, Ctrl-C ends it with 130."""

from __future__ import annotations

import os
import pty
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import click
import pytest
from on_terminal import read_all
from trace_folders import four_waves, write_folder

from wavesim.cli import progress
from wavesim.cli.main import COMMANDS, WORKING, cli, main

ROOT = Path(__file__).resolve().parents[2]
SMALL = "kernels/lessons/strong_wait.s"
WORDS: dict[str, tuple[str, ...]] = {
    "run": (SMALL, "--details"),
    "check": (SMALL,),
    "compare": (SMALL, "kernels/lessons/zero_waits.s"),
    "sweep": ("{spec}",),
    "explain": (SMALL,),
    "tune": (SMALL, "--candidates", "1"),
    "swizzle": ("--tile", "64x64", "--type", "bf16", "--read", "mfma16x16x16", "--write", "b128"),
    "report": (SMALL, "-o", "{new}.html"),
    "lower": ("kernels/lessons/double_buffer.yaml",),
    "loops": (SMALL,),
    "launch": (SMALL,),
    "isa list": (),
    "isa show": ("gfx942", "lds"),
    "isa explain": ("gfx942", "lds.read_latency_clk"),
    "isa coverage": (),
    "isa rules": (),
    "trace info": ("{folder}",),
    "trace listing": ("{folder}",),
    "replay": ("{folder}",),
    "validate": ("{folder}",),
    "calibrate": ("--virtual", "gfx942", "--dry-run"),
    "mcp": (),
    "lesson": (),
    "explain-word": ("lgkmcnt",),
}
NOT_HERE = ("compile", "triton", "trace capture", "predict")
"""A compiler, a wheel, a GPU or a launch of a trace is needed."""


def test_all_commands_are_here() -> None:
    found = set()
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        inner = command.commands if isinstance(command, click.Group) else ()
        found |= {f"{name} {part}" for part in inner} or {name}
    assert found == {*WORDS, *NOT_HERE}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("manners")
    spec = folder / "spec.yaml"
    spec.write_text(f"kernels: [{ROOT / SMALL}]\nfigures: [clk_total]\n")
    trace = write_folder(folder / "trace", four_waves())
    return {"spec": str(spec), "folder": str(trace), "new": str(folder / "new")}


def words_of(name: str, places: dict[str, str]) -> list[str]:
    return [*name.split(), *(word.format(**places) for word in WORDS[name])]


def ended(words: list[str], prepare: Callable[[], None], out: int, err: int, reading: int) -> tuple[int, str]:
    """The exit code of a command in a child of this process, which has imported everything, and what it
    wrote for the descriptor ``reading``."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        _run(words, prepare, out, err)
    for descriptor in {out, err}:
        os.close(descriptor)
    text = read_all(reading)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


def _run(words: list[str], prepare: Callable[[], None], out: int, err: int) -> None:
    code: object = 70
    try:
        signal.alarm(60)
        os.chdir(ROOT)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for ours, theirs in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(ours, theirs)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        sys.argv = ["wavesim", *words]
        prepare()
        main()
    except SystemExit as done:
        code = done.code
    finally:
        sys.setprofile(None)
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 71)


@pytest.mark.parametrize("name", WORDS)
def test_a_reader_that_goes_is_no_error(name: str, places: dict[str, str]) -> None:
    gone, out = os.pipe()
    os.close(gone)
    reading, err = os.pipe()
    code, text = ended(words_of(name, places), lambda: None, out, err, reading)
    assert code in (0, 1)
    assert "Traceback" not in text
    assert "roken pipe" not in text


@pytest.mark.parametrize("name", WORDS)
def test_no_color_and_quiet_hold_on_a_terminal(
    name: str, places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    quiet = ["--quiet"] if name.split()[0] in WORKING else []
    ours, theirs = pty.openpty()
    code, text = ended([*words_of(name, places), *quiet], lambda: None, theirs, theirs, ours)
    shown = text.replace("\r\n", "\n")
    assert code in (0, 1), shown
    assert "\x1b" not in shown
    assert "\r" not in shown


OWN_LINES = ("tune", "validate")
"""They print a table that lives, and a line for each trace."""


@pytest.mark.parametrize("name", [name for name in WORDS if name.split()[0] in WORKING - set(OWN_LINES)])
def test_what_may_take_long_says_how_far_it_is(name: str, places: dict[str, str]) -> None:
    """With every second taken for one that is over."""

    def at_once() -> None:
        progress.PROGRESS_AFTER_S = progress.LEAST_GAP_S = 0.0

    ours, theirs = pty.openpty()
    code, text = ended(words_of(name, places), at_once, theirs, theirs, ours)
    assert code in (0, 1), text
    if "--dry-run" not in WORDS[name]:
        assert re.search(r"\r[^\r\n]+: [^\r\n]+  \d+ s", text)


@pytest.mark.parametrize("name", WORDS)
def test_ctrl_c_ends_it_with_130(name: str, places: dict[str, str]) -> None:
    """When it has begun: at its twentieth call of a function of wavesim."""
    left = [20]

    def strike(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and "/wavesim/" in frame.f_code.co_filename:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGINT)

    reading, err = os.pipe()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    code, text = ended(words_of(name, places), lambda: sys.setprofile(strike), nowhere, err, reading)
    assert (code, text.lstrip("\n")) == (130, "wavesim: interrupted\n")
