"""Quantities: the machine values that calibration fits, by the keys of the machine file, and their ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from wavesim.calibrate.bench.memory_levels import NAMES, MemoryLevels
from wavesim.isa.machine import Machine
from wavesim.isa.schema import SECTIONS, Size
from wavesim.isa.timing_parameters import TimingParameters

LOW, HIGH = 0.6, 1.5
"""Values looked at, as shares of the stock value."""

FIELDS = frozenset(each.name for each in fields(TimingParameters))
COUNTS = ("entries", "max", "mfma_table")
"""Parts of the names of whole numbers of things: every integer is looked at, and must come out exactly."""


@dataclass(frozen=True, slots=True)
class Model:
    """What a simulation takes: timing numbers and memory levels."""

    parameters: TimingParameters
    levels: MemoryLevels

    @staticmethod
    def of(machine: Machine) -> Model:
        """The stock model of a machine."""
        return Model(machine.parameters, MemoryLevels.of(machine))

    def value(self, name: str) -> int:
        """The value of a quantity.

        Raises:
            KeyError: no such quantity.
        """
        level = _level(name)
        if level is not None:
            return self.levels.latency_clk[level]
        head, _, key = name.partition(".")
        if head == "mfma_table":
            return self.parameters.mfma_table[key].passes
        field, index = _field(name)
        found = getattr(self.parameters, field)
        return int(found[index]) if index is not None else int(found)

    def changed(self, values: Mapping[str, int]) -> Model:
        """The model with other values."""
        latency = list(self.levels.latency_clk)
        new: dict[str, Any] = {}

        def current(field: str) -> Any:
            return new.get(field, getattr(self.parameters, field))

        for name, value in values.items():
            level = _level(name)
            head, _, key = name.partition(".")
            if level is not None:
                latency[level] = value
            elif head == "mfma_table":
                table = current("mfma_table")
                new["mfma_table"] = {**table, key: replace(table[key], passes=value)}
            else:
                field, index = _field(name)
                new[field] = value if index is None else {**current(field), index: value}
        levels = replace(self.levels, latency_clk=tuple(latency))
        return Model(replace(self.parameters, **new), levels)


def is_count(name: str) -> bool:
    """Whether a quantity counts things; the others are clocks or bytes per clock."""
    return any(part in name for part in COUNTS)


def candidates(name: str, stock: int) -> tuple[int, ...]:
    """Values of a quantity that a fit looks at, in order; the stock value is among them.

    Clocks of instructions come in issue slots of 4 clk: smaller steps do not show.
    """
    low, high = max(1, int(LOW * stock)), max(stock + 2, int(HIGH * stock) + 1)
    if is_count(name):
        return tuple(range(low, high + 1))
    if name == "memory.tail_bytes":  # in loads of a dword a lane
        return tuple(sorted({*range(low - low % 256, high + 1, 256), stock}))
    if "bytes_per_clk" in name:
        return tuple(sorted({*range(low, high + 1, 4), stock}))
    first = stock % 4 if stock % 4 else 0
    values = {value for value in range(first, high + 9, 4) if value >= min(low, stock)}
    if stock <= 8:
        values |= {0} if not stock % 4 else set()
    return tuple(sorted({*(value for value in values if value or _may_be_zero(name)), stock}))


def _may_be_zero(name: str) -> bool:
    """Whether a machine file may have 0 there."""
    section, key, *_ = name.split(".")
    return SECTIONS.get(section, {}).get(key) is not Size


def _level(name: str) -> int | None:
    for place, level in enumerate(NAMES):
        if name == f"memory.{level}_latency_clk":
            return place
    return None


def _field(name: str) -> tuple[str, int | None]:
    """``lds.write_hold_clk.8`` -> (``lds_write_hold_clk``, 8)."""
    field = name.replace(".", "_", 1)
    field, _, index = field.partition(".")
    if field not in FIELDS:
        raise KeyError(name)
    return field, int(index) if index else None
