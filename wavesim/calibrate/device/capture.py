"""Capture: a thread trace of a kernel with ``rocprofv3 --att``, up to the folder that can be imported.

Options as in ROCprofiler-SDK's manual ("Using thread trace"): rocprofv3 records one compute unit of each
chosen shader engine, its trace decoder (a library of its own) writes ``ui_output_agent_*_dispatch_*``.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wavesim.calibrate.device.base import DeviceProperties
from wavesim.calibrate.device.hip import HipDevice
from wavesim.calibrate.device.launcher import Plan
from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.front.launch.model import LoadedKernel
from wavesim.pipeline.run import RunOptions, prepare
from wavesim.program import Program

LAUNCHES = 5
TRACED_LAUNCH = 3
"""The third launch is traced: code and data are in the caches, as in the runs that count."""

MOST_EACH = 4
"""Workgroups for each compute unit of a traced launch: more only make a longer trace."""

TIMEOUT_S = 3600.0
LAST_LINES = 12
LOG = "rocprofv3.log"
PLAN = "plan.json"

DECODER = (
    "install the ROCprof Trace Decoder (librocprof-trace-decoder.so, github.com/ROCm/rocprof-trace-decoder) "
    "and say where it is with --att-library-path or ROCPROF_ATT_LIBRARY_PATH"
)
TOO_OLD = "thread traces need rocprofv3 of ROCm 7.0 or later; its path can be given with --rocprofv3"
NO_WAVE = (
    "no wave ran on the compute unit that was traced: try another --target-cu, or more shader engines "
    "(--shader-engines 0xFFFFFFFF), or more workgroups (--copies)"
)
CAUSES = (
    (re.compile(r"decoder library path not found|Error loading decoder", re.I), DECODER),
    (re.compile(r"INVALID_SHADER_DATA|Agent not supported", re.I), "aqlprofile is too old: " + TOO_OLD),
    (re.compile(r"unrecognized arguments?:.*--att", re.I), TOO_OLD),
    (re.compile(r"^wavesim: ", re.M), "the launcher failed; see its message above"),
)
"""What rocprofv3 or the launcher said -> what to do."""


@dataclass(frozen=True, slots=True)
class AttOptions:
    """What rocprofv3 is told. ``shader_engines`` and ``simds`` are bit masks; ``activity`` is the period of
    its activity counters (0: off); ``copies`` is how many times the grid is launched side by side (0: as
    :func:`traced_grid` finds best; 1: as it is)."""

    rocprofv3: str | None = None
    library: Path | None = None
    target_cu: int = 1
    shader_engines: str = "0x1"
    simds: str = "0xF"
    buffer_bytes: int = 96 << 20
    activity: int = 0
    copies: int = 0


@dataclass(frozen=True)
class Captured:
    """A captured trace. ``folder`` can be imported; ``kernel`` is the name of what was launched."""

    folder: Path
    device: DeviceProperties
    kernel: str
    workgroups: int
    command: str


def find_rocprofv3(given: str | None = None) -> str | None:
    """rocprofv3: as given, on PATH, in ROCM_PATH or /opt/rocm; ``None`` if it is nowhere."""
    if given is not None:
        return shutil.which(given)
    rocm = Path(os.environ.get("ROCM_PATH") or "/opt/rocm") / "bin" / "rocprofv3"
    return shutil.which("rocprofv3") or shutil.which(str(rocm))


def require_rocprofv3(given: str | None) -> str:
    """rocprofv3, as ``find_rocprofv3``.

    Raises:
        UserError: it is nowhere.
    """
    tool = find_rocprofv3(given)
    if tool is None:
        raise UserError(
            f"{given or 'rocprofv3'} is not on this machine",
            None,
            "install ROCm's rocprofiler-sdk (7.0 or later): bin folder on PATH, or --rocprofv3 PATH",
        )
    return tool


def capture(
    kernel: Path,
    folder: Path,
    options: AttOptions,
    *,
    device: int = 0,
    settings: dict[str, str] | None = None,
    launch: LaunchOptions | None = None,
) -> Captured:
    """Run ``kernel`` under ``rocprofv3 --att``; its files go to ``folder``.

    Raises:
        UserError: no rocprofv3, no decoder, unusable kernel, a failed run, or a trace without waves.
        DeviceError: no usable device.
    """
    tool = require_rocprofv3(options.rocprofv3)
    if options.library is not None and not options.library.is_dir():
        raise UserError(f"--att-library-path {options.library}: no such folder", None, DECODER)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: is not an empty folder", None, "give a new one to -o")
    with HipDevice(device) as opened:
        properties = opened.properties
    wanted = RunOptions(arch=properties.arch, settings=settings or {}, launch=launch or LaunchOptions())
    loaded, _ = prepare(kernel, wanted)
    grid = traced_grid(loaded, properties.compute_units, options.copies)
    folder.mkdir(parents=True, exist_ok=True)
    plan = folder / PLAN
    Plan(
        str(kernel.resolve()),
        properties.arch,
        grid,
        LAUNCHES,
        device,
        dict(wanted.settings),
        _absolute(wanted.launch),
    ).write(plan)
    command = att_command(tool, folder, options, loaded.program)
    command += ["--", sys.executable, "-m", "wavesim.calibrate.device.launcher", str(plan)]
    said = _run(command, folder / LOG)
    found = ui_folder(folder)
    if found is None:
        raise _failure("rocprofv3 wrote no ui_output_agent_* folder", folder, said, DECODER)
    if not wave_count(found):
        raise UserError(f"{found}: the trace holds no waves", None, NO_WAVE)
    return Captured(found, properties, loaded.program.name, grid[0] * grid[1] * grid[2], shlex.join(command))


def att_command(tool: str, folder: Path, options: AttOptions, program: Program) -> list[str]:
    """rocprofv3's command line, up to what it runs."""
    command = [tool, "--att"]
    if options.library is not None:
        command += ["--att-library-path", str(options.library)]
    command += ["--att-target-cu", str(options.target_cu)]
    command += ["--att-shader-engine-mask", options.shader_engines]
    command += ["--att-simd-select", options.simds]
    command += ["--att-buffer-size", str(options.buffer_bytes)]
    if options.activity:
        command += ["--att-activity", str(options.activity)]
    # names as in the code object; copies between host and device may be kernels as well
    command += ["--mangled-kernels", "--kernel-include-regex", re.escape(program.name)]
    command += ["--kernel-iteration-range", f"[{TRACED_LAUNCH}]"]
    return [*command, "-d", str(folder)]


def traced_grid(kernel: LoadedKernel, compute_units: int, copies: int) -> tuple[int, int, int]:
    """The grid to launch. A small one is the kernel's own several times over, in a direction whose workgroup
    number the kernel does not get, so that the traced compute unit has work; copies compute the same results.
    Of a large one the first workgroups are launched, ``MOST_EACH`` for each compute unit.

    Raises:
        UserError: ``copies`` of a kernel that uses all workgroup numbers.
    """
    launch, metadata = kernel.launch, kernel.program.metadata
    x, y, z = launch.grid
    most = MOST_EACH * compute_units
    if not copies and x * y * z > most:
        z = max(1, min(z, most // (x * y)))
        return x, max(1, min(y, most // (x * z))), z
    wanted = copies or max(1, compute_units // (x * y * z))
    if wanted == 1:
        return launch.grid
    if z == 1 and not metadata.workgroup_id_z:
        return x, y, wanted
    if y == 1 and not metadata.workgroup_id_y:
        return x, wanted, z
    if copies:
        raise UserError(
            f"{kernel.name}: uses all workgroup numbers, so no copies of its grid can be launched"
        )
    return launch.grid


def ui_folder(folder: Path) -> Path | None:
    """The trace folder with the most waves anywhere below ``folder``."""
    found = sorted(path.parent for path in folder.rglob("filenames.json"))
    return max(found, key=wave_count, default=None)


def wave_count(ui: Path) -> int:
    """Number of wave files."""
    return len(list(ui.glob("se*_sm*_sl*_wv*.json")))


def _absolute(launch: LaunchOptions) -> LaunchOptions:
    return replace(launch, file=None if launch.file is None else str(Path(launch.file).resolve()))


def _run(command: Sequence[str], log: Path) -> str:
    """Run rocprofv3; what it said, which is also kept in ``log``.

    Raises:
        UserError: it failed, or did not end.
    """
    with log.open("w+", encoding="utf-8", errors="replace") as output:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UserError(f"rocprofv3 did not end within {TIMEOUT_S:g} s", None, f"see {log}") from None
        except OSError as error:
            raise UserError(f"{command[0]}: cannot be run: {error.strerror}") from None
    said = log.read_text(encoding="utf-8", errors="replace")
    if done.returncode:
        raise _failure(f"rocprofv3 failed (exit code {done.returncode})", log.parent, said, f"see {log}")
    return said


def _failure(message: str, folder: Path, said: str, otherwise: str) -> UserError:
    """An error with rocprofv3's last words and what to do about the cause they name."""
    hint = next((advice for pattern, advice in CAUSES if pattern.search(said)), otherwise)
    words = "\n".join(f"  | {line}" for line in said.strip().splitlines()[-LAST_LINES:])
    return UserError(f"{message}\n{words}".rstrip(), None, hint)
