"""Loads a machine: reads its file and bases, checks them, and makes the integers that timing uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from wavesim.isa.archs import ARCHS
from wavesim.isa.lane_groups import lanes
from wavesim.isa.layers import override, read_layers
from wavesim.isa.machine import (
    LDS_KINDS,
    LDS_WIDTHS_BYTES,
    LanePhases,
    Machine,
    Quantity,
    QuantityValue,
)
from wavesim.isa.mfma import mfma_timings
from wavesim.isa.names import known_name, named
from wavesim.isa.timing_parameters import MfmaTiming, TimingParameters
from wavesim.isa.validate import validate

NOT_FROM_KEYS = ("arch", "mfma_table", "lds_array_clk", "rules_off")
"""Fields of :class:`TimingParameters` that are not a key's value: the header, mfma.csv, the lane phases,
the switched-off rules."""


def load_machine(name_or_path: str, overrides: Mapping[str, object] = MappingProxyType({})) -> Machine:
    """Loads an architecture (``gfx942``), a device (``MI325X``) or a machine file (a path).

    Args:
        name_or_path: name of an architecture or device, upper or lower case, or path of a YAML file.
        overrides: single values, dotted key to value, e.g. ``{"memory.latency_clk": 800}``.

    Raises:
        UserError: unknown architecture, device or key; a file that cannot be used, with file, line and what
            would be right.
    """
    stock = known_name(name_or_path)
    return _stock(stock) if stock is not None and not overrides else _load(name_or_path, overrides)


def arch_of(name: str) -> str:
    """The architecture of an architecture or device, by its name.

    Raises:
        UserError: there is none of that name.
    """
    found = named(name)
    return found if found in ARCHS else load_machine(found).arch


@lru_cache(maxsize=16)
def _stock(name: str) -> Machine:
    return _load(name, {})


def _load(name_or_path: str, overrides: Mapping[str, object]) -> Machine:
    layered = read_layers(name_or_path)
    override(layered, overrides)
    checked = validate(layered)
    quantities = {
        key: Quantity(
            key,
            frozen_value(key, entry.value),
            entry.unit,
            entry.source,
            entry.confidence,
            entry.note,
        )
        for key, entry in checked.entries.items()
    }
    phases = _lane_phases(quantities)
    return Machine(
        name=checked.name,
        arch=checked.arch,
        file=layered.file,
        parameters=_parameters(checked.arch, quantities, phases),
        quantities=MappingProxyType(quantities),
        lds_phases=MappingProxyType(phases),
        description=checked.description,
    )


def frozen_value(key: str, value: Any) -> QuantityValue:
    """A value of the file as an unchangeable one: lane ranges become lane numbers, lists tuples."""
    if isinstance(value, dict):
        return MappingProxyType(dict(sorted(value.items())))
    if isinstance(value, list):
        if key.endswith("_phases"):
            return tuple(lanes(group) for group in value)
        return tuple(tuple(item) if isinstance(item, list) else item for item in value)
    assert isinstance(value, int | float)
    return float(value) if key.endswith("_ghz") else value


def _lane_phases(quantities: Mapping[str, Quantity]) -> dict[tuple[str, int], LanePhases]:
    found: dict[tuple[str, int], LanePhases] = {}
    for kind in LDS_KINDS:
        for width in LDS_WIDTHS_BYTES:
            groups = quantities[f"lds.{kind}_b{width * 8}_phases"].value
            banks = quantities[f"lds.{kind}_b{width * 8}_banks"].value
            assert isinstance(groups, tuple)
            assert isinstance(banks, int)
            found[kind, width] = LanePhases(groups, banks)  # type: ignore[arg-type]
    return found


def _parameters(
    arch: str, quantities: Mapping[str, Quantity], phases: Mapping[tuple[str, int], LanePhases]
) -> TimingParameters:
    values: dict[str, Any] = {
        "arch": arch,
        "mfma_table": _mfma_table(arch, quantities),
        "lds_array_clk": MappingProxyType(
            {(kind, width): each.conflict_free_clk(width) for (kind, width), each in phases.items()}
        ),
        "rules_off": frozenset(),
    }
    for each in fields(TimingParameters):
        if each.name not in values:
            values[each.name] = quantities[parameter_key(each.name)].value
    return TimingParameters(**values)


def _mfma_table(arch: str, quantities: Mapping[str, Quantity]) -> Mapping[str, MfmaTiming]:
    """The rows of mfma.csv, with the machine file's own numbers of passes."""
    passes = quantities["mfma.passes"].value
    assert isinstance(passes, Mapping)
    table = dict(mfma_timings(arch))
    for opcode, count in ((str(name), int(number)) for name, number in passes.items()):
        if opcode in table:
            table[opcode] = replace(table[opcode], passes=count)
    return MappingProxyType(table)


def parameter_key(field_name: str) -> str:
    """The key of the machine file that a field of TimingParameters comes from."""
    return field_name.replace("_", ".", 1)
