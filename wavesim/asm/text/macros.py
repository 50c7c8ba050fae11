"""Macros, repetitions and conditions of assembly generators, expanded before the file is read.

``.macro`` (arguments with defaults, ``\\name``, ``\\()``, ``\\@``), ``.rept``, ``.irp``, ``.if`` and its kin,
as LLVM's assembler takes them; conditions see the absolute symbols that ``.set`` and ``=`` gave before.
Lines that come out of a macro count as the line that calls it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from wavesim.asm.text.expressions import ExpressionError, evaluate
from wavesim.asm.text.instructions import strip_comment
from wavesim.errors import LimitExceeded, SourceSpan, UserError

MAX_LINES = 2_000_000
_USES = re.compile(r"^\s*\.(macro|rept|irp|if\w*)\b", re.MULTILINE)
_COMMA = re.compile(r",(?![^\[(]*[\])])")
_ASSIGN = re.compile(r"([A-Za-z_.$][\w.$]*)\s*=(?!=)\s*(.+)$")
_IDENTIFIER = re.compile(r"[A-Za-z_.$][\w.$]*")
Line = tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Macro:
    parameters: tuple[tuple[str, str], ...]
    body: tuple[str, ...]


def expand_macros(text: str, file: str) -> tuple[list[str], list[int]]:
    """The file's lines after expansion, and for each the number of the line it comes from.

    Raises:
        UserError: an unfinished or unreadable directive.
        LimitExceeded: the expansion does not end.
    """
    lines = text.split("\n")
    if _USES.search(text) is None:
        return lines, list(range(1, len(lines) + 1))
    expander = _Expander(file, deque(enumerate(lines, start=1)))
    expander.run()
    return [line for _, line in expander.out], [number for number, _ in expander.out]


class _Expander:
    def __init__(self, file: str, queue: deque[Line]) -> None:
        self.file = file
        self.queue = queue
        self.out: list[Line] = []
        self.macros: dict[str, _Macro] = {}
        self.symbols: dict[str, int] = {}
        self.conditions: list[tuple[bool, bool]] = []  # (this branch is taken, one was taken already)
        self.calls = 0
        self.steps = 0

    def run(self) -> None:
        number = 0
        while self.queue:
            number, line = self.queue.popleft()
            self.steps += 1
            if self.steps > MAX_LINES:
                raise LimitExceeded("macros expand to too many lines", self.span(number))
            code = strip_comment(line)[0].strip()
            name, _, rest = code.replace("\t", " ").partition(" ")
            if name.startswith((".if", ".else")) or name == ".endif":
                self.condition(name, rest.strip(), number)
            elif self.conditions and not self.conditions[-1][0]:
                continue
            elif not self.directive(name, rest.strip(), number):
                self.note_symbol(name, code, rest)
                self.out.append((number, line))
        if self.conditions:
            raise UserError(".if has no .endif", self.span(number))

    def span(self, number: int) -> SourceSpan:
        return SourceSpan(self.file, number)

    def directive(self, name: str, rest: str, number: int) -> bool:
        """Handle a directive of this module or a macro's call; False for other lines."""
        if name == ".macro":
            self.define(rest, number)
        elif name == ".rept":
            body = self.block((".rept", ".irp", ".irpc"), ".endr", number)
            count = self.value(rest, number)
            if count * len(body) > MAX_LINES:
                raise LimitExceeded("macros expand to too many lines", self.span(number))
            self.push(body * max(count, 0), number)
        elif name == ".irp":
            symbol, *values = [part.strip() for part in _COMMA.split(rest)]
            body = self.block((".rept", ".irp", ".irpc"), ".endr", number)
            filled = [(at, self.filled(line, {symbol: value})) for value in values for at, line in body]
            self.push(filled, number)
        elif name == ".purgem":
            self.macros.pop(rest, None)
        elif name in self.macros:
            self.call(self.macros[name], name, rest, number)
        else:
            return False
        return True

    def define(self, rest: str, number: int) -> None:
        name, _, text = rest.replace(",", " ", 1).partition(" ")
        parameters = []
        for part in re.split(r"[,\s]+(?![^=]*$)|,\s*|\s+", text.strip()):
            if part:
                parameter, _, default = part.partition("=")
                parameters.append((parameter.partition(":")[0].strip(), default.strip()))
        body = self.block((".macro",), (".endm", ".endmacro"), number)
        self.macros[name] = _Macro(tuple(parameters), tuple(line for _, line in body))

    def block(self, opens: tuple[str, ...], closes: str | tuple[str, ...], number: int) -> list[Line]:
        """Lines up to the directive that ends the block; nested ones are part of it."""
        depth = 1
        body: list[Line] = []
        while self.queue:
            at, line = self.queue.popleft()
            word = strip_comment(line)[0].strip().replace("\t", " ").partition(" ")[0]
            depth += word in opens
            if word in ((closes,) if isinstance(closes, str) else closes):
                depth -= 1
                if not depth:
                    return body
            body.append((at, line))
        raise UserError(f"{opens[0]} has no end", self.span(number))

    def push(self, lines: list[Line], number: int) -> None:
        """Lines to be read next."""
        if len(lines) + self.steps > MAX_LINES:
            raise LimitExceeded("macros expand to too many lines", self.span(number))
        self.queue.extendleft(reversed(lines))

    def call(self, macro: _Macro, name: str, rest: str, number: int) -> None:
        pieces = [piece.strip() for piece in _COMMA.split(rest)] if rest else []
        if len(pieces) < len(macro.parameters):  # blanks separate too
            pieces = [word for piece in pieces for word in (piece.split() or [""])]
        values = dict(macro.parameters)
        names = [parameter for parameter, _ in macro.parameters]
        if len(pieces) > len(names):
            raise UserError(
                f"macro {name} takes {len(names)} arguments, not {len(pieces)}", self.span(number)
            )
        for place, piece in enumerate(pieces):
            keyword, equals, value = piece.partition("=")
            if equals and keyword.strip() in values:
                values[keyword.strip()] = value.strip()
            else:
                values[names[place]] = piece
        values["@"] = str(self.calls)
        self.calls += 1
        self.push([(number, self.filled(line, values)) for line in macro.body], number)

    def filled(self, line: str, values: dict[str, str]) -> str:
        """``line`` with ``\\name`` replaced; ``\\()`` separates a name from what follows."""

        def value(match: re.Match[str]) -> str:
            return values.get(match[1], match[0])

        return re.sub(r"\\(@|[A-Za-z_][\w$]*)", value, line).replace("\\()", "")

    def note_symbol(self, name: str, code: str, rest: str) -> None:
        """Keep what ``.set`` and ``=`` give."""
        if name in (".set", ".equ", ".equiv"):
            symbol, _, text = rest.partition(",")
        else:
            match = _ASSIGN.match(code)
            if match is None:
                return
            symbol, text = match.groups()
        try:
            self.symbols[symbol.strip()] = evaluate(text.strip(), self.symbols)
        except ExpressionError:
            self.symbols.pop(symbol.strip(), None)

    def value(self, text: str, number: int) -> int:
        try:
            return evaluate(text, self.symbols)
        except ExpressionError as error:
            raise UserError(f"{text!r}: {error}", self.span(number)) from None

    def condition(self, name: str, rest: str, number: int) -> None:
        stack = self.conditions
        if name.startswith(".if"):
            outer = stack[-1][0] if stack else True
            test = self.tests().get(name)
            if test is None:
                raise UserError(f"directive {name} is not supported", self.span(number))
            taken = outer and test(rest, number)
            stack.append((taken, taken or not outer))
            return
        if not stack:
            raise UserError(f"{name} without .if", self.span(number))
        _, done = stack.pop()
        if name == ".else":
            stack.append((not done, True))
        elif name == ".elseif":
            taken = not done and bool(self.value(rest, number))
            stack.append((taken, done or taken))

    def tests(self) -> dict[str, Callable[[str, int], bool]]:
        """The conditions by directive."""

        def same(rest: str, _: int) -> bool:
            first, _comma, second = rest.partition(",")
            return first.strip().strip("\"'") == second.strip().strip("\"'")

        def defined(rest: str, _: int) -> bool:
            return _IDENTIFIER.fullmatch(rest) is not None and rest in self.symbols

        return {
            ".if": lambda rest, number: bool(self.value(rest, number)),
            ".ifne": lambda rest, number: bool(self.value(rest, number)),
            ".ifeq": lambda rest, number: not self.value(rest, number),
            ".ifgt": lambda rest, number: self.value(rest, number) > 0,
            ".ifge": lambda rest, number: self.value(rest, number) >= 0,
            ".iflt": lambda rest, number: self.value(rest, number) < 0,
            ".ifle": lambda rest, number: self.value(rest, number) <= 0,
            ".ifdef": defined,
            ".ifndef": lambda rest, number: not defined(rest, number),
            ".ifb": lambda rest, _: not rest,
            ".ifnb": lambda rest, _: bool(rest),
            ".ifc": same,
            ".ifeqs": same,
            ".ifnc": lambda rest, number: not same(rest, number),
            ".ifnes": lambda rest, number: not same(rest, number),
        }
