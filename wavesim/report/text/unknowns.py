"""What a run rests on that is not known, as text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wavesim.errors import SourceSpan
from wavesim.pipeline.unknowns import Unknowns

MOST_PLACES = 4


def unknown_lines(unknowns: Unknowns | None) -> list[str]:
    """A paragraph per unknown opcode and per assumption, with the figures that rest on it."""
    if unknowns is None:
        return []
    lines = []
    for opcode in unknowns.opcodes:
        text = f"{opcode.opcode}: {opcode.why}" if opcode.opcode not in opcode.why else opcode.why
        times = "executed once" if opcode.executed == 1 else f"executed {opcode.executed} times"
        parts = [text, opcode.taken_for, times] if opcode.executed else [text, "not executed"]
        lines.append(f"{_first(opcode.places)}unknown: {'; '.join(parts)}")
        if opcode.nearest:
            lines.append(f"  similar: {', '.join(opcode.nearest)}")
        lines += _others(opcode.places)
    for assumption in unknowns.assumptions:
        lines.append(f"{_first(assumption.places)}assumed: {assumption.text}")
        lines += _others(assumption.places)
        lines.append(f"  rest on it: {', '.join(assumption.figures)}")
    return lines


def _first(places: Sequence[SourceSpan]) -> str:
    return f"{places[0]}: " if places else ""


def _others(places: Sequence[SourceSpan]) -> list[str]:
    more = len(places) - 1 - MOST_PLACES
    shown = [f"line {place.line}" for place in places[1 : 1 + MOST_PLACES]]
    if more > 0:
        shown.append(f"{more} more")
    return [f"  also {', '.join(shown)}"] if shown else []


def unknowns_json(unknowns: Unknowns | None) -> dict[str, Any] | None:
    """The same as plain data; ``figures`` maps a figure to the numbers of the assumptions it rests on."""
    if unknowns is None:
        return None
    return {
        "opcodes": [
            {
                "opcode": each.opcode,
                "why": each.why,
                "taken_for": each.taken_for,
                "nearest": list(each.nearest),
                "executed": each.executed,
                "places": _spans(each.places),
            }
            for each in unknowns.opcodes
        ],
        "assumptions": [
            {"text": each.text, "places": _spans(each.places), "figures": list(each.figures)}
            for each in unknowns.assumptions
        ],
        "figures": {name: list(numbers) for name, numbers in unknowns.figures.items()},
    }


def _spans(places: Sequence[SourceSpan]) -> list[dict[str, Any]]:
    return [{"file": place.file, "line": place.line, "column": place.column} for place in places]
