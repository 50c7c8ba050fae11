"""Waves that ran on a traced compute unit and are not in the trace, by occupancy.json.

rocprofv3 traces the instructions of one compute unit and of the SIMDs it was asked for; occupancy.json tells
of every start and end of a wave of the shader engine. A wave that shared the compute unit unseen took its
share of everything, and a replay without it cannot be exact.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wavesim.inputs import note_input
from wavesim.limits import MAX_INPUT_BYTES
from wavesim.replays.att.folder import RawWave

PACKED_CLK = 8
"""Resolution of the clocks in the old form, one number an event: clk / 8, and below it 4 bits of compute
unit, 1 of start or end, 4 of slot, 2 of SIMD, 12 of kernel (as ROCm/aiter's MI350X traces have it)."""

MARK = "*"
MARK_SAYS = (
    f"{MARK} the trace leaves out waves that ran beside those that it has: what they took of the compute "
    "unit is in the measured figures, and in no other"
)

Event = tuple[int, int, int, int, bool]
"""Clock, compute unit, SIMD, slot, whether it is a start."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Waves of a compute unit (``se0 cu1``) that are not in the trace: ``missing`` of the ``listed`` ones,
    ``beside`` of which ran at a time when waves that are in the trace did."""

    unit: str
    missing: int
    listed: int
    beside: int

    def __str__(self) -> str:
        """A note on it."""
        when = (
            f"; {self.beside} of them ran beside those that are" if self.beside else ", none at the same time"
        )
        return (
            f"{self.unit}: {self.missing} of the {self.listed} waves that occupancy.json lists are not in "
            f"the trace{when}"
        )


def mark_of(left_out: LeftOut | None) -> str:
    """What stands beside the figures of a compute unit: :data:`MARK` where waves ran beside, unseen."""
    return MARK if left_out is not None and left_out.beside else ""


def read_occupancy(folder: Path) -> tuple[Any, list[str]]:
    """What occupancy.json of a folder holds, and a note where it cannot be read; ``None``: there is none."""
    path = folder / "occupancy.json"
    note_input(path)
    try:
        if path.stat().st_size > MAX_INPUT_BYTES:
            return None, []
        return json.loads(path.read_bytes()), []
    except FileNotFoundError:
        return None, []
    except (OSError, ValueError, RecursionError):
        return None, ["occupancy.json cannot be read: whether waves are left out is not known"]


def waves_left_out(data: Any, units: Sequence[Sequence[RawWave]]) -> list[LeftOut]:
    """Of each compute unit that ran waves which the trace leaves out, how many, by what occupancy.json says;
    where it says nothing, none."""
    if data is None:
        return []
    found = []
    for waves in units:
        first = waves[0]
        events = list(_events(data, first.shader_engine, first.compute_unit))
        lives = _lives(events)
        listed = {(wave.simd, wave.slot, _coarse(wave.begin_clk)) for wave in waves}
        near = listed | {(simd, slot, clk + step) for simd, slot, clk in listed for step in (-1, 1)}
        missing = [life for life in lives if (life[2], life[3], _coarse(life[0])) not in near]
        if not missing:
            continue
        begin, end = min(wave.begin_clk for wave in waves), max(wave.end_clk for wave in waves)
        beside = sum(life[0] < end and life[1] > begin for life in missing)
        name = f"se{first.shader_engine} cu{first.compute_unit}"
        found.append(LeftOut(name, len(missing), len(lives), beside))
    return found


def _coarse(clk: int) -> int:
    return clk // PACKED_CLK


def _events(data: Any, engine: int, unit: int) -> Iterator[Event]:
    rows = data.get(str(engine)) if isinstance(data, dict) else None
    for row in rows if isinstance(rows, list) else ():
        event = _event(row)
        if event is not None and event[1] == unit:
            yield event


def _event(row: Any) -> Event | None:
    if isinstance(row, list) and len(row) >= 5 and all(type(each) is int for each in row[:5]):
        return row[0], row[1], row[2], row[3], row[4] == 1
    if type(row) is int and row > 0:
        clk = (row >> 23) * PACKED_CLK
        return clk, row >> 19 & 0xF, row >> 12 & 0x3, row >> 14 & 0xF, bool(row >> 18 & 1)
    return None


def _lives(events: Sequence[Event]) -> list[tuple[int, int, int, int]]:
    """Begin, end, SIMD and slot of each wave; one whose end is not told lasts."""
    lives = []
    open_since: dict[tuple[int, int], int] = {}
    for clk, _, simd, slot, starts in sorted(events, key=lambda event: (event[0], event[4])):
        begin = open_since.pop((simd, slot), None)
        if begin is not None:
            lives.append((begin, clk, simd, slot))
        if starts:
            open_since[simd, slot] = clk
    lives += [(begin, 1 << 62, simd, slot) for (simd, slot), begin in open_since.items()]
    return lives
