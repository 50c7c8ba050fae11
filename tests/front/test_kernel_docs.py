"""docs/kernels.md: the complete kernel runs and is right, the patterns lower, nothing is left out."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import emulate
from wavesim.front.tile.control import OPERATIONS
from wavesim.front.tile.load import load_tile_program
from wavesim.front.tile.source import NAMED, SINGLE
from wavesim.isa.load import load_machine

PAGE = (Path(__file__).parents[2] / "docs" / "kernels.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
COMPLETE = next(block for block in BLOCKS if block.startswith("kernel:"))
PATTERNS = [block for block in BLOCKS if block.startswith("- ")]

SKELETON = """
workgroup: {waves: 8}
constants: {K: 256, K_STEP: 64}
lds:
  As: {type: bf16, rows: 32, cols: 64}
  Bs: {type: bf16, rows: 32, cols: 64}
  ready: {type: i32, rows: 1, cols: 2}
fragments:
  a: {rows: 32, cols: 64}
  b: {rows: 32, cols: 64}
  a_next: {rows: 32, cols: 64}
  b_next: {rows: 32, cols: 64}
accumulators:
  c: {rows: 32, cols: 32}
launch: {grid: [1, 1]}
program:
- {lds_read: a, from: As, width: b64}
- {lds_read: b, from: Bs, width: b64}
- wait: {lgkmcnt: 0}
"""


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_the_complete_kernel_is_right(arch: str) -> None:
    kernel = load_tile_program(Path("one_wave.yaml"), arch, {}, COMPLETE)
    assert not kernel.findings
    execution = emulate(kernel.program, kernel.launch, load_machine(arch))
    numerics = check_numerics(execution, kernel.launch)
    assert execution.complete
    assert numerics.checked
    assert numerics.ok, numerics.message


@pytest.mark.parametrize("pattern", PATTERNS, ids=range(len(PATTERNS)))
def test_patterns_lower(pattern: str) -> None:
    kernel = load_tile_program(Path("pattern.yaml"), "gfx942", {}, SKELETON + textwrap.dedent(pattern))
    assert not kernel.findings
    assert len(kernel.program) > 20


def test_every_statement_option_and_section_is_described() -> None:
    statements = PAGE.partition("## Statements")[2].splitlines()
    for name, (_, options) in OPERATIONS.items():
        (row,) = [line for line in statements if re.match(rf"\| `{name}[`:]", line)]
        for option in options:
            assert f"`{option}`" in row, f"{name}: {option}"
    for name in (*SINGLE, *NAMED, "include"):
        assert re.search(rf"^\| .*`{name}`", PAGE, re.MULTILINE), name
