"""Where the data folders are: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path

from wavesim.errors import SourceSpan, UserError

PACKAGE = Path(__file__).resolve().parent.parent
PLACES = {"isa": "isa", "kernels": "kernels", "lessons": "docs/lessons"}
"""Kind of data -> its folder in a checkout; in a wheel it is ``data/KIND`` inside the package."""


def data_dir(kind: str, package: Path = PACKAGE) -> Path:
    """The folder of ``kind`` (``isa``, ``kernels`` or ``lessons``).

    The wheel's copy is looked for first: beside an installed package lie other people's packages.

    Raises:
        UserError: the installation is incomplete.
    """
    if kind not in PLACES:
        raise ValueError(f"no data folder of kind {kind!r}")
    for folder in (package / "data" / kind, package.parent / PLACES[kind]):
        if folder.is_dir():
            return folder
    raise UserError(
        f"the data folder {kind!r} is missing", SourceSpan(str(package)), "install wavesim-cdna again"
    )
