"""Results compared with their reference: nothing that is wrong passes, nothing that is right fails."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from emulate_harness import make_program
from hypothesis import given, settings
from hypothesis import strategies as st

from wavesim.emulate.elements import STORAGE, decode, encode
from wavesim.emulate.judge.numerics import Numerics, check_numerics
from wavesim.emulate.run import emulate
from wavesim.front.launch.formula_sizes import formula_sizes
from wavesim.front.launch.model import Expectation, Launch, MatrixArgument
from wavesim.isa.load import load_machine

ONE = MappingProxyType({(0, 0, 0): (0, 0, 1, 64)})
COPY = {1: "ubyte byte", 2: "ushort short", 4: "dword dword", 8: "dwordx2 dwordx2"}
ARCH = "gfx942"


def given_row(name: str, values: np.ndarray, dtype: str) -> MatrixArgument:
    """A 1 x n matrix that holds ``values`` rounded to its type."""
    stored = encode(np.asarray(values, np.float64 if dtype == "f64" else np.float32), dtype, ARCH)
    return MatrixArgument(name, dtype, 1, len(values), "given", content=stored.tobytes())


def compared(
    expected: np.ndarray, stored: np.ndarray, dtype: str = "f32", formula: str = "R", lanes: int = 2**64 - 1
) -> Numerics:
    """What is said of a kernel that stores ``stored`` (one number a lane, as ``dtype``) where the formula
    gives ``expected``; ``lanes`` are those that store at all."""
    bits = encode(np.asarray(stored, np.float64 if dtype == "f64" else np.float32), dtype, ARCH)
    width = bits.dtype.itemsize
    load, store = COPY[width].split()
    data = "v[4:5]" if width == 8 else "v4"
    arguments = (
        given_row("R", expected, "f64"),
        MatrixArgument("G", dtype, 1, 64, "given", content=bits.tobytes()),
        MatrixArgument("C", dtype, 1, 64, "unwritten"),
    )
    text = f"""
        s_load_dwordx4 s[4:7], s[0:1], 0x8
        v_lshlrev_b32 v1, {width.bit_length() - 1}, v0
        global_load_{load} {data}, v1, s[4:5]
        s_mov_b32 exec_lo, {lanes & 0xFFFFFFFF:#x}
        s_mov_b32 exec_hi, {lanes >> 32:#x}
        global_store_{store} v1, {data}, s[6:7]
    """
    launch = Launch(arguments, 64, expect=Expectation("C", "", "", False, ONE, formula))
    execution = emulate(make_program(text, ARCH, arguments=arguments), launch, load_machine(ARCH))
    return check_numerics(execution, launch)


INDEX = np.arange(64, dtype=np.float64)
INF, NAN = np.inf, np.nan


def test_infinity_does_not_hide_the_others() -> None:
    """1 / 0 is in the reference: 42 stored everywhere is wrong everywhere, the right values are right."""
    with np.errstate(divide="ignore"):
        reference = 1 / INDEX
    wrong = compared(reference, np.full(64, 42.0))
    assert (wrong.ok, wrong.wrong_count, wrong.max_rel_error) == (False, 64, INF)
    assert compared(reference, reference).ok
    assert compared(reference, -reference).wrong_count == 64


@pytest.mark.parametrize("value", [INF, -INF, NAN])
def test_references_without_a_finite_number(value: float) -> None:
    reference = np.full(64, value)
    right = compared(reference, reference)
    assert right.ok
    assert "64 of them are not finite" in right.message
    for other in {INF, -INF, NAN, 0.0, 42.0} - {value}:
        if not (np.isnan(other) and np.isnan(value)):
            assert compared(reference, np.full(64, other)).wrong_count == 64, other


def test_zeros_are_exact() -> None:
    assert compared(np.zeros(64), np.zeros(64)).ok
    assert compared(np.zeros(64), np.full(64, 1e-30)).wrong_count == 64


@pytest.mark.parametrize("dtype", ["f16", "bf16", "f32"])
def test_past_the_range_is_infinity(dtype: str) -> None:
    """A reference that the result's type cannot hold: infinity is right, its largest number is not."""
    largest = {"f16": 65504.0, "bf16": 3.3895313892515355e38, "f32": float(np.finfo(np.float32).max)}[dtype]
    reference = np.where(INDEX == 3, 3 * largest, INDEX)
    assert compared(reference, np.where(INDEX == 3, INF, INDEX), dtype).ok
    assert compared(reference, np.where(INDEX == 3, -INF, INDEX), dtype).wrong_count == 1
    assert compared(reference, np.where(INDEX == 3, largest, INDEX), dtype).wrong_count == 1
    assert compared(reference, np.where(INDEX == 3, INF, 42), dtype).wrong_count > 50


@pytest.mark.parametrize("dtype", ["fp8", "bf8"])
def test_small_floats_saturate(dtype: str) -> None:
    reference = np.where(INDEX == 3, 1e6, np.sign(INDEX))
    assert compared(reference, reference, dtype).ok  # stored: the largest number
    assert compared(reference, np.where(INDEX == 3, NAN, np.sign(INDEX)), dtype).ok
    assert compared(reference, np.where(INDEX == 3, 0, np.sign(INDEX)), dtype).wrong_count == 1


@pytest.mark.parametrize("huge", [1e12, 1e30, -1e300])
def test_garbage_beside_one_huge_number_is_found(huge: float) -> None:
    dtype = "f64" if abs(huge) > 1e38 else "f32"
    reference = np.where(INDEX == 0, huge, 1 + INDEX / 64)
    assert compared(reference, reference * (1 + 1e-7 * (dtype == "f32")), dtype).ok
    for garbage in (42.0, 0.0, -1.0):
        found = compared(reference, np.where(INDEX == 0, huge, garbage), dtype)
        assert found.wrong_count == 63, garbage
        assert "small beside the largest" in found.message


def test_cancellation_and_underflow_are_no_garbage() -> None:
    """An element near zero, whose terms are not, may be off by their rounding; one below the smallest normal
    number by itself."""
    reference = np.where(INDEX == 1, 1e9, 0.0)
    noise = np.where(INDEX == 1, 1e9, 2e-8)
    assert compared(reference, noise, formula="(R + 1) - 1").ok
    assert compared(reference, noise).wrong_count == 63
    tiny = np.where(INDEX == 1, 1.0, 1e-40)
    assert compared(tiny, np.where(INDEX == 1, 1.0, 0.0)).ok


def test_whole_numbers() -> None:
    assert compared(INDEX, INDEX, "i32").ok
    assert compared(INDEX, np.where(INDEX == 5, 6, INDEX), "i32").wrong_count == 1
    half = compared(INDEX + 0.5, INDEX, "i32")
    assert half.wrong_count == 64
    assert "C holds whole numbers (i32), and not all expected ones are" in half.message
    assert compared(np.full(64, NAN), INDEX, "i32").wrong_count == 64


@pytest.mark.parametrize("dtype", ["f16", "fp8", "i8", "f32"])
def test_what_is_never_stored_is_wrong(dtype: str) -> None:
    """Also where only some of the elements of a dword are, and where zero would be right."""
    found = compared(np.zeros(64), np.zeros(64), dtype, lanes=0x5555555555555555)
    assert found.wrong_count == 32
    assert {element.column % 2 for element in found.wrong_elements} == {1}


def test_a_result_that_nothing_is_stored_to_is_wrong() -> None:
    """Also one that has the right contents before the launch."""
    arguments = (MatrixArgument("C", "f32", 1, 64, "zero"),)
    launch = Launch(arguments, 64, expect=Expectation("C", "", "", False, ONE, "0 * C"))
    execution = emulate(make_program("s_nop 0", ARCH, arguments=arguments), launch, load_machine(ARCH))
    assert check_numerics(execution, launch).wrong_count == 64


def test_empty_results_are_not_checked() -> None:
    arguments = (MatrixArgument("C", "f32", 1, 64, "zero"),)
    for tile in ((0, 0, 0, 64), (0, 0, 1, 0)):
        expect = Expectation("C", "", "", False, MappingProxyType({(0, 0, 0): tile}), "C")
        launch = Launch(arguments, 64, expect=expect)
        execution = emulate(make_program("s_nop 0", ARCH, arguments=arguments), launch, load_machine(ARCH))
        numerics = check_numerics(execution, launch)
        assert (numerics.ok, numerics.checked) == (True, False)


def test_products_with_one_huge_row() -> None:
    """A[0] is huge: what its product may be off by says nothing of the other rows."""
    a, b = np.ones((4, 8)), np.eye(8)[:4] + 0.5
    a[0] *= 1e20
    for scale, wrong in ((1.0, 0), (1.5, 12)):
        right = a @ b.T
        stored = np.where(np.arange(4)[:, None] > 0, scale * right, right).astype(np.float32)
        arguments = (
            MatrixArgument("A", "f32", 4, 8, "given", content=a.astype(np.float32).tobytes()),
            MatrixArgument("B", "f32", 4, 8, "given", content=b.astype(np.float32).tobytes()),
            MatrixArgument("G", "f32", 4, 4, "given", content=stored.tobytes()),
            MatrixArgument("C", "f32", 4, 4, "unwritten"),
        )
        text = """
            s_load_dwordx4 s[4:7], s[0:1], 0x10
            v_lshlrev_b32 v1, 2, v0
            s_mov_b64 exec, 0xffff
            global_load_dword v4, v1, s[4:5]
            global_store_dword v1, v4, s[6:7]
        """
        tile = MappingProxyType({(0, 0, 0): (0, 0, 4, 4)})
        launch = Launch(arguments, 64, expect=Expectation("C", "A", "B", True, tile))
        execution = emulate(make_program(text, ARCH, arguments=arguments), launch, load_machine(ARCH))
        assert check_numerics(execution, launch).wrong_count == wrong


FLOATS = {"f32": 1e-5, "bf16": 2.0**-8, "f16": 2.0**-11, "f64": 1e-12}


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(FLOATS)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 63),
    st.sampled_from([1.5, 4.0, 1e3, -2.0, INF, NAN]),
    st.sampled_from([1.0, 1e-3, 1e4]),
    st.sampled_from([None, INF, NAN, 1e35]),
)
def test_any_corruption_of_any_element_is_found(
    dtype: str, seed: int, place: int, factor: float, scale: float, special: float | None
) -> None:
    """Of random results one element is moved by more than the tolerance: that one is found, and only it, also
    with an infinity, a NaN or a huge number among the expected ones."""
    generator = np.random.default_rng(seed)
    reference = generator.uniform(0.5, 1, 64) * generator.choice([-1, 1], 64) * scale
    if special is not None:
        reference[(place + 7) % 64] = special
    exact = decode(
        encode(reference if dtype == "f64" else reference.astype(np.float32), dtype, ARCH), dtype, ARCH
    )
    assert compared(reference, exact, dtype).ok
    stored = np.array(exact, np.float64)
    allowed = 4 * FLOATS[dtype] * scale
    if special == 1e35 and dtype != "f16":
        allowed = abs(reference[place])  # beside it only what is wrong in itself is found
    stored[place] += factor * allowed
    found = compared(reference, stored, dtype)
    assert not found.ok
    assert [(element.row, element.column) for element in found.wrong_elements] == [(0, place)]


def test_sizes_of_formulas() -> None:
    """Sums of absolute values, and slopes: sizes of known formulas."""
    rows = {"A": np.array([[1.0, -2.0, 3.0]]), "B": np.array([[2.0, 0.5, -1.0]])}

    def sizes(text: str) -> list[float]:
        return np.ravel(formula_sizes(text, rows.__getitem__)).tolist()

    assert sizes("A + B - 1") == [4, 3.5, 5]
    assert sizes("A @ B.T") == [2 + 1 + 3]
    assert sizes("sum(A * B)") == [6]
    assert sizes("max(-A)") == [3]
    assert sizes("A[0:1, 1:2]") == [2]
    assert sizes("exp(A)") == pytest.approx([np.exp(x) * (1 + abs(x)) for x in (1, -2, 3)], rel=1e-2)
    assert sizes("A / B") == pytest.approx([3 * 0.5, 3 * 4, 3 * 3], rel=1e-2)
    assert sizes("sqrt(A - 1)")[0] > 1  # at the end of where it is defined
    assert sizes("softmax(A)")[2] >= 0.5
    for name in ("mean", "var", "cumsum", "sort"):
        assert all(size > 0 for size in sizes(f"{name}(A)"))


@pytest.mark.parametrize("dtype", [each for each in STORAGE if each[0] not in "iu" and each != "e8m0"])
def test_the_largest_number_of_a_type_is_right(dtype: str) -> None:
    largest = {"f16": 65504.0, "bf16": 3.3895313892515355e38, "f32": float(np.finfo(np.float32).max)}
    numbers = np.where(INDEX == 0, largest.get(dtype, 1.0), 1.0)
    assert compared(numbers, numbers, dtype).ok
