"""The data of isa/ as it was read and checked when the package was built: JSON, which loads without YAML.

Each file's built form names the SHA-256 of the YAML it was made from. A form of other text is not used: an
edited file is read itself, as is a machine file of one's own. The build hook (``hatch_build.py``) makes the
forms by :mod:`wavesim.isa.build`, for a checkout too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wavesim.inputs import note_input
from wavesim.isa.paths import PACKAGE
from wavesim.source_text import KeyPath, Marks, Place

FOLDER = PACKAGE / "isa" / "built"


def load_data(path: Path, folder: Path = FOLDER) -> tuple[Any, Marks]:
    """As :func:`wavesim.yaml_source.load_yaml`, from the built form where that is of this very text."""
    try:
        form = json.loads((folder / f"{path.stem}.json").read_bytes(), object_pairs_hook=_mapping)
        if form["sha256"] == _hash(path.read_bytes()):
            note_input(path)
            return form["data"], Marks(str(path), _Places(path, "values"), _Places(path, "keys"))
    except (OSError, ValueError, TypeError, KeyError):  # no form, or none of ours
        pass
    return _load_yaml(path)


def form_of(text: bytes, data: Any) -> str:
    """The built form of a YAML file: of its text and of what that holds.

    Raises:
        ValueError: JSON cannot hold the data.
    """
    form = json.dumps({"sha256": _hash(text), "data": data}, separators=(",", ":"))
    if json.loads(form, object_pairs_hook=_mapping)["data"] != data:
        raise ValueError("it would not come back as it is")
    return form


def _load_yaml(path: Path) -> tuple[Any, Marks]:
    from wavesim.yaml_source import load_yaml

    return load_yaml(path)


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str | int, Any]:
    """JSON has only text for keys; YAML's whole numbers come back."""
    return {int(key) if key.isdecimal() else key: value for key, value in pairs}


@dataclass(slots=True)
class _Places(Mapping[KeyPath, Place]):
    """Places in a file, read from it when somebody asks: an error names one."""

    path: Path
    which: str
    found: Mapping[KeyPath, Place] = field(default_factory=dict)

    def _read(self) -> Mapping[KeyPath, Place]:
        if not self.found:
            self.found = getattr(_load_yaml(self.path)[1], self.which)
        return self.found

    def __getitem__(self, key: KeyPath) -> Place:
        return self._read()[key]

    def __iter__(self) -> Iterator[KeyPath]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())
