"""Reads a kernel file and what it includes: sections by name, later files overriding earlier ones."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from wavesim.errors import LimitExceeded, UserError
from wavesim.front.tile.node import Node
from wavesim.isa.paths import data_dir
from wavesim.yaml_source import load_yaml

SINGLE = ("kernel", "about", "arch", "require", "workgroup", "mfma", "launch", "program")
"""Keys whose value is taken as a whole from the last file that has them."""

NAMED = ("constants", "tune", "values", "macros", "memory", "lds", "loads", "fragments", "accumulators")
"""Sections: mappings by name, merged name by name."""

MAX_INCLUDES = 16


@dataclass
class Source:
    """A kernel file with its includes merged in."""

    root: Node
    single: dict[str, Node] = field(default_factory=dict)
    named: dict[str, dict[str, Node]] = field(default_factory=lambda: {name: {} for name in NAMED})

    def need(self, key: str, hint: str) -> Node:
        """A key that every kernel must have.

        Raises:
            UserError: no file has it.
        """
        if key not in self.single:
            raise UserError(f"{key}: is missing", self.root.span, hint)
        return self.single[key]


def read_source(path: Path, text: str | None = None) -> Source:
    """Reads ``path`` (or ``text`` under that name).

    Raises:
        UserError: unreadable file, unknown key, wrong type, or a file that includes itself.
    """
    data, marks = load_yaml(path, text)
    source = Source(Node(data, marks, ()))
    _merge(source, source.root, path, ())
    return source


def _merge(source: Source, root: Node, path: Path, open_files: tuple[Path, ...]) -> None:
    resolved = Path(os.path.realpath(path))
    if resolved in open_files:
        chain = " -> ".join(each.name for each in (*open_files, resolved))
        raise UserError(f"include: goes round in a circle: {chain}", root.span, "take one include: out")
    if len(open_files) >= MAX_INCLUDES:
        raise LimitExceeded(f"more than {MAX_INCLUDES} files include one another", root.span)
    root.keys(("include", *SINGLE, *NAMED), "a kernel file")
    include = root.get("include")
    if include is not None:
        for entry in include.items("include") if isinstance(include.data, list) else [include]:
            _include(source, entry, path, (*open_files, resolved))
    for key, node in root.mapping("a kernel file"):
        if key in NAMED and node.data is not None:
            for name, value in node.mapping(key):
                if not name.isidentifier():
                    raise node.error(f"{name!r} cannot be a name", "letters, digits and _, no digit first")
                source.named[key][name] = value
        elif key in SINGLE and node.data is not None:
            source.single[key] = node


def _include(source: Source, entry: Node, path: Path, open_files: tuple[Path, ...]) -> None:
    wanted = entry.text()
    if Path(wanted).is_absolute():
        raise entry.error(f"include: {wanted!r}", "a path relative to this file, or to the kernels folder")
    found = next(
        (each for each in (path.parent / wanted, data_dir("kernels") / wanted) if os.path.isfile(each)), None
    )
    if found is None:
        raise entry.error(f"include: no such file {wanted!r}", f"looked in {path.parent}")
    again, plain = Path(os.path.realpath(found)), Path(os.path.normpath(found))
    if os.path.realpath(plain) == str(again):  # without the .. that a link would lead elsewhere
        found = plain
    data, marks = load_yaml(found)
    if again in open_files:
        chain = " -> ".join(each.name for each in (*open_files, again))
        raise entry.error(f"include: goes round in a circle: {chain}", "take one include: out")
    _merge(source, Node(data, marks, ()), found, open_files)
