"""The LDS port of a SIMD pair moves so many bytes of reads per clock."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="lds_port",
    section=6,
    off="a read takes the port 4 clk, whatever its width: the bank array alone serves",
    evidence="TM 3.2",
    parameters={"lds_port_bytes_per_clk": UNLIMITED, "lds_subdword_port_clk": 4},
)
