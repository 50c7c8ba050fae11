"""How far a run's clocks can be trusted: what was assumed, and how far it is from what was measured."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from wavesim.isa.assumed_times import AssumedTime, assumed_time
from wavesim.isa.kinds import LDS_KINDS, VMEM_KINDS, Kind
from wavesim.isa.machine import Machine
from wavesim.isa.memory_roles import LATENCY
from wavesim.isa.validated import ValidatedTrace, validated_traces
from wavesim.pipeline.run import Run
from wavesim.program.dpp import is_dpp
from wavesim.timing.memory.predict import UNMEASURED_INTERVAL
from wavesim.trace import CodeEntry, Trace
from wavesim.trace.timing_class import timing_class
from wavesim.words import counted

WELL_KNOWN = 0.99
"""Share of executed instructions of validated kinds from which on a kernel is one like those measured."""

LEVELS = r"memory\.(l1|l2|mall|hbm)_"
"""Numbers that matter only where global memory is predicted."""

Concerns = Callable[[CodeEntry], bool]

_CONCERNS: tuple[tuple[str, Concerns], ...] = (
    (r"lds\.from_memory_", lambda entry: entry.to_lds),
    (r"lds\.subdword_", lambda entry: entry.kind is Kind.LDS_READ and entry.width_bytes < 4),
    (r"lds\.", lambda entry: entry.kind in LDS_KINDS),
    (r"memory\.(store|l2_write|acknowledge)_", lambda entry: entry.kind is Kind.VMEM_STORE),
    (r"memory\.", lambda entry: entry.kind in VMEM_KINDS),
    (r"mfma\.scale", lambda entry: entry.scaled),
    (r"mfma\.", lambda entry: entry.kind is Kind.MFMA),
    (r"issue\.multi_slot_", lambda entry: entry.multi_slot),
    (r"issue\.packed_", lambda entry: entry.packed_f32),
    (r"scalar\.", lambda entry: entry.kind is Kind.SMEM),
    (r"barrier\.", lambda entry: entry.kind is Kind.BARRIER),
    (r"clock\.", lambda entry: False),
)
"""Which instructions a number of a machine file concerns, by its key, the first that fits; others concern
every instruction, and those of the clock no count of clocks."""

_OF_WIDTH = re.compile(r"lds\.(read|write)_b(\d+)_")


@dataclass(frozen=True, slots=True)
class Interval:
    """The clocks that ``clk`` simulated ones stand for: off by the share ``share``, which is ``why``."""

    low: float
    high: float
    share: float
    why: str


@dataclass(frozen=True, slots=True)
class Trust:
    """What a run's clocks rest on.

    ``traces`` measured kernels of this architecture were compared with the model. ``unvalidated`` gives the
    kinds of instructions that none of them has, and those whose time is assumed (isa/assumed_times.csv), with
    how often they were executed; ``validated_share`` is the share of executed instructions of other kinds.
    ``assumed_values`` are the keys of the machine's numbers that are a choice and concern this kernel,
    ``inferred_values`` how many of them follow from other figures. ``interval`` is of clk per iteration, or
    of the whole run without a loop. ``says`` is all that in words.
    """

    arch: str
    traces: int
    unvalidated: Mapping[str, int]
    validated_share: float
    assumed_values: tuple[str, ...]
    inferred_values: int
    assumptions: int
    interval: Interval | None
    says: tuple[str, ...]


def trust_in(run: Run) -> Trust:
    """How far the clocks of ``run`` can be trusted."""
    trace, machine = run.timeline.trace, run.machine
    counts = _executed(trace)
    traces = validated_traces().get(machine.arch, ())
    known = frozenset().union(*(each.classes for each in traces))
    guesses = _guessed(trace, counts)
    unvalidated = {name: count for name, (_, count) in guesses.items()}
    for code, count in counts.items():
        name = timing_class(trace.code[code])
        if name not in known and _assumed_time(trace.code[code], trace.arch) is None:
            unvalidated[name] = unvalidated.get(name, 0) + count
    total = sum(counts.values())
    share = 1 - sum(unvalidated.values()) / total if total else 0.0
    entries = [trace.code[code] for code in counts]
    assumed, inferred = _doubtful_values(machine, entries, predicted=run.memory is not None)
    has_mfma = any(each.kind is Kind.MFMA for each in entries)
    alike = [each for each in traces if has_mfma == any("mfma" in name for name in each.classes)]
    found = _interval(run, alike, share)
    return Trust(
        machine.arch,
        len(traces),
        dict(sorted(unvalidated.items(), key=lambda each: (-each[1], each[0]))),
        share,
        assumed,
        inferred,
        len(run.unknowns.assumptions) if run.unknowns is not None else 0,
        found,
        tuple(_sentences(run, len(traces), unvalidated, guesses, assumed, found)),
    )


def guessed_times(trace: Trace) -> Mapping[str, tuple[AssumedTime, int]]:
    """Kinds of instructions whose time nobody has measured, with how often ``trace`` executes them."""
    return _guessed(trace, _executed(trace))


def _guessed(trace: Trace, executed: Mapping[int, int]) -> Mapping[str, tuple[AssumedTime, int]]:
    found: dict[str, tuple[AssumedTime, int]] = {}
    for code, count in executed.items():
        guess = _assumed_time(trace.code[code], trace.arch)
        if guess is not None:
            found[guess.name] = guess, count + found.get(guess.name, (guess, 0))[1]
    return dict(sorted(found.items()))


def _assumed_time(entry: CodeEntry, arch: str) -> AssumedTime | None:
    """What the time of an instruction is taken for, where nobody has measured it."""
    form = "_dpp" if is_dpp(entry.instruction) else "_to_lds" if entry.to_lds else ""
    return assumed_time(entry.instruction.opcode.removesuffix("_dpp") + form, arch)


def _executed(trace: Trace) -> dict[int, int]:
    """Instructions by how often all waves executed them."""
    counts = np.zeros(len(trace.code), np.int64)
    for wave in trace.waves:
        counts += np.bincount(wave.code, minlength=len(trace.code))
    return {code: int(count) for code, count in enumerate(counts) if count}


def _doubtful_values(
    machine: Machine, entries: list[CodeEntry], *, predicted: bool
) -> tuple[tuple[str, ...], int]:
    """Keys of assumed numbers that concern the instructions, and the number of inferred ones."""
    used = [
        each
        for each in machine.quantities.values()
        if each.confidence in ("assumed", "inferred") and _concerns(each.key, entries, predicted=predicted)
    ]
    assumed = tuple(each.key for each in used if each.confidence == "assumed")
    return assumed, len(used) - len(assumed)


def _concerns(key: str, entries: list[CodeEntry], *, predicted: bool) -> bool:
    if key == LATENCY or (re.match(LEVELS, key) and not predicted):
        return False  # an input of the run, which is said by itself; not asked
    narrow = _OF_WIDTH.match(key)
    if narrow is not None:
        kind = Kind.LDS_READ if narrow[1] == "read" else Kind.LDS_WRITE
        width = int(narrow[2]) // 8
        return any(each.kind is kind and max(4, each.width_bytes) == width for each in entries)
    concerns = next((test for prefix, test in _CONCERNS if re.match(prefix, key)), None)
    return concerns is None or any(map(concerns, entries))


def _interval(run: Run, alike: list[ValidatedTrace], validated_share: float) -> Interval | None:
    """By the errors of the measured kernels ``alike``, if this one executes what they do."""
    loop = run.analysis.loop
    clk = loop.clk_per_iteration if loop is not None else float(run.analysis.clk_total)
    if not run.analysis.complete:
        return None
    if run.memory is not None:
        share = run.memory.prediction.interval
        why = "predictions of measured kernels that were left out of the fit (docs/prediction.md)"
        if share == UNMEASURED_INTERVAL:
            why = "an assumption: no kernel with a known launch was measured on this architecture"
        return Interval(*run.memory.prediction.meant(clk), share, why)
    if alike and validated_share >= WELL_KNOWN:
        share = math.ceil(100 * max(abs(each.error) for each in alike)) / 100
        why = f"the largest error of {counted(len(alike), 'measured kernel')} like it, memory latency given"
    else:
        share = UNMEASURED_INTERVAL
        why = "an assumption: no kernel like it was measured on this architecture"
    return Interval(clk / (1 + share), clk / (1 - share), share, why)


def _sentences(
    run: Run,
    traces: int,
    unvalidated: Mapping[str, int],
    guesses: Mapping[str, tuple[AssumedTime, int]],
    assumed: tuple[str, ...],
    found: Interval | None,
) -> list[str]:
    arch = run.machine.arch
    said = [
        f"{counted(traces, 'measured trace')} of {arch} kernels were compared with the model"
        if traces
        else f"nothing was measured on {arch}: the model is another architecture's"
    ]
    if unvalidated and traces:
        names = ", ".join(sorted(unvalidated))
        said.append(f"executed here, but in no measured kernel of {arch}: {names}")
    for name, (guess, _) in guesses.items():
        said.append(f"the time of a {name} is taken to be {guess.taken}: {guess.why}")
    if found is not None:
        said.append(f"clocks ± {100 * found.share:.0f} %: {found.why}")
    if run.memory is not None:
        said += run.memory.prediction.assumed
    elif any(each.kind in VMEM_KINDS for each in run.timeline.trace.code):
        clk = run.machine.quantities[LATENCY].value
        said.append(f"the latency of global memory is an input ({clk} clk), not a prediction: name a device")
    if run.unknowns is not None:
        said += [each.text for each in run.unknowns.assumptions]
    if assumed:
        said.append(f"numbers of the machine that are a choice: {', '.join(assumed)}")
    return said
