"""Launch descriptions for assembly and code objects: a YAML file beside the kernel, or command-line texts.

``A=bf16[128,512]:random`` is a matrix argument, ``K=512`` or ``K=i32:512`` a scalar; they are matched to the
kernel's by position. ``C = A @ B.T`` is the expected result, or another formula.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wavesim.errors import SourceSpan, UserError
from wavesim.front.launch.model import (
    Expectation,
    Launch,
    MatrixArgument,
    Position,
    ScalarArgument,
    Tile,
    corners,
)
from wavesim.front.launch.ranges import MAX_GRID, check_ranges, in_range
from wavesim.front.launch.unfilled import refuse_unfilled
from wavesim.isa.memory_roles import LATENCY, ROLES
from wavesim.source_text import KeyPath, Marks

MATRIX_TYPES = (
    *("bf16", "f16", "f32", "f64", "i32", "u32", "i16", "u16", "i64", "i8", "u8"),
    *("fp8", "bf8", "e4m3", "e5m2", "e4m3fnuz", "e5m2fnuz", "e8m0", "fp6", "bf6", "fp4"),
)
"""``fp8`` and ``bf8`` are the architecture's own forms, the other small floats what they say everywhere."""
SCALAR_TYPES = ("i32", "u32", "i64", "u64", "i16", "u16", "i8", "u8", "f32", "f64", "f16", "bf16")
_FLOATS = ("f32", "f64", "f16", "bf16")
MAX_REPEATED = 4096
"""Elements of ``TYPE*COUNT:VALUE``: as many bytes as a kernarg segment can have."""
ARRAY_ENDING = ".npy"
INITS = ("random", "zero", "ones", "index", "unwritten")
MAX_DYNAMIC_LDS_BYTES = 1 << 20
"""More than any LDS: too large an allocation is a finding, a typing error is refused."""
KEYS = (
    "kernel",
    "workgroup",
    "grid",
    "position",
    "constants",
    "arguments",
    "expect",
    "references",
    "tile",
    "memory",
    "lds",
)
STORED = "stored"
"""What ``tile`` says where all that the workgroup stores is judged, wherever that is."""

_MATRIX = re.compile(r"(\w+)\[\s*(?:([\w*]+)\s*,)?\s*([\w*]+)\s*\](?::([\w./\\ -]+))?$")
_SCALAR = re.compile(r"(?:(\w+):)?(-?[\w.*]+(?:(?<=[eE])[-+]\d+)?|-?inf|nan)$")
_REPEATED = re.compile(r"(\w+)\*(\d+):(.+)$")
_EXPECT = re.compile(r"\s*(\w+)\s*=\s*(\w+)\s*@\s*(\w+)(\.T)?\s*$")
_FORMULA = re.compile(r"\s*(\w+)\s*=(?!=)(.+)$", re.DOTALL)


@dataclass(frozen=True)
class LaunchOptions:
    """What the command line says of a launch; empty fields leave it to the launch file. ``compile_flags``
    are for a HIP kernel's compiler (``-DN=4``, ``-I/folder``). ``shape`` is ``block`` in x, y and z."""

    file: str | None = None
    arguments: tuple[str, ...] = ()
    block: int | None = None
    grid: str | None = None
    expect: str | None = None
    tile: str | None = None
    kernel: str | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    dynamic_lds_bytes: int = 0
    compile_flags: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()


def launch_path(kernel: Path) -> Path:
    """The launch file that belongs to a kernel file: ``gemm8.s`` -> ``gemm8.launch.yaml``."""
    return kernel.with_suffix(".launch.yaml")


def launch_kernel(path: Path, options: LaunchOptions) -> str | None:
    """The kernel of the file ``path`` that is meant: ``--kernel``, or ``kernel:`` in the launch file.

    Raises:
        UserError: the launch file cannot be read.
    """
    if options.kernel is not None:
        return options.kernel
    beside = Path(options.file) if options.file else launch_path(path)
    if not os.path.isfile(beside):
        return None
    from wavesim.yaml_source import load_yaml

    data, marks = load_yaml(beside)
    name = data.get("kernel") if isinstance(data, dict) else None
    if name is not None and not isinstance(name, str):
        raise marks.error(("kernel",), "kernel: the name of a kernel in the file is needed")
    return name


def read_launch(path: Path, constants: Mapping[str, str]) -> Launch:
    """Read a launch file; ``constants`` override the ones it declares.

    Raises:
        UserError: not a launch file: unknown key, unknown constant, unreadable argument.
    """
    from wavesim.yaml_source import load_yaml

    data, marks = load_yaml(path)
    if not isinstance(data, dict):
        raise UserError("a launch file is a mapping", SourceSpan(str(path)), f"keys: {', '.join(KEYS)}")
    refuse_unfilled(data, marks)
    for key in data:
        if key not in KEYS:
            raise marks.error(
                (key,), f"unknown key {key!r} in a launch file", f"keys: {', '.join(KEYS)}", at_key=True
            )
    known = _constants(data.get("constants", {}), constants, marks.span(("constants",)))
    arguments = data.get("arguments")
    if not isinstance(arguments, dict):
        raise marks.error(("arguments",), "arguments: a mapping of names to descriptions is needed")
    given = data.get("references", {})
    if not isinstance(given, dict):
        raise marks.error(("references",), "references: a mapping of names to matrices is needed")

    def read(key: str, fields: Mapping[object, object]) -> list[MatrixArgument | ScalarArgument]:
        return [
            parse_argument(
                f"{'.'.join(map(str, place))}={text}", number, known, marks.span((key, *place)), path.parent
            )
            for number, (place, text) in enumerate(_fields(fields, ()))
        ]

    parsed, references = read("arguments", arguments), read("references", given)
    only_stored = data.get("tile") == STORED
    if only_stored:
        data = {key: value for key, value in data.items() if key != "tile"}
    numbers = {key: _integers(data.get(key), key, known, marks) for key in ("grid", "position", "tile")}
    position = numbers["position"] or [0, 0]
    expect = data.get("expect")
    if expect is not None and not isinstance(expect, str):
        raise marks.error(("expect",), f"expect: {expect!r:.40} is not text", "such as expect: C = A @ B.T")
    return build_launch(
        parsed,
        workgroup=_workgroup(data.get("workgroup"), known, marks),
        grid=numbers["grid"] or [place + 1 for place in position],
        position=position,
        expect=expect,
        tile=numbers["tile"],
        references=[each for each in references if isinstance(each, MatrixArgument)],
        only_stored=only_stored,
        memory=_memory(data.get("memory", {}), known, marks),
        dynamic_lds_bytes=_dynamic_lds(data.get("lds", 0), known, marks),
        span=marks.span(),
        places={key: marks.span((key,)) for key in KEYS},
    )


def _fields(arguments: Mapping[object, object], structs: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    """Each argument with its way from the top; a mapping is a struct passed by value, a list an array."""
    for name, value in arguments.items():
        path = (*structs, name if isinstance(name, int) else str(name))
        if isinstance(value, dict) and value:
            yield from _fields(value, path)
        elif isinstance(value, list) and value:
            yield from _fields(dict(enumerate(value)), path)
        else:
            yield from (((*path, *place), each) for place, each in _repeated(value))


def _repeated(value: object) -> Iterator[tuple[KeyPath, object]]:
    """The value itself, or the elements of ``i32*64:0``, an array of equal ones."""
    match = _REPEATED.match(value) if isinstance(value, str) else None
    if match is None or int(match[2]) > MAX_REPEATED:
        yield (), value
    else:
        yield from (((place,), f"{match[1]}:{match[3]}") for place in range(int(match[2])))


def _integers(data: object, key: str, constants: Mapping[str, int], marks: Marks) -> list[int] | None:
    """A list of whole numbers, if there is one."""
    if data is None:
        return None
    if not isinstance(data, list) or not data:
        raise marks.error((key,), f"{key}: {data!r:.40} is no list of numbers", f"such as {key}: [4, 2]")
    return [_integer(value, key, constants, marks.span((key, index))) for index, value in enumerate(data)]


def _memory(data: object, constants: Mapping[str, int], marks: Marks) -> dict[str, int | str]:
    """The launch's machine values: ``memory: {latency_clk: 800}``, or a role of the loads instead."""
    if not isinstance(data, dict):
        raise marks.error(("memory",), "memory: a mapping is needed", "memory: {latency_clk: 800}")
    found: dict[str, int | str] = {}
    for key, value in data.items():
        if f"memory.{key}" == LATENCY and value in ROLES:
            found[LATENCY] = str(value)
        else:
            found[f"memory.{key}"] = _integer(value, str(key), constants, marks.span(("memory", key)))
    return found


def _workgroup(data: object, constants: Mapping[str, int], marks: Marks) -> list[int]:
    """``workgroup: 256``, or ``[16, 16]`` in x and y."""
    if isinstance(data, list):
        return _integers(data, "workgroup", constants, marks) or []
    return [_integer(data, "workgroup", constants, marks.span(("workgroup",)))]


def _dynamic_lds(data: object, constants: Mapping[str, int], marks: Marks) -> int:
    span = marks.span(("lds",))
    size_bytes = _integer(data, "lds", constants, span)
    if not 0 <= size_bytes <= MAX_DYNAMIC_LDS_BYTES:
        raise UserError(
            f"lds: {size_bytes} bytes", span, f"dynamic LDS is 0 to {MAX_DYNAMIC_LDS_BYTES} bytes"
        )
    return size_bytes


def launch_from_options(options: LaunchOptions, span: SourceSpan) -> Launch:
    """A launch from ``--arg``, ``--block``, ``--grid``, ``--expect`` and ``--tile`` alone.

    Raises:
        UserError: a text that cannot be read.
    """
    known = _constants({}, options.constants, span)
    texts = [
        "=".join((".".join(map(str, (name.strip(), *place))), *([str(each)] if equals else [])))
        for name, equals, value in (text.partition("=") for text in options.arguments)
        for place, each in _repeated(value.strip())
    ]
    parsed = [parse_argument(text, number, known, span) for number, text in enumerate(texts)]
    position = [int(part) for part in _numbers(options.grid or "0,0", "--grid", span)]
    only_stored = options.tile == STORED
    tile = _numbers(options.tile, "--tile", span) if options.tile and not only_stored else None
    return build_launch(
        parsed,
        workgroup=options.shape or (options.block or 256,),
        grid=[value + 1 for value in position],
        position=position,
        expect=options.expect,
        tile=tile,
        only_stored=only_stored,
        memory={},
        dynamic_lds_bytes=options.dynamic_lds_bytes,
        span=span,
    )


def _numbers(text: str, what: str, span: SourceSpan) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"{what} {text!r} is not numbers with commas between", span, "such as 0,0") from None


def grid_position(text: str, span: SourceSpan) -> tuple[int, int]:
    """``X,Y`` of ``--grid`` for a tile program.

    Raises:
        UserError: not two numbers from 0 on.
    """
    numbers = _numbers(text, "--grid", span)
    if len(numbers) != 2 or min(numbers) < 0:
        raise UserError(f"--grid {text!r}: the position of a workgroup is needed", span, "X,Y, such as 0,1")
    return numbers[0], numbers[1]


def build_launch(
    arguments: Sequence[MatrixArgument | ScalarArgument],
    *,
    workgroup: Sequence[int],
    grid: Sequence[int],
    position: Sequence[int],
    expect: str | None,
    tile: Sequence[int] | None,
    memory: Mapping[str, int | str],
    dynamic_lds_bytes: int,
    span: SourceSpan,
    places: Mapping[str, SourceSpan] = MappingProxyType({}),
    references: Sequence[MatrixArgument] = (),
    only_stored: bool = False,
) -> Launch:
    """A launch of one workgroup at ``position`` (x, y, z); x runs along the columns of the result.

    ``places`` are those of the launch file's keys; other faults are at ``span``. ``only_stored``: in place
    of a ``tile``, all that the workgroup stores is judged.

    Raises:
        UserError: numbers that no launch can have; the expected result names no matrix, or cannot be read.
    """
    check_ranges(workgroup, grid, position, tile or [], places, span)
    tile_span = places.get("tile", span)
    group = (*position, 0, 0)[:3]
    size = (*grid, 1, 1)[:3]
    x, y, z = (int(value) for value in group)
    launch = Launch(
        arguments=tuple(arguments),
        workgroup_size=prod(workgroup),
        shape=tuple(workgroup) if len(workgroup) > 1 else (),
        grid=(int(size[0]), int(size[1]), int(size[2])),
        workgroups=((x, y, z),),
        machine_overrides=dict(memory),
        dynamic_lds_bytes=dynamic_lds_bytes,
        references=tuple(references),
    )
    if expect is None:
        return launch
    wanted = _expectation(expect, launch, places.get("expect", span))
    matrix = launch.matrix(wanted.result)
    if only_stored:
        return replace(launch, expect=replace(wanted, only_stored=True))
    if tile and len(tile) == 4:
        region = (int(tile[0]), int(tile[1]), int(tile[2]), int(tile[3]))
        if region[0] + region[2] > matrix.rows or region[1] + region[3] > matrix.cols:
            raise UserError(
                f"the tile {', '.join(map(str, region))} is not inside of {matrix.name}"
                f"[{matrix.rows},{matrix.cols}]",
                tile_span,
                "FIRST ROW,FIRST COLUMN,ROWS,COLS",
            )
    elif tile and len(tile) != 2:
        raise UserError(
            f"tile of {len(tile)} numbers", tile_span, "ROWS,COLS or FIRST ROW,FIRST COLUMN,ROWS,COLS"
        )
    else:
        rows, cols = (int(tile[0]), int(tile[1])) if tile else (matrix.rows, matrix.cols)
        row, col = y * rows, x * cols
        if row >= matrix.rows or col >= matrix.cols:
            raise UserError(
                f"the tile of workgroup {x},{y} begins at row {row}, column {col}: outside of {matrix.name}"
                f"[{matrix.rows},{matrix.cols}]",
                tile_span,
                "x counts tiles along the columns; --tile FIRST ROW,FIRST COLUMN,ROWS,COLS says where",
            )
        region = (row, col, min(rows, matrix.rows - row), min(cols, matrix.cols - col))  # edges fill no tile
    if not region[2] or not region[3]:
        raise UserError(f"a tile of {region[2]} rows and {region[3]} columns holds nothing", tile_span)
    others = _corner_tiles(launch, matrix, (int(tile[0]), int(tile[1]))) if tile and len(tile) == 2 else {}
    return replace(launch, expect=replace(wanted, tiles={(x, y, z): region}, corners=others))


def _corner_tiles(launch: Launch, matrix: MatrixArgument, size: tuple[int, int]) -> dict[Position, Tile]:
    """Tiles of the workgroups at the grid's corners that lie in the same plane as the simulated one."""
    found = {}
    for x, y, z in corners(launch.grid):
        row, col = y * size[0], x * size[1]
        if z == launch.workgroups[0][2] and row < matrix.rows and col < matrix.cols:
            found[x, y, z] = row, col, min(size[0], matrix.rows - row), min(size[1], matrix.cols - col)
    return found


def _expectation(expect: str, launch: Launch, span: SourceSpan) -> Expectation:
    """The expected result that a text states, without its tiles."""
    matrices = [argument.name for argument in launch.arguments if isinstance(argument, MatrixArgument)]
    product, formula = _EXPECT.match(expect), _FORMULA.match(expect)
    if formula is None:
        raise UserError(
            f"expected result {expect!r} cannot be read", span, "form: C = A @ B.T, or C = a formula"
        )
    result, text = formula.group(1), formula.group(2).strip()
    try:
        from wavesim.front.launch.formula import names_in  # with numpy, which a help text has no use for

        used = names_in(text)
    except UserError as error:
        raise UserError(error.message, span, error.hint) from None
    known = {argument.name for argument in (*launch.arguments, *launch.references)}
    for name, names in ((result, matrices), *((each, known) for each in used)):
        if name not in names:
            raise UserError(f"the expected result names {name!r}", span, f"matrices: {', '.join(matrices)}")
    if product is not None and {product.group(2), product.group(3)} <= set(matrices):
        return Expectation(result, product.group(2), product.group(3), bool(product.group(4)))
    return Expectation(result, "", "", formula=text)


def parse_argument(
    text: str,
    number: int,
    constants: Mapping[str, int],
    span: SourceSpan,
    folder: Path = Path(),
) -> MatrixArgument | ScalarArgument:
    """``NAME=bf16[rows,cols]:init`` or ``NAME=type:value``; the number seeds random data. ``STRUCT.NAME``
    is a field of a struct passed by value, ``STRUCT.NAME.0`` an element of an array, which is then called
    ``NAME_0``. ``init`` may be a file of numpy's (``x.npy``) in ``folder``.

    Raises:
        UserError: neither of the two, an unknown type or constant.
    """
    name, equals, value = text.partition("=")
    value, form = value.strip(), "NAME=bf16[128,512]:random or NAME=i32:512"
    if not equals or not name.strip():
        raise UserError(f"argument {text!r} cannot be read", span, form)
    name, structs = _name_and_structs(name, text, span)
    match = _MATRIX.match(value)
    if match:
        dtype, rows, cols, init = match.groups()
        if dtype not in MATRIX_TYPES:
            raise UserError(
                f"{name}: unknown element type {dtype!r}", span, f"one of {', '.join(MATRIX_TYPES)}"
            )
        init = (init or "random").strip()
        from_file = init.endswith(ARRAY_ENDING)
        if init not in INITS and not from_file:
            known = f"one of {', '.join(INITS)}, or a file that ends in {ARRAY_ENDING}"
            raise UserError(f"{name}: unknown data {init!r}", span, known)
        shape = [_integer(dimension, name, constants, span) for dimension in (rows or "1", cols)]
        in_range(f"{name}: rows or columns", shape, 1, MAX_GRID, 2, span)
        if from_file:
            from wavesim.front.launch.array_file import read_elements

            content = read_elements(folder / init, dtype, (shape[0], shape[1]), span)
            return MatrixArgument(
                name, dtype, shape[0], shape[1], "given", number + 1, content=content, structs=structs
            )
        return MatrixArgument(name, dtype, shape[0], shape[1], init=init, seed=number + 1, structs=structs)
    match = _SCALAR.match(value)
    if match is None:
        raise UserError(f"argument {text!r} cannot be read", span, form)
    dtype = match.group(1) or ("i32" if _is_whole(match.group(2), constants) else "f32")
    if dtype not in SCALAR_TYPES:
        raise UserError(f"{name}: unknown scalar type {dtype!r}", span, f"one of {', '.join(SCALAR_TYPES)}")
    if dtype in _FLOATS:
        try:
            return ScalarArgument(name, dtype, float(match.group(2)), structs)
        except ValueError:
            known = f"constants: {', '.join(constants)}" if constants else "no constants are declared"
            raise UserError(f"{name}: {match.group(2)!r} is not a number", span, known) from None
    return ScalarArgument(name, dtype, _integer(match.group(2), name, constants, span), structs)


def _name_and_structs(path: str, text: str, span: SourceSpan) -> tuple[str, tuple[str, ...]]:
    """``x`` and ``(p, q)`` of ``p.q.x``; ``x_0`` for the element ``p.x.0``."""
    *structs, name = (part.strip() for part in path.split("."))
    if not name or not all(structs):
        raise UserError(f"argument {text!r} cannot be read", span, "STRUCT.FIELD=i32:512")
    for part in reversed(structs if name.isdigit() else []):
        name = f"{part}_{name}"
        if not part.isdigit():
            break
    return name, tuple(structs)


def _is_whole(text: str, constants: Mapping[str, int]) -> bool:
    """Whether a number without a type is a whole one: no decimal point and no exponent."""
    return (
        "." not in text and re.fullmatch(r"-?(\d+[eE][-+]?\d+|inf|nan)", text) is None
    ) or text in constants


def _constants(declared: Any, given: Mapping[str, str], span: SourceSpan) -> dict[str, int]:
    if not isinstance(declared, dict):
        raise UserError("constants: a mapping of names to whole numbers is needed", span)
    values = {name: _integer(value, name, {}, span) for name, value in declared.items()}
    for name, text in given.items():
        if declared and name not in declared:
            raise UserError(f"no launch constant {name!r}", span, f"constants: {', '.join(declared)}")
        values[name] = _integer(text, name, values, span)
    return values


def _integer(value: Any, name: str, constants: Mapping[str, int], span: SourceSpan) -> int:
    """A whole number, a constant, or a product of such (``2*K``)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    product = 1
    for part in str(value).split("*"):
        word = part.strip()
        if word in constants:
            product *= constants[word]
        else:
            try:
                product *= int(word, 0)
            except ValueError:
                known = f"constants: {', '.join(constants)}" if constants else "no constants are declared"
                raise UserError(f"{name}: {value!r} is not a whole number", span, known) from None
    return product
