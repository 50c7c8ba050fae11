"""Reads the files of a rocprofv3 thread-trace "UI" folder, checked, without interpreting them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.inputs import note_input
from wavesim.limits import MAX_INPUT_BYTES, MAX_INSTRUCTIONS_PER_WAVE, MAX_INSTRUCTIONS_STATIC

Int64 = npt.NDArray[np.int64]

MAX_ROWS_TOTAL = 40_000_000
"""Dynamic instructions of all waves of one folder."""

MAX_JITTER_CLK = 16
"""Single samples jitter by 4 clk; a wave whose clocks run back further than this is corrupted."""

INDEX = "filenames.json"
"""The file that makes a folder one of a thread trace."""

KNOWN_MAJOR_VERSIONS = ("2", "3")

CLOCK, TYPE, STALL, DURATION, CODE_ID = range(5)
"""Columns of :attr:`RawWave.rows`."""


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One row of code.json: ``text`` is ISA or a ``;`` comment; ``source`` is ``file:line`` or empty."""

    text: str
    source: str
    code_object: int
    address: int

    @property
    def is_instruction(self) -> bool:
        """Whether it is code, not a comment or an empty line."""
        return bool(self.text) and not self.text.startswith(";")


@dataclass(frozen=True)
class RawWave:
    """One wave file. ``rows`` has shape (n, 5), int64: clock, type, stall, duration, code id; ``missing``
    more instructions were traced, says the file."""

    file: str
    shader_engine: int
    compute_unit: int
    simd: int
    slot: int
    wave: int
    begin_clk: int
    end_clk: int
    rows: Int64
    missing: int = 0


@dataclass(frozen=True)
class Decoded:
    """What a raw trace says beside its waves, in the form of the viewer's files: ``occupancy`` as
    occupancy.json, ``realtime`` as realtime.json (``None``: no record), ``arch`` of the code objects."""

    arch: str
    occupancy: Any
    realtime: Any


@dataclass(frozen=True)
class TraceFolder:
    """A folder as read. Waves stand in the order of filenames.json; those without rows are left out.

    ``decoded``: its waves came from AMD's decoder library and not from files for the viewer.
    """

    path: Path
    version: str
    code: tuple[CodeRow, ...]
    waves: tuple[RawWave, ...]
    notes: tuple[str, ...] = ()
    decoded: Decoded | None = None


def _fail(path: Path, message: str, hint: str = "") -> UserError:
    return UserError(message, SourceSpan(str(path)), hint)


def read_json(path: Path) -> Any:
    """Parsed content of a file of a trace.

    Raises:
        UserError: missing, unreadable, too large or not JSON.
    """
    note_input(path)
    try:
        size = path.stat().st_size
        if not os.path.isfile(path):
            raise _fail(path, "is not a file")
        if size > MAX_INPUT_BYTES:
            raise LimitExceeded(
                f"has {size} bytes; at most {MAX_INPUT_BYTES} are read", SourceSpan(str(path))
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise _fail(path, "missing from the thread-trace folder") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise _fail(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not data.strip():
        raise _fail(path, "is empty", "the trace was cut off while it was written?")
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        span = SourceSpan(str(path), error.lineno, error.colno)
        raise UserError(f"is not JSON: {error.msg}", span, "truncated or corrupted?") from None
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise _fail(path, f"is not JSON: {error}", "truncated or corrupted?") from None


def _mapping(value: Any, path: Path, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _fail(path, f"{what} is not an object")
    return value


def _integer(value: Any, path: Path, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**62:
        raise _fail(path, f"{what} is not an integer: {value!r:.40}")
    return value


def _code_rows(path: Path) -> tuple[CodeRow, ...]:
    rows = _mapping(read_json(path), path, "the file").get("code")
    if not isinstance(rows, list) or not rows:
        raise _fail(path, "has no list 'code' of instructions")
    if len(rows) > MAX_INSTRUCTIONS_STATIC:
        raise LimitExceeded(
            f"lists {len(rows)} instructions; at most {MAX_INSTRUCTIONS_STATIC} are read",
            SourceSpan(str(path)),
        )
    result = []
    for number, row in enumerate(rows):
        # Columns by position: text, _, line, source, code object, address, ... (8 or 10 of them).
        if not isinstance(row, list) or len(row) < 6 or not isinstance(row[0], str):
            raise _fail(
                path, f"row {number} of 'code' is not [ISA text, _, line, source, codeobj, vaddr, ...]"
            )
        source = row[3] if isinstance(row[3], str) else ""
        code_object = _integer(row[4], path, f"code object of row {number}")
        address = _integer(row[5], path, f"address of row {number}")
        result.append(CodeRow(row[0].strip(), source, code_object, address))
    return tuple(result)


def as_rows(value: Any, path: Path, code_count: int) -> Int64:
    """The instruction rows of a wave, shape (n, 5): a list of rows, or an array.

    Raises:
        UserError: they are not what a trace can hold.
    """
    if not isinstance(value, list | np.ndarray):
        raise _fail(path, "has no list wave.instructions")
    if not len(value):
        return np.zeros((0, 5), np.int64)
    if len(value) > MAX_INSTRUCTIONS_PER_WAVE:
        raise LimitExceeded(
            f"has {len(value)} instructions; at most {MAX_INSTRUCTIONS_PER_WAVE} are read",
            SourceSpan(str(path)),
        )
    try:
        table = np.asarray(value)
    except ValueError:
        table = np.zeros(0)
    if table.ndim != 2 or table.shape[1] < 5 or table.dtype.kind != "i":
        raise _fail(
            path, "wave.instructions are not rows [clock, type, stall, duration, code_id] of integers"
        )
    rows = np.ascontiguousarray(table[:, :5].astype(np.int64))
    ids = rows[:, CODE_ID]
    if ids.min() < 0 or ids.max() >= code_count:
        wrong = int(np.nonzero((ids < 0) | (ids >= code_count))[0][0])
        raise _fail(path, f"instruction {wrong} has code id {int(ids[wrong])}, which code.json does not list")
    if (rows[:, [CLOCK, STALL, DURATION]] < 0).any() or np.abs(rows).max() > 2**60:
        raise _fail(path, "wave.instructions have clocks out of range")
    steps = np.diff(rows[:, CLOCK])
    if (steps < -MAX_JITTER_CLK).any():
        wrong = int(np.nonzero(steps < -MAX_JITTER_CLK)[0][0]) + 1
        raise _fail(path, f"instruction {wrong} is earlier than the one before it")
    rows[:, CLOCK] = np.maximum.accumulate(rows[:, CLOCK])
    return rows


def _listed(tree: Any, path: Path) -> Iterator[tuple[tuple[int, int, int, int], str]]:
    """((shader engine, SIMD, slot, wave), file name) of every wave that filenames.json lists."""

    def level(value: Any, depth: int, keys: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Any]]:
        if depth == 0:
            yield keys, value
            return
        for key, below in _mapping(value, path, "wave_filenames").items():
            if not key.isascii() or not key.isdigit():
                raise _fail(path, f"wave_filenames has the key {key!r:.40}, not a number")
            yield from level(below, depth - 1, (*keys, int(key)))

    for keys, entry in level(tree, 4, ()):
        name = entry[0] if isinstance(entry, list) and entry else entry
        if not isinstance(name, str) or not name or "/" in name or "\\" in name or name.startswith("."):
            raise _fail(path, f"wave_filenames names the file {name!r:.60}, not a file of this folder")
        engine, simd, slot, wave = keys
        yield (engine, simd, slot, wave), name


def _wave(path: Path, keys: tuple[int, int, int, int], code_count: int) -> RawWave:
    content = _mapping(read_json(path), path, "the file")
    wave = _mapping(content.get("wave"), path, "'wave'")
    engine, simd, slot, number = keys

    def field(name: str, default: int) -> int:
        return _integer(wave.get(name, default), path, f"wave.{name}")

    rows = as_rows(wave.get("instructions"), path, code_count)
    first = int(rows[0, CLOCK]) if len(rows) else 0
    last = int(rows[-1, CLOCK] + rows[-1, DURATION]) if len(rows) else 0
    simd = field("simd", simd)
    if not 0 <= simd < 4:
        raise _fail(path, f"wave.simd is {simd}; a compute unit has SIMDs 0 to 3")
    return RawWave(
        file=path.name,
        shader_engine=engine,
        compute_unit=field("cu", 0),
        simd=simd,
        slot=field("slot", slot),
        wave=field("id", number),
        begin_clk=min(field("begin", first), first) if len(rows) else field("begin", 0),
        end_clk=max(field("end", last), last),
        rows=rows,
        missing=max(0, _integer(content.get("num_insts", 0), path, "num_insts") - len(rows)),
    )


def _not_a_trace(path: Path) -> UserError:
    below = sorted(found.parent for found in path.glob(f"*/{INDEX}"))[:3]
    hint = f"a UI folder holds {INDEX}, code.json and se*_sm*_sl*_wv*.json (rocprofv3 --att)"
    if below:
        hint = "did you mean " + " or ".join(map(str, below)) + "?"
    elif not any(path.iterdir()):
        return _fail(path, "is an empty folder, not a thread trace", hint)
    return _fail(path, f"is not a rocprofv3 thread-trace (UI) folder: it has no {INDEX}", hint)


def read_code(path: str | Path) -> tuple[CodeRow, ...]:
    """The listing alone, which is quick to read.

    Raises:
        UserError: not a trace folder, or its listing is unusable.
    """
    root = Path(path)
    index = root / INDEX
    if not os.path.isfile(index):
        raise _not_a_trace(root)
    _mapping(read_json(index), index, "the file")
    return _code_rows(root / "code.json")


def _index(root: Path) -> Mapping[str, Any]:
    """What ``filenames.json`` of the folder says, in a format that is read."""
    if not os.path.exists(root):
        raise _fail(root, "no such folder")
    if not os.path.isdir(root):
        raise _fail(root, f"is a file; give the thread-trace folder that holds {INDEX}")
    index = root / INDEX
    if not os.path.exists(index):
        raise _not_a_trace(root)
    names = _mapping(read_json(index), index, "the file")
    version = str(names.get("version", ""))
    if version and version.split(".")[0] not in KNOWN_MAJOR_VERSIONS:
        raise _fail(index, f"format version {version!r:.20} is not known", "versions 2.x and 3.x are")
    if names.get("gfxip", 9) != 9:
        raise _fail(index, f"the trace is of gfxip {names.get('gfxip')!r:.20}; only gfx9 (CDNA) is read")
    if "wave_filenames" not in names:
        raise _fail(index, "has no wave_filenames")
    return names


def read_folder(path: str | Path) -> TraceFolder:
    """Reads a UI folder.

    Raises:
        UserError: it is not one, or a file of it is missing, truncated, corrupted or too large; the
            message names the file.
    """
    root = Path(path)
    names, index = _index(root), root / INDEX
    notes: list[str] = []
    version = str(names.get("version", ""))
    if not version:
        notes.append(f"{INDEX} names no format version; read as 3.x")
    code = _code_rows(root / "code.json")
    waves: list[RawWave] = []
    total = 0
    for keys, name in _listed(names["wave_filenames"], index):
        wave = _wave(root / name, keys, len(code))
        total += len(wave.rows)
        if total > MAX_ROWS_TOTAL:
            raise LimitExceeded(
                f"has more than {MAX_ROWS_TOTAL} executed instructions", SourceSpan(str(root))
            )
        if wave.missing:
            notes.append(f"{name} tells of {wave.missing} instructions more than it holds: records are lost")
        if len(wave.rows):
            waves.append(wave)
        else:
            notes.append(f"{name} has no instructions and is left out")
    if not waves:
        raise _fail(index, "lists no wave with instructions", "the traced CU ran none of the kernel's waves?")
    return TraceFolder(root, version, code, tuple(waves), tuple(notes))
