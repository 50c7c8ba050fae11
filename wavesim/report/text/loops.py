"""A kernel's loops as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from wavesim.asm.names import short_name
from wavesim.front.loops import CodeLoop, hottest, region_of, shown_address
from wavesim.program import Instruction, Program
from wavesim.report.json.run import Json
from wavesim.report.json.schemas import headed
from wavesim.words import clipped

_HEADINGS = ("loop", "depth", "instructions", "MFMA", "LDS", "memory", "lines", "address", "source")
_LEFT = ("loop", "lines", "address", "source")


def loops_text(program: Program, loops: Sequence[CodeLoop]) -> str:
    """One line per loop, indented by depth, and the region to give for the hottest. Counts are of the loop
    without those inside of it."""
    rows = [_HEADINGS, *(_row(program, loop) for loop in loops)]
    if not any(row[-1] for row in rows[1:]):
        rows = [row[:-1] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            f"{cell:<{width}}" if name in _LEFT else f"{cell:>{width}}"
            for cell, width, name in zip(row, widths, _HEADINGS, strict=False)
        ).rstrip()
        for row in rows
    ]
    best, name = hottest(tuple(loops)), clipped(short_name(program.name))
    if best is None:
        return f"{name} has no loop"
    shown = region_of(program, best)
    return "\n".join([f"{name} on {program.arch}", *lines, f"hottest: --region {shown}"])


def _row(program: Program, loop: CodeLoop) -> tuple[str, ...]:
    counts = (loop.instructions, loop.mfmas, loop.lds_accesses, loop.memory_accesses)
    spans = [program.instructions[index].span for index in loop.members]
    lines = [span.line for span in spans if span is not None]
    return (
        "  " * (loop.depth - 1) + region_of(program, loop),
        str(loop.depth),
        *map(str, counts),
        f"{min(lines)}-{max(lines)}" if lines else "",
        f"{shown_address(program, loop.first):#x}-{shown_address(program, loop.stop - 1):#x}",
        _source_text(program, loop),
    )


def _source_lines(program: Program, loop: CodeLoop) -> dict[str, tuple[int, int]]:
    """First and last line of each source file that the loop was compiled from."""
    found: dict[str, tuple[int, int]] = {}
    for index in sorted(loop.members):
        source = _source(program.instructions[index])
        if source is not None:
            low, high = found.get(source[0], (source[1], source[1]))
            found[source[0]] = min(low, source[1]), max(high, source[1])
    return found


def _source(instruction: Instruction) -> tuple[str, int] | None:
    source = instruction.source or (instruction.span.source if instruction.span else None)
    return (source.file, source.line) if source is not None and source.line else None


def _source_text(program: Program, loop: CodeLoop) -> str:
    parts = [f"{file}:{low}-{high}" for file, (low, high) in _source_lines(program, loop).items()]
    return ", ".join(parts[:2]) + (f" and {len(parts) - 2} more" if len(parts) > 2 else "")


def loops_json(program: Program, loops: Sequence[CodeLoop]) -> Json:
    """The same as plain data."""
    best = hottest(tuple(loops))
    data: dict[str, Json] = {
        "kernel": program.name,
        "arch": program.arch,
        "hottest": region_of(program, best) if best is not None else None,
        "loops": [
            {
                "region": region_of(program, loop),
                "label": program.label_at(loop.head),
                "depth": loop.depth,
                "instructions": loop.instructions,
                "mfma": loop.mfmas,
                "lds": loop.lds_accesses,
                "memory": loop.memory_accesses,
                "first_address": shown_address(program, loop.first),
                "last_address": shown_address(program, loop.stop - 1),
                "source": [
                    {"file": file, "first_line": low, "last_line": high}
                    for file, (low, high) in _source_lines(program, loop).items()
                ],
            }
            for loop in loops
        ],
    }
    return headed("loops", data)
