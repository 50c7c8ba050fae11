"""Names of machines: architectures (gfx942) and devices (MI325X), however they are spelt."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from wavesim.errors import SourceSpan, UserError
from wavesim.isa.archs import ARCHS
from wavesim.isa.paths import data_dir

DEVICES = "devices"
"""Folder of the devices' machine files, in that of the architectures'."""


@cache
def stock_machines() -> tuple[str, ...]:
    """Names of the architectures that have a machine file, sorted."""
    return tuple(sorted(path.stem for path in data_dir("isa").glob("gfx*.yaml")))


@cache
def devices() -> tuple[str, ...]:
    """Names of the devices that have a machine file, sorted."""
    return tuple(sorted(path.stem for path in (data_dir("isa") / DEVICES).glob("*.yaml")))


def known_name(name: str) -> str | None:
    """The architecture or device of that name, upper or lower case; ``None``: there is none."""
    return {each.lower(): each for each in (*stock_machines(), *devices())}.get(name.lower())


def named(name: str, span: SourceSpan | None = None, also: str = "") -> str:
    """The architecture or device of that name, upper or lower case.

    Args:
        name: as somebody wrote it.
        span: where.
        also: what else could have been written, for the message.

    Raises:
        UserError: there is none; with the names that there are.
    """
    found = known_name(name)
    if found is None:
        known = f"architectures: {', '.join(stock_machines())}; devices: {', '.join(devices())}"
        raise UserError(f"unknown architecture or device {name!r:.60}", span, known + also)
    return found


def stock_file(name: str) -> Path:
    """The machine file of an architecture or device, by its exact name."""
    folder = data_dir("isa")
    return (folder if name in ARCHS else folder / DEVICES) / f"{name}.yaml"
