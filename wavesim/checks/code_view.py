"""A program as rules on code see it: decoded, with its data flow and the paths that can be."""

from __future__ import annotations

from dataclasses import dataclass

from wavesim.checks.cfg import ControlFlow
from wavesim.program import Program
from wavesim.program.dataflow import Effects
from wavesim.trace import CodeEntry


@dataclass(frozen=True, slots=True)
class CodeView:
    """``code`` and ``used`` have an entry for each instruction of ``program``."""

    program: Program
    code: tuple[CodeEntry, ...]
    used: tuple[Effects, ...]
    flow: ControlFlow
