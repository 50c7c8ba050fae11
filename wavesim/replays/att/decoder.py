"""AMD's trace decoder by ctypes: librocprof-trace-decoder.so turns the bytes of an .att file into waves.

Every structure here is that of the library's own headers, include/rocprof_trace_decoder.h and
include/trace_decoder_types.h of github.com/ROCm/rocprof-trace-decoder (MIT), which ROCprofiler-SDK calls
in the same way (source/lib/rocprofiler-sdk/thread_trace/decode.cpp). The library itself is AMD's and binary
only. This project has never run it: tests call a stand-in that speaks the same interface.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wavesim.errors import SourceSpan, UserError

LIBRARY = "librocprof-trace-decoder.so"
VARIABLE = "ROCPROF_ATT_LIBRARY_PATH"
"""The folder of the library, as for rocprofv3 --att-library-path."""
PLACES = ("/opt/rocm/lib",)
HINT = (
    f"install the ROCprof Trace Decoder ({LIBRARY}, github.com/ROCm/rocprof-trace-decoder) and name it with "
    f"--decoder FILE, or its folder with {VARIABLE}"
)

# rocprofiler_thread_trace_decoder_status_t
SUCCESS, ERROR, ERROR_OUT_OF_RESOURCES, ERROR_INVALID_ARGUMENT, ERROR_INVALID_SHADER_DATA = range(5)
# rocprofiler_thread_trace_decoder_record_type_t
RECORD_GFXIP, RECORD_OCCUPANCY, RECORD_PERFEVENT, RECORD_WAVE, RECORD_INFO = range(5)
RECORD_REALTIME, RECORD_RT_FREQUENCY = 7, 8

MOST_RECORDS = 40_000_000
"""Instructions or events of one record block: more is no trace but a broken library."""


class Pc(ctypes.Structure):
    """rocprofiler_thread_trace_decoder_pc_t: an address in the ELF file of a code object, or, without one, in
    memory."""

    _fields_ = (("address", ctypes.c_uint64), ("code_object_id", ctypes.c_uint64))


class Wave(ctypes.Structure):
    """rocprofiler_thread_trace_decoder_wave_t."""

    _fields_ = (
        ("cu", ctypes.c_uint8),
        ("simd", ctypes.c_uint8),
        ("wave_id", ctypes.c_uint8),  # the slot
        ("contexts", ctypes.c_uint8),
        ("_rsvd1", ctypes.c_uint32),
        ("_rsvd2", ctypes.c_uint32),
        ("_rsvd3", ctypes.c_uint32),
        ("begin_time", ctypes.c_int64),
        ("end_time", ctypes.c_int64),
        ("timeline_size", ctypes.c_uint64),
        ("instructions_size", ctypes.c_uint64),
        ("timeline_array", ctypes.c_void_p),
        ("instructions_array", ctypes.c_void_p),
    )


INSTRUCTION = np.dtype(
    [
        ("category_stall", "<u4"),  # category : 8, stall : 24
        ("duration", "<i4"),
        ("time", "<i8"),
        ("address", "<u8"),
        ("code_object_id", "<u8"),
    ]
)
"""rocprofiler_thread_trace_decoder_inst_t, 32 bytes."""

OCCUPANCY = np.dtype(
    [
        ("address", "<u8"),
        ("code_object_id", "<u8"),
        ("time", "<u8"),
        ("reserved", "u1"),
        ("cu", "u1"),
        ("simd", "u1"),
        ("wave_id", "u1"),
        ("start", "<u4"),  # start : 1
    ]
)
"""rocprofiler_thread_trace_decoder_occupancy_t, 32 bytes."""

REALTIME = np.dtype([("shader_clock", "<i8"), ("realtime_clock", "<u8"), ("reserved", "<u8")])
"""rocprofiler_thread_trace_decoder_realtime_t."""

SE_DATA_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_uint64, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_uint64), ctypes.c_void_p
)
TRACE_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p
)
ISA_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_uint64),
    ctypes.POINTER(ctypes.c_uint64),
    Pc,
    ctypes.c_void_p,
)

Isa = Callable[[int, int], tuple[str, int] | None]
"""(address, code object) -> text and bytes of the instruction there; ``None``: there is none."""


@dataclass(frozen=True)
class DecodedWave:
    """One wave; ``instructions`` has the columns of :data:`INSTRUCTION`."""

    cu: int
    simd: int
    slot: int
    begin_clk: int
    end_clk: int
    instructions: npt.NDArray[Any]


@dataclass
class DecodedShader:
    """What the decoder says of one shader engine's data. ``infos`` are its complaints, such as lost data."""

    gfxip: int = 0
    waves: list[DecodedWave] = field(default_factory=list)
    occupancy: list[list[int]] = field(default_factory=list)
    realtime: list[list[int]] = field(default_factory=list)
    realtime_hz: int = 0
    infos: list[str] = field(default_factory=list)


def find_library(given: str | None) -> Path | str:
    """The library: as given (a file or its folder), else where :data:`VARIABLE` says, else ROCm's, else by
    name.

    Raises:
        UserError: it was given and is not there.
    """
    for place, who in ((given, "--decoder"), (os.environ.get(VARIABLE), VARIABLE)):
        if not place:
            continue
        path = Path(place)
        path = path / LIBRARY if path.is_dir() else path
        if not path.is_file():
            raise UserError(f"{who}: {path}: no such file", None, HINT)
        return path.resolve()
    return next((found for place in PLACES if (found := Path(place, LIBRARY)).is_file()), LIBRARY)


class Decoder:
    """The library, loaded.

    Raises:
        UserError: it cannot be loaded, or is none.
    """

    def __init__(self, given: str | None) -> None:
        """Load it from where it was given, or from its usual places."""
        self.path = find_library(given)
        try:
            library = ctypes.CDLL(str(self.path))
        except OSError as error:
            raise UserError(f"a raw trace needs AMD's trace decoder: {error}", None, HINT) from None
        try:
            self._parse = library.rocprof_trace_decoder_parse_data
            self._info = library.rocprof_trace_decoder_get_info_string
            self._status = library.rocprof_trace_decoder_get_status_string
        except AttributeError as error:
            raise UserError(f"{self.path} is no trace decoder: {error}", None, HINT) from None
        self._parse.argtypes = (SE_DATA_CALLBACK, TRACE_CALLBACK, ISA_CALLBACK, ctypes.c_void_p)
        self._parse.restype = ctypes.c_int
        for names in (self._info, self._status):
            names.argtypes = (ctypes.c_int,)
            names.restype = ctypes.c_char_p

    def decode(self, data: bytes, isa: Isa, file: Path) -> DecodedShader:
        """Decode the data of one shader engine.

        Args:
            data: of the .att file.
            isa: the instructions of the code objects.
            file: its name, for messages.

        Raises:
            UserError: the decoder refuses them, or what it gives is no trace.
        """
        reading = _Reading(data, isa, self._said)
        status = self._parse(
            SE_DATA_CALLBACK(reading.se_data), TRACE_CALLBACK(reading.record), ISA_CALLBACK(reading.isa), None
        )
        if reading.failed is not None:
            raise reading.failed
        if status != SUCCESS:
            text = self._status(status)
            said = text.decode("utf-8", "replace") if text else f"status {status}"
            raise UserError(
                f"the decoder refuses it: {said}", SourceSpan(str(file)), "of another GPU, or cut off?"
            )
        return reading.found

    def _said(self, info: int) -> str:
        text = self._info(info)
        return text.decode("utf-8", "replace") if text else f"info {info}"


class _Reading:
    """The callbacks of one call. An exception must not pass through C: it is kept in ``failed``."""

    def __init__(self, data: bytes, isa: Isa, said: Callable[[int], str]) -> None:
        self.found = DecodedShader()
        self.failed: Exception | None = None
        self._buffer = ctypes.create_string_buffer(data, len(data))
        self._left = len(data)
        self._isa = isa
        self._said = said

    def se_data(self, buffer: Any, size: Any, _: object) -> int:
        """All data at once, then none."""
        given, self._left = self._left, 0
        buffer[0] = ctypes.addressof(self._buffer)
        size[0] = given
        return given

    def isa(self, text: int, memory_size: Any, size: Any, pc: Pc, _: object) -> int:
        """The instruction at an address, or how much room it needs."""
        try:
            found = self._isa(pc.address, pc.code_object_id)
        except Exception as error:
            self.failed = self.failed or error
            return ERROR
        if found is None:
            return ERROR_INVALID_ARGUMENT
        encoded, room = found[0].encode(), size[0]
        size[0] = len(encoded)
        if len(encoded) > room:
            return ERROR_OUT_OF_RESOURCES
        ctypes.memmove(text, encoded, len(encoded))
        memory_size[0] = found[1]
        return SUCCESS

    def record(self, kind: int, events: int | None, count: int, _: object) -> int:
        """A block of records of one kind."""
        try:
            self._record(kind, events or 0, count)
        except Exception as error:
            self.failed = self.failed or error
            return ERROR
        return SUCCESS

    def _record(self, kind: int, events: int, count: int) -> None:
        found = self.found
        if kind == RECORD_GFXIP:
            found.gfxip = events  # the number itself stands in place of the pointer
        elif kind == RECORD_WAVE:
            _bounded(count)
            for wave in (Wave * count).from_address(events) if count else ():
                found.waves.append(_wave(wave))
        elif kind == RECORD_OCCUPANCY:
            for row in _table(events, count, OCCUPANCY):
                place = [int(row[name]) for name in ("time", "cu", "simd", "wave_id")]
                found.occupancy.append([*place, int(row["start"]) & 1])
        elif kind == RECORD_REALTIME:
            rows = _table(events, count, REALTIME)
            found.realtime += [[int(row["shader_clock"]), int(row["realtime_clock"])] for row in rows]
        elif kind == RECORD_RT_FREQUENCY and count:
            found.realtime_hz = int(ctypes.c_uint64.from_address(events).value)
        elif kind == RECORD_INFO:
            numbers = _table(events, count, np.dtype("<i4"))
            found.infos += [self._said(int(each)) for each in numbers]


def _bounded(count: int) -> None:
    if count > MOST_RECORDS:
        raise UserError(f"the decoder gives {count} records at once: that is no trace")


def _table(address: int, count: int, layout: np.dtype[Any]) -> npt.NDArray[Any]:
    """A copy of ``count`` records at an address of the library's."""
    _bounded(count)
    if not count or not address:
        return np.zeros(0, layout)
    return np.frombuffer(ctypes.string_at(address, count * layout.itemsize), layout)


def _wave(wave: Wave) -> DecodedWave:
    return DecodedWave(
        cu=wave.cu,
        simd=wave.simd,
        slot=wave.wave_id,
        begin_clk=wave.begin_time,
        end_clk=wave.end_time,
        instructions=_table(wave.instructions_array or 0, wave.instructions_size, INSTRUCTION),
    )
