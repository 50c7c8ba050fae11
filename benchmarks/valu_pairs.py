"""Fits isa/valu_pairs.csv to the decisions in measured gfx950 traces.

`python -m benchmarks.valu_pairs FOLDER [-o isa/valu_pairs.csv]`

A decision: a VALU instruction issues while one of a younger wave of its SIMD stands ready beside it; the two
issue together or not. Decisions that the ports (docs/model §9) or an MFMA settle tell nothing of classes.
A class stands where the decisions tell it; rows of the file of another source stay as they are otherwise.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from wavesim.isa.load import load_machine
from wavesim.isa.opcodes import opcode_table
from wavesim.isa.paths import data_dir
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.isa.valu_pairs import guessed_classes, pair_rows
from wavesim.program.dpp import is_dpp
from wavesim.replays.att.dispatches import Source, sources
from wavesim.timing.rules import valu_banks, valu_scalar_port
from wavesim.timing.rules.valu_classes import permits
from wavesim.trace import Category, CodeEntry, Kind, Timeline

ARCH = "gfx950"
SOURCE = "TRACES"
HEADER = """\
# Which VALU instructions have room in one slot beside one of another wave (gfx950), by opcode:
# docs/model, section 9.
# as_first, as_second: class as the first in rank of the two, and as the other: 2 free, 1 restricted, 0 never.
#   Two may issue together if neither class is 0 and their sum is at least 3.
# *_decisions: how many decisions in traces told it, `python -m benchmarks.valu_pairs`.
# confidence: trace, these decisions tell both classes; inferred, taken over from its source;
#   assumed, by likeness to others.
# Opcodes that do not stand here have a class by structure: wavesim/isa/valu_pairs.py.
"""
MATCH, MISS = 0.97, 0.003
"""Share of decisions to issue together where the rule lets, and where it does not: stamps are not exact."""
CLEAR = 3.0
"""Logarithm of the likelihood by which the best class must beat the next to be told by decisions."""
Decision = tuple[str, str, bool]


def name_of(entry: CodeEntry) -> str:
    """The opcode as the file writes it."""
    instruction = entry.instruction
    form = "_dpp" if is_dpp(instruction) else "_sdwa" if instruction.encoding == "sdwa" else ""
    return instruction.opcode + form


def slots_of(measured: Timeline, p: TimingParameters) -> Iterator[tuple[int, list[CodeEntry], list[bool]]]:
    """Of each slot of a SIMD in which a VALU instruction issues: clocks since its matrix pipe came free, the
    instructions that stand ready, oldest first, and which of them issue."""
    trace = measured.trace
    events: dict[int, list[tuple[int, int, int, CodeEntry]]] = defaultdict(list)
    pipes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for age, (wave, timed) in enumerate(zip(trace.waves, measured.waves, strict=True)):
        rows = zip(wave.code.tolist(), timed.attempt_clk.tolist(), timed.issue_clk.tolist(), strict=True)
        for code, attempt, issue in rows:
            entry = trace.code[code]
            if entry.category is Category.VALU:
                events[wave.simd].append((attempt, issue, age, entry))
            elif entry.kind is Kind.MFMA:
                start = issue + (p.mfma_scale_load_clk if entry.scaled and issue == attempt else 0)
                clk = p.matrix_pipe_clk(entry.mfma, entry.mfma_format)
                pipes[wave.simd].append((start, start + clk))
    for simd, found in events.items():
        found.sort(key=lambda event: event[:3])
        pipe, used, free = sorted(pipes[simd]), 0, -(10**9)
        standing: dict[int, tuple[int, CodeEntry]] = {}
        place = 0
        for now in sorted({issue for _, issue, _, _ in found}):
            while place < len(found) and found[place][0] <= now:
                _, issue, age, entry = found[place]
                standing[age] = issue, entry
                place += 1
            while used < len(pipe) and pipe[used][0] <= now:
                free = max(free, pipe[used][1])
                used += 1
            ready = [(age, *standing[age]) for age in sorted(standing) if standing[age][0] >= now]
            yield now - free, [entry for _, _, entry in ready], [issue == now for _, issue, _ in ready]
            standing = {age: each for age, each in standing.items() if each[0] > now}


def decisions(measured: Timeline, p: TimingParameters) -> Iterator[tuple[CodeEntry, CodeEntry, bool]]:
    """(first, second, together): the first in age issues; the others, in order, until one issues too."""
    for clk, ready, issues in slots_of(measured, p):
        if clk < p.issue_dual_after_mfma_clk or not issues[0]:
            continue
        for second, together in zip(ready[1:], issues[1:], strict=True):
            yield ready[0], second, together
            if together:
                break


def counted(source: Source, p: TimingParameters) -> tuple[Counter[Decision], int, int]:
    """Decisions of one trace by opcodes, without those that ports settle; how many these are, and how many
    of them issue together all the same."""
    found: Counter[Decision] = Counter()
    settled = against = 0
    for unit in source.imported(ARCH).units:
        for first, second, together in decisions(unit.timeline, p):
            one, other = first.share, second.share
            if valu_scalar_port.permits(one, other) and valu_banks.permits(one, other, p):
                found[name_of(first), name_of(second), together] += 1
            else:
                settled += 1
                against += together
    return found, settled, against


def _cost(first: int, second: int, together: bool) -> float:
    share = MATCH if permits(first, second) else MISS
    return math.log(share if together else 1 - share)


Classes = dict[str, tuple[int, int]]


def fit(found: Mapping[Decision, int]) -> tuple[Classes, dict[str, tuple[float, float]]]:
    """Most likely classes by opcode, and how clearly each beats the next best."""
    as_first: dict[str, list[tuple[str, bool, int]]] = defaultdict(list)
    as_second: dict[str, list[tuple[str, bool, int]]] = defaultdict(list)
    for (first, second, together), count in found.items():
        as_first[first].append((second, together, count))
        as_second[second].append((first, together, count))
    opcodes = sorted({*as_first, *as_second})
    classes: Classes = dict.fromkeys(opcodes, (1, 1))
    clear = dict.fromkeys(opcodes, (0.0, 0.0))

    def likelihoods(opcode: str) -> tuple[list[float], list[float]]:
        firsts = [
            sum(_cost(each, classes[other][1], together) * n for other, together, n in as_first[opcode])
            for each in range(3)
        ]
        seconds = [
            sum(_cost(classes[other][0], each, together) * n for other, together, n in as_second[opcode])
            for each in range(3)
        ]
        return firsts, seconds

    changed = True
    while changed:
        changed = False
        for opcode in opcodes:
            for side in (0, 1):
                values = likelihoods(opcode)[side]
                best = max(range(3), key=lambda each: (values[each], each == 1))
                if values[best] > values[classes[opcode][side]] + 1e-9:
                    pair = list(classes[opcode])
                    pair[side] = best
                    classes[opcode] = pair[0], pair[1]
                    changed = True
    for opcode in opcodes:
        margins = [sorted(values) for values in likelihoods(opcode)]
        clear[opcode] = margins[0][2] - margins[0][1], margins[1][2] - margins[1][1]
    return classes, clear


def wrong(found: Mapping[Decision, int], classes: Mapping[str, tuple[int, int]]) -> tuple[int, int, int]:
    """Decisions that the classes get wrong, of how many; and how many are of opcodes without a class."""
    missed = known = unknown = 0
    for (first, second, together), count in found.items():
        if first in classes and second in classes:
            known += count
            missed += count * (permits(classes[first][0], classes[second][1]) is not together)
        else:
            unknown += count
    return missed, known, unknown


def _total(counters: Iterable[Counter[Decision]]) -> Counter[Decision]:
    total: Counter[Decision] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def _rows(found: Counter[Decision]) -> Iterator[str]:
    """The lines of the file."""
    classes, clear = fit(found)
    firsts: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for (first, second, _), count in found.items():
        firsts[first] += count
        seconds[second] += count
    kept = {opcode: row for opcode, row in pair_rows().items() if row.source != SOURCE}
    for opcode in sorted({*classes, *kept}):
        before = kept.get(opcode)
        info = opcode_table().get(opcode)
        guess = (before.as_first, before.as_second) if before else guessed_classes(info) if info else (1, 1)
        told = [side for side in (0, 1) if opcode in clear and clear[opcode][side] >= CLEAR]
        pair = [classes[opcode][side] if side in told else guess[side] for side in (0, 1)]
        if len(told) == 2 or (told and before is None):
            confidence, source = "trace" if len(told) == 2 else "inferred", SOURCE
        elif before is not None:
            confidence, source = before.confidence, before.source
        else:
            continue
        yield f"{opcode},{pair[0]},{pair[1]},{firsts[opcode]},{seconds[opcode]},{confidence},{source}"


def main(folder: str, option: str = "", output: str = "") -> None:
    """Print how well classes fit, each trace also by the classes of the others; write the file with -o."""
    p = load_machine(ARCH).parameters
    traces: dict[str, Counter[Decision]] = {}
    for source in sources(Path(folder)):
        if not source.name.startswith(ARCH):
            continue
        found, settled, against = counted(source, p)
        print(f"{source.name}: {found.total()} decisions; {settled} settled by ports, {against} against them")
        if found:
            traces[source.name] = found
    classes, _ = fit(_total(traces.values()))
    for name, found in traces.items():
        others, _ = fit(_total(other for which, other in traces.items() if which != name))
        missed, known, _ = wrong(found, classes)
        without, seen, unseen = wrong(found, others)
        print(
            f"{name}: wrong {missed} of {known}; by the other traces {without} of {seen}, "
            f"{unseen} not seen there"
        )
    if option == "-o":
        columns = "opcode,as_first,as_second,first_decisions,second_decisions,confidence,source"
        lines = [columns, *_rows(_total(traces.values()))]
        (Path(output) if output else data_dir("isa") / "valu_pairs.csv").write_text(
            HEADER + "\n".join(lines) + "\n"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
