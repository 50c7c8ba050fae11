"""What a client may ask for a kernel: validated before anything is read, and as options of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from wavesim.errors import UserError
from wavesim.front.endings import HIP
from wavesim.front.launch.file import LaunchOptions
from wavesim.front.region import DEFAULT_TRIPS, RegionOptions
from wavesim.isa.names import named
from wavesim.isa.paths import kernel_path
from wavesim.pipeline.run import RunOptions

MAX_TEXT_BYTES = 1_000_000
"""Largest text of a kernel or launch in a call."""

KINDS = {"s": ".s", "yaml": ".yaml", "hip": ".hip"}
"""What a kernel given as text may be, and the ending that its file gets."""

FLAGS = re.compile(
    r"-O[0123s]|-std=c\+\+(11|14|17|20|23)|-f(no-)?(fast-math|unroll-loops|slp-vectorize)"
    r"|-ffp-contract=(on|off|fast)|-fgpu-flush-denormals-to-zero"
)
"""Flags of the compiler that a client may give; none names a file."""

_MACRO = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Request:
    """A kernel, as a file below the root or as text, and how it is launched."""

    file: str | None = None
    text: str | None = None
    kind: str = "s"
    launch: str | None = None
    arch: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    block: int | None = None
    expect: str | None = None
    kernel: str | None = None
    region: str | None = None
    trips: int = DEFAULT_TRIPS
    allow_unknown: bool = False
    defines: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Request:
        """The request of plain data, whose types the server has checked."""
        values = {name: value for name, value in given.items() if value is not None}
        for name in ("settings", "defines"):
            values[name] = {key: str(value) for key, value in values.get(name, {}).items()}
        for name in ("arguments", "flags"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)


def below(root: Path, name: str) -> Path:
    """The path ``name`` below the folder ``root``.

    Raises:
        UserError: it leads out of the folder: it is absolute, has ``..``, or a link on its way.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name or Path(name).drive:
        raise UserError(f"{name!r:.80} is no path below the folder of this server", None, "no .., no /")
    place = root
    for part in path.parts:
        place /= part
        if place.is_symlink():
            raise UserError(f"{name!r:.80} is or passes a symbolic link, which is not followed")
    return place


def run_options(asked: Request, root: Path, scratch: Path) -> tuple[Path, RunOptions]:
    """The file of a kernel and what a run of it is asked for; texts are put into the folder ``scratch``.

    Raises:
        UserError: a path outside, a flag that is not handed on, a text too large, neither file nor text.
    """
    for text in (asked.text, asked.launch):
        if text is not None and len(text.encode()) > MAX_TEXT_BYTES:
            raise UserError(f"a text of more than {MAX_TEXT_BYTES} bytes is not taken")
    path = _file(asked, root, scratch)
    if not _MACRO.fullmatch(asked.kernel or "_"):
        raise UserError(f"kernel: {asked.kernel!r:.60} is no name of a kernel")
    launch = LaunchOptions(
        arguments=asked.arguments,
        block=asked.block,
        expect=asked.expect,
        kernel=asked.kernel,
        file=_launch_file(asked, path, scratch),
        compile_flags=_flags(asked, path),
    )
    region = None if asked.region is None else RegionOptions(asked.region, asked.trips, None)
    return path, RunOptions(
        arch=None if asked.arch is None else named(asked.arch),
        settings=asked.settings,
        launch=launch,
        allow_unknown=asked.allow_unknown,
        region=region,
        trips=asked.trips,
    )


def _file(asked: Request, root: Path, scratch: Path) -> Path:
    if (asked.file is None) == (asked.text is None):
        raise UserError("a kernel is either a file or a text", None, "give one of file and text")
    if asked.text is not None:
        if asked.kind not in KINDS:
            raise UserError(f"kind: {asked.kind!r:.40}", None, f"one of {', '.join(KINDS)}")
        path = scratch / f"kernel{KINDS[asked.kind]}"
        path.write_text(asked.text, encoding="utf-8")
        return path
    assert asked.file is not None
    path = below(root, asked.file)
    if path.exists():
        return path.relative_to(root)
    return kernel_path(path.relative_to(root))


def _launch_file(asked: Request, path: Path, scratch: Path) -> str | None:
    if asked.launch is None:
        return None
    launch = scratch / f"{path.stem}.launch.yaml"
    launch.write_text(asked.launch, encoding="utf-8")
    return str(launch)


def _flags(asked: Request, path: Path) -> tuple[str, ...]:
    flags = []
    for name, value in asked.defines.items():
        if not _MACRO.fullmatch(name):
            raise UserError(f"defines: {name!r:.60} is no macro")
        flags.append(f"-D{name}={value}")
    for flag in asked.flags:
        if not FLAGS.fullmatch(flag):
            hint = "-O0 to -O3, -std=c++NN, -f[no-]fast-math, -f[no-]unroll-loops, -ffp-contract=..."
            raise UserError(f"flags: {flag!r:.60} is not handed on", None, hint)
        flags.append(flag)
    if flags and path.suffix.lower() not in HIP:
        raise UserError("flags and defines are for HIP: there is nothing to compile here")
    return tuple(flags)
