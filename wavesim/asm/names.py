"""Names of kernels: a symbol as the source has it, and which kernel of a file a name means.

The symbol of a template's instance is long. Whoever has several of them in a file says a part of its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from wavesim.errors import SourceSpan, UserError

MOST_LISTED = 20
LONG = 100
"""Characters of a name from which on a part of it is listed that says which it is."""
_TIMEOUT_S = 10


def readable(symbols: Sequence[str]) -> tuple[str, ...]:
    """The symbols as the source has them; as they are where they are C's or no demangler is installed."""
    return _readable(tuple(symbols)) if any(each.startswith("_Z") for each in symbols) else tuple(symbols)


@cache
def _readable(symbols: tuple[str, ...]) -> tuple[str, ...]:
    import shutil
    import subprocess

    from wavesim.asm.tools import MissingTool, find_tool

    try:
        tool = find_tool("llvm-cxxfilt")
    except MissingTool:
        tool = shutil.which("c++filt") or ""
    if not tool:
        return symbols
    text = "\n".join(symbols).encode()
    try:
        done = subprocess.run([tool], input=text, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return symbols
    found = tuple(done.stdout.decode(errors="replace").rstrip("\n").split("\n"))
    return found if len(found) == len(symbols) else symbols


def short_name(symbol: str) -> str:
    """``a::axpy<float>`` of its symbol: as the source has it, without the types that it takes and gives."""
    (name,) = readable((symbol,))
    if name == symbol or not name.endswith(")"):
        return name
    depth, end = 0, len(name)
    for end in range(len(name) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(name[end], 0)
        if not depth:
            break
    depth, start = 0, 0
    for place, letter in enumerate(name[:end]):
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(letter, 0)
        if letter == " " and not depth:
            start = place + 1
    return name[start:end]


def chosen(symbols: Sequence[str], wanted: str | None, file: str) -> str:
    """The kernel that is meant: the only one, or that with the name ``wanted``. That is its symbol, its name
    in the source with or without namespace and template arguments, or a part of either.

    Raises:
        UserError: there are several and none is named, or the name is that of none or of several.
    """
    span = SourceSpan(file)
    if wanted is None:
        if len(symbols) == 1:
            return symbols[0]
        said = _listed(symbols)
        raise UserError(f"{len(symbols)} kernels in one file", span, f"choose one with --kernel:{said}")
    wanted = wanted.strip()
    for meant in _MEANINGS:
        found = [each for each in symbols if meant(each, wanted)]
        if len(found) > 1:
            said = _listed(found)
            raise UserError(
                f"{len(found)} kernels are called {wanted!r}", span, f"say more of the name:{said}"
            )
        if found:
            return found[0]
    raise UserError(f"no kernel {wanted!r}", span, f"kernels:{_listed(symbols)}")


def _is_base(symbol: str, wanted: str) -> bool:
    name = re.sub(r"\(anonymous namespace\)", "", short_name(symbol)).partition("<")[0]
    return wanted in (name, name.rpartition("::")[2])


_MEANINGS: tuple[Callable[[str, str], bool], ...] = (
    lambda symbol, wanted: wanted == symbol,
    lambda symbol, wanted: wanted in (*readable((symbol,)), short_name(symbol)),
    _is_base,
    lambda symbol, wanted: wanted in readable((symbol,))[0] or wanted in symbol,
)
"""From the whole name to a part of it: the first that any kernel fits counts."""


def _listed(symbols: Sequence[str]) -> str:
    """The kernels for a message, each on its line, by what ``--kernel`` takes."""
    names = readable(symbols)
    short = tuple(map(short_name, symbols))
    names = short if len(set(short)) == len(short) else names
    lines = [_part(name, [other for other in names if other is not name]) for name in names[:MOST_LISTED]]
    more = [f"and {len(symbols) - MOST_LISTED} more"] if len(symbols) > MOST_LISTED else []
    if set(lines) <= set(names) and sum(map(len, lines)) <= LONG:
        return f" {', '.join([*lines, *more])}"
    return "".join(f"\n    {line}" for line in [*lines, *more])


def _part(name: str, others: Sequence[str]) -> str:
    """A part of a long name that no other name has, from where it differs from the others."""
    if len(name) <= LONG or not others:
        return name
    apart = (at for at, letters in enumerate(zip(name, *others, strict=False)) if len(set(letters)) > 1)
    start = next(apart, 0)
    while start and re.match(r"\w", name[start - 1]):
        start -= 1
    for begin in (start, max(start - 2, 0)):  # "int" is a part of "unsigned int", ", int" is not
        for end in range(start + 1, len(name)):
            part = name[begin:end]
            if not re.match(r"\w", name[end]) and not any(part in other for other in others):
                return part
    return name
