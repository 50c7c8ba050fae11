"""An edit of a program as an edit of the lines that it was read from: assembly, or a tile program.

A line is moved, changed, left out or put in as a whole, with all instructions that it became, and a statement
of a tile program goes with the lines that continue it. Whether the result is what was meant must be seen by
loading it: macros and unrolled loops have one line for several places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wavesim.asm.printer import print_instruction
from wavesim.explanation.edits import Edit
from wavesim.program import Immediate, Instruction, Program, Waitcnt

_ASSEMBLY = re.compile(r"(?P<head>\s*(?:[\w.$@]+:\s*)*)(?P<code>[^;/]*?)(?P<tail>\s*(?:(?:;|//).*)?)$")
_STATEMENT = re.compile(r"(?P<head> *- )(?P<code>.*?)(?P<tail>\s*(?: #.*)?)$")
_MACRO = re.compile(r"  (\w+):")


Lines = tuple[tuple[int, str], ...]
"""An edited text: each line, and where it stood (from 0); -1 if it was put in, changed or moved."""


class NoLine(Exception):
    """The edit is none of lines of this text."""


@dataclass
class _Text:
    """The lines, and what is done to each: from 0, with how many lines a statement has."""

    lines: list[str]
    is_tile: bool
    outer: Mapping[int, int]

    def unit(self, line: int) -> range:
        """The lines of the statement at ``line`` (from 1), from 0."""
        start = self.outer.get(line, line) - 1
        if not 0 <= start < len(self.lines):
            raise NoLine
        end = start + 1
        while self.is_tile and end < len(self.lines) and self._goes_on(start, end):
            end += 1
        return range(start, end)

    def _goes_on(self, start: int, end: int) -> bool:
        first, line = self.lines[start], self.lines[end]
        return bool(line.strip()) and _indent(line) > _indent(first)

    def put(self, line: int, instruction: Instruction) -> str:
        """An instruction as a line beside the one at ``line``."""
        space = self.lines[self.unit(line).start]
        space = space[: len(space) - len(space.lstrip(" \t"))]
        if self.is_tile:
            return f"{space}- {_statement(instruction)}"
        return f"{space or chr(9)}{print_instruction(instruction)}"

    def changed(self, line: int, instruction: Instruction) -> str:
        """The line with another instruction in it."""
        matched = (_STATEMENT if self.is_tile else _ASSEMBLY).match(self.lines[line - 1])
        if matched is None:
            raise NoLine
        written = _statement(instruction) if self.is_tile else print_instruction(instruction)
        return f"{matched['head']}{written}{matched['tail']}"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _statement(instruction: Instruction) -> str:
    """What a tile program writes for it.

    Raises:
        NoLine: it has no statement for that.
    """
    (operand,) = instruction.operands or (None,)
    if instruction.opcode == "s_setprio" and isinstance(operand, Immediate):
        return f"priority: {operand.value}"
    if not isinstance(operand, Waitcnt) or operand.expcnt is not None:
        raise NoLine
    counts = {"vmcnt": operand.vmcnt, "lgkmcnt": operand.lgkmcnt}
    said = ", ".join(f"{name}: {count}" for name, count in counts.items() if count is not None)
    return f"wait: {{{said}}}"


def edited_texts(text: str, file: str, program: Program, edit: Edit, *, is_tile: bool) -> Iterator[Lines]:
    """The text with the edit made in its lines, in the ways in which it may be meant.

    Args:
        text: of the file.
        file: its name in the spans of ``program``.
        program: as it is.
        edit: the edit.
        is_tile: whether the text is a tile program; it is assembly otherwise.
    """
    for outer in _outers(text) if is_tile else ({},):
        try:
            yield _edited(_Text(text.split("\n"), is_tile, outer), file, program, edit)
        except NoLine:
            continue


def _outers(text: str) -> Iterator[Mapping[int, int]]:
    """Which line stands for another: none, or for the lines of macros one that uses them."""
    yield {}
    macros: dict[int, str] = {}
    uses: dict[str, list[int]] = {}
    inside, name = False, ""
    for number, line in enumerate(text.split("\n"), 1):
        if line and line[0] not in " #-":
            inside = line.startswith("macros:")
        head = _MACRO.match(line) if inside else None
        name = head[1] if head else name
        if inside and not head:
            macros[number] = name
        for used in re.findall(r"\buse: *(\w+)", line) if not inside else ():
            uses.setdefault(used, []).append(number)
    for turn in range(max(map(len, uses.values()), default=0)):
        yield {
            line: uses[name][min(turn, len(uses[name]) - 1)] for line, name in macros.items() if name in uses
        }


def _edited(text: _Text, file: str, program: Program, edit: Edit) -> Lines:
    def line_of(index: int) -> int:
        span = program.instructions[index].span
        if span is None or not span.line or span.file != file:
            raise NoLine
        return span.line

    def each_line(indices: Iterable[int]) -> list[int]:
        return list(dict.fromkeys(line_of(index) for index in sorted(indices)))

    gone: set[int] = set()
    before: dict[int, list[str]] = {}
    behind: dict[int, list[str]] = {}
    for line in each_line(edit.removed):
        gone |= set(_whole(text, line))
    for line, put in _once(edit.before, line_of, text.put).items():
        before.setdefault(text.unit(line).start, []).extend(put)
    for line, put in _once(
        {index: [one] for index, one in edit.changed.items()}, line_of, text.changed
    ).items():
        before.setdefault(line - 1, []).extend(put)
        gone.add(line - 1)
    moves = {line_of(index): place for index, place in sorted(edit.order.items())}
    for line, place in moves.items():
        unit = _whole(text, line)
        target = text.unit(line_of(place if place >= 0 else ~place))
        if set(unit) & set(target):
            raise NoLine
        gone |= set(unit)
        (behind if place >= 0 else before).setdefault(target[-1] if place >= 0 else target.start, []).extend(
            text.lines[each] for each in unit
        )
    result: list[tuple[int, str]] = []
    for number, line_text in enumerate(text.lines):
        result += [(-1, each) for each in before.get(number, ())]
        if number not in gone:
            result.append((number, line_text))
        result += [(-1, each) for each in behind.get(number, ())]
    return tuple(result)


def _once(
    wanted: Mapping[int, Sequence[Instruction]],
    line_of: Callable[[int], int],
    written: Callable[[int, Instruction], str],
) -> dict[int, list[str]]:
    """Line -> what is written there; the places of one line must agree.

    Raises:
        NoLine: they do not.
    """
    found: dict[int, list[str]] = {}
    for index, instructions in sorted(wanted.items()):
        line = line_of(index)
        said = [written(line, each) for each in instructions]
        if found.setdefault(line, said) != said:
            raise NoLine
    return found


def _whole(text: _Text, line: int) -> range:
    """The lines of a statement that goes away from here: nothing else may stand in them."""
    unit = text.unit(line)
    matched = None if text.is_tile else _ASSEMBLY.match(text.lines[unit.start])
    if matched is not None and matched["head"].strip():
        raise NoLine
    return unit
