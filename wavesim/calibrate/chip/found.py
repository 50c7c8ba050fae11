"""Found: a value of the machine file that a probe of the chip gave, with its spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wavesim.isa.machine import Machine
from wavesim.isa.quantity_kinds import Whole
from wavesim.isa.schema import SECTIONS

Value = float | Mapping[int, float] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """``value`` of the quantity ``key``; it counts only if ``why`` (not) is empty. ``low`` and ``high`` are
    the spread of the readings, or the interval that a search ended with."""

    key: str
    value: Value
    stock: Value
    low: float
    high: float
    observations: int
    why: str = ""

    @property
    def determined(self) -> bool:
        """Whether it goes into the machine file."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Curve:
    """What the values come from, to be looked at: a table with a title, columns and rows of numbers, each
    with a label if there are any."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """One part of the chip: its values, and the curves behind them."""

    values: tuple[Found, ...]
    curves: tuple[Curve, ...] = ()


def found(machine: Machine, key: str, readings: Sequence[float], why: str = "") -> Found:
    """The median of ``readings`` as the value of ``key``, rounded if the key asks for a whole number."""
    ordered = sorted(readings)
    stock = machine.number(key)
    if not ordered:
        return Found(key, stock, stock, stock, stock, 0, why or "nothing was measured")
    middle = ordered[len(ordered) // 2]
    return Found(key, fitting(key, middle), stock, ordered[0], ordered[-1], len(ordered), why)


def fitting(key: str, value: float) -> float:
    """A number as the key may have it: whole, or with four digits."""
    section, _, name = key.partition(".")
    kind = SECTIONS[section][name]
    return max(kind.least, round(value)) if isinstance(kind, Whole) else float(f"{value:.4g}")


def unknown(machine: Machine, keys: Sequence[str], why: str) -> tuple[Found, ...]:
    """Values that could not be found."""
    return tuple(found(machine, key, (), why) for key in keys)
