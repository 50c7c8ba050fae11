"""Tile programs of every element type: reads, writes, swizzle, the expected numbers, on each architecture."""

from __future__ import annotations

from pathlib import Path

import pytest

from wavesim.checks.run import check_kernel
from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import emulate
from wavesim.errors import UserError
from wavesim.front.launch.model import LoadedKernel
from wavesim.front.tile.load import load_tile_program
from wavesim.isa.load import load_machine

KERNEL = """
kernel: k
constants: {M: 64, N: 64, K: 512, TILE: 32, STEP: 128, STAGES: 3}
workgroup: {waves: 1}
memory:
  A: {type: TYPE_A, rows: M, cols: K}
  B: {type: TYPE_B, rows: N, cols: K}
  C: {type: f32, rows: M, cols: N, init: unwritten}
lds:
  As: {type: TYPE_A, rows: TILE, cols: STEP, stages: STAGES}
  Bs: {type: TYPE_B, rows: TILE, cols: STEP, stages: STAGES}
loads:
  la: {from: A, to: As, row: grid_y * TILE, threads: 64}
  lb: {from: B, to: Bs, row: grid_x * TILE, threads: 64}
fragments:
  a: {type: TYPE_A, rows: TILE, cols: STEP}
  b: {type: TYPE_B, rows: TILE, cols: STEP}
accumulators:
  c: {rows: TILE, cols: TILE}
mfma: SHAPE
program:
- zero: c
- loop: t
  from: 0
  to: K / STEP
  unroll: 3
  body:
  - {global_load: la, col: t * STEP}
  - {global_load: lb, col: t * STEP}
  - wait: {vmcnt: 0}
  - {lds_write: la, stage: t % 3}
  - {lds_write: lb, stage: t % 3}
  - wait: {lgkmcnt: 0}
  - {lds_read: a, from: As, stage: t % 3, width: WIDTH_A}
  - {lds_read: b, from: Bs, stage: t % 3, width: WIDTH_B}
  - wait: {lgkmcnt: 0}
  - {mfma: c, a: a, b: b}
- {store: c, to: C, row: grid_y * TILE, col: grid_x * TILE}
launch:
  grid: [N / TILE, M / TILE]
  position: [1, 1]
  expect: {result: C, left: A, right: B}
  tile: {row: grid_y * TILE, col: grid_x * TILE, rows: TILE, cols: TILE}
"""


def kernel(
    a: str,
    b: str,
    shape: str,
    widths: tuple[str, str],
    arch: str,
    *,
    changes: tuple[tuple[str, str], ...] = (),
) -> LoadedKernel:
    text = KERNEL.replace("TYPE_A", a).replace("TYPE_B", b).replace("SHAPE", shape)
    text = text.replace("WIDTH_A", widths[0]).replace("WIDTH_B", widths[1])
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return load_tile_program(Path("k.yaml"), arch, {}, text)


def opcodes(loaded: LoadedKernel) -> set[str]:
    return {each.opcode for each in loaded.program.instructions if each.opcode.startswith("v_mfma")}


F8F6F4_WIDE = "v_mfma_f32_16x16x128_f8f6f4"
F8F6F4_TALL = "v_mfma_f32_32x32x64_f8f6f4"
RIGHT = [
    *[(arch, one, other, "16x16x32", "b64", "b64", f"v_mfma_f32_16x16x32_{one}_{other}")
      for arch in ("gfx942", "gfx950") for one in ("fp8", "bf8") for other in ("fp8", "bf8")],
    *[(arch, "fp8", "fp8", "32x32x16", width, width, "v_mfma_f32_32x32x16_fp8_fp8")
      for arch in ("gfx942", "gfx950") for width in ("b32", "b64", "b128")],
    ("gfx942", "fp8", "fp8", "widest", "b64", "b64", "v_mfma_f32_16x16x32_fp8_fp8"),
    ("gfx942", "bf8", "fp8", "widest32", "b128", "b128", "v_mfma_f32_32x32x16_bf8_fp8"),
    ("gfx950", "fp8", "fp8", "widest", "b64", "b64", F8F6F4_WIDE),
    ("gfx950", "fp8", "bf8", "widest32", "b128", "b128", F8F6F4_TALL),
    ("gfx950", "fp4", "fp4", "widest", "b32", "b32", F8F6F4_WIDE),
    ("gfx950", "fp4", "fp4", "32x32x64", "b128", "b128", F8F6F4_TALL),
    ("gfx950", "fp6", "fp6", "widest", "b96", "b96", F8F6F4_WIDE),
    ("gfx950", "bf6", "fp6", "widest32", "b96", "b96", F8F6F4_TALL),
    ("gfx950", "fp8", "fp4", "widest", "b128", "b128", F8F6F4_WIDE),
    ("gfx950", "fp4", "bf8", "widest32", "b128", "b128", F8F6F4_TALL),
    ("gfx950", "fp4", "fp6", "widest", "b64", "b96", F8F6F4_WIDE),
    ("gfx950", "bf6", "fp4", "widest32", "b96", "b64", F8F6F4_TALL),
]  # fmt: skip


@pytest.mark.parametrize(("arch", "a", "b", "shape", "width_a", "width_b", "opcode"), RIGHT)
def test_right_numbers(
    arch: str, a: str, b: str, shape: str, width_a: str, width_b: str, opcode: str
) -> None:
    """The product of the stored elements, and nothing that a rule of check minds."""
    loaded = kernel(a, b, shape, (width_a, width_b), arch)
    assert opcodes(loaded) == {opcode}
    result = check_kernel(loaded, load_machine(arch))
    assert result.numerics is not None
    assert result.numerics.checked
    assert result.numerics.ok, result.numerics.message
    assert not [finding for finding in result.findings if finding.is_bad]


@pytest.mark.parametrize("rows", [4, 16, 64])
@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_swizzled_fp8(arch: str, rows: int) -> None:
    """Rows of 128 bytes have 16 places of 8 bytes; a swizzle over more rows begins again."""
    swizzle = f"stages: STAGES, swizzle: {{unit_bytes: 8, rows: {rows}}}}}"
    loaded = kernel("fp8", "fp8", "16x16x32", ("b64", "b64"), arch, changes=(("stages: STAGES}", swizzle),))
    numerics = check_numerics(emulate(loaded.program, loaded.launch, load_machine(arch)), loaded.launch)
    assert numerics.checked
    assert numerics.ok


REFUSED = [
    ("gfx942", "fp4", "fp4", "widest", "b64", "b64", "no MFMA 16x16 of fp4 on gfx942", "bf16, f16, fp8"),
    ("gfx950", "fp8", "fp8", "16x16x16", "b64", "b64", "no MFMA 16x16x16 of fp8", "16x16x128, 16x16x32"),
    ("gfx942", "fp8", "bf16", "widest", "b64", "b128", "of fp8 and bf16 on gfx942", "fp8 and bf8"),
    ("gfx950", "fp6", "fp6", "widest", "b64", "b64", "reads parts of elements of 6 bits", "b96"),
    ("gfx950", "fp8", "fp4", "widest", "b64", "b64", "b (fp4) 64", "4-bit elements at b128"),
    ("gfx950", "i8", "i8", "widest", "b64", "b64", "'i8'", "one of bf16, f16, fp8"),
]  # fmt: skip


@pytest.mark.parametrize(("arch", "a", "b", "shape", "width_a", "width_b", "words", "hint"), REFUSED)
def test_refused_with_what_is_possible(
    arch: str, a: str, b: str, shape: str, width_a: str, width_b: str, words: str, hint: str
) -> None:
    with pytest.raises(UserError) as caught:
        kernel(a, b, shape, (width_a, width_b), arch)
    assert words in str(caught.value)
    assert hint in str(caught.value)
    assert caught.value.span is not None
    assert caught.value.span.line > 1


def test_columns_that_no_shape_divides_are_refused_with_the_shapes() -> None:
    with pytest.raises(UserError, match="64 columns are no multiple of the MFMA's k = 128") as caught:
        kernel("fp4", "fp4", "widest", ("b64", "b64"), "gfx950", changes=(("STEP: 128", "STEP: 64"),))
    assert "16x16x128, 32x32x64" in str(caught.value)


def test_a_fragment_of_another_type_is_refused_with_its_declaration() -> None:
    with pytest.raises(UserError, match="a fragment of bf16 from a buffer of fp8") as caught:
        kernel("fp8", "fp8", "widest", ("b64", "b64"), "gfx942", changes=(("a: {type: fp8, ", "a: {"),))
    assert "a: {type: fp8, ...}" in str(caught.value)


@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
@pytest.mark.parametrize("dtype", ["fp8", "bf8", "bf16"])
def test_the_shipped_kernel(root: Path, arch: str, dtype: str) -> None:
    """kernels/fp8_triple_buffer.yaml is clean and right, also with another type put in everywhere."""
    path = root / "kernels" / "fp8_triple_buffer.yaml"
    text = path.read_text().replace("type: fp8", f"type: {dtype}")
    loaded = load_tile_program(path, arch, {"K": "512", "K_STEP": "32" if dtype == "bf16" else "64"}, text)
    result = check_kernel(loaded, load_machine(arch))
    assert result.numerics is not None
    assert result.numerics.checked
    assert not [finding for finding in result.findings if finding.is_bad]
