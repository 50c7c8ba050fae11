"""The ladder: every correct kernel is right, free of hazards and races, and is real assembly."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import pytest

from wavesim.asm.printer import print_program
from wavesim.asm.text.parse import parse_program
from wavesim.asm.tools import MissingTool, assemble_object
from wavesim.checks.run import check_kernel
from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import emulate
from wavesim.front.launch.model import LoadedKernel
from wavesim.front.tile.load import load_tile_program
from wavesim.isa.load import load_machine
from wavesim.isa.paths import data_dir
from wavesim.trace import Kind

KERNELS = data_dir("kernels")
CORRECT = ("4wave", "8wave", "8wave_pingpong", "8wave_256")
SEED = ("seed/v0", "seed/v1", "seed/v2", "seed/v3", "seed/v4")


@cache
def load(name: str, arch: str, *settings: str) -> LoadedKernel:
    pairs = (each.partition("=") for each in settings)
    return load_tile_program(KERNELS / f"{name}.yaml", arch, {key: value for key, _, value in pairs})


def array_clk(kernel: LoadedKernel, arch: str) -> dict[str, set[int]]:
    """Bank-array clocks of each LDS opcode."""
    trace = emulate(kernel.program, kernel.launch, load_machine(arch)).trace
    found: dict[str, set[int]] = {}
    for wave in trace.waves:
        for index, clk in zip(wave.code, wave.array_clk, strict=True):
            if trace.code[index].kind in (Kind.LDS_READ, Kind.LDS_WRITE):
                found.setdefault(trace.code[index].instruction.opcode, set()).add(int(clk))
    return found


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
@pytest.mark.parametrize("name", CORRECT)
def test_correct_kernels_are_right_and_clean(name: str, arch: str) -> None:
    result = check_kernel(load(name, arch, "K=256"), load_machine(arch))
    assert result.numerics is not None
    assert result.numerics.checked
    assert result.numerics.ok, result.numerics.message
    assert not [finding for finding in result.findings if finding.is_bad]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("8wave", ("K=320", "UNROLL=2")),
        ("8wave", ("K=384", "UNROLL=2")),
        ("8wave", ("K=64",)),
        ("8wave", ("K=256", "SWIZZLE_BYTES=16", "SWIZZLE_ROWS=8")),
        ("8wave", ("K=192", "SWIZZLE_BYTES=0")),
        ("8wave", ("M=384", "N=256", "K=128")),
        ("4wave", ("K=192", "UNROLL=2", "WORKGROUPS=2")),
        ("8wave_pingpong", ("K=320", "UNROLL=2")),
        ("8wave_pingpong", ("K=192", "STAGGER=0")),
        ("8wave_256", ("K=128", "STAGGER=0")),
    ],
)
def test_variants_are_right(name: str, settings: tuple[str, ...]) -> None:
    kernel = load(name, "gfx942", *settings)
    numerics = check_numerics(emulate(kernel.program, kernel.launch, load_machine("gfx942")), kernel.launch)
    assert numerics.ok, numerics.message


def test_the_full_depth_is_right() -> None:
    kernel = load("8wave", "gfx942")
    assert kernel.launch.matrix("A").cols == 8192
    numerics = check_numerics(emulate(kernel.program, kernel.launch, load_machine("gfx942")), kernel.launch)
    assert numerics.ok
    assert numerics.max_rel_error is not None
    assert numerics.max_rel_error <= 1e-5


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
@pytest.mark.parametrize("name", CORRECT)
def test_the_ladder_has_no_bank_conflicts(name: str, arch: str) -> None:
    free = load_machine(arch).parameters.lds_array_clk
    found = array_clk(load(name, arch, "K=128"), arch)
    assert found == {
        "ds_read_b64": {free["read", 8]},
        "ds_write_b64": {free["write", 8]},
    }


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_the_wide_swizzle_has_two_way_conflicts(arch: str) -> None:
    free = load_machine(arch).parameters.lds_array_clk
    kernel = load("8wave", arch, "K=128", "SWIZZLE_BYTES=16", "SWIZZLE_ROWS=8")
    assert array_clk(kernel, arch)["ds_read_b64"] == {2 * free["read", 8]}


def test_the_half_split_is_what_it_says() -> None:
    program = load("8wave", "gfx942").program
    start, end = sorted(
        [
            program.labels[next(iter(program.labels))],
            next(i for i, each in enumerate(program) if each.opcode == "s_cbranch_scc1"),
        ]
    )
    body = [each.opcode for each in program.instructions[start:end]]
    assert body.count("ds_read_b64") == 24
    assert body.count("v_mfma_f32_16x16x16_bf16") == 32
    assert body.count("global_load_dwordx4") == 4
    assert body.count("s_barrier") == 2
    first_mfma = body.index("v_mfma_f32_16x16x16_bf16")
    assert "s_waitcnt" not in body[body.index("ds_read_b64") : first_mfma]
    assert load("8wave", "gfx950").program.instructions != program.instructions
    assert "v_mfma_f32_16x16x32_bf16" in {each.opcode for each in load("8wave", "gfx950").program}


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
@pytest.mark.parametrize("name", CORRECT + SEED)
def test_lowered_assembly_is_the_program_and_assembles(name: str, arch: str) -> None:
    program = load(name, arch).program
    text = print_program(program)
    parsed = parse_program(text, "printed.s")
    assert len(parsed) == len(program)
    assert all(one.same_code(other) for one, other in zip(parsed, program, strict=True))
    assert parsed.labels == program.labels
    assert (parsed.addresses, parsed.sizes) == (program.addresses, program.sizes)
    assert parsed.metadata.lds_bytes == program.metadata.lds_bytes
    assert parsed.metadata.vgprs == program.metadata.vgprs
    assert parsed.metadata.arguments == program.metadata.arguments
    try:
        assert assemble_object(text, arch)
    except MissingTool as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", CORRECT + SEED)
def test_every_instruction_knows_its_line(name: str) -> None:
    kernel = load(name, "gfx942")
    lines = Path(kernel.file).read_text().splitlines()
    for instruction in kernel.program:
        assert instruction.span is not None
        assert instruction.span.file == kernel.file
        assert 1 <= instruction.span.line <= len(lines)
    words = {"v_mfma": "mfma", "global_load": "global_load", "ds_read_b64": "lds_read"}
    for instruction in kernel.program:
        for opcode, word in words.items():
            if instruction.opcode.startswith(opcode):
                assert instruction.span is not None
                assert word in lines[instruction.span.line - 1]
    assert kernel.about
    assert kernel.program.file == kernel.file


def test_loading_is_quick() -> None:
    load_tile_program(KERNELS / "8wave.yaml", "gfx942")
    start = time.perf_counter()
    load_tile_program(KERNELS / "8wave.yaml", "gfx942")
    assert time.perf_counter() - start < 1, "some 50 ms are usual"
