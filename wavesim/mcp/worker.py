"""The process that executes calls: confined, bounded, kept warm, and ended when a call takes too long.

It reads one line of JSON for a call, ``{"tool", "arguments", "seconds"}``, and writes one for its answer,
``{"answer"}`` or ``{"error"}``. The server starts it as ``python -P -m wavesim.mcp.worker ROOT LIMITS``.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from wavesim.errors import LimitExceeded, UnknownInstruction, UserError
from wavesim.limits import Budget, allowing

_PARENT_DEATH_SIGNAL = 1
WARMING = {"file": "kernels/8wave.yaml", "settings": {"K": "256"}}
"""The kernel that is run first, so that later calls find everything loaded."""


def main(root: str, limits: str) -> None:
    """Answers calls until standard input ends.

    Args:
        root: folder of the files that may be read.
        limits: ``{"memory_mb", "instructions", "clk"}`` as JSON.
    """
    answers, sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8"), sys.stderr
    bounds = json.loads(limits)
    _die_with_parent()
    _bound_memory(bounds["memory_mb"])
    with tempfile.TemporaryDirectory(prefix="wavesim-mcp-", ignore_cleanup_errors=True) as scratch:
        tempfile.tempdir = os.environ["TMPDIR"] = scratch
        os.chdir(root)
        with allowing(Budget(bounds["instructions"], bounds["clk"])):
            serve(Path(root), Path(scratch), sys.stdin, answers)


def serve(root: Path, scratch: Path, calls: TextIO, answers: TextIO) -> None:
    """Warms up, shuts the doors, and answers."""
    from wavesim.mcp.answers import TOOLS, Asked
    from wavesim.mcp.confine import confine

    TOOLS["run"](Asked(root, scratch, 60.0), WARMING)
    confine(root, scratch)
    print(json.dumps({"answer": "ready"}), file=answers, flush=True)
    for line in calls:
        call = json.loads(line)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            asked = Asked(root, Path(folder), call["seconds"])
            print(json.dumps(_answered(asked, call), allow_nan=False), file=answers, flush=True)


def _answered(asked: Any, call: Mapping[str, Any]) -> dict[str, Any]:
    from wavesim.mcp.answers import TOOLS

    try:
        answer: dict[str, Any] = {"answer": TOOLS[call["tool"]](asked, **call["arguments"])}
    except UserError as error:
        answer = {"error": str(error), "code": _code_of(error)}
    except PermissionError as error:
        answer = {"error": f"refused: {error}", "code": "outside"}
    except MemoryError:
        answer = {"error": "it needs more memory than this server gives a call", "code": "memory"}
    except RecursionError:
        answer = {"error": "nested too deeply", "code": "limit"}
    found: dict[str, Any] = _as_asked(answer, asked)
    return found


def _code_of(error: UserError) -> str:
    from wavesim.asm.tools import MissingTool

    kinds = {LimitExceeded: "limit", UnknownInstruction: "unknown-instruction", MissingTool: "missing-tool"}
    return next((code for kind, code in kinds.items() if isinstance(error, kind)), "unusable")


SIGNIFICANT = 6
"""Digits of a number: more of a clock are noise, and words that a client pays for."""

_OPTION = re.compile(r"--(arch|set|arg|block|expect|kernel|launch|region|trips|allow-unknown)\b")
_ASKED_AS = {"set": "settings", "arg": "arguments", "allow-unknown": "allow_unknown"}
_APPLY = re.compile(r"\(explain --apply ([\w-]+) -o FILE writes it\)")
_WRITTEN = ("assembly", "diff")


def _as_asked(value: Any, asked: Any, *, written: bool = False) -> Any:
    """The answer in the client's terms: its names of files, and of options but in code that was ``written``;
    numbers as far as they say anything."""
    if isinstance(value, str):
        for number in range(16):
            value = value.replace(f"{asked.scratch}/{number}/", "")
        value = value.replace(f"{asked.root}/", "")
        if written:
            return value
        value = _APPLY.sub(r"(explain gives the diff of \1)", value)
        return _OPTION.sub(lambda match: _ASKED_AS.get(match[1], match[1]), value)
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT}g}")
    if isinstance(value, dict):
        return {
            _as_asked(key, asked): _as_asked(each, asked, written=key in _WRITTEN)
            for key, each in value.items()
        }
    return [_as_asked(each, asked) for each in value] if isinstance(value, list) else value


def _die_with_parent() -> None:
    """The worker does not outlive its server (Linux; elsewhere the end of standard input ends it)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _bound_memory(megabytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


if __name__ == "__main__":
    main(*sys.argv[1:])
