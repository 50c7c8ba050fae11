"""docs/coverage.md is what the code gives, and what must be covered is."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.analyze.opcode_coverage import coverage, coverage_page


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
