"""Checks merged machine data against the schema and against itself; one error names file, line and key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from wavesim.errors import SourceSpan, UserError
from wavesim.isa.kinds import LANES
from wavesim.isa.lane_groups import lanes
from wavesim.isa.layers import EXAMPLE, Layered, close_keys
from wavesim.isa.machine import CONFIDENCES
from wavesim.isa.mfma import mfma_rows
from wavesim.isa.quantity_kinds import Kind, Misfit
from wavesim.isa.schema import HEADER, SECTIONS, Entry, unit_of
from wavesim.source_text import KeyPath

ENTRY_KEYS = ("value", "unit", "source", "confidence", "note")


@dataclass(frozen=True, slots=True)
class Checked:
    """A machine file that is as it should be; ``entries`` by dotted key, in the lowest file's order."""

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
    keys: Mapping[str, Kind],
    problems: list[tuple[SourceSpan, UserError]],
) -> dict[str, Entry]:
    entries = {}
    for key in given:
        if key not in keys:
            close = close_keys(key, list(keys))
            hint = f"did you mean {', '.join(close)}?" if close else f"keys: {', '.join(keys)}"
            message = f"unknown key {key!r} ({section}.{key})"
            _note(problems, _error(layered, (section, key), message, hint, at_key=True))
    for key in given:
        kind = keys.get(key)
        if kind is None:
            continue
        path = (section, key)
        wrong = list(_misplaced(layered, path, given[key], kind))
        for error in wrong:
            _note(problems, error)
        if wrong:
            continue
        entries[f"{section}.{key}"] = entry = Entry(**given[key])
        right = unit_of(key)
        if entry.unit != right:
            message = f"{section}.{key} is in {right}, not {entry.unit!r}"
            _note(problems, _error(layered, (*path, "unit"), message))
    return entries


def _misplaced(layered: Layered, path: KeyPath, given: object, kind: Kind) -> Iterator[UserError]:
    """What is wrong with the quantity at ``path``."""
    name = ".".join(map(str, path))
    if not isinstance(given, dict):
        yield _error(layered, path, f"{name} is {_shown(given)}", f"write {path[-1]}: {EXAMPLE}")
        return
    for key in ENTRY_KEYS[:-1]:
        if key not in given:
            message = f"{name}.{key} is missing"
            yield _error(layered, path, message, f"a quantity is like {EXAMPLE}", at_key=True)
    for key, value in given.items():
        if key not in ENTRY_KEYS:
            hint = f"a quantity has {', '.join(ENTRY_KEYS)}"
            yield _error(layered, (*path, key), f"unknown key {key!r} ({name}.{key})", hint, at_key=True)
            continue
        if key == "confidence" and value not in CONFIDENCES:
            message = f"{name}.confidence: {value!r}"
            yield _error(layered, (*path, key), message, f"one of {', '.join(CONFIDENCES)}")
            continue
        misfits = kind.misfits(value, (key,)) if key == "value" else _no_text(key, value)
        for misfit in misfits:
            where = (*path, *misfit.path)
            place = ".".join(map(str, where)).removesuffix(".value")
            yield _error(
                layered, where, f"{place}: {_shown(misfit.given)} does not fit", f"expected {misfit.right}"
            )


def _no_text(key: str, value: object) -> Iterator[Misfit]:
    if not isinstance(value, str) or not (value or key == "note"):
        yield Misfit((key,), value, "text")


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


def _shown(given: object) -> str:
    return "empty" if given is None else repr(given) if len(repr(given)) <= 60 else type(given).__name__


def _check_structure(layered: Layered, entries: Mapping[str, Entry]) -> None:
    def refuse(key: str, hint: str) -> UserError:
        path = (*key.split("."), "value")
        return _error(layered, path, f"{key}: {entries[key].value}", hint)

    simds = list(range(entries["structure.simds"].value))
    if sorted(chain(*entries["structure.simd_pairs"].value)) != simds:
        raise refuse("structure.simd_pairs", f"each of SIMDs {simds} once")
    for key in ("barrier.simd_order", "dispatch.wave_simds"):
        if sorted(entries[key].value) != simds:
            raise refuse(key, f"each of SIMDs {simds} once")
    for key in ("mfma.blocks_valu_clk", "mfma.blocks_memory_clk"):
        if set(entries[key].value) != {2, 4, 8}:
            raise refuse(key, "clocks for 2, 4 and 8 VGPRs")
    peak = entries["clock.peak_ghz"].value
    for mode in ("sustained", "launch"):
        if entries[f"clock.{mode}_ghz"].value > peak:
            raise refuse(f"clock.{mode}_ghz", f"at most clock.peak_ghz, {peak}")
        span = entries[f"clock.{mode}_range_ghz"].value
        if len(span) != 2 or span[0] > span[1]:
            raise refuse(f"clock.{mode}_range_ghz", "two clocks, the lower one first")


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
