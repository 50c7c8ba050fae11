"""Checks merged machine data against the schema and against itself; one error names file, line and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pydantic import ValidationError

from wavesim.errors import SourceSpan, UserError
from wavesim.isa.lane_groups import lanes
from wavesim.isa.layers import EXAMPLE, Layered, close_keys
from wavesim.isa.machine import CONFIDENCES
from wavesim.isa.mfma import mfma_rows
from wavesim.isa.schema import HEADER, SECTIONS, Entry, unit_of
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


@dataclass(frozen=True, slots=True)
class Checked:
    """A machine file that is as it should be; ``entries`` by dotted key, in the schema's order."""

    name: str
    arch: str
    description: str
    entries: Mapping[str, Entry]


def validate(layered: Layered) -> Checked:
    """The machine file's header and quantities.

    Raises:
        UserError: unknown or missing key, wrong type or unit, or values that contradict each other. Of
            several errors the one that stands first in the file.
    """
    problems: list[tuple[SourceSpan, UserError]] = []
    entries: dict[str, Entry] = {}
    for section in layered.data:
        if section not in SECTIONS and section not in HEADER:
            hint = f"sections: {', '.join(SECTIONS)}; header: {', '.join(HEADER)}"
            _note(problems, _error(layered, (section,), f"unknown key {section!r}", hint, at_key=True))
    for section, keys in SECTIONS.items():
        given = layered.data.get(section, {})
        if isinstance(given, dict):
            entries |= _section(layered, section, given, keys, problems)
        else:
            path = (section,)
            _note(problems, _error(layered, path, f"{section} is {_shown(given)}", "keys with quantities"))
    if problems:
        raise min(problems, key=lambda problem: (problem[0].line, problem[0].column))[1]
    _check_complete(layered)
    arch = layered.data["arch"]
    _check_structure(layered, entries)
    _check_phases(layered, entries)
    if not mfma_rows(arch):
        raise _error(layered, ("arch",), f"isa/mfma.csv has no rows for {arch}", "add the architecture")
    return Checked(layered.data["name"], arch, layered.data.get("description", ""), entries)


def _note(problems: list[tuple[SourceSpan, UserError]], error: UserError) -> None:
    problems.append((error.span or SourceSpan(""), error))


def _section(
    layered: Layered,
    section: str,
    given: Mapping[str, Any],
    keys: Mapping[str, type[Entry]],
    problems: list[tuple[SourceSpan, UserError]],
) -> dict[str, Entry]:
    entries = {}
    for key in given:
        if key not in keys:
            close = close_keys(key, list(keys))
            hint = f"did you mean {', '.join(close)}?" if close else f"keys: {', '.join(keys)}"
            message = f"unknown key {key!r} ({section}.{key})"
            _note(problems, _error(layered, (section, key), message, hint, at_key=True))
    for key, model in keys.items():
        if key not in given:
            continue
        try:
            entries[f"{section}.{key}"] = entry = model.model_validate(given[key])
        except ValidationError as error:
            for details in error.errors(include_url=False):
                _note(problems, _in_words(layered, (section, key), details))
            continue
        right = unit_of(key)
        if entry.unit != right:
            path = (section, key, "unit")
            message = f"{section}.{key} is in {right}, not {entry.unit!r}"
            _note(problems, _error(layered, path, message))
    return entries


def _check_complete(layered: Layered) -> None:
    """Nothing is missing; header values are text."""
    if layered.data.get("schema", "machine") != "machine":
        raise _error(layered, ("schema",), f"schema: {layered.data['schema']!r}", "expected 'machine'")
    for key in ("name", "arch", "description"):
        if not isinstance(layered.data.get(key, "" if key == "description" else None), str):
            raise _error(layered, (key,), f"{key} is {_shown(layered.data.get(key))}", "expected text")
    hint = "a file with base: gfx942 needs only the numbers that differ"
    for section, keys in SECTIONS.items():
        for key in keys:
            if key not in layered.data.get(section, {}):
                raise layered.layers[0].error((section,), f"key {section}.{key} is missing", hint)


def _error(
    layered: Layered, path: KeyPath, message: str, hint: str = "", *, at_key: bool = False
) -> UserError:
    if ".".join(map(str, path[:2])) in layered.overridden:
        return UserError(message, None, hint)
    return layered.marks(path).error(path, message, hint, at_key=at_key)


def _in_words(layered: Layered, path: KeyPath, details: Any) -> UserError:
    """A pydantic error about the quantity at ``path``, in words of the file."""
    path = (*path, *(part for part in details["loc"] if part != "[key]"))
    name = ".".join(map(str, path)).removesuffix(".value")
    kind, given = details["type"], details["input"]
    if kind == "extra_forbidden":
        hint = f"a quantity has {', '.join(ENTRY_KEYS)}"
        return _error(layered, path, f"unknown key {path[-1]!r} ({name})", hint, at_key=True)
    if kind == "missing":
        hint = f"a quantity is like {EXAMPLE}"
        message = f"{'.'.join(map(str, path))} is missing"
        return _error(layered, path[:2], message, hint, at_key=True)
    if kind == "literal_error" and path[-1] == "confidence":
        return _error(layered, path, f"{name}: {given!r}", f"one of {', '.join(CONFIDENCES)}")
    if kind == "model_type":
        return _error(layered, path, f"{name} is {_shown(given)}", f"write {path[-1]}: {EXAMPLE}")
    right = EXPECTED.get(kind) or details["msg"]
    if kind == "literal_error":
        right = details["ctx"]["expected"]
    elif kind == "less_than_equal":
        right = f"{details['ctx']['le']} or less"
    return _error(layered, path, f"{name}: {_shown(given)} does not fit", f"expected {right}")


def _shown(given: object) -> str:
    return "empty" if given is None else repr(given) if len(repr(given)) <= 60 else type(given).__name__


def _check_structure(layered: Layered, entries: Mapping[str, Entry]) -> None:
    def refuse(key: str, hint: str) -> UserError:
        path = (*key.split("."), "value")
        return _error(layered, path, f"{key}: {entries[key].value}", hint)

    simds = list(range(entries["structure.simds"].value))
    if sorted(chain(*entries["structure.simd_pairs"].value)) != simds:
        raise refuse("structure.simd_pairs", f"each of SIMDs {simds} once")
    if sorted(entries["barrier.simd_order"].value) != simds:
        raise refuse("barrier.simd_order", f"each of SIMDs {simds} once")
    for key in ("mfma.blocks_valu_clk", "mfma.blocks_memory_clk"):
        if set(entries[key].value) != {2, 4, 8}:
            raise refuse(key, "clocks for 2, 4 and 8 VGPRs")
    if entries["clock.sustained_ghz"].value > entries["clock.peak_ghz"].value:
        raise refuse("clock.sustained_ghz", f"at most clock.peak_ghz, {entries['clock.peak_ghz'].value}")


def _check_phases(layered: Layered, entries: Mapping[str, Entry]) -> None:
    for key, entry in entries.items():
        if not key.endswith("_phases"):
            continue
        path = (*key.split("."), "value")
        found: list[int] = []
        for index, group in enumerate(entry.value):
            try:
                found += lanes(group)
            except ValueError:
                raise _error(layered, (*path, index), f"{key}: {group!r}", 'lanes as "0-3,20-23"') from None
        if sorted(found) != list(range(LANES)):
            raise _error(layered, path, f"{key} does not hold each of lanes 0 to 63 once")
