"""The compute unit as a SimPy model: the readable form of docs/model, a concept a file.

Start with wave.py, the life of a wave, and follow what it asks for. gaps.py and counters.py are its own.
arbiter.py, simd.py, lds.py, memory.py, barrier.py, turns.py and spins.py it shares; parts.py has them
together. clock.py is time. Where a rule needs no process, its file in ``wavesim/timing/rules`` has all of
it (fetch), or the clocks that it takes.
"""

from __future__ import annotations

from wavesim.timing.model.compute_unit import run

__all__ = ["run"]
