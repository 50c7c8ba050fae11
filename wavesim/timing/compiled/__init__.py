"""The compiled timing engine: docs/model in C, called on flat arrays, many times as fast as SimPy."""

from wavesim.timing.compiled.engine import available, run

__all__ = ["available", "run"]
