"""``wavesim triton``: a kernel of a Python file, compiled without a GPU, with the launch it is to get."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from wavesim.cli.options import ARCH, KERNEL_NAME, SETTINGS, JsonOptions, options
from wavesim.cli.paths import InputPath, OutputPath
from wavesim.cli.progress import working_line
from wavesim.errors import UserError
from wavesim.isa.archs import DEFAULT_ARCH
from wavesim.isa.load import arch_of


@click.command()
@click.argument("file", type=InputPath(exists=True, dir_okay=False, path_type=Path))
@click.option("--arch", **ARCH, default=DEFAULT_ARCH, show_default=True, help="Architecture or device.")
@click.option("--kernel", "kernel_name", **KERNEL_NAME)
@click.option(
    "--constant", "constants", **SETTINGS, help="Value of a constexpr parameter: BLOCK=128 (repeatable)."
)
@click.option(
    "--arg",
    "arguments",
    multiple=True,
    metavar="NAME=WHAT",
    help="Another argument: x_ptr=bf16[128,512]:random, x_ptr=bf16[128,512]:x.npy or n=1000.",
)
@click.option("--programs", default="1", metavar="X[,Y[,Z]]", help="Programs (workgroups) of the launch.")
@click.option("--position", default="0,0,0", metavar="X[,Y[,Z]]", help="Which of them is simulated.")
@click.option("--expect", metavar="TEXT", help="Expected result: 'c_ptr = a_ptr @ b_ptr'.")
@click.option("--tile", metavar="ROWS,COLS", help="What a program computes of it (default: what it stores).")
@click.option(
    "--option", "choices", **SETTINGS, help="An option of Triton: num_warps=8, num_stages=2 (repeatable)."
)
@click.option("-o", "--output", type=OutputPath(path_type=Path), help="Assembly to write; default: KERNEL.s.")
@options(as_json=JsonOptions)
def triton(
    file: Path,
    arch: str,
    kernel_name: str | None,
    constants: dict[str, str],
    arguments: tuple[str, ...],
    programs: str,
    position: str,
    expect: str | None,
    tile: str | None,
    choices: dict[str, str],
    output: Path | None,
    as_json: JsonOptions,
) -> None:
    """Compile a Triton or Gluon kernel of the Python FILE with the installed Triton; no GPU is needed.

    Writes the assembly and a launch file beside it, for run, check, report and the other commands. Of FILE
    only imports, functions and constants are carried out.
    """
    from wavesim.api import triton as compiled_kernel
    from wavesim.python_kernels.source_file import kernels_of, one_of

    kernels = kernels_of(file)
    kernel = one_of(kernels, file, kernel_name)
    given = dict(_pair(text) for text in arguments)
    with working_line(str(file), "compile"):
        found = compiled_kernel(
            kernel,
            constants={name: _value(text, kernels) for name, text in constants.items()},
            grid=_numbers(programs, "--programs"),
            args={name: _number_or_text(text) for name, text in given.items()},
            arch=arch,
            options={name: _literal(text) for name, text in choices.items()},
            expect=expect,
            tile=_numbers(tile, "--tile") if tile is not None else None,
            position=_numbers(position, "--position"),
            output=output or Path(f"{kernel.__name__}.s"),
        )
    compiled = found.compiled
    data = {
        "kernel": found.name,
        "arch": arch_of(arch),
        "threads": compiled.threads,
        "lds_bytes": compiled.dynamic_lds_bytes,
        "assembly": str(found.path),
        "launch": str(found.launch),
    }
    as_json.report("triton", data)
    if as_json.alone:
        return
    click.echo(
        f"kernel    {found.name}: {compiled.threads} threads, {compiled.dynamic_lds_bytes} bytes of LDS"
    )
    click.echo(f"wrote     {found.path}, {found.launch}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise UserError(f"--arg {text!r}", None, "NAME=WHAT, such as x_ptr=bf16[128,512] or n=1000")
    return name.strip(), value.strip()


def _numbers(text: str, option: str) -> list[int]:
    if re.fullmatch(r"\d+(,\d+)*", text) is None:
        raise UserError(f"{option} {text!r}", None, f"numbers with commas between: {option} 4,4")
    return [int(part) for part in text.split(",")]


def _literal(text: str) -> Any:
    """A number, True, False, None or a tuple of such; else the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _number_or_text(text: str) -> Any:
    value = _literal(text)
    return value if isinstance(value, int | float) or value is None else text


def _value(text: str, kernels: Mapping[str, Any]) -> Any:
    """A constant: a literal, a type of Triton (``fp16``), or a function of the file."""
    value = _literal(text)
    if not isinstance(value, str):
        return value
    import triton.language as language

    if language.dtype.is_dtype(value):
        return language.dtype(value)
    return kernels.get(value, value)
