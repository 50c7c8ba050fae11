"""The compute unit as a SimPy model: the readable form of docs/model, a concept a file.

Start with wave.py, the life of a wave, and follow what it asks for: fetch.py, gaps.py and counters.py are
its own; arbiter.py, simd.py, lds.py, memory.py, barrier.py, turns.py and spins.py it shares (parts.py has
them together). clock.py is time.
"""

from __future__ import annotations

from wavesim.timing.model.compute_unit import run

__all__ = ["run"]
