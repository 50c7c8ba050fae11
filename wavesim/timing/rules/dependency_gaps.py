"""Dependency gaps: an instruction keeps some clocks from earlier ones of its wave."""

from __future__ import annotations

from wavesim.timing.rule import Rule
from wavesim.trace import Reason

RULE = Rule(
    name="dependency_gaps",
    section=4,
    off="all four gaps are 0",
    evidence="M2",
    reasons=(Reason.DEPENDENCY,),
    parameters={
        "gap_valu_to_memory_clk": 0,
        "gap_valu_sgpr_to_scalar_clk": 0,
        "gap_salu_to_cbranch_clk": 0,
        "gap_salu_to_vmem_clk": 0,
    },
)
