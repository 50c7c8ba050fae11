"""Where the data folders are: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

import os
from pathlib import Path

from wavesim.errors import SourceSpan, UserError

PACKAGE = Path(__file__).resolve().parent.parent
PLACES = {"isa": "isa", "kernels": "kernels", "lessons": "docs/lessons", "glossary": "docs/glossary"}
"""Kind of data -> its folder in a checkout; in a wheel it is ``data/KIND`` inside the package."""
KINDS = (*PLACES, "include")
"""``include`` is inside the package everywhere."""


def data_dir(kind: str, package: Path = PACKAGE) -> Path:
    """The folder of ``kind`` (one of :data:`KINDS`).

    The wheel's copy is looked for first: beside an installed package lie other people's packages.

    Raises:
        UserError: the installation is incomplete.
    """
    if kind not in KINDS:
        raise ValueError(f"no data folder of kind {kind!r}")
    for folder in (package / "data" / kind, package.parent / PLACES.get(kind, kind)):
        if folder.is_dir():
            return folder
    raise UserError(
        f"the data folder {kind!r} is missing", SourceSpan(str(package)), "install wavesim-cdna again"
    )


def kernel_path(name: str | os.PathLike[str]) -> Path:
    """The file ``name``. If it is missing and begins with ``kernels/``: the one that wavesim has.

    So the manual's commands work in any folder after ``pip install``.
    """
    path = Path(name)
    if os.path.exists(path) or path.parts[:1] != ("kernels",) or ".." in path.parts:
        return path
    shipped = data_dir("kernels").joinpath(*path.parts[1:])
    return shipped if os.path.isfile(shipped) else path
