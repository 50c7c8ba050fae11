"""Bounds on what untrusted input may ask for. A kernel that passes one is refused with its place.

What an execution and a simulation may cost is a :class:`Budget`: counted work, never time, so that the
same input is refused on every machine. ``--max-instructions`` and ``--max-clk`` raise it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from wavesim.errors import LimitExceeded

MAX_INPUT_BYTES = 64 * 1024 * 1024
"""Largest text file (YAML, assembly) that is read."""

MAX_INSTRUCTIONS_STATIC = 200_000
"""Instructions in one program."""

MAX_INSTRUCTIONS_PER_WAVE = 20_000_000
"""Instructions of one wave of a measured trace."""

MAX_INSTRUCTIONS = 4_000_000
"""Instructions that all waves of an execution may execute: they and their times take some 150 bytes each,
half a minute to execute and simulate. (The half-split GEMM executes 110,640, at K = 8192 220,000.)"""

INSTRUCTIONS_A_RUN = 16
"""What running a block of instructions once, for one wave or for several together, counts at least."""

LINES_AN_INSTRUCTION = 16
"""Lines of global memory, kept for an access, that count as one more instruction."""

MAX_UNROLL = 4096
"""Copies of a body that one ``unroll`` or compile-time ``for`` of a tile program may make."""

MAX_WAVES = 64
"""Waves simulated together on one compute unit (gfx9: 8 slots on each of 4 SIMDs, and room to queue)."""

MAX_WAVES_IN_ALL = 1024
"""Waves simulated one after the other on one compute unit."""

SPIN_PATIENCE_CLK = 100_000
"""Shader clocks for which polling goes on while nothing but repeated polls issues (docs/model §12)."""

MAX_CLK = 10_000_000
"""Shader clocks that one simulation may last: five seconds of idle clocks. (The half-split takes 313,112.)"""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one execution (``instructions``, ``waves``) and one simulation (``clk``) may cost."""

    instructions: int = MAX_INSTRUCTIONS
    clk: int = MAX_CLK
    waves: int = MAX_WAVES


_DEFAULT = Budget()
_IN_FORCE: ContextVar[Budget] = ContextVar("budget", default=_DEFAULT)


def budget() -> Budget:
    """The budget in force."""
    return _IN_FORCE.get()


def clocks_used_up() -> LimitExceeded:
    """The error of a simulation that passes its budget."""
    return LimitExceeded(
        f"the budget of {budget().clk} simulated clocks is used up",
        None,
        "a smaller launch or shorter latencies, or raise it: --max-clk N",
    )


@contextmanager
def allowing(changed: Budget) -> Iterator[None]:
    """Puts another budget in force, for every execution and simulation inside."""
    token = _IN_FORCE.set(changed)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)
