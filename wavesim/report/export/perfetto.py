"""Perfetto: a Chrome JSON trace for ui.perfetto.dev, one clock shown as one microsecond."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from wavesim.analyze.stalls import issued_rows, stall_starts
from wavesim.report.export.blame import Blamed, blame
from wavesim.trace import REASON_NAMES, Reason, Timeline

WAVES, PIPES, PORTS = 1, 2, 3
"""Process numbers: what Perfetto shows as groups of tracks."""


def perfetto_parts(timeline: Timeline, title: str, *, process_offset: int = 0) -> Iterator[str]:
    """The trace as pieces of text.

    Tracks: one per wave (instructions at their issue slots, stalls between them by reason, with an arrow
    from whoever of another wave is to blame), one per matrix pipe, LDS port and other busy resource; counters
    of outstanding lgkm and vm per wave, if the Timeline knows when data returned.
    """
    yield '{"displayTimeUnit":"ms","otherData":{"unit":"1 us is 1 shader clock"},"traceEvents":[\n'
    first = True
    for event in perfetto_events(timeline, title, process_offset=process_offset):
        yield event if first else ",\n" + event
        first = False
    yield "\n]}\n"


def perfetto_events(timeline: Timeline, title: str, *, process_offset: int = 0) -> Iterator[str]:
    """The events alone, so that several Timelines can share one file (with different offsets)."""
    waves, pipes, ports = (number + process_offset for number in (WAVES, PIPES, PORTS))
    for process, name in ((waves, "waves"), (pipes, "matrix pipes"), (ports, "LDS and memory")):
        yield _named("process_name", process, 0, f"{title}: {name}")
    for position in range(len(timeline.waves)):
        yield from _wave(timeline, position, waves)
    names = _names(timeline)
    tracks = sorted(timeline.busy)
    for track, resource in enumerate(tracks):
        span = timeline.busy[resource]
        process = pipes if resource[0] == "mfma" else ports
        yield _named("thread_name", process, track + 1, f"{resource[0]} {resource[1]}")
        spans = zip(
            span.start_clk.tolist(), span.end_clk.tolist(), span.wave.tolist(), span.row.tolist(), strict=True
        )
        for number, (start, end, wave, row) in enumerate(spans):
            code = timeline.trace.waves[wave].code[row]
            name = f'"w{timeline.waves[wave].wave} {names[code][1:]}'
            if resource[0] == "memory":  # accesses overlap, which slices of one track may not
                for phase, clk in (("b", start), ("e", end)):
                    yield (
                        f'{{"ph":"{phase}","cat":"memory","id":{number},"pid":{process},"tid":{track + 1},'
                        f'"ts":{clk},"name":{name}}}'
                    )
            else:
                yield _slice(process, track + 1, start, end - start, name)


def _wave(timeline: Timeline, position: int, process: int) -> Iterator[str]:
    wave, code = timeline.waves[position], timeline.trace.waves[position].code.tolist()
    thread = position + 1
    yield _named(
        "thread_name", process, thread, f"workgroup {wave.workgroup} wave {wave.wave} (SIMD {wave.simd})"
    )
    names = _names(timeline)
    places = _places(timeline)
    rows = issued_rows(wave)
    issue, end = wave.issue_clk[:rows].tolist(), wave.end_clk[:rows].tolist()
    reasons = {int(reason): json.dumps(f"- {name}") for reason, name in REASON_NAMES.items()}
    starts, lengths = stall_starts(wave).tolist(), wave.stall_clk.tolist()
    which, why = wave.stall_row.tolist(), wave.stall_reason.tolist()
    after = (int(Reason.HOLD), int(Reason.NOP))
    blamed = blame(timeline, position)
    stall = 0
    for row in range(rows):
        while stall < len(which) and which[stall] <= row:
            if lengths[stall] and why[stall] not in after:
                by, said = blamed.get(stall), ""
                if by is not None:
                    said = json.dumps({"by": by.text})
                    yield from _arrow(
                        timeline, process, (position, stall), by, starts[stall] + lengths[stall]
                    )
                yield _slice(process, thread, starts[stall], lengths[stall], reasons[why[stall]], said)
            stall += 1
        place = places[code[row]]
        yield _slice(process, thread, issue[row], max(end[row] - issue[row], 1), names[code[row]], place)
    yield from _counters(timeline, position, process)


def _arrow(
    timeline: Timeline, process: int, stall: tuple[int, int], by: Blamed, end_clk: int
) -> Iterator[str]:
    """From the issue of whoever is to blame to the last clock of the stall, if it is of another wave."""
    position, number = stall
    issue = int(timeline.waves[by.wave].issue_clk[by.row])
    if by.wave == position or not 0 <= issue < end_clk:
        return
    flow = ((process << 12 | position) << 24) + number  # Perfetto takes no other ids than numbers
    common = f'"cat":"blame","name":"blame","id":{flow},"pid":{process}'
    yield f'{{"ph":"s",{common},"tid":{by.wave + 1},"ts":{issue}}}'
    yield f'{{"ph":"f","bp":"e",{common},"tid":{position + 1},"ts":{end_clk - 1}}}'


def _counters(timeline: Timeline, position: int, process: int) -> Iterator[str]:
    wave, trace = timeline.waves[position], timeline.trace.waves[position]
    rows = issued_rows(wave)
    if len(wave.done_clk) < rows or not np.any(wave.done_clk[:rows] > wave.issue_clk[:rows]):
        return
    for counter in ("lgkm", "vm"):
        increments = np.array(
            [getattr(entry, f"{counter}_increment") for entry in timeline.trace.code], np.int64
        )
        step = increments[trace.code[:rows]]
        used = np.flatnonzero(step)
        clk = np.concatenate((wave.issue_clk[used], wave.done_clk[used]))
        change = np.concatenate((step[used], -step[used]))
        if not len(clk):
            continue
        at, where = np.unique(clk, return_inverse=True)
        level = np.cumsum(np.bincount(where, weights=change, minlength=len(at)).astype(np.int64))
        name = json.dumps(f"g{wave.workgroup}w{wave.wave} {counter}cnt")
        for when, value in zip(at.tolist(), level.tolist(), strict=True):
            yield f'{{"ph":"C","pid":{process},"tid":0,"ts":{when},"name":{name},"args":{{"n":{value}}}}}'


def _names(timeline: Timeline) -> list[str]:
    return [json.dumps(entry.instruction.opcode) for entry in timeline.trace.code]


def _places(timeline: Timeline) -> list[str]:
    """Arguments of a slice: operands and source line, as JSON text."""
    places = []
    for entry in timeline.trace.code:
        instruction = entry.instruction
        arguments = {"operands": ", ".join(map(str, instruction.operands))}
        if instruction.span is not None:
            arguments["place"] = str(instruction.span)
        places.append(json.dumps(arguments))
    return places


def _slice(process: int, thread: int, start: int, length: int, name: str, arguments: str = "") -> str:
    end = f',"args":{arguments}}}' if arguments else "}"
    return f'{{"ph":"X","pid":{process},"tid":{thread},"ts":{start},"dur":{length},"name":{name}{end}'


def _named(kind: str, process: int, thread: int, name: str) -> str:
    return f'{{"ph":"M","pid":{process},"tid":{thread},"name":"{kind}","args":{{"name":{json.dumps(name)}}}}}'
