"""A read of less than a dword takes the LDS port for longer than a dword's."""

from __future__ import annotations

from wavesim.timing.rule import Rule

RULE = Rule(
    name="lds_subdword_port",
    section=6,
    off="reads of less than a dword take the port as a dword does",
    evidence="M5",
    parameters={"lds_subdword_port_clk": 4},
)
