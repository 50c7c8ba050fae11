"""Structs passed by value lie in the kernarg segment as C lays them out, and are launched by field names."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from wavesim.cli.main import cli
from wavesim.emulate.launch_state import _content
from wavesim.front.launch.model import ScalarArgument
from wavesim.front.launch.signature import Parameter
from wavesim.front.launch.structs import Packed, filled, one_each

Shape = list["int | Shape"]
C_TYPES = {1: ctypes.c_uint8, 2: ctypes.c_uint16, 4: ctypes.c_uint32, 8: ctypes.c_uint64}
shapes = st.recursive(
    st.lists(st.sampled_from((1, 2, 4, 8)), min_size=1, max_size=5),
    lambda inner: st.lists(st.one_of(st.sampled_from((1, 2, 4, 8)), inner), min_size=1, max_size=5),
    max_leaves=12,
)


def c_type(shape: Shape, name: str = "s") -> type[ctypes.Structure]:
    fields = [
        (f"f{place}", C_TYPES[each] if isinstance(each, int) else c_type(each, f"s{place}"))
        for place, each in enumerate(shape)
    ]
    return type(name, (ctypes.Structure,), {"_fields_": fields})


def fill(made: ctypes.Structure, shape: Shape, structs: tuple[str, ...], number: list[int]) -> list[Packed]:
    """Numbers into each field of the C struct, and the same as packed values."""
    values = []
    for place, each in enumerate(shape):
        if isinstance(each, int):
            number[0] += 1
            setattr(made, f"f{place}", number[0])
            values.append(Packed(f"f{place}", structs, number[0].to_bytes(each, "little"), each))
        else:
            values += fill(getattr(made, f"f{place}"), each, (*structs, f"f{place}"), number)
    return values


@given(shapes)
def test_a_struct_is_laid_out_as_c_does(shape: Shape) -> None:
    kind = c_type(shape)
    made = kind()
    (packed,) = one_each(fill(made, shape, ("s",), [0]))
    assert packed.content == bytes(made)
    assert packed.alignment_bytes == ctypes.alignment(kind)


def test_neighbours_are_one_struct_and_others_stay() -> None:
    values = [
        Packed(name, structs, b"1234", 4)
        for name, structs in (("a", ()), ("x", ("p",)), ("y", ("p",)), ("x", ("q",)))
    ]
    assert [(each.name, len(each.content)) for each in one_each(values)] == [("a", 4), ("p", 8), ("q", 4)]


KERNEL = """\
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	s_load_dword s8, s[0:1], 0x10
	s_load_dword s9, s[0:1], 0x18
	v_lshlrev_b32_e32 v1, 2, v0
	s_waitcnt lgkmcnt(0)
	global_load_dword v2, v1, s[4:5]
	s_waitcnt vmcnt(0)
	v_mul_f32 v2, s8, v2
	v_add_f32 v2, s9, v2
	global_store_dword v1, v2, s[6:7]
	s_endpgm
"""


def run(path: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["run", str(path), *words], standalone_mode=False)
    return int(done.return_value or 0) if done.exception is None else 2, f"{done.output}{done.exception}"


def test_a_kernel_gets_its_fields(tmp_path: Path) -> None:
    path = tmp_path / "k.s"
    path.write_text(KERNEL)
    words = (
        "--arg",
        "p.x=f32[64]",
        "--arg",
        "p.y=f32[64]:unwritten",
        "--arg",
        "p.scale=f32:2",
        "--arg",
        "b=f32:3",
    )
    code, output = run(path, *words, "--block", "64", "--expect", "y = x * scale + b")
    # the struct ends at a multiple of 8, so that b is at 24
    assert (code, "numbers right" in output) == (0, True), output
    (tmp_path / "k.launch.yaml").write_text(
        'workgroup: 64\narguments:\n  p: {x: "f32[64]", y: "f32[64]:unwritten", scale: f32:2}\n  b: f32:3\n'
        "expect: y = x * scale + b\n"
    )
    code, output = run(path)
    assert (code, "numbers right" in output) == (0, True), output


@pytest.mark.parametrize("name", ["p.", ".x", "p..x"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "k.s"
    path.write_text(KERNEL)
    assert "STRUCT.FIELD" in run(path, "--arg", f"{name}=i32:1", "--block", "64")[1]


def test_arrays_in_structs(tmp_path: Path) -> None:
    """Lists of YAML, ``TYPE*COUNT:VALUE``, and elements by number are the bytes of C's arrays."""
    path = tmp_path / "k.s"
    path.write_text(KERNEL)
    (tmp_path / "k.launch.yaml").write_text(
        'workgroup: 64\narguments:\n  p:\n    x: ["f32[64]", "f32[64]:unwritten"]\n    scale: [f32:2]\n'
        "    pad: u8*4:0\n    b: [f32:3, 5, {f: f16:1, g: bf16:1}]\nexpect: x_1 = x_0 * 2 + 3\n"
    )
    code, output = run(path)
    assert (code, "numbers right" in output) == (0, True), output
    (tmp_path / "k.launch.yaml").unlink()
    values = ("p.x.0=f32[64]", "p.x.1=f32[64]:unwritten", "p.s=f32*1:2", "p.pad=u8*4:0", "p.b=f32*4:3")
    words = [word for value in values for word in ("--arg", value)]
    code, output = run(path, *words, "--block", "64", "--expect", "x_1 = x_0 * 2 + 3")
    assert (code, "numbers right" in output) == (0, True), output


def test_small_floats_by_value() -> None:
    for dtype, content in (("f16", b"\x00\x3e"), ("bf16", b"\xc0\x3f")):
        assert _content(ScalarArgument("x", dtype, 1.5), {}) == content


def test_what_alignas_leaves_is_filled_and_what_c_cannot_place_is_none() -> None:
    byte, word = Parameter("b", "u8", size_bytes=1), Parameter("w", "i32", size_bytes=4, offset_bytes=8)
    padded = filled(Parameter("", size_bytes=16, fields=(byte, word)))
    assert padded is not None
    assert [(each.name, each.offset_bytes, each.size_bytes) for each in padded] == [
        ("b", 0, 1),
        ("pad_1", 1, 7),
        ("w", 8, 4),
        ("pad_12", 12, 4),
    ]
    assert filled(Parameter("", size_bytes=5, fields=(byte, replace(word, offset_bytes=1)))) is None
