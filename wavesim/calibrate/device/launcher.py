"""Launcher: the program that rocprofv3 runs: it launches one kernel a few times through HipDevice.

``python -m wavesim.calibrate.device.launcher PLAN.json``; :mod:`wavesim.calibrate.device.capture`
writes the plan.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from wavesim.asm.printer import print_program
from wavesim.asm.tools import link
from wavesim.calibrate.device.arguments import placed
from wavesim.calibrate.device.hip import HipDevice
from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import RunOptions, prepare

FINISH_S = 3600.0
"""rocprofv3 decodes its trace when the process with the GPU ends; that may take minutes."""


@dataclass(frozen=True)
class Plan:
    """What to launch: a kernel file with its launch, how often, and on a grid of what size."""

    kernel: str
    arch: str
    grid: tuple[int, int, int]
    launches: int
    device: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    launch: LaunchOptions = field(default_factory=LaunchOptions)

    def write(self, path: Path) -> None:
        """Save as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def read(path: Path) -> Plan:
        """Load what ``write`` saved.

        Raises:
            UserError: not a plan.
        """
        try:
            data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            launch = data.pop("launch")
            for name in ("arguments", "compile_flags", "shape"):
                launch[name] = tuple(launch[name])
            data["grid"] = tuple(data["grid"])
            return Plan(**data, launch=LaunchOptions(**launch))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path}: not a plan of wavesim trace capture: {error}") from None


def run(plan: Plan) -> str:
    """Launch the kernel as planned; what was done, as a line of text.

    Raises:
        UserError: unusable kernel.
        DeviceError: the device fails.
    """
    options = RunOptions(arch=plan.arch, settings=plan.settings, launch=plan.launch)
    kernel, _ = prepare(Path(plan.kernel), options)
    program, launch = kernel.program, kernel.launch
    image = link(print_program(program), program.arch)
    with HipDevice(plan.device, close_timeout_s=FINISH_S) as device:
        loaded = device.load(image, program.name)
        with placed(device, program, launch) as (_, arguments):
            for _ in range(plan.launches):
                device.launch(loaded, plan.grid, launch.workgroup_shape, arguments)
        grid = " x ".join(str(size) for size in plan.grid)
        return (
            f"launched {program.name} {plan.launches} times, {grid} workgroups, on {device.properties.name}"
        )


def main() -> int:
    """Exit code 0, or 2 with a message."""
    try:
        (path,) = sys.argv[1:]
        print(run(Plan.read(Path(path))), flush=True)
    except ValueError:
        print("usage: python -m wavesim.calibrate.device.launcher PLAN.json", file=sys.stderr)
        return 2
    except UserError as error:
        print(f"wavesim: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
