"""The tables that bounds are made of say what the engine takes, access by access."""

from __future__ import annotations

import builders as b
import pytest

from wavesim.analyze.code_tables import code_tables
from wavesim.timing import simulate
from wavesim.trace import CodeEntry

ACCESSES = [b.lds_read(width) for width in (1, 2, 4, 8, 16)] + [b.lds_write(width) for width in (1, 4, 8, 16)]


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx950"])
@pytest.mark.parametrize("access", ACCESSES, ids=lambda entry: f"{entry.kind} {entry.width_bytes}")
def test_an_lds_access_alone(arch: str, access: CodeEntry) -> None:
    trace = b.streams([[access]], arch)
    tables = code_tables(trace, b.parameters(arch))
    span = simulate(trace, b.parameters(arch)).busy["lds_port", 0]
    assert max(tables.port_clk[0], tables.array_clk[0]) == span.end_clk[0] - span.start_clk[0]


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx950"])
def test_data_from_memory_takes_the_array_as_long_as_in_the_engine(arch: str) -> None:
    """gfx950: not at all."""
    trace = b.streams([[b.load(16, to_lds=True)]], arch)
    tables = code_tables(trace, b.parameters(arch))
    span = simulate(trace, b.parameters(arch)).busy.get(("lds_array", 0))
    assert tables.array_clk[0] == (span.end_clk[0] - span.start_clk[0] if span is not None else 0)
