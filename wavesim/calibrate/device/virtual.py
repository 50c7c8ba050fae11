"""VirtualDevice: the emulator and the timing engine behind the device interface. It is no GPU, and says so.

Its machine may differ from the stock one in numbers or in a rule, without the caller knowing how: that is
how calibration is tested.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from wavesim.calibrate.bench.memory_levels import NAMES, MemoryLevels
from wavesim.calibrate.device.base import Buffer, Device, DeviceError, DeviceProperties, LoadedKernel, Problem
from wavesim.calibrate.device.chip_stand_in import ChipStandIn, matrix_busy
from wavesim.calibrate.device.stores import stored_part
from wavesim.emulate.run import Execution, emulate
from wavesim.front.code_object import read_code_object
from wavesim.front.launch.model import Launch, MatrixArgument, ScalarArgument
from wavesim.isa.machine import Machine
from wavesim.isa.memory_roles import role_clk
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.pipeline.clocks import clock_values, same_work
from wavesim.program import KernelArgument, Program
from wavesim.timing import simulate
from wavesim.trace import Timeline, Trace

ADDRESS_SHIFT = 32
"""Buffers get made-up addresses this far apart; kernels see the emulator's instead (same offsets)."""

CLOCK_MHZ = 1000.0


@dataclass(frozen=True)
class Stored:
    """A buffer's content."""

    buffer: Buffer
    content: bytes


class VirtualDevice(Device):
    """A stand-in for a GPU of ``machine``.

    Only workgroup (0, 0, 0) of a launch is executed, alone on its compute unit. Pointers reach the kernel as
    the emulator's addresses, so offsets in memory mean the same on both, stored addresses do not.
    """

    def __init__(
        self,
        machine: Machine,
        *,
        noise_clk: int = 0,
        seed: int = 0,
        parameters: TimingParameters | None = None,
        levels: MemoryLevels | None = None,
        chip: ChipStandIn | None = None,
        name: str = "",
    ) -> None:
        """Make a device.

        Args:
            machine: the model to run.
            noise_clk: each clock read is off by up to so many clk, drawn anew.
            seed: of the noise.
            parameters: timing numbers and rules instead of the machine's (the secret).
            levels: latencies of global memory by cache level; the machine's if not given.
            chip: the stand-in for the chip around the compute unit; the machine's figures if not given.
            name: shown as the device's name.
        """
        self._machine = machine
        self._parameters = parameters or machine.parameters
        self._levels = levels or MemoryLevels.of(machine)
        self._by_level = False
        self._chip = chip or ChipStandIn.of(machine, self._levels.latency_clk)
        self._footprint_bytes: int | None = None
        self._cold_code = False
        self._executed: tuple[object, Execution | None] = None, None
        self._at_rest = False
        self._busy = 0.0
        self._noise_clk = noise_clk
        self._random = np.random.default_rng(seed)
        self._name = name or f"VIRTUAL {machine.arch}: wavesim's own model, not a GPU"
        self._programs: dict[int, Program] = {}
        self._buffers: dict[int, Stored] = {}
        self._timed: dict[object, tuple[Execution, Timeline]] = {}
        self._parts: dict[int, tuple[Program | None, Trace | None]] = {}
        self._next = 1

    @property
    def properties(self) -> DeviceProperties:
        """What the device says of itself."""
        return DeviceProperties(
            name=self._name,
            arch=self._machine.arch,
            compute_units=self._machine.integer("structure.compute_units"),
            clock_mhz=CLOCK_MHZ,
            memory_bytes=1 << 36,
            lds_bytes=self._machine.integer("lds.size_bytes"),
            driver="none",
            runtime="wavesim",
            virtual=True,
        )

    def use_levels(self, on: bool, forced: str = "") -> None:
        """Whether loads find their lines by the LRU model (all in level ``forced``, if given: l1, l2, mall,
        hbm) or take the machine's single latency of a loaded GPU, as ``wavesim run`` does (at first)."""
        self._by_level = on
        self._footprint_bytes = None
        self._levels = replace(self._levels, forced=forced)
        self._timed.clear()

    def use_chip(self, footprint_bytes: int, *, cold: bool = False) -> None:
        """Let the stand-in for the chip answer. A kernel goes through so much memory; ``cold``: its code is
        in no cache."""
        self._footprint_bytes, self._cold_code = footprint_bytes, cold

    def rest(self, seconds: float) -> None:
        """The next launch is a first one."""
        self._at_rest = True

    def power_w(self) -> float | None:
        """The stand-in's power of what was launched last."""
        return self._chip.watts(self._busy)

    def use_load(self, latency: int | str) -> None:
        """What the memory of the made-up busy GPU answers in: clocks, or a role with this device's own
        levels (wavesim/isa/memory_roles.py)."""
        if isinstance(latency, str):
            levels = {
                f"memory.{name}_latency_clk": clk
                for name, clk in zip(NAMES, self._levels.latency_clk, strict=True)
            }
            latency = role_clk(levels.__getitem__, latency)
        self._parameters = replace(self._parameters, memory_latency_clk=latency)
        self._timed.clear()

    def load(self, code_object: bytes, kernel: str) -> LoadedKernel:
        """Load a code object as a Program, through the disassembler."""
        with tempfile.TemporaryDirectory(prefix="wavesim-") as folder:
            path = Path(folder) / "kernel.co"
            path.write_bytes(code_object)
            program = read_code_object(path, self._machine.arch, kernel)
        handle = self._handle()
        self._programs[handle] = program
        return LoadedKernel(handle, kernel)

    def load_program(self, program: Program) -> LoadedKernel:
        """Load a Program without the way through a code object (same instructions, quicker)."""
        handle = self._handle()
        self._programs[handle] = program
        return LoadedKernel(handle, program.name)

    def allocate(self, size_bytes: int) -> Buffer:
        """Memory, zeroed."""
        if size_bytes > self.properties.memory_bytes:
            raise DeviceError(Problem.OUT_OF_MEMORY, f"{size_bytes} bytes")
        handle = self._handle()
        buffer = Buffer(handle, handle << ADDRESS_SHIFT, size_bytes)
        self._buffers[handle] = Stored(buffer, b"")
        return buffer

    def _write(self, buffer: Buffer, data: bytes) -> None:
        old = self._buffers[buffer.handle].content
        self._buffers[buffer.handle] = Stored(buffer, data + old[len(data) :])

    def fill(self, buffer: Buffer, byte: int) -> None:
        """Write ``byte`` everywhere in the buffer."""
        self.write(buffer, bytes([byte]) * buffer.size_bytes)

    def read(self, buffer: Buffer, size_bytes: int | None = None) -> bytes:
        """Copy from the device, all of the buffer or its first bytes."""
        size = buffer.size_bytes if size_bytes is None else min(size_bytes, buffer.size_bytes)
        return self._buffers[buffer.handle].content[:size].ljust(size, b"\0")

    def free(self, buffer: Buffer) -> None:
        """Give a buffer back."""
        del self._buffers[buffer.handle]

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
        """Execute, time, and execute again with the clocks; 0 ms, for no event is timed here.

        Raises:
            DeviceError: a deadlock (as a hang), or a fault of the kernel.
        """
        program = self._programs[kernel.handle]
        launch, names = self._launch(program, grid, block, arguments)
        if self._footprint_bytes is not None:
            execution, timeline, clock_mhz = self._time_chip(kernel, program, launch)
        else:
            execution, timeline = self._time(kernel, program, launch, (tuple(grid), tuple(block), arguments))
            clock_mhz = CLOCK_MHZ
        if not execution.complete:
            raise DeviceError(Problem.HANG, f"{kernel.name}: the waves never come to their end")
        if execution.clock_reads:
            noisy = {
                wave: [value + self._noise() for value in values]
                for wave, values in clock_values(timeline, clock_mhz).items()
            }
            execution = self._with_clocks(kernel, program, launch, execution, noisy)
        written = _stored(execution)
        for name, handle in names.items():
            if name in written:
                self._buffers[handle] = Stored(self._buffers[handle].buffer, written[name])
        return 0.0

    def close(self) -> None:
        """Forget everything."""
        self._buffers.clear()
        self._programs.clear()
        self._timed.clear()
        self._executed = None, None
        self._parts.clear()

    def _time(
        self, kernel: LoadedKernel, program: Program, launch: Launch, key: object
    ) -> tuple[Execution, Timeline]:
        """Execution with placeholders and its Timeline; the same launch again costs nothing."""
        content = tuple(each.content for each in launch.arguments if isinstance(each, MatrixArgument))
        known = (kernel.handle, key, content)
        if known not in self._timed:
            self._timed.clear()  # launches are repeated one after the other; a whole kernel's take room
            execution = emulate(program, launch, self._machine)
            trace = self._levels.applied(execution.trace) if self._by_level else execution.trace
            self._timed[known] = execution, simulate(trace, self._parameters)
        return self._timed[known]

    def _time_chip(
        self, kernel: LoadedKernel, program: Program, launch: Launch
    ) -> tuple[Execution, Timeline, float]:
        """The same with the stand-in for the chip around the compute unit; and the clock, MHz."""
        assert self._footprint_bytes is not None
        chip, parameters = self._chip, self._chip.parameters(self._parameters, self._footprint_bytes)
        content = tuple(each.content for each in launch.arguments if isinstance(each, MatrixArgument))
        executed = (kernel.handle, launch.grid, content)
        if executed != self._executed[0]:
            self._executed = executed, emulate(program, launch, self._machine)
            self._timed.clear()
        execution = self._executed[1]
        assert execution is not None
        known = (executed, self._footprint_bytes, self._cold_code)
        if known not in self._timed:
            ghz = chip.ghz(0.0, first=False)
            trace = chip.with_memory(execution.trace, self._footprint_bytes, launch.grid[0], ghz)
            self._timed[known] = execution, simulate(replace(trace, cold_code=self._cold_code), parameters)
        timeline = self._timed[known][1]
        self._busy = matrix_busy(timeline, parameters)
        ghz = chip.ghz(self._busy, first=self._at_rest)
        self._at_rest = False
        return execution, timeline, 1000 * ghz

    def _with_clocks(
        self,
        kernel: LoadedKernel,
        program: Program,
        launch: Launch,
        execution: Execution,
        clocks: Mapping[int, list[int]],
    ) -> Execution:
        """The launch executed again with what its clock reads show; the first time whole, later only the part
        of the program that the stores come from, if that has stored the same."""
        part, traced = self._parts.get(kernel.handle, (None, None))
        if part is not None and traced is not None:
            found = emulate(part, launch, self._machine, clock_values=clocks)
            if same_work(traced, found.trace):
                return found
        again = emulate(program, launch, self._machine, clock_values=clocks)
        if not same_work(execution.trace, again.trace):
            raise DeviceError(Problem.LAUNCH_FAILURE, f"{kernel.name}: its path depends on the clock")
        if kernel.handle not in self._parts:
            self._parts[kernel.handle] = (None, None)
            if (part := stored_part(program)) is not None:
                found = emulate(part, launch, self._machine, clock_values=clocks)
                if _stored(found) == _stored(again):
                    self._parts[kernel.handle] = (part, found.trace)
        return again

    def _noise(self) -> int:
        return int(self._random.integers(-self._noise_clk, self._noise_clk + 1)) if self._noise_clk else 0

    def _launch(
        self, program: Program, grid: Sequence[int], block: Sequence[int], arguments: bytes
    ) -> tuple[Launch, Mapping[str, int]]:
        """The kernarg bytes as a launch of the emulator, and which matrix is which buffer."""
        found: list[MatrixArgument | ScalarArgument] = []
        names: dict[str, int] = {}
        for argument in program.metadata.arguments:
            if argument.kind.startswith("hidden_"):
                continue
            end = argument.offset_bytes + argument.size_bytes
            value = int.from_bytes(arguments[argument.offset_bytes : end], "little")
            if argument.kind == "global_buffer":
                found.append(self._matrix(argument, value, names))
            else:
                kind = {4: "u32", 8: "u64"}.get(argument.size_bytes)
                if kind is None:
                    raise DeviceError(
                        Problem.LAUNCH_FAILURE, f"argument {argument.name} has {argument.size_bytes} bytes"
                    )
                found.append(ScalarArgument(argument.name, kind, value))
        x, y, z = (*grid, 1, 1)[:3]
        threads = int(np.prod(block))
        return Launch(tuple(found), threads, (x, y, z)), names

    def _matrix(self, argument: KernelArgument, address: int, names: dict[str, int]) -> MatrixArgument:
        stored = self._buffers.get(address >> ADDRESS_SHIFT)
        if stored is None or stored.buffer.address != address:
            raise DeviceError(
                Problem.LAUNCH_FAILURE, f"argument {argument.name}: {address:#x} is the address of no buffer"
            )
        name = argument.name or f"argument{argument.offset_bytes}"
        names[name] = stored.buffer.handle
        words = -(-stored.buffer.size_bytes // 4)
        content = stored.content
        return MatrixArgument(name, "i32", 1, words, init="given", content=content)

    def _handle(self) -> int:
        self._next += 1
        return self._next - 1


def _stored(execution: Execution) -> dict[str, bytes]:
    """The buffers that were stored to, without the zeros behind what was ever given or used: few of a
    matrix's elements belong to the one workgroup."""
    return {
        name: matrix.raw(max(len(matrix.argument.content), matrix.used_bytes()))
        for name, matrix in execution.matrices.items()
        if matrix.stored_to
    }
