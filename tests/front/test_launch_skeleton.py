"""`wavesim launch` says what is known of a launch, and its file is refused until the rest is filled in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.asm.text.parse import parse_program
from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.front.launch.file import read_launch
from wavesim.front.launch.signature import parameters
from wavesim.front.launch.skeleton import skeleton
from wavesim.front.launch.unfilled import UNFILLED
from wavesim.isa.load import load_machine

SOURCE = """
struct Layout { int rows, cols; };
typedef struct { float* data; Layout at; } View;
// __global__ void axpy(int wrong) {}
template <int N> __global__ void other(float* q);
extern "C" __global__ void __launch_bounds__(128)
axpy(View out, const __hip_bfloat16* __restrict__ x, unsigned int n, MyType what, float (&array)[4]) { }
"""
ASSEMBLY = """\
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
	s_endpgm
	.amdhsa_kernel k
		.amdhsa_next_free_vgpr 8
		.amdhsa_next_free_sgpr 8
		.amdhsa_accum_offset 8
		.amdhsa_kernarg_size 20
	.end_amdhsa_kernel
	.amdgpu_metadata
---
amdhsa.version: [1, 2]
amdhsa.kernels:
- .name: k
  .symbol: k.kd
  .max_flat_workgroup_size: 512
  .kernarg_segment_size: 20
  .args:
  - {.name: A.coerce, .offset: 0, .size: 8, .value_kind: global_buffer, .address_space: global}
  - {.name: K, .offset: 8, .size: 4, .value_kind: by_value}
  - {.offset: 12, .size: 8, .value_kind: hidden_global_offset_x}
...
	.end_amdgpu_metadata
"""


def test_what_metadata_say() -> None:
    text = skeleton(parse_program(ASSEMBLY, "k.s"), load_machine("gfx942"))
    lines = [line.split("  #")[0] for line in text.splitlines() if not line.startswith("#")]
    assert lines == [
        "kernel: k",
        "workgroup: 512",
        "grid: [FILL_IN, FILL_IN]",
        "arguments:",
        '  A: "FILL_IN[FILL_IN,FILL_IN]:random"',
        "  K: FILL_IN:FILL_IN",
    ]
    assert "one of i32, u32, f32" in text
    assert "waves per SIMD fit" in text


def test_it_is_refused_with_its_line_until_it_is_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "k.launch.yaml"
    text = skeleton(parse_program(ASSEMBLY, "k.s"), load_machine("gfx942"))
    for what in ("2", "1", "f32", "4", "8", "i32", "7"):
        path.write_text(text)
        with pytest.raises(UserError, match="is not filled in") as caught:
            read_launch(path, {})
        assert caught.value.span is not None
        line = text.splitlines()[caught.value.span.line - 1]
        assert UNFILLED in line
        text = text.replace(line, line.replace(UNFILLED, what, 1))
        head = text.split("\n")[0]
        text = text.replace(head, "# filled in")
    path.write_text(text)
    launch = read_launch(path, {})
    assert launch.grid == (2, 1, 1)
    assert [each.name for each in launch.arguments] == ["A", "K"]


def test_a_signature_gives_names_and_types() -> None:
    out, x, n, what, array = parameters(SOURCE, "_Z4axpy4ViewPK14__hip_bfloat16j6MyTypeRA4_f")
    assert (x.name, x.dtype, x.pointer, x.const) == ("x", "bf16", True, True)
    assert (n.name, n.dtype, n.pointer) == ("n", "u32", False)
    data, at = out.fields
    assert (data.name, data.dtype, data.pointer, data.const) == ("data", "f32", True, False)
    assert [(each.name, each.dtype) for each in at.fields] == [("rows", "i32"), ("cols", "i32")]
    assert (what.name, what.dtype) == ("what", "")
    assert array.name == ""
    assert parameters(SOURCE, "absent") == ()


def test_the_command(tmp_path: Path) -> None:
    def launch(*words: str) -> str:
        done = CliRunner().invoke(cli, ["launch", *words], standalone_mode=False)
        return done.output + str(done.exception or "")

    path, target = tmp_path / "k.s", tmp_path / "k.launch.yaml"
    path.write_text(ASSEMBLY)
    assert launch(str(path)).startswith("# Launch of k on gfx942.")
    launch(str(path), "-o", str(target))
    assert "grid: [FILL_IN" in target.read_text()
    assert "is there already" in launch(str(path), "-o", str(target))
    assert launch(str(path), "-o", str(target), "--force") == ""
    assert "a tile program says" in launch("kernels/8wave.yaml")
    done = CliRunner().invoke(cli, ["run", str(path)], standalone_mode=False)
    assert "k.launch.yaml:" in str(done.exception)
    assert "is not filled in" in str(done.exception)


@pytest.mark.skipif(not any(map(shutil.which, ("clang-22", "clang"))), reason="needs clang")
def test_a_hip_kernel_with_a_struct_runs_once_it_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / "s.hip").write_text(
        "#include <hip/hip_runtime.h>\n"
        "struct P { const float* x; float* y; int n; float scale; };\n"
        "__global__ void __launch_bounds__(128) axpy(P p, int off, const float* z) {\n"
        "  int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
        "  if (i < p.n) p.y[i] = p.scale * p.x[i] + z[i + off];\n}\n"
    )
    target = tmp_path / "s.launch.yaml"
    CliRunner().invoke(cli, ["launch", str(tmp_path / "s.hip"), "-o", str(target)], standalone_mode=False)
    text = target.read_text()
    for old, new in (
        ("grid: [FILL_IN, FILL_IN]", "grid: [2, 1]"),
        ("f32[FILL_IN,FILL_IN]", "f32[1,256]"),
        ("n: i32:FILL_IN", "n: i32:256"),
        ("scale: f32:FILL_IN", "scale: f32:2"),
        ("off: i32:FILL_IN", "off: i32:0"),
        ("# expect: C = A @ B.T", "expect: y = x * scale + z\ntile: [1, 128]"),
        ("every FILL_IN", "everything"),
    ):
        assert old in text
        text = text.replace(old, new)
    target.write_text(text)
    done = CliRunner().invoke(cli, ["check", str(tmp_path / "s.hip")], standalone_mode=False)
    assert done.return_value == 0, done.output
    assert "executed: workgroups 0,0 and 1,0" in done.output
