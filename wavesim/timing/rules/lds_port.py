"""The LDS port of a SIMD pair moves so many bytes of reads per clock."""

from __future__ import annotations

from wavesim.timing.rule import UNLIMITED, Rule

RULE = Rule(
    name="lds_port",
    section=6,
    off="every read takes 4 clk of the port, whatever its width; the bank array alone serves",
    evidence="evidence/lds.md#one-queue-per-pair",
    parameters={"lds_port_bytes_per_clk": UNLIMITED, "lds_subdword_port_clk": 4},
)
