"""Edits of a tile program's text: staggered halves, other swizzles. Tried by running the edited file.

Line numbers stay those of the file as it is: an edit is a list of lines put in, taken out or changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from wavesim.explanation.text_candidate import TextCandidate

SWIZZLES = ((8, 16), (16, 8), (8, 8), (16, 4))
"""(unit bytes, rows) tried; docs/kernels.md says what they do."""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _loop_lines(lines: list[str], inside: int) -> tuple[int, int] | None:
    """First and last line (from 0) of the outermost ``- loop:`` statement around line ``inside``."""
    found = None
    for start, line in enumerate(lines[: inside + 1]):
        if re.match(r" *- loop:", line):
            end = start + 1
            while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > _indent(line)):
                end += 1
            while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):
                end -= 1
            if start <= inside < end:
                return start, end - 1
    return found


def staggers(text: str, loop_line: int, waves: int, constants: Mapping[str, str]) -> Iterator[TextCandidate]:
    """The younger half one barrier behind; or, where a constant STAGGER says so, without it.

    Args:
        text: the file.
        loop_line: a line inside the main loop, from 1.
        waves: of the workgroup.
        constants: names and values as written in the file's section ``constants``.
    """
    lines = text.split("\n")
    if "STAGGER" in constants:
        old = constants["STAGGER"].strip()
        new = "0" if old != "0" else "1"
        for number, line in enumerate(lines):
            match = re.match(r"( *STAGGER: *)(\S+)(.*)", line)
            if match:
                changed = [*lines[:number], match[1] + new + match[3], *lines[number + 1 :]]
                word = "stop staggering" if new == "0" else "stagger"
                advice = f"{word} the halves: STAGGER: {new} in line {number + 1}"
                yield TextCandidate("stagger", advice, (number + 1,), "\n".join(changed), {"STAGGER": new})
                return
    place = _loop_lines(lines, loop_line - 1)
    if place is None or waves < 8:
        return
    start, end = place
    space = " " * _indent(lines[start])
    half = waves // 2

    def barrier(condition: str) -> list[str]:
        return [f"{space}- if: {condition}", f"{space}  then:", f"{space}  - barrier"]

    changed = [
        *lines[:start],
        *barrier(f"wave >= {half}"),
        *lines[start : end + 1],
        *barrier(f"wave < {half}"),
        *lines[end + 1 :],
    ]
    advice = (
        f"stagger the halves: one barrier more for waves {half}-{waves - 1} before line {start + 1}, "
        f"for waves 0-{half - 1} behind line {end + 1}"
    )
    yield TextCandidate("stagger", advice, (start + 1, end + 1), "\n".join(changed), {})


_SWIZZLE = re.compile(r"swizzle: *\{unit_bytes: *(?P<unit>[^,}]+), *rows: *(?P<rows>[^,}]+)(?P<rest>[^}]*)\}")


def swizzles(text: str, constants: Mapping[str, str]) -> Iterator[TextCandidate]:
    """Other swizzles for all LDS buffers together; buffers without one get one."""
    lines = text.split("\n")
    places = [number for number, line in enumerate(lines) if _SWIZZLE.search(line)]
    plain = []
    if not places:
        inside = False
        for number, line in enumerate(lines):
            if not line.startswith(" "):
                inside = line.startswith("lds:")
            elif inside and re.match(r"  \w+: *\{type: .*\}", line):
                plain.append(number)
    for unit, rows in SWIZZLES:
        changed = list(lines)
        for number in places:
            changed[number] = _SWIZZLE.sub(
                lambda match, unit=unit, rows=rows: (  # type: ignore[misc]
                    f"swizzle: {{unit_bytes: {unit}, rows: {rows}{match['rest']}}}"
                ),
                changed[number],
            )
        for number in plain:
            head, _, tail = changed[number].rpartition("}")
            changed[number] = f"{head}, swizzle: {{unit_bytes: {unit}, rows: {rows}}}}}{tail}"
        if changed != lines:
            touched = tuple(number + 1 for number in (places or plain))
            where = ", ".join(str(number) for number in touched)
            advice = f"swizzle {{unit_bytes: {unit}, rows: {rows}}} for the LDS buffers of lines {where}"
            yield TextCandidate("swizzle", advice, touched, "\n".join(changed), {})


def constants_of(text: str, settings: Mapping[str, str]) -> Mapping[str, str]:
    """Names and values of the file's own section ``constants``, as written or as ``--set`` has them."""
    found = {}
    inside = False
    for line in text.split("\n"):
        if line and not line.startswith((" ", "#")):
            inside = line.startswith("constants:")
        elif inside and ":" in line:
            name, _, value = line.partition(":")
            found[name.strip()] = settings.get(name.strip(), value.partition("#")[0].strip())
    return found
