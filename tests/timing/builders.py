"""Hand-made traces for the timing tests: one function per kind of instruction, then waves, then a Trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from wavesim.isa.load import load_machine
from wavesim.isa.timing_parameters import TimingParameters
from wavesim.program import Instruction, KernelMetadata, Program
from wavesim.trace import UNKNOWN, CodeEntry, Kind, Spin, Trace, WaveTrace
from wavesim.trace.code import ALONE as ALONE
from wavesim.trace.code import SGPR_EXEC, SlotShare

MFMA_942 = "v_mfma_f32_16x16x16_bf16"
MFMA_950 = "v_mfma_f32_16x16x32_bf16"
MFMA_SCALED = "v_mfma_scale_f32_16x16x128_f8f6f4"


LATENCY_CLK = 1100
"""Of a global load, unless a test says something else."""


def parameters(arch: str = "gfx942", **changes: object) -> TimingParameters:
    """The stock machine's numbers, fields replaced. The latency of memory is the tests' own."""
    given: dict[str, object] = {"memory_latency_clk": LATENCY_CLK, **changes}
    return replace(load_machine(arch).parameters, **given)  # type: ignore[arg-type]


def _entry(kind: Kind, opcode: str, size_bytes: int = 4, **facts: object) -> CodeEntry:
    return CodeEntry(Instruction(opcode), kind, size_bytes=size_bytes, **facts)  # type: ignore[arg-type]


FREE = SlotShare(2, 2)
"""Goes beside any that is not alone."""


def valu(
    share: SlotShare = FREE, *, writes_sgpr: bool = False, size_bytes: int = 4, **facts: object
) -> CodeEntry:
    """A VALU instruction of one slot (unless ``multi_slot``)."""
    return _entry(Kind.VALU, "v_add_u32", size_bytes, share=share, writes_sgpr=writes_sgpr, **facts)


def trans() -> CodeEntry:
    """A transcendental."""
    return _entry(Kind.TRANS, "v_exp_f32")


def mfma(opcode: str = MFMA_942, vgprs: int = 2, *, fmt: str = "", scaled: bool = False) -> CodeEntry:
    """An MFMA; ``vgprs``: of the larger of A and B."""
    return _entry(
        Kind.MFMA,
        opcode,
        16 if scaled else 8,
        mfma=opcode,
        mfma_source_vgprs=vgprs,
        mfma_format=fmt,
        scaled=scaled,
    )


def lds_read(width_bytes: int = 8) -> CodeEntry:
    """An LDS read of ``width_bytes`` per lane."""
    return _entry(Kind.LDS_READ, f"ds_read_b{8 * width_bytes}", 8, width_bytes=width_bytes, lgkm_increment=1)


def lds_write(width_bytes: int = 8) -> CodeEntry:
    """An LDS write of ``width_bytes`` per lane."""
    return _entry(
        Kind.LDS_WRITE,
        f"ds_write_b{8 * width_bytes}",
        8,
        width_bytes=width_bytes,
        data_bytes=max(4, width_bytes),
        lgkm_increment=1,
    )


def lds_exchange(data_bytes: int = 4, width_bytes: int = 4) -> CodeEntry:
    """A permutation of lanes, or an LDS atomic that returns: it sends ``data_bytes`` and reads."""
    return _entry(
        Kind.LDS_READ, "ds_bpermute_b32", 8, width_bytes=width_bytes, data_bytes=data_bytes, lgkm_increment=1
    )


def load(width_bytes: int = 16, *, to_lds: bool = False, reads: Iterable[int] = ()) -> CodeEntry:
    """A global load; ``reads``: SGPRs beside EXEC."""
    return _entry(
        Kind.VMEM_LOAD,
        "buffer_load_dwordx4",
        8,
        width_bytes=width_bytes,
        vm_increment=1,
        to_lds=to_lds,
        sgpr_reads=frozenset({SGPR_EXEC, *reads}),
    )


def store(width_bytes: int = 16) -> CodeEntry:
    """A global store."""
    return _entry(
        Kind.VMEM_STORE,
        "buffer_store_dwordx4",
        8,
        width_bytes=width_bytes,
        vm_increment=1,
        sgpr_reads=frozenset({SGPR_EXEC}),
    )


def salu(*, writes: Iterable[int] = (), size_bytes: int = 4) -> CodeEntry:
    """A SALU instruction that writes the given SGPRs."""
    return _entry(Kind.SALU, "s_add_u32", size_bytes, sgpr_writes=frozenset(writes))


def smem(dwords: int = 2) -> CodeEntry:
    """A scalar load."""
    return _entry(
        Kind.SMEM, f"s_load_dwordx{dwords}", 8, width_bytes=4 * dwords, lgkm_increment=1 if dwords < 2 else 2
    )


def branch() -> CodeEntry:
    """A branch that is always taken."""
    return _entry(Kind.BRANCH, "s_branch")


def cbranch() -> CodeEntry:
    """A conditional branch; the wave's row says whether it is taken."""
    return _entry(Kind.COND_BRANCH, "s_cbranch_scc1")


def wait(*, lgkm: int | None = None, vm: int | None = None) -> CodeEntry:
    """An s_waitcnt."""
    return _entry(Kind.WAIT, "s_waitcnt", wait_lgkmcnt=lgkm, wait_vmcnt=vm)


def nop(k: int = 0) -> CodeEntry:
    """s_nop k: k + 1 slots."""
    return _entry(Kind.NOP, "s_nop", nop_slots=k + 1)


def barrier() -> CodeEntry:
    """An s_barrier."""
    return _entry(Kind.BARRIER, "s_barrier")


def setprio(priority: int) -> CodeEntry:
    """An s_setprio."""
    return _entry(Kind.SETPRIO, "s_setprio", priority=priority)


def sleep(units: int) -> CodeEntry:
    """An s_sleep."""
    return _entry(Kind.SLEEP, "s_sleep", sleep_units=units)


def endpgm() -> CodeEntry:
    """The end of a wave."""
    return _entry(Kind.ENDPGM, "s_endpgm")


def laid_out(entries: Iterable[CodeEntry], base: int = 0) -> tuple[CodeEntry, ...]:
    """The same entries at consecutive addresses from ``base`` bytes."""
    placed = []
    address = base
    for entry in entries:
        placed.append(replace(entry, address=address))
        address += entry.size_bytes
    return tuple(placed)


def one_chunk(entries: Iterable[CodeEntry]) -> tuple[CodeEntry, ...]:
    """The same entries all at address 0: no fetch effects, whatever their number."""
    return tuple(replace(entry, address=0, size_bytes=4) for entry in entries)


def wave(
    rows: Sequence[int],
    *,
    simd: int = 0,
    number: int = 0,
    workgroup: int = 0,
    start_clk: int = 0,
    taken: Iterable[int] = (),
    array_clk: Mapping[int, int] | None = None,
    memory_bytes: Mapping[int, int] | None = None,
    memory_latency_clk: Mapping[int, int] | None = None,
    memory_path_clk16: Mapping[int, int] | None = None,
    memory_hit_bytes: Mapping[int, int] | None = None,
    spins: tuple[Spin, ...] = (),
) -> WaveTrace:
    """One wave that executes the code entries ``rows``; ``taken`` and the mappings are by row."""

    def column(values: Mapping[int, int] | None) -> np.ndarray:
        filled = np.full(len(rows), UNKNOWN, np.int32)
        for row, value in (values or {}).items():
            filled[row] = value
        return filled

    taken_rows = np.zeros(len(rows), np.bool_)
    taken_rows[list(taken)] = True
    return WaveTrace(
        wave=number,
        workgroup=workgroup,
        simd=simd,
        slot=number // 4,
        start_clk=start_clk,
        code=np.array(rows, np.int32),
        array_clk=column(array_clk),
        memory_bytes=column(memory_bytes),
        taken=taken_rows,
        memory_latency_clk=column(memory_latency_clk),
        memory_path_clk16=np.maximum(column(memory_path_clk16), 0),
        memory_hit_bytes=np.maximum(column(memory_hit_bytes), 0),
        spins=spins,
    )


def trace(
    code: Sequence[CodeEntry], waves: Sequence[WaveTrace], arch: str = "gfx942", **rest: object
) -> Trace:
    """A Trace of ``waves`` (in order of age) over ``code``."""
    program = Program(
        "hand_made",
        arch,
        tuple(entry.instruction for entry in code),
        {},
        KernelMetadata(),
        tuple(entry.address for entry in code),
        tuple(entry.size_bytes for entry in code),
    )
    return Trace(arch, program, tuple(code), tuple(waves), **rest)  # type: ignore[arg-type]


def streams(
    bodies: Mapping[int, Sequence[CodeEntry]] | Sequence[Sequence[CodeEntry]],
    arch: str = "gfx942",
    *,
    fetch: bool = False,
) -> Trace:
    """Straight-line streams, wave i (SIMD i mod 4; or the SIMD that is its key); ``s_endpgm`` is added.

    Without ``fetch`` all code is in one chunk, so that fetch costs nothing.
    """
    items = (
        list(bodies.items()) if isinstance(bodies, Mapping) else [(i % 4, b) for i, b in enumerate(bodies)]
    )
    code: list[CodeEntry] = []
    waves = []
    for number, (simd, body) in enumerate(items):
        first = len(code)
        code += [*body, endpgm()]
        waves.append(wave(range(first, len(code)), simd=simd, number=number))
    placed = laid_out(code) if fetch else one_chunk(code)
    return trace(placed, waves, arch)
