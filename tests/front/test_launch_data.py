"""A launch file's data in files of numpy's, matrices that are only expected, judging what is stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wavesim.emulate.elements import PACKED, SIZES
from wavesim.emulate.judge.numerics import Numerics, check_numerics
from wavesim.emulate.run import emulate
from wavesim.errors import UserError
from wavesim.front.assembled import load_assembly
from wavesim.front.launch.array_file import element_bits
from wavesim.front.launch.file import MATRIX_TYPES, read_launch
from wavesim.isa.load import load_machine

DOUBLE = """
	.amdgcn_target "amdgpu9.42-amd-amdhsa-unknown-gfx942"
	.text
double:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshlrev_b32 v1, 2, v0
	s_lshl_b32 s2, s2, 8
	v_add_u32 v1, s2, v1
	s_waitcnt lgkmcnt(0)
	global_load_dword v2, v1, s[4:5]
	s_waitcnt vmcnt(0)
	v_add_f32 v2, v2, v2
	global_store_dword v1, v2, s[6:7]
	s_endpgm
	.amdhsa_kernel double
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
"""
LAUNCH = """
workgroup: 64
grid: [3, 1]
position: [1, 0]
arguments: {X: "f32[1,192]:x.npy", Y: "f32[1,192]:unwritten"}
references: {R: "f32[1,192]:r.npy"}
expect: Y = R
tile: stored
"""


def judged(folder: Path, expected: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Numerics:
    x = np.arange(192, dtype=np.float32)
    np.save(folder / "x.npy", x)
    np.save(folder / "r.npy", expected)
    (folder / "double.s").write_text(DOUBLE)
    (folder / "double.launch.yaml").write_text(LAUNCH)
    kernel = load_assembly(folder / "double.s", None, {})
    return check_numerics(emulate(kernel.program, kernel.launch, load_machine("gfx942")), kernel.launch)


def test_only_what_the_workgroup_stores_is_judged(tmp_path: Path) -> None:
    expected = 2 * np.arange(192, dtype=np.float32)
    expected[:64] = 1e9  # another workgroup's
    found = judged(tmp_path, expected)
    assert (found.ok, found.checked, found.element_count) == (True, True, 64)
    expected[100] = 0
    wrong = judged(tmp_path, expected)
    assert (wrong.ok, wrong.wrong_count) == (False, 1)
    assert wrong.wrong_elements[0].column == 100


def test_every_type_has_a_size() -> None:
    for name in MATRIX_TYPES:
        assert element_bits(name) == (PACKED[name][0] if name in PACKED else 8 * SIZES[name])


@pytest.mark.parametrize(
    ("array", "dtype", "message"),
    [
        (np.zeros(4, np.float32), "bf16", "elements of float32, where bf16 is wanted"),
        (np.zeros(4, np.float32), "i32", "elements of float32, where i32 is wanted"),
        (np.zeros(3, np.float32), "f32", "3 elements, where the matrix has 2 x 2 of f32"),
        (np.array([None]), "f32", "not an array"),
    ],
)
def test_an_array_that_is_not_the_matrix(tmp_path: Path, array: object, dtype: str, message: str) -> None:
    np.save(tmp_path / "x.npy", np.asarray(array))
    (tmp_path / "k.launch.yaml").write_text(f'workgroup: 64\narguments: {{X: "{dtype}[2,2]:x.npy"}}\n')
    with pytest.raises(UserError, match=message) as found:
        read_launch(tmp_path / "k.launch.yaml", {})
    assert found.value.span is not None
    assert found.value.span.line == 2


def test_bits_of_a_type_that_numpy_lacks(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([0x3F80, 0x4000], np.uint16))
    launch = tmp_path / "k.launch.yaml"
    launch.write_text('workgroup: 64\narguments: {X: "bf16[1,2]:x.npy"}\n')
    assert read_launch(launch, {}).matrix("X").content == b"\x80\x3f\x00\x40"
    (tmp_path / "x.npy").write_text("no array")
    with pytest.raises(UserError, match="not an array that numpy"):
        read_launch(launch, {})
    (tmp_path / "x.npy").unlink()
    with pytest.raises(UserError, match="No such file"):
        read_launch(launch, {})
