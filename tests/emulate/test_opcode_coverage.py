"""docs/coverage.md is what the code gives, and what must be covered is."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.asm.text.parse import parse_program
from wavesim.emulate.run import emulate
from wavesim.errors import UnknownInstruction, UserError
from wavesim.front.launch.model import Launch
from wavesim.isa.load import load_machine
from wavesim.isa.opcodes import opcode_table
from wavesim.pipeline.opcode_coverage import coverage, coverage_page, sample


def needed(arch: str) -> list[str]:
    """Opcodes of needed_opcodes.txt for an architecture."""
    text = Path(__file__).with_name("needed_opcodes.txt").read_text()
    shared, _, newer = text.partition("# gfx950 only\n")
    lines = shared.splitlines()[1:] + (newer.splitlines() if arch == "gfx950" else [])
    return [opcode for line in lines for opcode in line.split()]


def test_page_is_up_to_date(root: Path) -> None:
    page = (root / "docs/coverage.md").read_text(encoding="utf-8")
    assert page == coverage_page(), "renew it: wavesim isa coverage --write docs/coverage.md"


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_what_gemms_and_attention_need(arch: str) -> None:
    known = {each.opcode: each for each in coverage(arch)}
    for opcode in needed(arch):
        each = known[opcode]
        assert each.parsed, opcode
        assert each.executed, opcode
        assert each.timed, opcode


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx950"])
def test_everything_is_parsed_and_almost_all_executed(arch: str) -> None:
    rows = list(coverage(arch))
    assert all(each.parsed for each in rows)
    assert sum(not each.executed for each in rows) < 0.03 * len(rows)


OPERANDS_ONLY = ("leaves the kernel", "data format 15 with number format 7")
"""Refusals that are about what the registers happen to hold."""


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx950"])
def test_what_is_called_executed_executes_and_what_is_not_is_refused(arch: str) -> None:
    machine = load_machine(arch)
    wrong = []
    for each in coverage(arch):
        line = sample(opcode_table()[each.opcode])
        program = parse_program(f"{line}\nlabel:\ns_endpgm\n", "sample.s", arch)
        message = ""
        try:
            emulate(program, Launch((), 64), machine)
        except UnknownInstruction as error:
            message = str(error)
            assert message.startswith("sample.s:1: ")
        except UserError:  # an address that is none, a branch to nowhere
            continue
        if bool(message) == each.executed and not any(words in message for words in OPERANDS_ONLY):
            wrong.append((line, message))
    assert wrong == []
