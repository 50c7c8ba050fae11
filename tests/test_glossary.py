"""The glossary: every word that a report prints has an entry, and the command finds it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from wavesim.analyze.result import BOUND_NAMES, BOUND_WORDS
from wavesim.cli.main import cli
from wavesim.glossary import entries, explained
from wavesim.isa.memory_roles import ROLES
from wavesim.program.verdict import Verdict
from wavesim.trace import REASON_NAMES

OF_THE_FIRST_SCREEN = (
    *("workgroup", "wave", "verdict", "clk per iteration", "iteration", "TFLOP/s", "bound", "what-if"),
    *("half-split", "global memory", "cache lines", "predicted", "matrix pipes", "sched_group_barrier"),
    *BOUND_WORDS.values(),
)
OF_THE_PICTURE = (
    "MFMA",
    "LDS",
    "VALU",
    "scalar",
    "pipe",
    "lgkmcnt",
    "vmcnt",
    "barrier",
    "matrix pipe",
    "LDS port",
)


@pytest.mark.parametrize(
    "word",
    [
        *REASON_NAMES.values(),
        *BOUND_NAMES,
        *ROLES,
        *OF_THE_FIRST_SCREEN,
        *OF_THE_PICTURE,
        str(Verdict.UNCHECKED),
    ],
)
def test_every_printed_word_has_an_entry(word: str) -> None:
    found = explained(word)
    assert found is not None
    assert found.text.endswith(".")


def test_entries_are_in_order_and_each_word_stands_once() -> None:
    words = [each.word for each in entries()]
    assert words == sorted(words, key=lambda word: (word.lower(), word))
    assert len(set(words)) == len(words)


def test_a_bound_and_an_instruction_of_one_name() -> None:
    texts = [found.text for word in ("mfma", "MFMA") if (found := explained(word)) is not None]
    assert [text.split()[0] for text in texts] == ["A", "Matrix"]


def test_the_command() -> None:
    shown = CliRunner().invoke(cli, ["explain-word", "wavefronts"])
    assert shown.exit_code == 0
    assert shown.output.startswith("wave  (also: wavefront, warp)\n  64 lanes")
    assert "lgkmcnt" in CliRunner().invoke(cli, ["explain-word"]).output
    wrong = CliRunner().invoke(cli, ["explain-word", "lgkmcmt"])
    assert "did you mean lgkmcnt" in str(wrong.exception)
