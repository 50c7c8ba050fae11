"""What a launch may say: element types, scalars, one dimension, a result's tile, formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wavesim.emulate.elements import PACKED, SIZES, STORAGE, decode, encode, pack, unpack
from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import emulate
from wavesim.errors import SourceSpan, UserError
from wavesim.front.assembled import load_assembly
from wavesim.front.launch.file import MATRIX_TYPES, LaunchOptions, parse_argument
from wavesim.front.launch.formula import FUNCTIONS, evaluate_formula, names_in
from wavesim.front.launch.model import LoadedKernel, MatrixArgument, ScalarArgument
from wavesim.isa.load import load_machine

SPAN = SourceSpan("here")

SCALED = """
	.amdgcn_target "amdgpu9.42-amd-amdhsa-unknown-gfx942"
	.text
scaled:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	s_load_dword s8, s[0:1], 0x10
	v_lshlrev_b32 v1, 2, v0
	s_waitcnt lgkmcnt(0)
	global_load_dword v2, v1, s[4:5]
	s_waitcnt vmcnt(0)
	v_mul_f32 v2, s8, v2
	v_max_f32 v2, 0, v2
	global_store_dword v1, v2, s[6:7]
	s_endpgm
	.amdhsa_kernel scaled
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
	.amdgpu_metadata
---
amdhsa.kernels:
  - .args:
      - {.address_space: global, .offset: 0, .size: 8, .value_kind: global_buffer}
      - {.address_space: global, .offset: 8, .size: 8, .value_kind: global_buffer}
      - {.offset: 16, .size: 4, .value_kind: by_value}
      - {.address_space: global, .offset: 24, .size: 8, .value_kind: global_buffer}
      - {.address_space: global, .offset: 32, .size: 8, .value_kind: global_buffer}
    .group_segment_fixed_size: 0
    .kernarg_segment_align: 8
    .kernarg_segment_size: 40
    .max_flat_workgroup_size: 64
    .name: scaled
    .private_segment_fixed_size: 0
    .sgpr_count: 16
    .symbol: scaled.kd
    .vgpr_count: 8
    .wavefront_size: 64
amdhsa.version: [1, 2]
...
	.end_amdgpu_metadata
"""


def scaled(
    tmp_path: Path, expect: str, *, arguments: tuple[str, ...] = (), tile: str = "1,64"
) -> LoadedKernel:
    path = tmp_path / "scaled.s"
    path.write_text(SCALED)
    given = arguments or ("x=f32[64]:random", "y=f32[64]:unwritten", "factor=-2.5")
    return load_assembly(path, None, {}, LaunchOptions(None, given, 64, None, expect, tile))


@pytest.mark.parametrize(
    ("expect", "right"),
    [("y = relu(factor * x)", True), ("y = maximum(x * factor, 0)", True), ("y = x * factor", False)],
)
def test_a_formula_is_checked_and_scratch_pointers_may_be_left_out(
    tmp_path: Path, expect: str, right: bool
) -> None:
    kernel = scaled(tmp_path, expect)
    execution = emulate(kernel.program, kernel.launch, load_machine("gfx942"))
    numerics = check_numerics(execution, kernel.launch)
    assert (numerics.checked, numerics.ok) == (True, right)


def test_a_tile_of_four_numbers_says_where(tmp_path: Path) -> None:
    kernel = scaled(tmp_path, "y = relu(factor * x)", tile="0,16,1,32")
    assert kernel.launch.expect is not None
    assert dict(kernel.launch.expect.tiles) == {(0, 0, 0): (0, 16, 1, 32)}
    execution = emulate(kernel.program, kernel.launch, load_machine("gfx942"))
    assert check_numerics(execution, kernel.launch).element_count == 32


def test_too_few_arguments_are_refused(tmp_path: Path) -> None:
    kernel = scaled(tmp_path, "y = x", arguments=("x=f32[64]", "y=f32[64]"))
    with pytest.raises(UserError, match="takes 5 arguments, the launch gives 2"):
        emulate(kernel.program, kernel.launch, load_machine("gfx942"))


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("y", "cannot be read"),
        ("y = z * 2", "names 'z'"),
        ("q = x", "names 'q'"),
        ("y = x.__class__", "not a formula"),
        ("y = open(x)", "not a formula"),
        ("y = x if x else y", "not a formula"),
        ("y = softmax(x, x)", "not a formula"),
        ("y = 'x'", "not a formula"),
        ("y = x[::2]", "not a formula"),
        ("y = " + "(" * 300 + "x" + ")" * 300, "formula"),
    ],
)
def test_what_is_no_formula(tmp_path: Path, expect: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        scaled(tmp_path, expect)


def test_shapes_that_do_not_fit(tmp_path: Path) -> None:
    for expect, words in (
        ("y = 2 * x @ x", "matmul"),
        ("y = x.T", "64 x 1 elements"),
        ("y = x[0:1, 0:3]", "1 x 3"),
    ):
        kernel = scaled(tmp_path, expect)
        execution = emulate(kernel.program, kernel.launch, load_machine("gfx942"))
        with pytest.raises(UserError, match=words):
            check_numerics(execution, kernel.launch)


def test_formulas() -> None:
    generator = np.random.default_rng(1)
    q, k, v = (generator.normal(size=(4, 4)) for _ in range(3))
    values = {"Q": q, "K": k, "V": v, "s": np.asarray(0.5)}
    assert sorted(names_in("softmax(causal(Q @ K.T) * s) @ V")) == ["K", "Q", "V", "s"]
    scores = np.where(np.tril(np.ones((4, 4))) > 0, q @ k.T * 0.5, -np.inf)
    power = np.exp(scores)
    wanted = power / power.sum(axis=1, keepdims=True) @ v
    assert np.allclose(evaluate_formula("softmax(causal(Q @ K.T) * s) @ V", values.__getitem__), wanted)
    normal = "(Q - mean(Q)) * rsqrt(var(Q) + 1e-5)"
    assert np.allclose(evaluate_formula(normal, values.__getitem__).std(axis=1), 1, atol=1e-3)
    assert np.allclose(evaluate_formula("-Q[1:3, 2:] ** 2", values.__getitem__), -(q[1:3, 2:] ** 2))
    for name, (count, _) in FUNCTIONS.items():
        text = f"{name}({', '.join(['Q', 'K'][:count])})"
        assert evaluate_formula(text, values.__getitem__).shape in ((4, 4), (4, 1)), name


@pytest.mark.parametrize(
    ("text", "dtype", "value"),
    [
        ("a=1e-5", "f32", 1e-5),
        ("a=f32:1e-05", "f32", 1e-5),
        ("a=0.125", "f32", 0.125),
        ("a=f64:-3", "f64", -3.0),
        ("a=-inf", "f32", float("-inf")),
        ("a=512", "i32", 512),
        ("a=0x10", "i32", 16),
        ("a=2*K", "i32", 64),
        ("a=i8:1", "i8", 1),
    ],
)
def test_scalars(text: str, dtype: str, value: float) -> None:
    assert parse_argument(text, 0, {"K": 32}, SPAN) == ScalarArgument("a", dtype, value)


def test_one_dimension_is_one_row() -> None:
    argument = parse_argument("x=f32[2*K]:ones", 3, {"K": 32}, SPAN)
    assert argument == MatrixArgument("x", "f32", 1, 64, "ones", 4)


@pytest.mark.parametrize("dtype", [dtype for dtype in MATRIX_TYPES if dtype not in PACKED])
@pytest.mark.parametrize("arch", ["gfx942", "gfx950"])
def test_every_element_type_keeps_small_powers_of_two(dtype: str, arch: str) -> None:
    assert np.dtype(STORAGE[dtype]).itemsize == SIZES[dtype]
    numbers = np.array([1, 2, 4, 8], np.float32)
    assert (decode(encode(numbers, dtype, arch), dtype, arch) == numbers).all()


@pytest.mark.parametrize("dtype", list(PACKED))
def test_packed_types_keep_their_numbers_side_by_side(dtype: str) -> None:
    """A group's elements are its bytes' bits from the lowest up, and come back."""
    bits, group, size = PACKED[dtype]
    numbers = np.array([0.5, 1, -2, 4], np.float32)
    codes = encode(numbers, dtype, "gfx950").reshape(-1, group)
    octets = pack(codes, dtype)
    assert octets.shape == (4 // group, size)
    for code, octet in zip(codes, octets, strict=True):
        assert int.from_bytes(octet.tobytes(), "little") == sum(
            int(each) << bits * at for at, each in enumerate(code)
        )
    np.testing.assert_array_equal(decode(unpack(octets, dtype), dtype, "gfx950").reshape(-1), numbers)
    assert dtype in MATRIX_TYPES


def test_small_floats_by_their_own_names() -> None:
    one = np.array([1.0], np.float32)
    codes = {
        name: int(encode(one, name, "gfx942")[0]) for name in ("e4m3", "e4m3fnuz", "e5m2", "e5m2fnuz", "e8m0")
    }
    assert codes == {"e4m3": 0x38, "e4m3fnuz": 0x40, "e5m2": 0x3C, "e5m2fnuz": 0x40, "e8m0": 127}
