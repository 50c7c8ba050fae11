"""The timing model's rules by name, and how each is switched off for ablation (docs/model §14).

``TimingParameters.rules_off`` names them. Most are switched off by giving the engines other numbers or
another Trace; the few marked ``in_engine`` are asked for by the engines themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from wavesim.errors import UserError
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.trace import UNKNOWN, Kind, Trace

UNLIMITED = 1_000_000
"""Entries, bytes per clock or counts that no trace reaches."""


@dataclass(frozen=True)
class Rule:
    """``section`` of docs/model states the rule; ``about`` is one line with its source."""

    name: str
    section: str
    about: str
    parameters: Callable[[TimingParameters], TimingParameters] = lambda given: given
    trace: Callable[[Trace], Trace] = lambda given: given
    in_engine: bool = False


def _by_parameters(name: str, section: str, about: str, **values: object) -> Rule:
    return Rule(name, section, about, lambda given: replace(given, **values))  # type: ignore[arg-type]


def _in_engine(name: str, section: str, about: str) -> Rule:
    return Rule(name, section, about, in_engine=True)


def _without_priority(trace: Trace) -> Trace:
    return replace(trace, code=tuple(replace(entry, priority=0) for entry in trace.code))


def _without_scaling(trace: Trace) -> Trace:
    return replace(trace, code=tuple(replace(entry, scaled=False) for entry in trace.code))


def _without_order(trace: Trace) -> Trace:
    """Latencies by issue order are given to the instructions that had those places when measured."""
    return replace(trace, memory_latency_by_order_clk=trace.memory_latency_by_order_clk[:0])


def _without_scalar_latencies(trace: Trace) -> Trace:
    scalar = np.array([entry.kind is Kind.SMEM for entry in trace.code], np.bool_)
    waves = []
    for wave in trace.waves:
        latency = wave.memory_latency_clk.copy()
        latency[scalar[wave.code]] = UNKNOWN
        waves.append(replace(wave, memory_latency_clk=latency))
    return replace(trace, waves=tuple(waves))


def _without_array_clk(trace: Trace) -> Trace:
    waves = tuple(
        replace(wave, array_clk=np.where(wave.array_clk == UNKNOWN, wave.array_clk, 0).astype(np.int32))
        for wave in trace.waves
    )
    return replace(trace, waves=waves)


def _plain_subdword(given: TimingParameters) -> TimingParameters:
    return replace(given, lds_subdword_port_clk=4)


RULES: tuple[Rule, ...] = (
    _by_parameters(
        "dependency_gaps",
        "4",
        "issue-to-issue gaps within a wave (M2)",
        gap_valu_to_memory_clk=0,
        gap_valu_sgpr_to_scalar_clk=0,
        gap_salu_to_cbranch_clk=0,
        gap_salu_to_vmem_clk=0,
    ),
    _by_parameters(
        "fetch",
        "3",
        "32-byte fetch chunks and the restart after a branch (M3)",
        fetch_refill_clk=0,
        fetch_restart_first_clk=0,
        fetch_restart_next_clk=0,
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
    Rule("scaled_mfma", "5", "a scaled MFMA takes two slots (M4)", trace=_without_scaling),
    _by_parameters(
        "dual_valu",
        "9",
        "two plain VALU of different waves in a slot, gfx950 (FACTS)",
        issue_plain_valu_per_slot=1,
    ),
    _by_parameters(
        "dual_after_mfma",
        "9",
        "no two VALU in a slot while an MFMA is on its way, gfx950 (traces)",
        issue_dual_after_mfma_clk=-UNLIMITED,
    ),
    _by_parameters(
        "vector_turns",
        "9",
        "after a pause one SIMD a slot issues VALU and MFMA, gfx950 (traces)",
        issue_turns_clk=0,
    ),
    _by_parameters(
        "lds_port",
        "6",
        "a pair's port moves 64 or 128 bytes/clk (TM 3.2)",
        lds_port_bytes_per_clk=UNLIMITED,
        lds_subdword_port_clk=4,
    ),
    Rule("lds_subdword_port", "6", "reads of less than a dword take 8 clk, gfx950 (M5)", _plain_subdword),
    Rule(
        "lds_array",
        "6",
        "the bank array that both pairs share (TM 3.2)",
        lambda given: replace(given, lds_array_clk=dict.fromkeys(given.lds_array_clk, 0)),
        _without_array_clk,
    ),
    _by_parameters(
        "lds_from_memory",
        "6",
        "direct-to-LDS data takes the bank array, gfx942 (assumed)",
        lds_from_memory_bytes_per_clk=0,
    ),
    _by_parameters("lds_queue", "6", "entries of the pair queue (M5)", lds_queue_entries=UNLIMITED),
    Rule(
        "lds_write_hold",
        "6",
        "an LDS write's data holds wave and port (M5)",
        lambda given: replace(given, lds_write_hold_clk=dict.fromkeys(given.lds_write_hold_clk, 4)),
    ),
    _in_engine("lds_write_drain", "6", "a write's data leaves as fast as the array takes it (traces)"),
    _by_parameters(
        "lds_join",
        "6",
        "a pair that joins a streaming one starts late (M5)",
        lds_join_most_clk=0,
        lds_join_clk=0,
    ),
    _in_engine("lds_alternation", "11", "the SIMDs of a pair alternate (TM 3.2)"),
    _by_parameters(
        "counter_full",
        "7",
        "a full counter stalls issue (ISA, PYHIP)",
        counter_lgkm_max=UNLIMITED,
        counter_vm_max=UNLIMITED,
    ),
    Rule(
        "barrier_phase",
        "8",
        "release in SIMD order (M6): without it all leave early",
        lambda given: replace(given, barrier_release_late_clk=given.barrier_release_early_clk),
    ),
    _by_parameters(
        "memory_queue", "10", "entries of the global-memory queue (M1)", memory_queue_entries=UNLIMITED
    ),
    _by_parameters(
        "memory_in_flight",
        "10",
        "accesses in flight beyond the queue (M1)",
        memory_tail_entries=UNLIMITED,
    ),
    _by_parameters(
        "memory_service",
        "10",
        "bytes per clock of the global-memory path (M1)",
        memory_min_service_clk=0,
        memory_bytes_per_clk=UNLIMITED,
    ),
    _in_engine("vmem_in_order", "10", "returns are in order across the compute unit (M1)"),
    _by_parameters(
        "vmem_idle_restart",
        "10",
        "the global-memory path restarts after a long pause (M1)",
        memory_idle_restart_clk=0,
    ),
    _in_engine(
        "vmem_idle_port", "11", "an idle global-memory port takes the earliest request (replay notes)"
    ),
    _in_engine("vmem_round_robin", "11", "SIMDs take turns at the global-memory port, runs stay (M1)"),
    Rule(
        "latency_by_order",
        "10",
        "latency belongs to the place in the issue order (M1 rule 7)",
        trace=_without_order,
    ),
    Rule(
        "scalar_latency",
        "7",
        "scalar loads take as long as the trace shows (replay notes)",
        trace=_without_scalar_latencies,
    ),
    _in_engine("endpgm_drain", "9", "a wave ends when its global memory has returned (replay notes)"),
    _in_engine("arbitration", "11", "one instruction per category, SIMD and slot (TM; what-if ladder)"),
    _in_engine("scaled_mfma_first", "11", "a scaled MFMA ranks before older waves' instructions (traces)"),
    _in_engine("oldest_first", "11", "of equal priorities the oldest wave wins (M6)"),
    Rule("setprio", "11", "s_setprio ranks waves (M4, M6)", trace=_without_priority),
)

BY_NAME: Mapping[str, Rule] = MappingProxyType({rule.name: rule for rule in RULES})


def without(parameters: TimingParameters, names: Iterable[str]) -> TimingParameters:
    """The parameters with the named rules switched off as well.

    Raises:
        UserError: no such rule.
    """
    names = frozenset(names)
    for name in sorted(names):
        if name not in BY_NAME:
            raise UserError(f"no rule {name!r:.40}", hint="rules: " + ", ".join(BY_NAME))
    return replace(parameters, rules_off=parameters.rules_off | names)


def plain_inputs(trace: Trace, parameters: TimingParameters) -> tuple[Trace, TimingParameters]:
    """Trace and parameters in which the rules switched off have no effect; engine rules stay named.

    Raises:
        UserError: ``rules_off`` names no such rule.
    """
    off = without(parameters, parameters.rules_off).rules_off
    for rule in RULES:
        if rule.name in off:
            trace = rule.trace(trace)
            parameters = rule.parameters(parameters)
    return trace, parameters
