"""Raw traces as ``rocprofv3 --att`` leaves them: .att files and code objects, through AMD's decoder library.

rocprofv3 writes ``..._AGENT_shader_engine_SE_DISPATCH.att`` for each shader engine and dispatch, and
``GPU_code_object_id_N.out`` for each code object that was loaded (source/lib/rocprofiler-sdk-tool/tool.cpp of
github.com/ROCm/rocm-systems, projects/rocprofiler-sdk). The decoder asks for instructions by code object and
address; what it gives becomes the same raw form as a folder for the viewer.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.asm.object.disassemble import disassemble
from wavesim.asm.object.elf import Elf, read_elf
from wavesim.errors import LimitExceeded, SourceSpan, UserError
from wavesim.front.endings import ATT, DATABASE, RAW_TRACES
from wavesim.inputs import note_input
from wavesim.isa.archs import ARCHS
from wavesim.limits import MAX_INPUT_BYTES
from wavesim.replays.att.decoder import DecodedShader, DecodedWave, Decoder
from wavesim.replays.att.folder import CodeRow, Decoded, RawWave, TraceFolder, as_rows
from wavesim.replays.att.rocpd import Database, read_database

Int64 = npt.NDArray[np.int64]

_ATT = re.compile(r"(?:(?P<agent>\d+)_)?shader_engine_(?P<engine>\d+)_(?P<dispatch>\d+)\.att$")
_OBJECT = re.compile(r"code_object_id_(?P<number>\d+)\.out$")
DEPTH = ("", "*/", "*/*/", "*/*/*/")
"""Where rocprofv3 may put its output below ``-d DIR``: there, or in folders named by host and process."""
VERSION = "raw"


@dataclass(frozen=True)
class RawDispatch:
    """The .att files of one dispatch, one a shader engine."""

    number: int
    name: str
    files: tuple[tuple[int, Path], ...]
    database: Path | None
    decoder: str | None

    def read(self) -> TraceFolder:
        """Decode them.

        Raises:
            UserError: no decoder, or files that are no trace.
        """
        return _read(self)


def is_raw(path: Path) -> bool:
    """Whether that is what the decoder reads: an .att file, a rocpd database, a folder with .att files."""
    if os.path.isdir(path):
        return next(_att_files(path), None) is not None
    return path.suffix in RAW_TRACES and os.path.isfile(path)


def _att_files(folder: Path) -> Iterator[Path]:
    for below in DEPTH:
        yield from sorted(each for each in folder.glob(f"{below}*{ATT}") if _ATT.search(each.name))


def raw_dispatches(path: Path, decoder: str | None) -> tuple[RawDispatch, ...]:
    """The dispatches whose .att files lie there, by number.

    Raises:
        UserError: an .att file whose name does not say what it is of, or a database without any beside it.
    """
    folder = path if os.path.isdir(path) else path.parent
    files = [path] if path.suffix == ATT and os.path.isfile(path) else list(_att_files(folder))
    groups: dict[tuple[str, str, int], list[tuple[int, Path]]] = defaultdict(list)
    for file in files:
        match = _ATT.search(file.name)
        if match is None:
            hint = "rocprofv3 names them AGENT_shader_engine_SE_DISPATCH.att"
            raise UserError("its name does not say of what it is", SourceSpan(str(file)), hint)
        key = (str(file.parent), match["agent"] or "", int(match["dispatch"]))
        groups[key].append((int(match["engine"]), file))
    if not groups:
        raise UserError("no .att file lies beside it", SourceSpan(str(path)), "rocprofv3 --att writes them")
    agents = len({(place, agent) for place, agent, _ in groups})
    found = []
    for (place, agent, number), members in sorted(groups.items(), key=lambda each: (each[0][2], each[0])):
        name = f"dispatch_{number}" if agents == 1 else f"{Path(place).name}/agent_{agent}_dispatch_{number}"
        database = path if path.suffix == DATABASE else min(Path(place).glob(f"*{DATABASE}"), default=None)
        found.append(RawDispatch(number, name, tuple(sorted(members)), database, decoder))
    return tuple(found)


def _bytes(path: Path) -> bytes:
    note_input(path)
    try:
        if path.stat().st_size > MAX_INPUT_BYTES:
            raise LimitExceeded(f"is larger than {MAX_INPUT_BYTES} bytes", SourceSpan(str(path)))
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", SourceSpan(str(path))) from None


@dataclass
class _CodeObjects:
    """The code objects beside a trace, disassembled function by function as they are asked for."""

    files: dict[int, Path]
    loaded_at: dict[int, tuple[int, int]]
    elves: dict[int, Elf] = field(default_factory=dict)
    functions: dict[tuple[int, int], tuple[CodeRow, ...]] = field(default_factory=dict)
    known: dict[tuple[int, int], tuple[str, int]] = field(default_factory=dict)

    def placed(self, address: int, number: int) -> tuple[int, int]:
        """The address in the file of a code object, of one in memory."""
        if number:
            return address, number
        for each, (base, size) in self.loaded_at.items():
            if base <= address < base + size:
                return address - base, each
        return address, 0

    def instruction(self, address: int, number: int) -> tuple[str, int] | None:
        """Text and bytes of the instruction there; ``None``: there is no code."""
        place = self.placed(address, number)
        if place not in self.known:
            self._disassemble(*place)
        return self.known.get(place)

    def _disassemble(self, address: int, number: int) -> None:
        elf = self.elf(number)
        if elf is None:
            return
        symbol = next(
            (
                each
                for each in elf.symbols
                if each.section and each.size and each.value <= address < each.value + each.size
            ),
            None,
        )
        if symbol is None or (number, symbol.value) in self.functions:
            return
        arch = elf.arch
        if arch not in ARCHS:
            raise UserError(f"is code for {arch or 'another machine'}", SourceSpan(elf.file), "known: CDNA's")
        code = elf.loaded(symbol.value, symbol.size)
        rows = [CodeRow(f"; {symbol.name}", "", number, symbol.value)]
        for each in disassemble(elf.image, code, symbol.value, arch, elf.file):
            text = each.text.split("//")[0].strip()
            if text.startswith(("s_branch", "s_cbranch")):  # a disassembler may name the place it leads to
                text = f"{text.split()[0]} {each.word & 0xFFFF}"
            source = f"{each.source.file}:{each.source.line}" if each.source is not None else ""
            rows.append(CodeRow(text, source, number, each.address))
            self.known[each.address, number] = text, each.size
        self.functions[number, symbol.value] = tuple(rows)

    def elf(self, number: int) -> Elf | None:
        """The file of a code object, if it is there."""
        if number not in self.elves and number in self.files:
            file = self.files[number]
            self.elves[number] = read_elf(_bytes(file), str(file))
        return self.elves.get(number)


def _code_objects(folder: Path, database: Database) -> _CodeObjects:
    files = {
        int(match["number"]): file
        for file in sorted(folder.glob("*.out"))
        if (match := _OBJECT.search(file.name)) is not None
    }
    if not files:
        hint = "rocprofv3 --att writes them beside the .att files: *_code_object_id_N.out"
        raise UserError("has no code objects", SourceSpan(str(folder)), hint)
    loaded_at = dict(database.loaded_at)
    for each in sorted(folder.glob("*results.json")):
        loaded_at |= _loaded_at(each)
    return _CodeObjects(files, loaded_at)


def _loaded_at(path: Path) -> dict[int, tuple[int, int]]:
    """Where code objects were loaded, by rocprofv3's results (fields of source/docs/rocprofv3-schema.json);
    nothing where it does not say."""
    try:
        data = json.loads(_bytes(path))
    except (ValueError, RecursionError):
        raise UserError("is not JSON", SourceSpan(str(path)), "truncated or corrupted?") from None
    found: dict[int, tuple[int, int]] = {}
    tools: Any = data.get("rocprofiler-sdk-tool") if isinstance(data, dict) else None
    for tool in tools if isinstance(tools, list) else [tools]:
        objects = tool.get("code_objects") if isinstance(tool, dict) else None
        for each in objects if isinstance(objects, list) else ():
            values = [each.get(key) for key in ("code_object_id", "load_base", "load_size")]
            if all(type(value) is int for value in values) and values[0]:
                found[values[0]] = values[1], values[2]
    return found


def _read(dispatch: RawDispatch) -> TraceFolder:
    folder = dispatch.files[0][1].parent
    decoder = Decoder(dispatch.decoder)
    database = read_database(dispatch.database) if dispatch.database is not None else Database()
    objects = _code_objects(folder, database)
    notes = [f"decoded by {Path(decoder.path).name}"]
    shaders: list[tuple[int, Path, DecodedShader]] = []
    for engine, file in dispatch.files:
        found = decoder.decode(_bytes(file), objects.instruction, file)
        if found.gfxip not in (0, 9):
            raise UserError(f"is a trace of gfx{found.gfxip}", SourceSpan(str(file)), "CDNA is gfx9")
        notes += [f"{file.name}: the decoder says: {info}" for info in dict.fromkeys(found.infos)]
        shaders.append((engine, file, found))
    waves = [(engine, file, wave) for engine, file, found in shaders for wave in found.waves]
    code, number_of = _listing(objects, [wave for _, _, wave in waves])
    raw = _raw_waves(waves, objects, number_of, len(code))
    notes += [
        f"{wave.file} tells of {wave.missing} instructions without code" for wave in raw if wave.missing
    ]
    raw = [wave for wave in raw if len(wave.rows)]
    if not raw:
        hint = "the traced compute unit ran none of the kernel's waves?"
        raise UserError("holds no wave with instructions", SourceSpan(str(dispatch.files[0][1])), hint)
    if dispatch.number in database.kernels:
        notes.append(f"dispatch {dispatch.number} of {database.kernels[dispatch.number]}, the database says")
    number = code[0].code_object
    elf = objects.elf(number)
    assert elf is not None  # its rows come from it
    return TraceFolder(
        path=folder / dispatch.name,
        version=VERSION,
        code=code,
        waves=tuple(raw),
        notes=tuple(notes),
        decoded=Decoded(str(elf.arch), *_beside(shaders)),
    )


def _beside(shaders: Sequence[tuple[int, Path, DecodedShader]]) -> tuple[Any, Any]:
    """Occupancy and realtime in the form of the viewer's files."""
    occupancy = {str(engine): found.occupancy for engine, _, found in shaders if found.occupancy}
    realtime: dict[str, Any] = {
        str(engine): found.realtime for engine, _, found in shaders if len(found.realtime) > 1
    }
    hertz = max((found.realtime_hz for _, _, found in shaders), default=0)
    if realtime and hertz:
        realtime["frequency"] = hertz
    return occupancy or None, realtime or None


def _listing(
    objects: _CodeObjects, waves: Sequence[DecodedWave]
) -> tuple[tuple[CodeRow, ...], dict[tuple[int, int], int]]:
    """The functions that were executed, in order of code object and address, and (address, code object) of
    each instruction -> its code id."""
    places = {
        objects.placed(int(address), int(number))
        for wave in waves
        for address, number in np.unique(wave.instructions[["address", "code_object_id"]]).tolist()
    }
    for address, number in sorted(places):
        objects.instruction(address, number)
    rows: list[CodeRow] = []
    number_of: dict[tuple[int, int], int] = {}
    executed = {number for _, number in places}
    for key in sorted(objects.functions):
        if key[0] not in executed:
            continue
        for row in objects.functions[key]:
            if row.is_instruction:
                number_of[row.address, row.code_object] = len(rows)
            rows.append(row)
    return tuple(rows), number_of


def _raw_waves(
    waves: Sequence[tuple[int, Path, DecodedWave]],
    objects: _CodeObjects,
    number_of: dict[tuple[int, int], int],
    code_count: int,
) -> list[RawWave]:
    found = []
    count: dict[tuple[int, int, int], int] = defaultdict(int)
    for engine, file, wave in waves:
        place = (engine, wave.simd, wave.slot)
        number = count[place]
        count[place] += 1
        name = f"se{engine}_sm{wave.simd}_sl{wave.slot}_wv{number}"
        if not 0 <= wave.simd < 4:
            raise UserError(
                f"{name}: SIMD {wave.simd}; a compute unit has SIMDs 0 to 3", SourceSpan(str(file))
            )
        rows, missing = _rows(wave, objects, number_of)
        checked = as_rows(rows, file / name, code_count)
        last = int(checked[-1, 0] + checked[-1, 3]) if len(checked) else wave.end_clk
        first = int(checked[0, 0]) if len(checked) else wave.begin_clk
        found.append(
            RawWave(
                file=name,
                shader_engine=engine,
                compute_unit=wave.cu,
                simd=wave.simd,
                slot=wave.slot,
                wave=number,
                begin_clk=min(wave.begin_clk, first),
                end_clk=max(wave.end_clk, last),
                rows=checked,
                missing=missing,
            )
        )
    return sorted(found, key=lambda each: (each.shader_engine, each.simd, each.slot, each.wave))


def _rows(
    wave: DecodedWave, objects: _CodeObjects, number_of: dict[tuple[int, int], int]
) -> tuple[Int64, int]:
    """Rows as in a wave's file for the viewer, and how many instructions have no code."""
    table = wave.instructions
    if not len(table):
        return np.zeros((0, 5), np.int64), 0
    pairs, of = np.unique(table[["address", "code_object_id"]], return_inverse=True)
    ids = np.array(
        [number_of.get(objects.placed(int(address), int(number)), -1) for address, number in pairs.tolist()],
        np.int64,
    )[of.reshape(-1)]
    columns = (
        table["time"],
        table["category_stall"] & 0xFF,
        table["category_stall"] >> 8,
        table["duration"],
        ids,
    )
    rows = np.stack([np.asarray(column, np.int64) for column in columns], axis=1)
    known = ids >= 0
    return rows[known], int((~known).sum())
