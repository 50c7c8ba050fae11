"""`wavesim launch` says what is known of a launch, and its file is refused until the rest is filled in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from wavesim.asm.compile import debug_ir
from wavesim.asm.text.parse import parse_program
from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.front.launch.file import read_launch
from wavesim.front.launch.signature import parameters
from wavesim.front.launch.skeleton import skeleton
from wavesim.front.launch.unfilled import UNFILLED
from wavesim.isa.load import load_machine

needs_clang = pytest.mark.skipif(not any(map(shutil.which, ("clang-22", "clang"))), reason="needs clang")
SOURCE = """
#include <hip/hip_fp8.h>
namespace a {
struct Empty {};
struct Base { int rows; };
template <typename T, int N> struct Held { T of[N]; short last; };
struct alignas(32) View : Empty, Base {
  const float4* x; __bf16* y; int n[2][3]; float4 scale;
  union { int whole; double real; }; bool flag; Empty nothing; unsigned low : 3, high : 7; float bias[9];
};
template <typename T>
__global__ void axpy(View view, const __hip_fp8_e4m3* q, Held<T, 2> held, void* out, _Float16 by) {
  ((T*)out)[threadIdx.x] = view.n[0][1] * (float)by + held.of[0];
}
template __global__ void axpy<float>(View, const __hip_fp8_e4m3*, Held<float, 2>, void*, _Float16);
template __global__ void axpy<double>(View, const __hip_fp8_e4m3*, Held<double, 2>, void*, _Float16);
}
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


@needs_clang
def test_types_are_those_of_the_instance_and_laid_out_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "k.hip"
    path.write_text(SOURCE)
    ir = debug_ir(path, "gfx950")
    view, q, held, out, by = parameters(
        ir, "_ZN1a4axpyIfEEvNS_4ViewEPK14__hip_fp8_e4m3NS_4HeldIT_Li2EEEPvDF16_"
    )
    assert [each.name for each in view.fields][:4] == ["base", "x", "y", "n"]
    assert (view.size_bytes, [each.offset_bytes for each in view.fields][:5]) == (128, [0, 8, 16, 24, 48])
    x, y = view.fields[1:3]
    assert (x.dtype, x.pointer, x.const, y.dtype, y.const) == ("f32", True, True, "bf16", False)
    assert (q.name, q.dtype, q.pointer, out.dtype, out.pointer, by.dtype) == (
        "q",
        "e4m3",
        True,
        "",
        True,
        "f16",
    )
    assert [held.fields[0].fields[0].dtype, held.fields[0].count, held.size_bytes] == ["f32", 2, 12]
    assert parameters(ir, "absent") == ()
    done = CliRunner().invoke(cli, ["launch", str(path), "--kernel", "axpy<double>"], standalone_mode=False)
    lines = [line.split("  #")[0] for line in done.output.splitlines() if not line.startswith("#")]
    assert lines[lines.index("arguments:") :] == [
        "arguments:",
        "  view:",
        "    base: {rows: i32:FILL_IN}",
        '    x: "f32[FILL_IN,FILL_IN]:random"',
        '    y: "bf16[FILL_IN,FILL_IN]:unwritten"',
        "    n: [[i32:FILL_IN, i32:FILL_IN, i32:FILL_IN], [i32:FILL_IN, i32:FILL_IN, i32:FILL_IN]]",
        "    scale: {x: f32:FILL_IN, y: f32:FILL_IN, z: f32:FILL_IN, w: f32:FILL_IN}",
        "    arg5: {real: f64:FILL_IN}",
        "    flag: u8:FILL_IN",
        "    nothing: u8:FILL_IN",
        "    low: [u8:FILL_IN]",
        "    bias: f32*9:FILL_IN",
        "    pad_112: u8*16:0",
        '  q: "e4m3[FILL_IN,FILL_IN]:random"',
        "  held: {of: [f64:FILL_IN, f64:FILL_IN], last: i16:FILL_IN}",
        '  out: "FILL_IN[FILL_IN,FILL_IN]:unwritten"',
        "  by: f16:FILL_IN",
    ]


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


@needs_clang
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
