"""Arguments: a launch's matrices put on a device, and the kernarg segment that points at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from wavesim.calibrate.device.base import Buffer, Device
from wavesim.emulate.launch_state import pack_arguments
from wavesim.emulate.matrices import VirtualMatrix
from wavesim.emulate.memory import Region
from wavesim.front.launch.model import Launch, MatrixArgument
from wavesim.program import Program


@dataclass(frozen=True)
class _Address:
    """Stands for an emulator's region where only the address counts."""

    base: int


@contextmanager
def placed(device: Device, program: Program, launch: Launch) -> Iterator[tuple[dict[str, Buffer], bytes]]:
    """The device's buffers by argument name, filled, and the packed kernarg segment; freed at the end.

    Raises:
        DeviceError: not enough memory.
        UserError: the launch's arguments do not fit the kernel's.
    """
    buffers: dict[str, Buffer] = {}
    try:
        regions: dict[str, Region] = {}
        for argument in launch.arguments:
            if isinstance(argument, MatrixArgument):
                content = VirtualMatrix(argument, program.arch)
                buffers[argument.name] = device.allocate(content.size)
                if argument.init != "unwritten":  # what the kernel writes itself
                    device.write(buffers[argument.name], content.raw())
                regions[argument.name] = _Address(buffers[argument.name].address)  # type: ignore[assignment]
        yield buffers, pack_arguments(program, launch, regions)
    finally:
        for buffer in buffers.values():
            device.free(buffer)
