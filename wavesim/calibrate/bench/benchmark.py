"""Microbenchmark: a program that isolates a parameter or a few of the machine, and what its kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from wavesim.calibrate.bench.template import Body

CHAIN = 128
"""Operations of a chain, where nothing else is said."""

LDS_BYTES = 32768


@dataclass(frozen=True)
class Benchmark:
    """A program, what it is for, and the parameters that it is used to fit (keys of the machine file)."""

    name: str
    about: str
    parameters: tuple[str, ...]
    body: Body


def repeat(count: int, *lines: str) -> list[str]:
    """The lines, ``count`` times over."""
    return [line for _ in range(count) for line in lines]


WIDTHS: Mapping[str, tuple[int, int]] = {"b32": (4, 1), "b64": (8, 2), "b128": (16, 4)}
"""Suffix -> bytes per lane, registers."""


def register(first: int, count: int) -> str:
    """``v8``, ``v[8:11]``."""
    return f"v{first}" if count == 1 else f"v[{first}:{first + count - 1}]"


def overhead_of(benchmark: Benchmark) -> Benchmark:
    """The same program without its timed instructions."""
    return replace(
        benchmark, name=f"overhead_{benchmark.body.waves}", parameters=(), body=benchmark.body.empty()
    )
