"""Triton and Gluon kernels, compiled here by the real wheel: right numbers, and check is clean."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from json_schemas import validate

import wavesim
from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.program import Severity
from wavesim.python_kernels.source_file import kernel_of, kernels_of
from wavesim.python_kernels.triton import _NAMES, _name_of
from wavesim.python_kernels.values import Value
from wavesim.swizzles.access import Tile
from wavesim.swizzles.layouts import Layout, triton_layout

HERE = Path(__file__).parent
SOURCE = HERE / "triton_kernels.py"
HAS_TRITON = importlib.util.find_spec("triton") is not None
needs_triton = pytest.mark.skipif(
    not HAS_TRITON and not os.environ.get("CI"), reason="needs the wheel: pip install triton"
)
ARCHS = pytest.mark.parametrize("arch", ["gfx942", "gfx950"])


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path / "triton"))


def kernel(name: str) -> Any:
    return kernel_of(SOURCE, name)


def assert_right(compiled: wavesim.PythonKernel, elements: int) -> wavesim.RunResult:
    done = wavesim.run(compiled)
    assert done.numerics.checked
    assert done.numerics.ok, done.numerics.message
    assert done.numerics.element_count == elements
    report = wavesim.check(compiled)
    assert report.verdict == "good", report
    return done


def numbers(*shape: int, kind: type = np.float32) -> Any:
    return np.random.default_rng(7).standard_normal(shape).astype(kind)


@needs_triton
@ARCHS
def test_an_addition_whose_last_program_is_not_full(arch: str) -> None:
    x, y = numbers(2, 1000)
    compiled = wavesim.triton(
        kernel("add_kernel"),
        constants={"BLOCK": 256},
        grid=lambda meta: (-(-1000 // meta["BLOCK"]),),
        args=[x, y, "f32[1000]:unwritten", 1000],
        expected={"out_ptr": x + y},
        position=(3,),
        arch=arch,
    )
    assert_right(compiled, 1000 - 3 * 256)


@needs_triton
@ARCHS
def test_a_softmax(arch: str) -> None:
    x = numbers(8, 700)
    e = np.exp(x - x.max(1, keepdims=True))
    compiled = wavesim.triton(
        kernel("softmax_kernel"),
        constants={"BLOCK": 1024},
        grid=8,
        args={"out_ptr": "f32[8,700]:unwritten", "x_ptr": x, "stride": 700, "columns": 700},
        expected={"out_ptr": e / e.sum(1, keepdims=True)},
        position=(5,),
        arch=arch,
    )
    assert_right(compiled, 700)


@needs_triton
@ARCHS
@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_a_product_becomes_mfma(arch: str, kind: str) -> None:
    """A stride of 1 is no argument any more, as for the just-in-time compiler; sources have their lines."""
    compiled = wavesim.triton(
        kernel("matmul_kernel"),
        constants={"BM": 64, "BN": 64, "BK": 32},
        grid=(2, 2),
        args=[f"{kind}[128,128]", f"{kind}[128,128]", "f32[128,128]:unwritten", 128, 128, 1, 128, 1, 128],
        expect="c_ptr = a_ptr @ b_ptr",
        position=(1, 0),
        arch=arch,
    )
    assert "v_mfma_f32_" in compiled.path.read_text()
    launch = compiled.launch.read_text()
    assert "sam:" in launch
    assert "sak:" not in launch
    done = assert_right(compiled, 64 * 64)
    assert {each.source.file for each in done.run.kernel.program if each.source} == {str(SOURCE)}


@needs_triton
@ARCHS
def test_attention_that_is_causal(arch: str) -> None:
    """Element by element the sum may cancel: data that are expected say nothing of the size of its terms."""
    q, k, v = numbers(3, 128, 64, kind=np.float16)
    scores = np.where(np.tril(np.ones((128, 128), bool)), q.astype(float) @ k.T.astype(float) / 8, -np.inf)
    p = np.exp(scores - scores.max(1, keepdims=True))
    compiled = wavesim.triton(
        kernel("attention_kernel"),
        constants={"D": 64, "BM": 64, "BN": 32},
        grid=2,
        args=[q, k, v, 0.125, "f16[128,64]:unwritten", 128],
        expected={"out_ptr": p / p.sum(1, keepdims=True) @ v.astype(float)},
        position=(1,),
        arch=arch,
    )
    assert_right(compiled, 64 * 64)


@needs_triton
def test_a_gluon_kernel() -> None:
    compiled = wavesim.triton(
        kernel_of(HERE / "gluon_kernels.py", "product_kernel"),
        constants={"M": 64, "N": 64, "BK": 32},
        grid=(2, 2),
        args=["f16[128,64]", "f16[128,64]", "f32[128,128]:unwritten", 64],
        expect="c_ptr = a_ptr @ b_ptr.T",
        position=(1, 0),
    )
    assert_right(compiled, 64 * 64)


@needs_triton
@pytest.mark.parametrize("layout", [Layout(128, pad_bytes=16), Layout(128, 16, 2, 4)], ids=["pad", "swizzle"])
def test_layouts_are_printed_as_triton_writes_and_takes_them(layout: Layout) -> None:
    """Those of ``wavesim swizzle``: Gluon's object becomes the very attribute."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import compile as triton_compile
    from triton.experimental.gluon import language as gl
    from triton.experimental.gluon._runtime import GluonASTSource

    attribute, text = triton_layout(layout, Tile(128, 64, "bf16", 16, 32, 16))
    constants = {"shared": eval(text, {"gl": gl})}
    function = kernel_of(HERE / "gluon_kernels.py", "through_lds_kernel")
    types = {"x_ptr": "*bf16", "y_ptr": "*bf16", "shared": "constexpr"}
    made = triton_compile(GluonASTSource(function, types, constants), target=GPUTarget("hip", "gfx942", 64))
    assert f"= {attribute}\n" in made.asm["ttgir"]
    args = ["bf16[128,64]", "bf16[128,64]:unwritten"]
    compiled = wavesim.triton(function, constants=constants, args=args, expect="y_ptr = x_ptr + 0")
    assert_right(compiled, 128 * 64)


@needs_triton
@pytest.mark.parametrize(("arch", "names"), [("gfx90a", "e4m3"), ("gfx942", "e4m3fnuz"), ("gfx950", "e4m3")])
def test_fp8_is_what_the_architecture_has(arch: str, names: str) -> None:
    value = Value("x", "fp8", "fp8[64]", is_matrix=True)
    assert _name_of(value, arch) == _NAMES[names]


@needs_triton
def test_a_wrong_result_is_found_and_nothing_stored_is_one() -> None:
    x = numbers(256)
    ask: dict[str, Any] = {"constants": {"BLOCK": 256}, "grid": 2}
    args = [x, x, "f32[256]:unwritten", 256]
    wrong = wavesim.triton(kernel("add_kernel"), args=args, expected={"out_ptr": 3 * x}, **ask)
    assert wavesim.run(wrong).verdict == "bad"
    beyond = wavesim.triton(
        kernel("add_kernel"), args=args, expected={"out_ptr": 2 * x}, position=(1,), **ask
    )
    assert wavesim.run(beyond).numerics.message == "nothing was stored to out_ptr"


@needs_triton
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path) -> None:
    line = (
        SOURCE.read_text()
        .splitlines()
        .index("    tl.store(x_ptr + tl.arange(0, BLOCK), no_such_name)  # noqa: F821")
    )
    with pytest.raises(UserError, match="no_such_name") as found:
        wavesim.triton(kernel("wrong_kernel"), constants={"BLOCK": 64}, args=["f32[64]"])
    assert found.value.span is not None
    assert (found.value.span.file, found.value.span.line) == (str(SOURCE), line + 1)
    with pytest.raises(UserError, match="no value for n") as missing:
        wavesim.triton(kernel("add_kernel"), constants={"BLOCK": 64}, args=["f32[64]"] * 3)
    assert missing.value.hint == "constants={'n': ...}, or an argument"
    with pytest.raises(UserError, match="has no parameter 'm'"):
        wavesim.triton(kernel("add_kernel"), constants={"BLOCK": 64}, args={"m": 1})
    with pytest.raises(UserError, match="no kernel of Triton"):
        wavesim.triton(print)
    with pytest.raises(UserError, match="grid: 0"):
        wavesim.triton(kernel("add_kernel"), {}, {"BLOCK": 64}, 0, ["f32[64]"] * 3 + [64])


@needs_triton
def test_the_command_writes_what_run_and_check_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the file is not run: not its launch, nor an import that only that needs."""
    (tmp_path / "mine.py").write_text(
        "import no_such_package\n"
        + SOURCE.read_text().replace(
            "@triton.jit\ndef add", "@triton.jit(repr=no_such_package.name)\ndef add"
        )
        + "\nx = no_such_package.rand(98432)\nadd_kernel[(97,)](x, x, x, 98432, BLOCK=1024)\n"
    )
    monkeypatch.chdir(tmp_path)
    executed: list[Path] = []
    monkeypatch.setattr(
        "wavesim.python_kernels.source_file.kernels_of",
        lambda path: executed.append(path) or kernels_of(path),
    )
    text = "triton mine.py --kernel add_kernel --constant BLOCK=1024 --programs 97 --arg n=98432"
    matrices = ["x_ptr=f32[98432]", "y_ptr=f32[98432]", "out_ptr=f32[98432]:unwritten"]
    words = [*text.split(), *(word for each in matrices for word in ("--arg", each))]
    done = CliRunner().invoke(
        cli, [*words, "--expect", "out_ptr = x_ptr + y_ptr", "-o", "add.s", "--json=add.json"]
    )
    assert done.exit_code == 0, done.output
    assert "wrote     add.s, add.launch.yaml" in done.output
    assert len(executed) == 1  # whatever it has of constants
    validate(json.loads(Path("add.json").read_text()), "triton")
    assert CliRunner().invoke(cli, ["check", "add.s"]).exit_code == 0
    assert wavesim.run("add.s").numerics.element_count == 1024


@needs_triton
def test_a_file_with_several_kernels_names_them() -> None:
    assert "matmul_kernel" in kernels_of(SOURCE)
    with pytest.raises(UserError, match="kernels") as found:
        kernel_of(SOURCE, None)
    assert found.value.hint is not None
    assert "add_kernel, softmax_kernel" in found.value.hint


def test_without_triton_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "triton.runtime.jit", None)
    with pytest.raises(UserError, match="Triton is not installed") as found:
        wavesim.triton(print)
    assert found.value.hint == "pip install 'wavesim-cdna[triton]'"


@needs_triton
def test_a_prediction_takes_it_too() -> None:
    x = numbers(1024)
    compiled = wavesim.triton(
        kernel("add_kernel"),
        {},
        {"BLOCK": 256},
        4,
        [x, x, "f32[1024]:unwritten", 1024],
        expected={"out_ptr": 2 * x},
    )
    done = wavesim.run(compiled, arch="MI325X")
    assert done.run.memory is not None
    assert not [each for each in done.findings if each.severity is Severity.ERROR]
