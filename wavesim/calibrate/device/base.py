"""Device: the one small interface behind which a GPU and the virtual device look alike."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from wavesim.errors import UserError
from wavesim.isa.archs import ARCHS
from wavesim.words import listed


class Problem(StrEnum):
    """What can go wrong with a device; each has one message that says what to do."""

    NO_HIP_PYTHON = "no-hip-python"
    NO_ROCM = "no-rocm"
    NO_DEVICE = "no-device"
    UNSUPPORTED_ARCHITECTURE = "unsupported-architecture"
    OUT_OF_MEMORY = "out-of-memory"
    LAUNCH_FAILURE = "launch-failure"
    HANG = "hang"
    ABORT = "abort"
    FAILED = "failed"
    NO_DATA = "no-data"


ADVICE = {
    Problem.NO_HIP_PYTHON: "pip install 'wavesim-cdna[gpu]' (hip-python), in the version that fits your ROCm",
    Problem.NO_ROCM: "install ROCm's HIP runtime (libamdhip64.so), or set LD_LIBRARY_PATH to where it is",
    Problem.NO_DEVICE: "look at rocm-smi, HIP_VISIBLE_DEVICES and whether you may open /dev/kfd",
    Problem.UNSUPPORTED_ARCHITECTURE: "the code object must be for this device's architecture; wavesim knows "
    + listed(ARCHS),
    Problem.OUT_OF_MEMORY: "see in rocm-smi who holds the device's memory, or take a smaller problem",
    Problem.LAUNCH_FAILURE: "check the kernel with wavesim check: its registers, LDS and addresses",
    Problem.HANG: "the kernel was killed; wavesim check finds deadlocks and endless polls",
    Problem.ABORT: "the HIP runtime ended the process, as after a GPU memory fault; wavesim check finds "
    "addresses outside the arguments",
    Problem.FAILED: "see the runtime's message",
    Problem.NO_DATA: "nothing can be measured like this: is it a real GPU, with a runtime that launches?",
}


class DeviceError(UserError):
    """A device cannot be used, or a launch failed; exit code 2."""

    def __init__(self, problem: Problem, message: str) -> None:
        super().__init__(message, None, ADVICE[problem])
        self.problem = problem


@dataclass(frozen=True, slots=True)
class DeviceProperties:
    """What a device says of itself. ``arch`` is the bare name (gfx942); ``virtual`` devices are no GPU."""

    name: str
    arch: str
    compute_units: int
    clock_mhz: float
    memory_bytes: int
    lds_bytes: int
    driver: str
    runtime: str
    virtual: bool = False


@dataclass(frozen=True, slots=True)
class Buffer:
    """Device memory: a handle, its device address and its size."""

    handle: int
    address: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LoadedKernel:
    """A kernel of a loaded code object."""

    handle: int
    name: str


class Device(ABC):
    """A device that runs code objects. Use it in a ``with`` statement: leaving it frees everything."""

    @property
    @abstractmethod
    def properties(self) -> DeviceProperties:
        """What the device is."""

    @abstractmethod
    def load(self, code_object: bytes, kernel: str) -> LoadedKernel:
        """Load a code object (ELF) and find ``kernel`` in it."""

    @abstractmethod
    def allocate(self, size_bytes: int) -> Buffer:
        """Device memory, contents undefined."""

    def write(self, buffer: Buffer, data: bytes) -> None:
        """Copy to the device.

        Raises:
            ValueError: more data than the buffer has room for.
        """
        if len(data) > buffer.size_bytes:
            raise ValueError(f"{len(data)} bytes for a buffer of {buffer.size_bytes}")
        self._write(buffer, data)

    @abstractmethod
    def _write(self, buffer: Buffer, data: bytes) -> None:
        """Copy to the device what is known to fit."""

    @abstractmethod
    def fill(self, buffer: Buffer, byte: int) -> None:
        """Write ``byte`` everywhere in the buffer, on the device."""

    @abstractmethod
    def read(self, buffer: Buffer, size_bytes: int | None = None) -> bytes:
        """Copy from the device, all of the buffer or its first bytes."""

    @abstractmethod
    def launch(
        self,
        kernel: LoadedKernel,
        grid: Sequence[int],
        block: Sequence[int],
        arguments: bytes,
        *,
        lds_bytes: int = 0,
        timeout_s: float = 60.0,
    ) -> float:
        """Run ``kernel`` and wait for its end.

        Args:
            kernel: as loaded.
            grid: workgroups in x, y, z.
            block: threads of a workgroup in x, y, z.
            arguments: the kernarg segment, byte for byte.
            lds_bytes: dynamic LDS beside what the code object declares.
            timeout_s: after this the kernel is taken to hang.

        Returns:
            Milliseconds between two events around the launch (0 on a virtual device).

        Raises:
            DeviceError: launch failure, hang, abort of the runtime.
        """

    def rest(self, seconds: float) -> None:
        """Let the device come to rest."""
        time.sleep(seconds)

    def power_w(self) -> float | None:
        """What the device takes, W, as its driver says; None if it does not."""
        return None

    @abstractmethod
    def free(self, buffer: Buffer) -> None:
        """Give a buffer back."""

    @abstractmethod
    def close(self) -> None:
        """Free everything."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
