"""What fits on a compute unit: waves by registers and slots, workgroups by these and by LDS.

CDNA3 ISA §3.6 and §3.7: VGPRs and AGPRs come from one pool, and all waves of a workgroup are resident
together. Waves go to the SIMDs in turn, those of the next workgroup where the last one's ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.front.launch.model import Launch, LoadedKernel
from wavesim.isa.kinds import LANES
from wavesim.isa.machine import CUS_KEY, Machine
from wavesim.limits import MAX_WAVES, MAX_WAVES_IN_ALL
from wavesim.program import Finding, KernelMetadata, Program, Severity
from wavesim.trace import Room
from wavesim.words import counted

UNSTATED_THREADS = 1024
"""What compilers write as a kernel's largest workgroup where the source says nothing."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What of a kernel fits: ``waves_per_simd`` by its registers, workgroups by registers and by LDS."""

    waves_per_simd: int
    by_registers: int
    by_lds: int

    @property
    def workgroups(self) -> int:
        """Workgroups that fit together; 0 where not even one does."""
        return min(self.by_registers, self.by_lds)


def fit(metadata: KernelMetadata, machine: Machine, waves: int) -> Fit:
    """What fits of a kernel with workgroups of ``waves`` waves (of registers not stated, any number)."""
    per_simd = machine.waves_per_simd(metadata.vgprs)
    allocated = machine.lds_allocated_bytes(metadata.lds_bytes)
    most = MAX_WAVES // waves
    by_registers = per_simd * machine.parameters.structure_simds // waves
    by_lds = machine.integer("lds.size_bytes") // allocated if allocated else most
    return Fit(per_simd, min(most, by_registers), min(most, by_lds))


def most_threads(metadata: KernelMetadata) -> int:
    """Threads of the largest workgroup that the kernel was compiled for; 0 where it does not say."""
    return required_threads(metadata) or metadata.workgroup_size


def required_threads(metadata: KernelMetadata) -> int:
    """Threads of the only workgroup that it was compiled for (``reqd_workgroup_size``); 0 for none."""
    sizes = required_shape(metadata)
    return prod(sizes) if sizes else 0


def required_shape(metadata: KernelMetadata) -> tuple[int, ...]:
    """The same in x, y and z; empty for none."""
    text = metadata.extra.get("reqd_workgroup_size", "")
    return tuple(int(size) for size in text.split(",") if size.strip().isdigit())


def refuse_workgroup(metadata: KernelMetadata, threads: int, option: str, span: SourceSpan) -> None:
    """Refuses a workgroup that the kernel was not compiled for.

    Raises:
        UserError: with what the metadata says.
    """
    most, required = most_threads(metadata), required_threads(metadata)
    if required and threads != required:
        sizes = metadata.extra["reqd_workgroup_size"].replace(",", " x ")
        message = f"{option}: the kernel was compiled for workgroups of {sizes}, not of {threads} threads"
        raise UserError(message, span, f"a workgroup of {required} threads")
    if most and threads > most:
        message = f"{option}: the kernel was compiled for workgroups of at most {most} threads, not {threads}"
        raise UserError(message, span, f"at most {most // LANES or 1} waves (.max_flat_workgroup_size)")


def refuse_waves(
    metadata: KernelMetadata, machine: Machine, waves: int, option: str, span: SourceSpan
) -> None:
    """Refuses waves whose registers a compute unit does not have.

    Raises:
        UserError: with how many fit.
    """
    room = machine.waves_per_simd(metadata.vgprs) * machine.parameters.structure_simds
    if waves > room:
        raise UserError(
            f"{option}: {metadata.vgprs} VGPRs and AGPRs of each wave leave room for {room} waves on a "
            f"compute unit; these are {waves}",
            span,
            f"at most {room} waves, {room * LANES} threads",
        )


def default_waves(metadata: KernelMetadata, machine: Machine, usual: int) -> int:
    """Waves of a workgroup where nobody says: those the kernel was compiled for, else ``usual``; but no more
    than have their registers."""
    most = most_threads(metadata)
    stated = 0 < most < UNSTATED_THREADS or required_threads(metadata)
    wanted = -(-most // LANES) if stated else usual
    room = machine.waves_per_simd(metadata.vgprs) * machine.parameters.structure_simds
    return max(1, min(wanted, room))


def on_one_unit(kernel: LoadedKernel, machine: Machine, wanted: int | None) -> LoadedKernel:
    """The kernel with as many workgroups of its launch as share a compute unit (or ``wanted``), from the
    stated one on in the order of dispatch. Expected is what was expected of the stated one.

    A launch is spread over all compute units of the device before any gets a second workgroup, so that
    a small one leaves each with fewer than would fit.

    Raises:
        UserError: so many do not fit, or the launch does not have them.
    """
    launch = kernel.launch
    launched = launch.grid[0] * launch.grid[1] * launch.grid[2]
    waves = max(1, -(-launch.workgroup_size // LANES))
    found = fit(kernel.program.metadata, machine, waves)
    span = SourceSpan(kernel.file)
    if wanted is not None and wanted > max(1, found.workgroups):
        metadata = kernel.program.metadata
        raise UserError(
            f"--workgroups {wanted}: {waves} waves with {metadata.vgprs} VGPRs and AGPRs each leave room for "
            f"{found.by_registers} on a compute unit, {metadata.lds_bytes} bytes of LDS for {found.by_lds}",
            span,
            f"at most --workgroups {max(1, found.workgroups)}",
        )
    if wanted is not None and wanted > launched and launch.arguments:
        raise UserError(f"--workgroups {wanted}: the launch has {launched}", span, "grid: of the launch file")
    share = -(-launched // machine.integer(CUS_KEY))
    count = wanted or max(1, min(found.workgroups, share))
    return replace(kernel, launch=_with_workgroups(launch, count))


def followed(kernel: LoadedKernel, machine: Machine, rounds: int, wanted: int | None = None) -> LoadedKernel:
    """The kernel with the workgroups that follow on its compute unit: ``rounds`` times those that share it in
    all, but no more than the launch has for each. ``wanted`` is how many were asked to share it.

    Raises:
        LimitExceeded: too many waves.
    """
    launch = kernel.launch
    x, y, z = launch.grid
    waves = max(1, -(-launch.workgroup_size // LANES))
    now = len(launch.workgroups)
    count = min(rounds * now, -(-x * y * z // machine.integer(CUS_KEY)))
    if count <= now:
        return kernel
    if count * waves > MAX_WAVES_IN_ALL:
        raise LimitExceeded(
            f"--rounds {rounds}: {counted(count, 'workgroup')} of {counted(waves, 'wave')}; at most "
            f"{MAX_WAVES_IN_ALL} waves are simulated one after the other",
            SourceSpan(kernel.file),
        )
    last = launch.workgroups[-1]
    begin = last[0] + x * (last[1] + y * last[2]) + 1
    numbers = [n % (x * y * z) for n in range(begin, begin + count - now)]
    more = tuple((n % x, n // x % y, n // (x * y)) for n in numbers)
    found = fit(kernel.program.metadata, machine, waves)
    most = now if wanted is not None or launch.states_sharing else max(now, found.by_lds)
    room = Room(found.waves_per_simd, most)
    launch = replace(launch, workgroups=(*launch.workgroups, *more), together=now, room=room)
    return replace(kernel, launch=launch)


def _with_workgroups(launch: Launch, count: int) -> Launch:
    """``count`` workgroups of the grid, the stated one among them; without a launch, the same one again."""
    x, y, z = launch.grid
    first = launch.workgroups[0]
    if count > x * y * z:
        return replace(launch, workgroups=(first,) * count)
    if count == 1 or not all(0 <= place < size for place, size in zip(first, launch.grid, strict=True)):
        return launch
    start = min(first[0] + x * (first[1] + y * first[2]), x * y * z - count)
    numbers = range(start, start + count)
    return replace(launch, workgroups=tuple((n % x, n // x % y, n // (x * y)) for n in numbers))


def occupancy(program: Program, machine: Machine, waves: int) -> Iterator[Finding]:
    """Whether a workgroup of ``waves`` waves fits on a compute unit, and how many fit together: rules
    lds-overflow, register-overflow and the occupancy note."""
    metadata, span = program.metadata, (SourceSpan(program.file),)
    places = {name: (place,) for name, place in metadata.places.items()}
    found, limit_bytes = fit(metadata, machine, waves), machine.integer("lds.size_bytes")
    if metadata.lds_bytes > limit_bytes:
        yield Finding(
            "lds-overflow",
            Severity.ERROR,
            f"the workgroup allocates {metadata.lds_bytes} bytes of LDS; {machine.arch} has {limit_bytes}",
            places.get("lds_bytes", span),
            fix="use fewer stages or smaller tiles",
        )
        return
    simds, slots = machine.parameters.structure_simds, machine.parameters.structure_wave_slots_per_simd
    needed = -(-waves // simds)
    if not found.by_registers:
        room = found.waves_per_simd
        yield Finding(
            "register-overflow",
            Severity.ERROR,
            f"{metadata.vgprs} VGPRs per wave leave room for {counted(room, 'wave')} on a SIMD; "
            f"the workgroup needs {needed}",
            places.get("vgprs", span),
            fix=f"use at most {machine.integer('structure.simd_vgprs') // needed} VGPRs and AGPRs together",
        )
        return
    limit = "wave slots" if found.waves_per_simd == slots else "registers"
    if found.by_lds < found.by_registers:
        limit = "LDS"
    workgroups = found.workgroups
    yield Finding(
        "occupancy",
        Severity.NOTE,
        f"{metadata.vgprs} VGPRs and {metadata.lds_bytes} bytes of LDS: {workgroups} "
        f"workgroup{'s' * (workgroups != 1)} and {-(-workgroups * waves // simds)} of {slots} waves per SIMD "
        f"fit on a compute unit (limited by {limit})",
        span,
    )
