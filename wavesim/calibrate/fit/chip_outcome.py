"""What is written of the chip around a compute unit: in the machine file, in the report, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from wavesim.calibrate.chip.found import Found, Part, Value
from wavesim.calibrate.fit.search import Fitted
from wavesim.isa.machine import Machine

Chip = Mapping[str, Part]
NO_CHIP: Chip = MappingProxyType({})

STAND_IN = "a STAND-IN answered; nothing of it was measured or simulated"


def _values(chip: Chip) -> Iterator[Found]:
    for part in chip.values():
        yield from part.values


def chip_entries(
    machine: Machine, chip: Chip, source: str, *, virtual: bool
) -> Iterator[tuple[str, str, str]]:
    """Section, key and quantity, as YAML, of every value that was found."""
    for each in _values(chip):
        if each.determined:
            section, _, key = each.key.partition(".")
            yield section, key, _entry(machine, each, source, virtual)


def _entry(machine: Machine, each: Found, source: str, virtual: bool) -> str:
    note = (
        f"{_short(each.low)} to {_short(each.high)}, {each.observations} readings, stock {_text(each.stock)}"
    )
    if virtual:
        source, note = f"{source}, a stand-in for its chip", f"STAND-IN; {note}"
    unit, confidence = machine.quantities[each.key].unit, "assumed" if virtual else "measured"
    value = _text(each.value)
    return f'{{value: {value}, unit: {unit}, source: "{source}", confidence: {confidence}, note: "{note}"}}'


def _short(value: float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _text(value: Value) -> str:
    """As YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {each:g}" for key, each in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(f"{each:g}" for each in value) + "]"
    return str(int(value)) if value == int(value) else f"{value:g}"


def chip_lines(chip: Chip, *, virtual: bool) -> Iterator[str]:
    """What was found of the chip as text: values beside the stock ones, and the curves behind them."""
    if not chip:
        return
    yield "the chip around a compute unit" + (f": {STAND_IN}" if virtual else "")
    if any(_values(chip)):
        yield f"{'value':<30}{'stock':>16}{'found':>16}  {'spread':<24}{'readings':>8}"
    for each in _values(chip):
        if each.determined:
            spread = f"{_short(each.low)} to {_short(each.high)}"
            value = f"{len(each.value)} points" if isinstance(each.value, Mapping) else _text(each.value)
            stock = f"{len(each.stock)} points" if isinstance(each.stock, Mapping) else _text(each.stock)
            yield f"{each.key:<30}{stock:>16}{value:>16}  {spread:<24}{each.observations:>8}"
        else:
            yield f"{each.key:<30}{_text(each.stock):>16}{'-':>16}  not determined: {each.why}"
    for part in chip.values():
        for curve in part.curves:
            yield ""
            yield curve.title
            wide = max(map(len, curve.labels), default=0)
            yield " " * wide + "".join(f"{column:>16}" for column in curve.columns)
            labels = curve.labels or ("",) * len(curve.rows)
            for label, row in zip(labels, curve.rows, strict=True):
                numbers = (f"{each:>16.0f}" if each >= 1000 else f"{each:>16.4g}" for each in row)
                yield f"{label:<{wide}}" + "".join(numbers)


def value_json(name: str, each: Found | Fitted) -> dict[str, Any]:
    """What was found of a value, as data."""
    return {"name": name, **{key: getattr(each, key) for key in _OF_A_VALUE}}


_OF_A_VALUE = ("value", "stock", "low", "high", "determined", "observations", "why")


def chip_json(chip: Chip, *, virtual: bool) -> dict[str, Any]:
    """The same as data."""
    return {
        "stand_in": virtual,
        "values": [value_json(each.key, each) for each in _values(chip)],
        "curves": [
            {
                "title": curve.title,
                "columns": curve.columns,
                "rows": curve.rows,
                "labels": curve.labels,
            }
            for part in chip.values()
            for curve in part.curves
        ],
    }
