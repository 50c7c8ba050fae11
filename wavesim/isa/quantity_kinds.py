"""Of what kind a quantity's value is, and what does not fit; plain Python, as every start needs it.

A kind is a type as well: a field ``Size`` of :class:`~wavesim.isa.timing_parameters.TimingParameters` is an
``int`` to mypy, and a whole number above 0 to the schema.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Protocol, TypeAlias, get_args, runtime_checkable

from wavesim.source_text import KeyPath

MAX_WHOLE = 1 << 30
"""Beyond any count, size or number of clocks that a machine has; clocks are kept in 32 bits."""
MAX_UNITS = 1 << 12
"""Beyond the units or LDS banks of any compute unit, of each of which the engines keep a state."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """What does not fit: where inside the value, what is there, what would be right."""

    path: KeyPath
    given: object
    right: str


@runtime_checkable
class Kind(Protocol):
    """What a quantity's value must be; nothing is converted."""

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        """What does not fit in the value at ``path``."""


def kind_of(annotation: object) -> Kind | None:
    """The kind of a type such as :data:`Size`; None of a type without one."""
    return next((each for each in get_args(annotation) if isinstance(each, Kind)), None)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number in a range."""

    least: int = 0
    most: int = MAX_WHOLE

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield Misfit(path, value, "a whole number")
        elif value < self.least:
            yield Misfit(path, value, "a number above 0" if self.least else "0 or more")
        elif value > self.most:
            yield Misfit(path, value, f"{self.most} or less")


@dataclass(frozen=True, slots=True)
class AboveZero:
    """A finite number above 0."""

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield Misfit(path, value, "a number")
        elif not abs(value) <= sys.float_info.max:
            yield Misfit(path, value, "a finite number")
        elif value <= 0:
            yield Misfit(path, value, "a number above 0")


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers by keys: a few that are named, or all of a range, or names of a form."""

    keys: tuple[int, ...] | range | re.Pattern[str]
    value: Kind
    may_be_empty: bool = True

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        if not isinstance(value, dict):
            right = "values by bytes per lane (LDS) or by VGPRs (MFMA), as {4: 8, 8: 12}"
            yield Misfit(path, value, right)
            return
        if not value and not self.may_be_empty:
            yield Misfit(path, value, "at least one entry")
        for key, each in value.items():
            if isinstance(self.keys, re.Pattern):
                if not isinstance(key, str):
                    yield Misfit((*path, key), key, "text")
                elif not self.keys.match(key):
                    yield Misfit((*path, key), key, f"a name like {self.keys.pattern}")
            elif key not in self.keys and isinstance(self.keys, range):
                yield Misfit((*path, key), key, f"{self.keys[0]} to {self.keys[-1]}")
            elif key not in self.keys:
                *most, last = map(str, self.keys)
                yield Misfit((*path, key), key, f"{', '.join(most)} or {last}")
            yield from self.value.misfits(each, (*path, key))


@dataclass(frozen=True, slots=True)
class Lane:
    """Lanes as text (:mod:`wavesim.isa.lane_groups`, which reads it later)."""

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        if not isinstance(value, str):
            yield Misfit(path, value, "text")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, each part of the same kind."""

    part: Kind
    may_be_empty: bool = True

    def misfits(self, value: object, path: KeyPath = ()) -> Iterator[Misfit]:
        if not isinstance(value, list):
            yield Misfit(path, value, "a list")
            return
        if not value and not self.may_be_empty:
            yield Misfit(path, value, "at least one entry")
        for place, each in enumerate(value):
            yield from self.part.misfits(each, (*path, place))


WholeNumber: TypeAlias = Annotated[int, Whole()]
"""A count or a number of clocks, 0 allowed."""
Size: TypeAlias = Annotated[int, Whole(1)]
"""A whole number above 0."""
Count: TypeAlias = Annotated[int, Whole(1, MAX_UNITS)]
"""How many there are of what each has a state of its own: SIMDs, banks."""
Real: TypeAlias = Annotated[float, AboveZero()]
ByVgprs: TypeAlias = Annotated[Mapping[int, int], Table((2, 4, 8), Whole())]
"""Clocks by the VGPRs of the larger of an MFMA's A and B."""
ByOpcode: TypeAlias = Annotated[Mapping[str, int], Table(re.compile(r"^v_s?mfma\w+$"), Whole(1, 256))]
"""Passes by MFMA opcode, where they differ from mfma.csv."""
ByWidth: TypeAlias = Annotated[Mapping[int, int], Table((4, 8, 12, 16), Whole(1), may_be_empty=False)]
"""Clocks by bytes per lane of an LDS access; a missing width takes the next larger one's."""
GhzRange: TypeAlias = Annotated[tuple[float, ...], Listing(AboveZero(), may_be_empty=False)]
"""The lowest and the highest clock that was seen."""
GhzByBusy: TypeAlias = Annotated[Mapping[int, float], Table(range(101), AboveZero())]
"""Clock by the share of time, in percent, that the matrix pipes are busy."""
SimdList: TypeAlias = Annotated[tuple[int, ...], Listing(Whole())]
"""SIMD numbers in an order."""
SimdGroups: TypeAlias = Annotated[tuple[tuple[int, ...], ...], Listing(Listing(Whole()))]
"""SIMD numbers in groups."""
LaneGroups: TypeAlias = Annotated[tuple[tuple[int, ...], ...], Listing(Lane(), may_be_empty=False)]
"""Groups of lanes, each as ranges: ``"0-3,20-23"``."""
