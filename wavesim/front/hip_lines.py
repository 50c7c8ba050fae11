"""From which lines of the source each line of compiled assembly comes, through the functions inlined there.

clang writes the whole chain behind the directive .loc, as a comment:
``; k.hip:105:9 @[ k.hip:115:30 @[ k.hip:130:3 ] ]``.
"""

from __future__ import annotations

import re

from wavesim.errors import SourceSpan

_LOC = re.compile(r"\s*\.loc\s[^;]*;\s*(?P<chain>\S.*)")
_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d+):(?P<column>\d+)[\s\]]*")

Chain = tuple[SourceSpan, ...]
"""The kernel's own line, then that of the function called there, and so on to the innermost one."""


def chains_of(assembly: str) -> list[Chain]:
    """The chain of each line of a text that clang wrote; empty where it is not known."""
    found: list[Chain] = []
    chain: Chain = ()
    for line in assembly.split("\n"):
        matched = _LOC.match(line)
        if matched is not None:
            places = [_PLACE.fullmatch(each) for each in reversed(matched["chain"].split(" @[ "))]
            chain = tuple(
                SourceSpan(each["file"], int(each["line"]), int(each["column"]))
                for each in places
                if each is not None
            )
        elif line.lstrip().startswith(".loc"):
            chain = ()
        found.append(chain)
    return found
