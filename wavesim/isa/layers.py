"""A machine file and what it stands on, as raw data: the base below, the differing values above.

An overlay (``base: gfx942``, or another overlay's file) holds only the numbers that differ, each as a
whole quantity; its unit may be left out. Every quantity remembers which file it came from. What an
architecture takes from another one's file is inferred: ``as gfx942``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from wavesim.errors import SourceSpan, UserError
from wavesim.isa.archs import ARCHS
from wavesim.isa.built import load_data
from wavesim.isa.memory_roles import LATENCY, ROLES, role_clk
from wavesim.isa.names import known_name, named, stock_file
from wavesim.source_text import KeyPath, Marks, plain_scalar

HEADER = ("schema", "base", "name", "arch", "description")
MAX_LAYERS = 16

EXAMPLE = "{value: 800, unit: clk, source: my own measurement, confidence: measured}"
"""A quantity as it is written, for error messages."""


SET_SOURCE = "set for this run"
"""Source of a value that a kernel or the command line sets."""


@dataclass(slots=True)
class Layered:
    """The merged data of a machine file, and the places of its parts."""

    file: str
    data: dict[str, Any]
    layers: list[Marks]  # base first
    origin: dict[tuple[str, str], Marks] = field(default_factory=dict)
    overridden: set[str] = field(default_factory=set)

    def marks(self, path: KeyPath) -> Marks:
        """The file that the value at ``path`` came from (the topmost one if it is in none)."""
        if len(path) >= 2 and (found := self.origin.get((str(path[0]), str(path[1])))):
            return found
        return next((marks for marks in reversed(self.layers) if path in marks.values), self.layers[-1])


def machine_path(name_or_path: str, span: SourceSpan | None = None) -> Path:
    """The file of an architecture or a device, or of a path (anything with a folder or a YAML ending).

    Raises:
        UserError: no such architecture or device.
    """
    if name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path or "\\" in name_or_path:
        return Path(name_or_path)
    return stock_file(named(name_or_path, span, "; or the path of a machine file (.yaml)"))


def read_layers(name_or_path: str) -> Layered:
    """Reads a machine file and the bases below it, and merges them.

    Raises:
        UserError: unreadable, not a machine file, unknown or cyclic base, malformed overlay.
    """
    stack: list[tuple[Path, dict[str, Any], Marks]] = []
    path = machine_path(name_or_path)
    while True:
        data, marks = load_data(path)
        if not isinstance(data, dict):
            raise marks.error((), "not a machine file", "a mapping with base: gfx942 and sections")
        stack.append((path, data, marks))
        if "base" not in data:
            break
        base = data["base"]
        if not isinstance(base, str) or "\0" in base:
            raise marks.error(("base",), f"base: {base!r}", "the name of an architecture, a device or a path")
        if known_name(base):
            below = machine_path(base)
        else:
            below = path.parent / machine_path(base, marks.span(("base",)))
        if len(stack) >= MAX_LAYERS or any(_same(below, used) for used, _, _ in stack):
            raise marks.error(("base",), f"base: {base} leads back to this file")
        path = below
    file, data, marks = stack.pop()
    layered = Layered(str(stack[0][0] if stack else file), {}, [marks])
    _lay(layered, data, marks, bottom=True)
    for _, data, marks in reversed(stack):
        layered.layers.append(marks)
        _lay(layered, data, marks, bottom=False)
    return layered


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _may_be(arch: object, below: object, marks: Marks) -> bool:
    """Whether a file on a base of another architecture may say ``arch``: an architecture's own file may."""
    return arch == below or (arch in ARCHS and Path(marks.file).name == f"{arch}.yaml")


def _lay(layered: Layered, data: Mapping[Any, Any], marks: Marks, *, bottom: bool) -> None:
    if not bottom and data.get("arch", layered.data["arch"]) != layered.data["arch"]:
        _infer(layered.data)
    for section, entries in data.items():
        if section == "base":
            continue
        if not isinstance(section, str):
            raise marks.error((section,), f"unknown key {section!r}", at_key=True)
        if section == "arch" and not bottom and not _may_be(entries, layered.data["arch"], marks):
            raise marks.error(
                ("arch",), f"arch: {entries}, but the base is {layered.data['arch']}", "leave it out"
            )
        if section in HEADER or not isinstance(entries, dict):
            layered.data[section] = entries  # a bad section is for the schema to refuse
            continue
        target = layered.data.setdefault(section, {})
        if not isinstance(target, dict):
            raise marks.error((section,), f"unknown section {section!r}", at_key=True)
        for key, entry in entries.items():
            if not isinstance(key, str):
                raise marks.error((section, key), f"unknown key {key!r}", at_key=True)
            if not bottom and isinstance(entry, dict) and "unit" not in entry and key in target:
                entry = {**entry, "unit": target[key]["unit"]}
            target[key] = entry
            layered.origin[section, key] = marks


def _infer(below: dict[str, Any]) -> None:
    """Numbers of an architecture are inferred on another one, or assumed as they were."""
    for entries in below.values():
        for key, entry in entries.items() if isinstance(entries, dict) else ():
            if isinstance(entry, dict):
                confidence = "assumed" if entry.get("confidence") == "assumed" else "inferred"
                entries[key] = {**entry, "source": f"as {below['arch']}", "confidence": confidence}


def override(layered: Layered, overrides: Mapping[str, object]) -> None:
    """Sets single values: ``{"memory.latency_clk": 800, "lds.write_hold_clk.16": "16"}``, text being read
    as YAML would. ``memory.latency_clk`` may name a role (:mod:`wavesim.isa.memory_roles`).

    Raises:
        UserError: unknown key (with the ones that look like it), or a list instead of a number.
    """
    sections = {name: entries for name, entries in layered.data.items() if isinstance(entries, dict)}
    known = [f"{section}.{key}" for section, entries in sections.items() for key in entries]
    for name, given in sorted(overrides.items(), key=lambda item: item[0] == LATENCY):  # it may need others
        value = plain_scalar(given) if isinstance(given, str) else given
        section, _, rest = name.partition(".")
        key, _, part = rest.partition(".")
        entry = sections.get(section, {}).get(key)
        if not isinstance(entry, dict):
            close = close_keys(name, known)
            hint = f"did you mean {', '.join(close)}?" if close else "wavesim isa show lists the keys"
            raise UserError(f"unknown machine value {name!r}", None, hint)
        old = entry["value"]
        note = f"set for this run instead of {old}"
        if name == LATENCY and value in ROLES:
            note = f"role {value}, {note}"
            value = role_clk(lambda key: _whole(sections, key), str(value))
        elif name == LATENCY and isinstance(value, str):
            raise UserError(f"{name}: {value!r:.40} does not fit", None, f"clk, or {', '.join(ROLES)}")
        if isinstance(old, dict):
            if not part.isdecimal() or int(part) not in old:
                choices = ", ".join(f"{section}.{key}.{each}" for each in old)
                raise UserError(f"{name} holds several values", None, f"set one of {choices}")
            value = {**old, int(part): value}
        elif part or isinstance(old, list):
            raise UserError(f"{name} cannot be set so", None, "write a machine file with base: and this key")
        sections[section][key] = {
            "value": value,
            "unit": entry["unit"],
            "source": SET_SOURCE,
            "confidence": "assumed",
            "note": note,
        }
        layered.overridden.add(f"{section}.{key}")
    _with_role(sections)


def _with_role(sections: Mapping[str, dict[str, Any]]) -> None:
    """A machine file may give the latency as a role too; its clocks follow from the file's other values."""
    section, _, key = LATENCY.partition(".")
    entry = sections.get(section, {}).get(key)
    if isinstance(entry, dict) and entry.get("value") in ROLES:
        role = str(entry["value"])
        note = "; ".join(each for each in (f"role {role}", str(entry.get("note", ""))) if each)
        clk = role_clk(lambda name: _whole(sections, name), role)
        sections[section][key] = {**entry, "value": clk, "note": note}


def _whole(sections: Mapping[str, Mapping[str, Any]], name: str) -> int:
    """A whole number of the file as read, before the schema has seen it."""
    section, _, key = name.partition(".")
    value = sections[section][key]["value"]
    if not isinstance(value, int):
        raise UserError(f"{name} is {value!r:.40}, not a whole number of clocks")
    return value


def close_keys(name: str, known: list[str]) -> list[str]:
    """Keys that look like ``name``: by spelling, by the part after the dot, or by its words."""
    close = get_close_matches(name, known, n=3, cutoff=0.6)
    tail = name.rpartition(".")[2]
    close += get_close_matches(tail, [key.rpartition(".")[2] for key in known], n=2, cutoff=0.75)
    full = [key for each in close for key in known if key == each or key.endswith("." + each)]
    if not full and tail:
        full = [key for key in known if tail in key]
    return list(dict.fromkeys(full))[:4]
