"""Ordinary HIP: the header that wavesim brings, -I and -D, and functions that nobody has defined."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wavesim.asm.compile import find_compiler
from wavesim.asm.tools import MissingTool
from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.pipeline.run import Run, RunOptions, run_kernel

ARCHS = ("gfx90a", "gfx942", "gfx950")

GEMM = """\
#include <hip/hip_runtime.h>
typedef float f32x4 __attribute__((ext_vector_type(4)));
typedef short bf16x4 __attribute__((ext_vector_type(4)));
__global__ __launch_bounds__(64) void gemm(const short *A, const short *B, float *C, int K) {
  __shared__ short tile[2][16 * 32];
  f32x4 sum = {};
  for (int k = 0; k < K; k += 32) {
    for (int e = threadIdx.x; e < 16 * 32; e += blockDim.x) {
      tile[0][e] = A[e / 32 * K + k + e % 32];
      tile[1][e] = B[e / 32 * K + k + e % 32];
    }
    __syncthreads();
    for (int kk = 0; kk < 32; kk += 16) {
      int at = threadIdx.x % 16 * 32 + kk + threadIdx.x / 16 * 4;
      bf16x4 a = *(bf16x4 *)&tile[0][at], b = *(bf16x4 *)&tile[1][at];
      sum = __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(a, b, sum, 0, 0, 0);
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; i++) C[(threadIdx.x / 16 * 4 + i) * 16 + threadIdx.x % 16] = sum[i];
}
int main() {
  float *C;
  hipMalloc(&C, 1024);
  gemm<<<dim3(1), dim3(64)>>>(nullptr, nullptr, C, 64);
  return hipDeviceSynchronize() == hipSuccess ? 0 : 1;
}
"""

BODIES: dict[str, tuple[str, str]] = {
    # what stands in the kernel; what y, f32[3,64], then is of x in the rows that are asked for
    "place": ("y[i] = x[i] + (gridDim.x - 3) + (blockDim.x - 64) + hipBlockIdx_y;", "y = x"),
    "float4": (
        "float4 v = make_float4(x[i], 1, 2, 3); v = 2.0f * v + v; v -= make_float4(0, 1, 2, 3);"
        " int2 n = make_int2(3, 4); y[i] = v.x + v.y - v.z / 2 + v.w / 6 + n.x - n.y;",
        "y = 3 * x",
    ),
    "wide": ("((float2 *)y)[i / 2] = ((const float2 *)x)[i / 2] + float2(1.0f);", "y = x + 1"),
    "shuffle": (
        "float s = x[i]; for (int m = 32; m; m /= 2) s += __shfl_xor(s, m); y[i] = s + __shfl(x[i], 3)"
        " - __shfl_sync(~0ull, x[i], 3) + __shfl_down(0.0f, 1) + __shfl_up(0.0f, 2);",
        "y = sum(x) + 0 * x",
    ),
    "width": (
        "double d = x[i]; y[i] = (float)__shfl(d, (int)__lane_id(), 16) + __shfl_up(x[i], 99) - x[i];",
        "y = x",
    ),
    "ballot": (
        "y[i] = x[i] + (__popcll(__ballot(threadIdx.x < 5)) - 5) + __any(0) + (__all(1) - 1) + __clz(2);",
        "y = x + 30",
    ),
    "math": (
        "float a = fabsf(x[i]) + 0.5f; y[i] = expf(a) + logf(a) * sqrtf(a) + exp2f(a) - log2f(a);",
        "y = exp(abs(x) + 0.5) + log(abs(x) + 0.5) * sqrt(abs(x) + 0.5) + exp2(abs(x) + 0.5)"
        " - log2(abs(x) + 0.5)",
    ),
    "mixed": (
        "unsigned n = 70; float a = __ocml_fma_f32(x[i], 2.0f, __ocml_fmax_f32(0, 1)); auto m = min(n, 64);"
        " y[i] = a + std::fabs(x[i]) + max(2, 3ul) - min(n, blockDim.x) + m;",
        "y = 2 * x + abs(x) + 4",
    ),
    "more math": (
        "float a = fabsf(x[i]) + 0.5f; y[i] = powf(a, 3.0f) + powf(-a, 2.0f) + powf(-a, 3.0f) + tanhf(a)"
        " + rsqrtf(a) + fmaxf(a, 1.0f) + min(a, 0.7f) + fmaf(a, 2.0f, 1.0f) + max(1, 2);",
        "y = (abs(x) + 0.5) ** 2 + tanh(abs(x) + 0.5) + rsqrt(abs(x) + 0.5) + maximum(abs(x) + 0.5, 1)"
        " + minimum(abs(x) + 0.5, 0.7) + 2 * (abs(x) + 0.5) + 3",
    ),
    "half": (
        "__half h = __float2half(x[i]), e = __hsub(h, h); __half2 two = __halves2half2(e, e);"
        " y[i] = x[i] + __half2float(__hfma(e, e, e)) + __low2float(__hadd2(two, two));",
        "y = x",
    ),
    "bf16": (
        "__hip_bfloat16 b = __float2bfloat16(x[i]); y[i] = x[i] + __bfloat162float(__hsub(b, b));",
        "y = x",
    ),
    "lds": (
        "extern __shared__ float all[]; int t = threadIdx.x; all[t] = x[i]; __syncthreads();"
        " y[i] = all[63 - t]; __threadfence(); __syncthreads(); all[t] = 0; atomicAdd(&all[t], x[i]);"
        " y[i] = all[t] + __int_as_float(__float_as_int(0.0f)) + abs(-1) - 1;",
        "y = x",
    ),
    "include": ("y[i] = TWICE(x[i]);", "y = 2 * x"),
}
SOURCE = """\
#include <hip/hip_runtime.h>
#include <hip/hip_fp16.h>
#include <hip/hip_bf16.h>
#include "of_mine.h"
extern "C" __global__ void __launch_bounds__(THREADS, 1) k(const float *__restrict__ x, float *y) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  @BODY@
}
"""


@pytest.fixture(params=ARCHS)
def arch(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    try:
        find_compiler(name)
    except MissingTool as error:
        pytest.skip(str(error))
    return name


def right(run: Run) -> bool:
    return run.numerics.checked and run.numerics.ok


def test_an_ordinary_gemm_compiles_and_is_right(arch: str, tmp_path: Path) -> None:
    """With its header, its launch bounds and its host program, as one would find it."""
    path = tmp_path / "gemm.hip"
    path.write_text(GEMM)
    arguments = ("A=bf16[16,128]", "B=bf16[16,128]", "C=f32[16,16]:unwritten", "K=128")
    launch = LaunchOptions(arguments=arguments, block=64, expect="C = A @ B.T")
    assert right(run_kernel(path, RunOptions(arch=arch, launch=launch)))


def run_body(name: str, body: str, expect: str, arch: str, folder: Path) -> Run:
    path = folder / "k.hip"
    path.write_text(SOURCE.replace("@BODY@", body))
    (folder / "mine").mkdir()
    (folder / "mine" / "of_mine.h").write_text("#define TWICE(x) (2 * (x))\n")
    launch = LaunchOptions(
        arguments=("x=f32[3,64]", "y=f32[3,64]:unwritten"),
        block=64,
        grid="2,0" if name == "place" else "0,0",
        expect=expect,
        tile="2,0,1,64" if name == "place" else "0,0,1,64",
        dynamic_lds_bytes=1024,
        compile_flags=(f"-I{folder / 'mine'}", "-DTHREADS=64"),
    )
    return run_kernel(path, RunOptions(arch=arch, launch=launch))


@pytest.mark.parametrize("name", BODIES)
def test_what_the_header_has(name: str, arch: str, tmp_path: Path) -> None:
    assert right(run_body(name, *BODIES[name], arch, tmp_path))


def test_another_result_is_seen(arch: str, tmp_path: Path) -> None:
    assert not right(run_body("place", BODIES["place"][0], "y = x + 1", arch, tmp_path))


def wavesim(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_the_options_of_every_command_that_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        find_compiler("gfx942")
    except MissingTool as error:
        pytest.skip(str(error))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "k.hip").write_text(SOURCE.replace("@BODY@", "y[i] = TWICE(x[i]);"))
    (tmp_path / "k.launch.yaml").write_text(
        "workgroup: 64\narguments: {x: 'f32[64]', y: 'f32[64]:unwritten'}\nexpect: y = x + x\n"
    )
    (tmp_path / "inc").mkdir()
    header = tmp_path / "inc/of_mine.h"
    header.write_text("#define TWICE(x) (2 * (x))\n")
    given = ("-I", "inc", "-D", "THREADS=64")
    for words in (
        ("run", "k.hip"),
        ("check", "k.hip"),
        ("explain", "k.hip"),
        ("compare", "k.hip", "k.hip"),
        ("report", "k.hip", "-o", "k.html", "--no-explain"),
        ("lower", "k.hip"),
        ("compile", "k.hip"),
    ):
        done = wavesim(*words, *given)
        assert done.exit_code == 0, (words, done.exception, done.output)
    for wrong, words in (
        (("-I", "inc", "-D", "9=1"), "is no macro"),
        (("-I", "inc", "-D", "A -fplugin=x"), "is no macro"),
        (("-D", "THREADS=64"), "of_mine.h"),
        (("-I", "inc"), "THREADS"),
        (("-I", "nowhere"), "does not exist"),
    ):
        done = wavesim("run", "k.hip", *wrong)
        assert words in done.output + str(done.exception)
    done = wavesim("lower", "k.hip", *given, "-o", "inc/of_mine.h")
    assert "would replace an input" in str(done.exception)
    assert header.read_text().startswith("#define")
    (tmp_path / "k.s").write_text("s_endpgm\n")
    assert "there is nothing to compile" in str(wavesim("check", "k.s", "-D", "A").exception)


@pytest.mark.parametrize(
    ("before", "body", "names"),
    [
        ("__device__ float helper(float);", "y[i] = helper(x[i]);", ("helper(float)", "k.hip:4")),
        ("extern __device__ float table[64];", "y[i] = table[i];", ("table",)),
        (
            'extern "C" __device__ float __ocml_erf_f32(float); __device__ double other(int);',
            "y[i] = __ocml_erf_f32(x[i]) + other(2);",
            ("__ocml_erf_f32, other(int)",),
        ),
    ],
)
def test_what_is_used_and_not_defined_is_named(
    before: str, body: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    try:
        find_compiler("gfx942")
    except MissingTool as error:
        pytest.skip(str(error))
    path = tmp_path / "k.hip"
    path.write_text(
        f"#include <hip/hip_runtime.h>\n{before}\n__global__ void k(const float *x, float *y) {{\n"
        f"  int i = threadIdx.x; {body}\n}}\n"
    )
    with pytest.raises(UserError) as error:
        run_kernel(path, RunOptions())
    assert "not defined" in str(error.value)
    for name in names:
        assert name in str(error.value)


def test_functions_that_are_called_and_defined_are_no_reason_to_refuse(arch: str, tmp_path: Path) -> None:
    path = tmp_path / "k.hip"
    path.write_text(
        "#include <hip/hip_runtime.h>\n"
        "__constant__ float two = 2.0f;\n"
        "__noinline__ __device__ float twice(float x) { return two * x; }\n"
        "__global__ void k(const float *x, float *y) { y[threadIdx.x] = twice(x[threadIdx.x]); }\n"
    )
    launch = LaunchOptions(arguments=("x=f32[64]", "y=f32[64]:unwritten"), block=64, expect="y = 2 * x")
    assert right(run_kernel(path, RunOptions(arch=arch, launch=launch)))


@pytest.mark.parametrize("ending", ["cpp", "cu", "cc", "cxx"])
def test_hip_goes_by_other_endings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    try:
        find_compiler("gfx942")
    except MissingTool as error:
        pytest.skip(str(error))
    monkeypatch.chdir(tmp_path)
    Path(f"k.{ending}").write_text(
        SOURCE.replace("@BODY@", "y[i] = FACTOR * x[i];").replace('#include "of_mine.h"\n', "")
    )
    Path("k.launch.yaml").write_text(
        "workgroup: 64\narguments: {x: 'f32[64]', y: 'f32[64]:unwritten'}\nexpect: y = x + x\n"
    )
    done = wavesim("check", f"k.{ending}", "-D", "THREADS=64", "-D", "FACTOR=2", "--flag=-O1")
    assert done.exit_code == 0, done.output + str(done.exception)
    assert "executed: workgroup 0,0" in done.output


@pytest.mark.parametrize("flag", ["-o", "-ox", "-fplugin=x", "k.hip", "-MF", "-Wl,x", "-c", "@x"])
def test_flags_about_files_are_refused(flag: str) -> None:
    assert "is not handed on" in str(wavesim("run", "k.hip", f"--flag={flag}").exception)


FP8 = """\
#include <hip_fp8.h>
#include <hip/amd_detail/hip_ldg.h>
extern "C" __global__ void k(const float *x, float *y) {
  int i = threadIdx.x;
  if (i < 16) {
    float4 all = (float4)__hip_fp8x4_@FORM@(make_float4(0.0f, 1.0f, 2.0f, __ldg(x + i)));
    float2 pair = (float2)__hip_fp8x2_@FORM@(make_float2(all.w, all.z));
    y[i] = (float)__hip_fp8_@FORM@(pair.x) + all.x + all.y + pair.y - 3.0f;
  }
}
"""


@pytest.mark.parametrize(
    ("arch", "form", "other"), [("gfx942", "e4m3_fnuz", "e4m3"), ("gfx950", "e4m3", "e4m3_fnuz")]
)
def test_fp8_is_converted_in_the_form_of_the_architecture(
    arch: str, form: str, other: str, tmp_path: Path
) -> None:
    """Whole numbers up to 15 are exact. The form without an instruction is refused, not made up."""
    try:
        find_compiler(arch)
    except MissingTool as error:
        pytest.skip(str(error))
    path = tmp_path / "k.hip"
    launch = LaunchOptions(arguments=("x=f32[16]:index", "y=f32[16]:unwritten"), block=64, expect="y = x")
    path.write_text(FP8.replace("@FORM@", form))
    assert right(run_kernel(path, RunOptions(arch=arch, launch=launch)))
    path.write_text(FP8.replace("@FORM@", other))
    with pytest.raises(UserError, match="unavailable"):
        run_kernel(path, RunOptions(arch=arch, launch=launch))


@pytest.mark.parametrize(
    ("header", "kind"), [("hip_fp16.h", "__half2"), ("hip_bf16.h", "__hip_bfloat162")], ids=["f16", "bf16"]
)
def test_pairs_of_halves(arch: str, header: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "k.hip"
    path.write_text(
        f"#include <hip/{header}>\n"
        'extern "C" __global__ void k(const float *x, float *y) {\n'
        f"  {kind} a; a.x = x[threadIdx.x]; a.y = -4.0f;\n"
        f"  {kind} b = __hmax2(__habs2(a), __hmin2(a, h2exp2(a)));\n"
        "  float odd = b.x == INFINITY || NAN == NAN;\n"
        "  float none = (float)__hfma2(a, a, __hsub2(a, a)).y - 16.0f;\n"
        "  y[threadIdx.x] = (float)__hadd2(b, h2sqrt(b)).y + (float)b.x + odd + none;\n}\n"
    )
    launch = LaunchOptions(arguments=("x=f32[8]:index", "y=f32[8]:unwritten"), block=8, expect="y = x + 6")
    assert right(run_kernel(path, RunOptions(arch=arch, launch=launch)))


def test_cooperative_groups(arch: str, tmp_path: Path) -> None:
    """Sums of tiles of 16 lanes and of the workgroup, by shuffles and through LDS."""
    path = tmp_path / "k.hip"
    path.write_text(
        "#include <hip/hip_cooperative_groups.h>\nnamespace cg = cooperative_groups;\n"
        "__device__ float sum(cg::thread_group group, float *held, float x) {\n"
        "  for (unsigned i = group.size() / 2; i; i /= 2) {\n"
        "    held[threadIdx.x] = x; group.sync();\n"
        "    if (group.thread_rank() < i) x += held[threadIdx.x + i];\n"
        "    group.sync();\n  }\n  return x;\n}\n"
        'extern "C" __global__ void k(const float *x, float *y) {\n'
        "  __shared__ float held[128], all;\n"
        "  cg::thread_block block = cg::this_thread_block();\n"
        "  auto tile = cg::tiled_partition<16>(block);\n"
        "  float own = x[block.thread_rank()], part = own;\n"
        "  for (int i = 8; i; i /= 2) part += tile.shfl_xor(part, i);\n"
        "  float first = sum(tile, held, own); float same = tile.shfl(first, 0) - part;\n"
        "  float total = sum(block, held, own);\n"
        "  if (!block.thread_rank()) all = total;\n"
        "  cg::sync(block);\n"
        "  y[threadIdx.x] = all + same + tile.any(same != 0) + (tile.ballot(1) - 65535.0f);\n}\n"
    )
    arguments = ("x=f32[1,128]:index", "y=f32[1,128]:unwritten")
    launch = LaunchOptions(arguments=arguments, block=128, expect="y = sum(x) + 0 * x")
    assert right(run_kernel(path, RunOptions(arch=arch, launch=launch)))


def test_what_headers_of_libraries_ask_for(arch: str, tmp_path: Path) -> None:
    """printf and ROCm's library on the device, std:: functions, the version."""
    path = tmp_path / "k.hip"
    path.write_text(
        "#include <hip_version.h>\n#include <hip/hip_runtime.h>\n"
        'static_assert(HIP_VERSION == HIP_VERSION_MAJOR * 10000000 + HIP_VERSION_MINOR * 100000, "");\n'
        'extern "C" __device__ float __ocml_sqrt_f32(float);\n'
        'extern "C" __global__ void k(const float *x, float *y) {\n'
        '  if (x[threadIdx.x] < 0) printf("%f\\n", x[threadIdx.x]);\n'
        "  float size = __ocml_sqrt_f32(x[threadIdx.x] * x[threadIdx.x]);\n"
        "  y[threadIdx.x] = size + std::fmaxf(1.0f, std::expf(0.0f));\n}\n"
    )
    launch = LaunchOptions(arguments=("x=f32[8]:index", "y=f32[8]:unwritten"), block=8, expect="y = x + 1")
    assert right(run_kernel(path, RunOptions(arch=arch, launch=launch)))


def test_host_code_beside_a_kernel_is_read_and_not_run(tmp_path: Path) -> None:
    """As test programs have it: OpenMP, and data made of 8-bit floats on the host."""
    path = tmp_path / "k.hip"
    path.write_text(
        "#include <hip/hip_runtime.h>\n#include <hip/hip_fp8.h>\n#include <omp.h>\n"
        "__global__ void one(float *x) { *x = 1; }\n"
        "__device__ __noinline__ float twice(float x) { return 2 * x; }\n"
        "__constant__ float table[4];\n"
        "#include <memory>\n"  # whose attributes are called __noinline__, too
        "int main() {\n"
        "  omp_set_num_threads(2);\n"
        "  float *data, ms; hipStream_t stream; hipEvent_t event; hipDeviceProp_t is; int n; void *at;\n"
        "  (void)hipMallocAsync(&data, 64, hipStreamDefault);\n"
        "  (void)hipStreamCreateWithFlags(&stream, hipStreamNonBlocking);\n"
        "  (void)hipMemcpyToSymbol(table, data, 16); (void)hipGetSymbolAddress(&at, HIP_SYMBOL(table));\n"
        "  (void)hipGetDeviceProperties(&is, 0); (void)hipEventRecord(event, hipStreamDefault);\n"
        "  (void)hipOccupancyMaxActiveBlocksPerMultiprocessor(&n, one, is.maxThreadsPerBlock, 0);\n"
        "  (void)hipDeviceGetAttribute(&n, hipDeviceAttributeMultiprocessorCount, 0);\n"
        "  hipLaunchKernelGGL(one, dim3(1), dim3(64), 0, hipStreamDefault, data);\n"
        "  return float(__hip_fp8_e4m3(0.5f)) > 0 && hipEventElapsedTime(&ms, event, event); }\n"
    )
    done = CliRunner().invoke(cli, ["compile", str(path), "--arch", "gfx950"])
    assert done.exit_code == 0, done.output
    assert "kernel    _Z3onePf: " in done.output
