"""The shader clock that a trace shows: ``realtime.json``, shader clocks beside a counter of known rate.

rocprofv3 writes it since ROCm 7.1, pairs of (shader clock, realtime clock) by shader engine, and the
counter's frequency in Hz, 100 MHz where it does not say (rocprof-trace-decoder, trace_decoder_types.h:
the mean clock is the difference of the shader clocks over that of the seconds).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wavesim.errors import SourceSpan, UserError
from wavesim.isa.clock import Clock
from wavesim.replays.att.folder import read_json

NAME = "realtime.json"
REALTIME_HZ = 100_000_000
"""s_memrealtime counts at a constant 100 MHz (ISA manuals, SMEM instructions)."""

PLAUSIBLE_GHZ = (0.1, 5.0)


def measured_clock(folder: Path) -> Clock | None:
    """The mean clock of the trace in ``folder``, and its range over the pairs of records; ``None``: the trace
    has no such file.

    Raises:
        UserError: the file is there, but holds no pairs that give a clock.
    """
    path = folder / NAME
    return clock_from(read_json(path), path) if path.exists() else None


def clock_from(data: Any, path: Path) -> Clock:
    """The mean clock of what ``path`` holds, and its range.

    Raises:
        UserError: no pairs that give a clock.
    """
    hertz = next(_frequencies(data), REALTIME_HZ)
    means, steps = [], []
    for pairs in _series(data):
        seconds = [real / hertz for _, real in pairs]
        shader = [clk for clk, _ in pairs]
        if seconds[-1] <= seconds[0]:
            continue
        means.append((shader[-1] - shader[0]) / (seconds[-1] - seconds[0]) / 1e9)
        steps += [
            (shader[at + 1] - shader[at]) / (seconds[at + 1] - seconds[at]) / 1e9
            for at in range(len(pairs) - 1)
            if seconds[at + 1] > seconds[at]
        ]
    low, high = PLAUSIBLE_GHZ
    if not means or not low <= min(steps) <= max(steps) <= high:
        raise UserError(
            "no shader clock can be read from it",
            SourceSpan(str(path)),
            "expected lists of [shader clock, realtime clock], both rising",
        )
    ghz = sum(means) / len(means)
    return Clock(ghz, min(steps), max(steps), "measured", f"{NAME} of the trace")


def _frequencies(data: Any) -> Iterator[int]:
    """Numbers that stand under a name with ``freq`` in it."""
    if isinstance(data, dict):
        for key, value in data.items():
            if "freq" in str(key).lower() and isinstance(value, int) and value > 0:
                yield value
            else:
                yield from _frequencies(value)


def _series(data: Any) -> Iterator[list[tuple[int, int]]]:
    """Lists of two pairs of whole numbers or more, wherever they stand."""
    if isinstance(data, dict):
        for value in data.values():
            yield from _series(value)
    elif isinstance(data, list) and len(data) > 1 and all(map(_is_pair, data)):
        yield [(row[0], row[1]) for row in data]


def _is_pair(row: Any) -> bool:
    return isinstance(row, list) and len(row) >= 2 and all(type(each) is int for each in row[:2])
