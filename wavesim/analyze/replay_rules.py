"""The timing rules that can be left out of a replay, to show what each is worth.

Leaving a rule out gives its parameters the values at which it has no effect; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from wavesim.errors import UserError
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import Trace

UNLIMITED = 1_000_000


@dataclass(frozen=True)
class Rule:
    """``section`` of docs/model.md states the rule; ``about`` is one line."""

    name: str
    section: str
    about: str
    parameters: Callable[[TimingParameters], TimingParameters] = lambda given: given
    trace: Callable[[Trace], Trace] = lambda given: given


def _without_priority(trace: Trace) -> Trace:
    return replace(trace, code=tuple(replace(entry, priority=0) for entry in trace.code))


def _without_order(trace: Trace) -> Trace:
    """Latencies by issue order are given to the instructions that had those places when measured."""
    return replace(trace, memory_latency_by_order_clk=trace.memory_latency_by_order_clk[:0])


RULES: tuple[Rule, ...] = (
    Rule(
        "dependency_gaps",
        "4",
        "issue-to-issue gaps within a wave (M2)",
        lambda given: replace(
            given,
            gap_valu_to_memory_clk=0,
            gap_valu_sgpr_to_scalar_clk=0,
            gap_salu_to_cbranch_clk=0,
            gap_salu_to_vmem_clk=0,
        ),
    ),
    Rule(
        "fetch",
        "3",
        "32-byte fetch chunks and the restart after a branch (M3)",
        lambda given: replace(given, fetch_refill_clk=0, fetch_restart_first_clk=0, fetch_restart_next_clk=0),
    ),
    Rule(
        "mfma_coissue",
        "5",
        "MFMA keeps vector and memory instructions of its SIMD out (M4)",
        lambda given: replace(
            given,
            mfma_blocks_valu_clk=dict.fromkeys(given.mfma_blocks_valu_clk, 0),
            mfma_blocks_memory_clk=dict.fromkeys(given.mfma_blocks_memory_clk, 0),
        ),
    ),
    Rule(
        "lds_queue",
        "6",
        "entries of the pair queue (M5)",
        lambda given: replace(given, lds_queue_entries=UNLIMITED),
    ),
    Rule(
        "lds_array",
        "6",
        "the bank array that both pairs share (TM 3.2)",
        lambda given: replace(given, lds_array_clk=dict.fromkeys(given.lds_array_clk, 0)),
    ),
    Rule(
        "lds_write_hold",
        "6",
        "an LDS write's data holds wave and port (M5)",
        lambda given: replace(given, lds_write_hold_clk=dict.fromkeys(given.lds_write_hold_clk, 4)),
    ),
    Rule(
        "barrier_phase",
        "8",
        "release in SIMD order (M6): without it all leave early",
        lambda given: replace(given, barrier_release_late_clk=given.barrier_release_early_clk),
    ),
    Rule(
        "memory_queue",
        "10",
        "entries of the global-memory queue (M1)",
        lambda given: replace(given, memory_queue_entries=UNLIMITED),
    ),
    Rule(
        "memory_in_flight",
        "10",
        "accesses in flight beyond the queue (M1)",
        lambda given: replace(given, memory_tail_entries=UNLIMITED),
    ),
    Rule(
        "memory_service",
        "10",
        "bytes per clock of the global-memory path (M1)",
        lambda given: replace(given, memory_min_service_clk=0, memory_bytes_per_clk=UNLIMITED),
    ),
    Rule(
        "latency_by_order",
        "10",
        "latency belongs to the place in the issue order (M1 rule 7)",
        trace=_without_order,
    ),
    Rule("setprio", "11", "s_setprio ranks waves (M4, M6)", trace=_without_priority),
)

BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}


def leave_out(
    names: Sequence[str], trace: Trace, parameters: TimingParameters
) -> tuple[Trace, TimingParameters]:
    """Trace and parameters without the named rules.

    Raises:
        UserError: no such rule.
    """
    for name in names:
        if name not in BY_NAME:
            raise UserError(f"no rule {name!r:.40}", hint="rules: " + ", ".join(BY_NAME))
        trace = BY_NAME[name].trace(trace)
        parameters = BY_NAME[name].parameters(parameters)
    return trace, parameters
