"""Checks merged machine data against the schema and against itself; one error names file, line and key."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from wavesim.errors import UserError
from wavesim.isa.layers import EXAMPLE, HEADER, Layered, close_keys
from wavesim.isa.load import lanes
from wavesim.isa.machine import CONFIDENCES
from wavesim.isa.mfma import mfma_rows
from wavesim.isa.schema import MachineFile, unit_of
from wavesim.yaml_source import KeyPath

ENTRY_KEYS = ("value", "unit", "source", "confidence", "note")
LANES = 64
EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "greater_than": "a number above 0",
    "greater_than_equal": "0 or more",
    "string_type": "text",
    "string_too_short": "text",
    "list_type": "a list",
    "dict_type": "values by bytes per lane (LDS) or by VGPRs (MFMA), as {4: 8, 8: 12}",
    "too_short": "at least one entry",
}
"""Kind of a pydantic error -> what would have been right."""


def validate(layered: Layered) -> MachineFile:
    """The machine file as a model.

    Raises:
        UserError: unknown or missing key, wrong type or unit, or values that contradict each other.
    """
    try:
        model = MachineFile.model_validate(layered.data)
    except ValidationError as error:
        raise _first_error(layered, error) from None
    _check_units(layered, model)
    _check_structure(layered, model)
    _check_phases(layered, model)
    if not mfma_rows(model.arch):
        raise _error(layered, ("arch",), f"isa/mfma.csv has no rows for {model.arch}", "add the architecture")
    return model


def _error(
    layered: Layered, path: KeyPath, message: str, hint: str = "", *, at_key: bool = False
) -> UserError:
    if ".".join(map(str, path[:2])) in layered.overridden:
        return UserError(message, None, hint)
    return layered.marks(path).error(path, message, hint, at_key=at_key)


def _first_error(layered: Layered, error: ValidationError) -> UserError:
    """The error that stands first in its file, in words of the file."""

    def place(details: Any) -> tuple[bool, int, int]:
        path = details["loc"]
        if ".".join(map(str, path[:2])) in layered.overridden:
            return (False, 0, 0)
        span = layered.marks(path).key_span(path)
        return (details["type"] == "missing", span.line, span.column)

    details = min(error.errors(include_url=False), key=place)
    path: KeyPath = tuple(part for part in details["loc"] if part != "[key]")
    name = ".".join(map(str, path))
    kind, given = details["type"], details["input"]
    if kind == "extra_forbidden":
        hint = _known_beside(path)
        return _error(layered, path, f"unknown key {path[-1]!r} ({name})", hint, at_key=True)
    if kind == "missing":
        return _missing(layered, path, name)
    if kind == "literal_error" and path[-1] == "confidence":
        return _error(layered, path, f"{name}: {given!r}", f"one of {', '.join(CONFIDENCES)}")
    if kind in ("model_type", "model_attributes_type", "dict_type") and path[-1] != "value":
        right = f"write {path[-1]}: {EXAMPLE}" if len(path) == 2 else "a section holds keys with quantities"
        return _error(layered, path, f"{name} is {_shown(given)}", right)
    name = name.removesuffix(".value")
    right = EXPECTED.get(kind) or details["msg"]
    if kind == "literal_error":
        right = details["ctx"]["expected"]
    return _error(layered, path, f"{name}: {_shown(given)} does not fit", f"expected {right}")


def _missing(layered: Layered, path: KeyPath, name: str) -> UserError:
    if len(path) >= 3:  # within a quantity: at the quantity itself
        return _error(layered, path[:2], f"{name} is missing", f"a quantity is like {EXAMPLE}", at_key=True)
    what = "section" if len(path) == 1 else "key"
    hint = "a file with base: gfx942 needs only the numbers that differ"
    return layered.layers[0].error(path[:-1], f"{what} {name} is missing", hint)


def _known_beside(path: KeyPath) -> str:
    """Which keys could stand where an unknown one stands."""
    if len(path) >= 3:
        return f"a quantity has {', '.join(ENTRY_KEYS)}"
    sections = {name: each.annotation for name, each in MachineFile.model_fields.items()}
    if len(path) == 1:
        names = [name for name in sections if name not in (*HEADER, "schema_")]
        return f"sections: {', '.join(names)}; header: {', '.join(HEADER)}"
    section = sections[str(path[0])]
    keys = list(getattr(section, "model_fields", {}))
    close = close_keys(str(path[1]), keys)
    return f"did you mean {', '.join(close)}?" if close else f"keys of {path[0]}: {', '.join(keys)}"


def _shown(given: object) -> str:
    return "empty" if given is None else repr(given) if len(repr(given)) <= 60 else type(given).__name__


def _check_units(layered: Layered, model: MachineFile) -> None:
    for section, entries in model:
        if isinstance(entries, str):
            continue
        for key, entry in entries:
            right = unit_of(key)
            if entry.unit != right:
                path = (section, key, "unit")
                raise _error(layered, path, f"{section}.{key} is in {right}, not {entry.unit!r}")


def _check_structure(layered: Layered, model: MachineFile) -> None:
    simds = list(range(model.structure.simds.value))
    pairs = model.structure.simd_pairs.value
    if sorted(simd for pair in pairs for simd in pair) != simds:
        path = ("structure", "simd_pairs", "value")
        raise _error(layered, path, f"structure.simd_pairs: {pairs}", f"each of SIMDs {simds} once")
    order = model.barrier.simd_order.value
    if sorted(order) != simds:
        path = ("barrier", "simd_order", "value")
        raise _error(layered, path, f"barrier.simd_order: {order}", f"each of SIMDs {simds} once")
    blocks: tuple[tuple[str, Any], ...] = (
        ("blocks_valu_clk", model.mfma.blocks_valu_clk.value),
        ("blocks_memory_clk", model.mfma.blocks_memory_clk.value),
    )
    for key, value in blocks:
        if set(value) != {2, 4, 8}:
            path = ("mfma", key, "value")
            raise _error(layered, path, f"mfma.{key}: {value}", "clocks for 2, 4 and 8 VGPRs")
    if model.clock.sustained_ghz.value > model.clock.peak_ghz.value:
        path = ("clock", "sustained_ghz", "value")
        raise _error(layered, path, "clock.sustained_ghz is above clock.peak_ghz")


def _check_phases(layered: Layered, model: MachineFile) -> None:
    for key, entry in model.lds:
        if not key.endswith("_phases"):
            continue
        found: list[int] = []
        for index, group in enumerate(entry.value):
            try:
                found += lanes(group)
            except ValueError:
                path: KeyPath = ("lds", key, "value", index)
                raise _error(layered, path, f"lds.{key}: {group!r}", 'lanes as "0-3,20-23"') from None
        if sorted(found) != list(range(LANES)):
            raise _error(
                layered, ("lds", key, "value"), f"lds.{key} does not hold each of lanes 0 to 63 once"
            )
