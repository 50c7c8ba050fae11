"""A read of less than a dword takes the LDS port for longer than a dword's."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="lds_subdword_port",
    section=6,
    off="such a read takes 4 clk of the port, as a dword's does",
    evidence="evidence/lds.md#gfx950-narrow-reads",
    parameters={"lds_subdword_port_clk": 4},
)
