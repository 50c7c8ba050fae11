"""Probe: one launch that asks the chip something, how it is run, and the numbers that are kept of it.

Which probe comes next may depend on what the last one said (a capacity is found by halving). So a finder gets
a *reader*: it runs a probe on a device, or finds the numbers among kept samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from struct import pack

import numpy as np
import numpy.typing as npt

from wavesim.asm.tools import link
from wavesim.calibrate.bench.samples import Progress, Samples
from wavesim.calibrate.bench.template import Body, program, source
from wavesim.calibrate.device.base import Buffer, Device, DeviceError, LoadedKernel, Problem
from wavesim.calibrate.device.virtual import VirtualDevice
from wavesim.isa.kinds import LANES

Float = npt.NDArray[np.float64]

TICK_NS = 10.0
"""s_memrealtime counts at 100 MHz (ISA manuals, SMEM instructions)."""

HEADER_BYTES = 4096
"""Of the data buffer: the words that a program reads; what it measures on lies behind them."""

TOUCH = (
    "s_waitcnt lgkmcnt(0)",
    "s_cmp_eq_u32 s24, 0",
    "s_cbranch_scc1 .Ltouched",
    ".Ltouch:",
    "global_load_dword v6, v5, s[4:5]",
    "s_waitcnt vmcnt(0)",
    "v_add_u32_e32 v5, s25, v5",
    "s_sub_u32 s24, s24, 1",
    "s_cmp_lg_u32 s24, 0",
    "s_cbranch_scc1 .Ltouch",
    ".Ltouched:",
)
"""Loads from v5 on, s24 times, s25 bytes apart, each waited for: they drive other lines out of the caches."""

VIRTUAL_LAUNCHES = 1
"""A virtual device has nothing that settles."""

ABOUT_PROBES = 80
"""How many there are depends on what they say."""

REST_S = 1.0
"""After so long without work a device is at rest: its clock is what a first launch gets."""


@dataclass(frozen=True)
class Probe:
    """One launch.

    Attributes:
        name: under which its numbers are kept.
        kernel: name of the program; probes of one name run one program.
        body: the program.
        words: the first words of the data buffer.
        virtual_words: the same for a virtual device, which simulates less; None: the same.
        content: behind the header.
        buffer_bytes: of the data buffer, behind the header.
        footprint_bytes: what it goes through: what a virtual device finds the level by.
        everywhere: one workgroup on each compute unit; else one alone.
        cold: the code is loaded anew for each repeat, which is two launches: of code that nobody has
            fetched, then of the same.
        first: the device rests before each launch.
        launches: in a row for one repeat; the last one counts.
        power: the driver is asked after each launch what the device takes.
    """

    name: str
    kernel: str
    body: Body
    words: tuple[int, ...] = ()
    virtual_words: tuple[int, ...] | None = None
    content: bytes = b""
    buffer_bytes: int = 0
    footprint_bytes: int = 0
    everywhere: bool = False
    cold: bool = False
    first: bool = False
    launches: int = 1
    power: bool = False


Reader = Callable[[Probe], Float]
"""Rows, one for each repeat: shader clocks and ticks of a workgroup (its longest wave, the mean over all
workgroups); a cold probe has the clocks of both launches; a third number is the power in mW, 0: not known."""


def from_samples(samples: Samples) -> Reader:
    """A reader of kept numbers; KeyError for a probe that was not run."""

    def read(probe: Probe) -> Float:
        return np.array(samples.clk[probe.name], np.float64)

    return read


def measuring(
    device: Device,
    samples: Samples,
    repeats: int,
    progress: Progress | None = None,
    save: Callable[[Samples], None] | None = None,
) -> Reader:
    """A reader that runs what ``samples`` does not have yet, and keeps it there.

    Raises:
        DeviceError: by the reader, if the device fails.
    """
    kept = from_samples(samples)
    kernels: dict[str, LoadedKernel] = {}
    ran: list[str] = []

    def read(probe: Probe) -> Float:
        if not samples.has(probe.name, repeats):
            if progress is not None:
                progress(probe.name, min(0.99, len(ran) / ABOUT_PROBES))
                ran.append(probe.name)
            if probe.kernel not in kernels and not probe.cold:
                kernels[probe.kernel] = _load(device, probe)
            samples.clk[probe.name] = _run(device, probe, kernels.get(probe.kernel), repeats)
            if save is not None:
                save(samples)
        return kept(probe)

    return read


def _load(device: Device, probe: Probe) -> LoadedKernel:
    arch = device.properties.arch
    if isinstance(device, VirtualDevice):
        return device.load_program(program(probe.kernel, probe.body, arch))
    return device.load(link(source(probe.kernel, probe.body, arch), arch), probe.kernel)


def _run(device: Device, probe: Probe, kernel: LoadedKernel | None, repeats: int) -> list[list[int]]:
    groups = device.properties.compute_units if probe.everywhere else 1
    virtual = isinstance(device, VirtualDevice)
    rows: list[list[int]] = []
    with _buffers(device, probe, groups) as (out, data):

        def launch(loaded: LoadedKernel, *, cold: bool = False) -> list[int]:
            if isinstance(device, VirtualDevice):
                device.use_chip(probe.footprint_bytes, cold=cold)
            return _launch(device, probe, loaded, groups, out, data)

        count = VIRTUAL_LAUNCHES if virtual else probe.launches
        if kernel is not None and not probe.first:  # what is in the caches, and how the clock settles
            for _ in range(count):
                launch(kernel)
        for _ in range(repeats):
            if probe.cold:
                kernel = kernel if virtual and kernel is not None else _load(device, probe)
                rows.append([launch(kernel, cold=cold)[0] for cold in (True, False)])
                continue
            assert kernel is not None
            if probe.first:
                device.rest(REST_S)
            rows.append([launch(kernel) for _ in range(count)][-1])
    return rows


@contextmanager
def _buffers(device: Device, probe: Probe, groups: int) -> Iterator[tuple[Buffer, Buffer]]:
    held: list[Buffer] = []
    try:
        held.append(device.allocate(8 * LANES * probe.body.waves * groups))
        virtual = isinstance(device, VirtualDevice)  # its memory is zeros, whatever is read
        size = HEADER_BYTES + (len(probe.content) if virtual else max(probe.buffer_bytes, len(probe.content)))
        held.append(device.allocate(size))
        numbers = probe.words if probe.virtual_words is None or not virtual else probe.virtual_words
        words = pack(f"<{len(numbers)}I", *numbers).ljust(HEADER_BYTES, b"\0")
        device.write(held[1], words + probe.content)
        yield held[0], held[1]
    finally:
        for buffer in held:
            device.free(buffer)


def _launch(
    device: Device, probe: Probe, kernel: LoadedKernel, groups: int, out: Buffer, data: Buffer
) -> list[int]:
    """Mean over the workgroups of the longest wave's clocks and ticks, and the power if it is asked for."""
    threads = LANES * probe.body.waves
    device.fill(out, 0)  # what is read later was stored by this launch
    arguments = out.address.to_bytes(8, "little") + data.address.to_bytes(8, "little")
    device.launch(kernel, (groups, 1, 1), (threads, 1, 1), arguments)
    power = [round(1000 * (device.power_w() or 0.0))] if probe.power else []
    stored = np.frombuffer(device.read(out), "<u4").reshape(groups, threads, 2)[:, ::LANES]
    if device.properties.virtual:
        stored = stored[:1]  # the one workgroup that it executes
    if not stored[..., 0].all():
        raise DeviceError(Problem.NO_DATA, f"{probe.name}: the device ran the program and no clock came back")
    return [*(round(float(each)) for each in stored.max(axis=1).mean(axis=0)), *power]
