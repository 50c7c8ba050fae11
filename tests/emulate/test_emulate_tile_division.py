"""Quotients that tile programs compute for their lanes."""

from __future__ import annotations

import numpy as np
import pytest
from emulate_harness import execute

from wavesim.emulate.state import State
from wavesim.errors import SourceSpan
from wavesim.front.tile.affine import Value, divide, multiply, variable
from wavesim.front.tile.emitter import Emitter
from wavesim.front.tile.materialize import Materializer
from wavesim.program import Instruction, Register


@pytest.mark.parametrize("divisor", [3, 6, 12, 15, 28, 96])
def test_division_by_what_is_no_power_of_two(divisor: int) -> None:
    """Rows of 6-bit elements have three times a power of two chunks: lanes' quotients, by plain division."""
    emitter = Emitter(SourceSpan("k.yaml"))
    values = Materializer(emitter, {"thread": Register("v", 0)})
    thread = variable("thread", 0, 1023, vector=True)
    target = values.vector(divide(multiply(thread, Value(15)), Value(divisor), by_any=True))
    names = {Register("v", 0): 0}
    lines = []
    for item in emitter.preamble:
        assert isinstance(item, Instruction)
        operands = [
            f"v{names.setdefault(each, 10 + len(names))}" if isinstance(each, Register) else str(each)
            for each in item.operands
        ]
        lines.append(f"{item.opcode} {', '.join(operands)}")

    def setup(state: State) -> None:
        state.vgpr[0] = np.arange(1024).reshape(16, 64)

    got = execute("\n".join(lines), setup, waves=16).v(names[target])
    np.testing.assert_array_equal(got.reshape(-1), np.arange(1024) * 15 // divisor)
