"""HIP worker: a child process that talks to hip-python, one JSON request per line, so that a kernel that
hangs, or a runtime that aborts, ends this process and not the caller's.

It imports nothing of wavesim and of others only ``hip``. Data go through files named in the requests. Works
with hip-python 7.x and 10.x, whose ``hipGetDeviceProperties`` differ.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

KINDS = {
    "hipErrorOutOfMemory": "out-of-memory",
    "hipErrorMemoryAllocation": "out-of-memory",
    "hipErrorNoDevice": "no-device",
    "hipErrorInvalidDevice": "no-device",
    "hipErrorNoBinaryForGpu": "unsupported-architecture",
    "hipErrorInvalidImage": "unsupported-architecture",
    "hipErrorLaunchFailure": "launch-failure",
    "hipErrorLaunchTimeOut": "hang",
    "hipErrorLaunchOutOfResources": "launch-failure",
    "hipErrorIllegalAddress": "launch-failure",
}
"""HIP error name -> kind of :class:`wavesim.calibrate.device.base.DeviceError`; others are ``failed``."""

SYSFS = Path("/sys/bus/pci/devices")
POWER_FILES = ("power1_input", "power1_average")
"""Of the driver's hwmon folder, in microwatts; which there is depends on the device."""


class WorkerError(Exception):
    """An answer with ``error``; ``kind`` is one of the values of :data:`KINDS` and a few more."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Worker:
    """The state of one device: loaded modules and allocated buffers, by number."""

    def __init__(self) -> None:
        self.hip: Any = None
        self.folder = SYSFS
        self.images: dict[int, bytes] = {}
        self.modules: dict[int, Any] = {}
        self.functions: dict[int, Any] = {}
        self.buffers: dict[int, Any] = {}
        self.next = 1

    def call(self, name: str, *arguments: Any) -> Any:
        """A HIP function; its results without the error code (one alone, several as a tuple).

        Raises:
            WorkerError: the function gave an error code.
        """
        result = getattr(self.hip, name)(*arguments)
        code, *values = result if isinstance(result, tuple) else (result,)
        if int(code) != 0:
            known = getattr(code, "name", str(code))
            raise WorkerError(KINDS.get(known, "failed"), f"{name} gave {known}")
        return values[0] if len(values) == 1 else tuple(values)

    def open(self, device: int) -> dict[str, Any]:
        """Import hip-python, find the device and say what it is."""
        try:
            from hip import hip  # type: ignore[import-not-found,unused-ignore]
        except ImportError as error:
            raise WorkerError("no-hip-python", str(error)) from None
        self.hip = hip
        try:
            count = self.call("hipGetDeviceCount")
        except RuntimeError as error:  # the bindings could not load libamdhip64
            raise WorkerError("no-rocm", str(error)) from None
        if not 0 <= device < count:
            raise WorkerError("no-device", f"{count} device(s), device {device} was asked for")
        self.call("hipSetDevice", device)
        properties = self.properties(device)
        place = (properties.pciDomainID, properties.pciBusID, properties.pciDeviceID)
        self.folder = SYSFS / "{:04x}:{:02x}:{:02x}.0".format(*map(int, place))
        clock_khz = int(properties.clockRate)
        return {
            "name": _text(properties.name),
            "arch": _text(properties.gcnArchName).partition(":")[0],
            "compute_units": int(properties.multiProcessorCount),
            "clock_mhz": clock_khz / 1000,
            "memory_bytes": int(properties.totalGlobalMem),
            "lds_bytes": int(properties.sharedMemPerBlock),
            "driver": str(self.call("hipDriverGetVersion")),
            "runtime": str(self.call("hipRuntimeGetVersion")),
        }

    def properties(self, device: int) -> Any:
        """hipGetDeviceProperties: 7.x fills an object that it is given, 10.x returns one."""
        made = self.hip.hipDeviceProp_t()
        try:
            result = self.hip.hipGetDeviceProperties(made, device)
        except TypeError:
            return self.call("hipGetDeviceProperties", device)
        if int(result[0]) != 0:
            raise WorkerError("failed", f"hipGetDeviceProperties gave {result[0]}")
        return made

    def load(self, file: str, kernel: str) -> dict[str, Any]:
        """Load a code object and find a kernel in it."""
        number = self.number()
        # runtime and profilers read it later, too: it must stay where it is
        self.images[number] = Path(file).read_bytes()
        module = self.call("hipModuleLoadData", self.images[number])
        self.modules[number] = module
        self.functions[number] = self.call("hipModuleGetFunction", module, kernel.encode())
        return {"kernel": number}

    def allocate(self, size: int) -> dict[str, Any]:
        """Device memory of ``size`` bytes."""
        number = self.number()
        self.buffers[number] = self.call("hipMalloc", size)
        return {"buffer": number, "address": int(self.buffers[number])}

    def write(self, buffer: int, file: str) -> dict[str, Any]:
        """File -> device."""
        data = bytearray(Path(file).read_bytes())
        kind = self.hip.hipMemcpyKind.hipMemcpyHostToDevice
        self.call("hipMemcpy", self.buffers[buffer], data, len(data), kind)
        return {}

    def fill(self, buffer: int, size: int, byte: int) -> dict[str, Any]:
        """The same byte everywhere."""
        self.call("hipMemset", self.buffers[buffer], byte, size)
        return {}

    def read(self, buffer: int, size: int, file: str) -> dict[str, Any]:
        """Device -> file."""
        data = bytearray(size)
        kind = self.hip.hipMemcpyKind.hipMemcpyDeviceToHost
        self.call("hipMemcpy", data, self.buffers[buffer], size, kind)
        Path(file).write_bytes(data)
        return {}

    def launch(
        self, kernel: int, grid: list[int], block: list[int], arguments: str, lds_bytes: int
    ) -> dict[str, Any]:
        """Run a kernel with the kernarg segment ``arguments`` (hex); the time between two events, ms."""
        packed = bytes.fromhex(arguments)

        class Segment(ctypes.Structure):
            _fields_ = [("data", ctypes.c_ubyte * max(len(packed), 1))]

        segment = Segment()
        ctypes.memmove(ctypes.byref(segment), packed, len(packed))
        events = [self.call("hipEventCreate") for _ in range(2)]
        try:
            self.call("hipEventRecord", events[0], None)
            self.call(
                "hipModuleLaunchKernel",
                self.functions[kernel],
                *grid,
                *block,
                lds_bytes,
                None,
                None,
                (segment,) if packed else None,
            )
            self.call("hipEventRecord", events[1], None)
            self.call("hipEventSynchronize", events[1])
            return {"ms": float(self.call("hipEventElapsedTime", events[0], events[1]))}
        finally:
            for event in events:
                self.hip.hipEventDestroy(event)

    def power(self) -> dict[str, Any]:
        """What the driver says the device takes, W; None if it says nothing."""
        for name in POWER_FILES:
            for file in sorted(self.folder.glob(f"hwmon/hwmon*/{name}")):
                try:
                    return {"watts": int(file.read_text()) / 1e6}
                except (OSError, ValueError):
                    continue
        return {"watts": None}

    def free(self, buffer: int) -> dict[str, Any]:
        """Give a buffer back."""
        self.call("hipFree", self.buffers.pop(buffer))
        return {}

    def close(self) -> dict[str, Any]:
        """Give everything back; errors of it are of no use to anybody any more."""
        for buffer in self.buffers.values():
            self.hip.hipFree(buffer)
        for module in self.modules.values():
            self.hip.hipModuleUnload(module)
        self.buffers, self.modules, self.functions, self.images = {}, {}, {}, {}
        return {}

    def number(self) -> int:
        """A fresh handle."""
        self.next += 1
        return self.next - 1


OPERATIONS = ("open", "load", "allocate", "write", "fill", "read", "launch", "power", "free", "close")


def _text(value: Any) -> str:
    raw = value if isinstance(value, bytes) else str(value).encode()
    return raw.split(b"\0")[0].decode("utf-8", "replace")


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the runtime prints must not get between the answers
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        name = request.pop("operation")
        try:
            if name not in OPERATIONS:
                raise WorkerError("failed", f"no operation {name!r}")
            answer = getattr(worker, name)(**request)
        except WorkerError as error:
            answer = {"error": error.kind, "message": str(error)}
        except Exception as error:  # the caller decides what a surprise means; it must get an answer
            answer = {"error": "failed", "message": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    if worker.hip is not None:
        worker.close()


if __name__ == "__main__":
    main()
