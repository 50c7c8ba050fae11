"""A matrix argument in global memory: elements are a function of (seed, row, column), made when touched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wavesim.emulate.elements import PACKED, SIZES, STORAGE, decode, encode, pack, random_values, unpack
from wavesim.emulate.types import Array
from wavesim.errors import LimitExceeded, UserError
from wavesim.front.launch.model import MatrixArgument

PAGE_PLACES = 4096
"""Places that are made together (power of two)."""

_PAGES_AT_ONCE = 16
"""Pages that are made in one go: few enough for the intermediate arrays to stay in cache."""

MAX_MATRIX_BYTES = 1 << 36
"""Largest matrix; only touched pages take real memory."""


@dataclass(frozen=True, slots=True)
class StoredAgain:
    """Elements (their ``places``, in memory order) that one instruction stored in wave ``waves`` and that
    wave ``first`` had stored; arrays [n]."""

    instruction: int
    places: Array
    first: Array
    waves: Array


class VirtualMatrix:
    """Row-major storage of which only touched pages are filled.

    Elements of fewer than 8 bits are stored in groups that share whole bytes; a place of the storage is
    a group then, else an element.

    Attributes:
        data: the bytes, uint8 (virtual memory: untouched parts do not exist).
        size: bytes of the matrix; ``data`` is a little longer, so that wide reads stay inside.
        stored_to: whether the kernel stored anything into it.
        written: for ``unwritten`` matrices, per element (per dword of wider ones) whether it was stored;
            else None.
        observed: whether it is kept which waves store (the expected result of a launch).
        first_wave: where stores are observed, per element 1 + the wave that stored it first; 0: none did.
        stored_again: stores of other waves than the first.
    """

    def __init__(self, argument: MatrixArgument, arch: str) -> None:
        if argument.dtype not in SIZES and argument.dtype not in PACKED:
            known = ", ".join((*SIZES, *PACKED))
            raise UserError(f"matrix {argument.name}: unknown element type {argument.dtype!r}", hint=known)
        self.argument = argument
        self.arch = arch
        self.packed = argument.dtype in PACKED
        _, self.group, self.place_bytes = PACKED.get(argument.dtype, (0, 1, SIZES.get(argument.dtype, 0)))
        row_elements = argument.row_elements or argument.cols
        if argument.cols % self.group or row_elements % self.group:
            raise UserError(
                f"matrix {argument.name}: {argument.cols} elements of {argument.dtype} are no whole bytes",
                hint=f"a multiple of {self.group} columns",
            )
        self.row_places = row_elements // self.group
        columns = argument.cols // self.group
        self.places = (argument.rows - 1) * self.row_places + columns if argument.rows else 0
        self.size = self.places * self.place_bytes
        if self.size > MAX_MATRIX_BYTES or argument.rows < 0 or argument.cols < 0:
            raise LimitExceeded(
                f"matrix {argument.name} has {self.size} bytes; the limit is {MAX_MATRIX_BYTES}"
            )
        self.cell_bytes = 1 if self.packed else min(4, self.place_bytes)
        pages = -(-max(self.places, 1) // PAGE_PLACES)
        room = pages * PAGE_PLACES * self.place_bytes
        try:
            self.data: npt.NDArray[np.uint8] = np.empty(room, np.uint8)
            cells = room // self.cell_bytes
            self.written = np.zeros(cells, np.bool_) if argument.init == "unwritten" else None
        except MemoryError:
            raise LimitExceeded(f"matrix {argument.name}: {room} bytes cannot be had") from None
        self.typed: Array = self.data.view(STORAGE.get(argument.dtype, np.uint8))
        self.page_bytes = PAGE_PLACES * self.place_bytes
        self.stored_to = False
        self.observed = False
        self.first_wave: npt.NDArray[np.uint16] | None = None
        self.stored_again: list[StoredAgain] = []
        self._ready = np.zeros(pages, np.bool_)
        self._all_ready = False

    def prepare(self, first: Array, last: Array) -> None:
        """Make every page that holds a byte in ``first``..``last`` (same shape, inclusive)."""
        if self._all_ready:
            return
        pages_first, pages_last = first // self.page_bytes, last // self.page_bytes
        if self._ready[pages_first].all() and self._ready[pages_last].all():
            return
        wanted = np.union1d(pages_first, pages_last)
        self._make(wanted[~self._ready[wanted]])
        self._all_ready = bool(self._ready.all())

    def _make(self, pages: Array) -> None:
        self._ready[pages] = True
        if self.written is not None:
            self.data.reshape(-1, self.page_bytes)[pages] = 0
            return
        shape = (-1, PAGE_PLACES, self.place_bytes) if self.packed else (-1, PAGE_PLACES)
        table = self.typed.reshape(shape)
        inner = np.arange(PAGE_PLACES)
        for start in range(0, len(pages), _PAGES_AT_ONCE):
            some = pages[start : start + _PAGES_AT_ONCE]
            first = some.astype(np.int64)[:, None] * PAGE_PLACES
            if self.row_places and self.row_places % PAGE_PLACES == 0:
                row, column = first // self.row_places, first % self.row_places + inner
            else:
                row, column = np.divmod(first + inner, max(self.row_places, 1))
            if self.packed:
                columns = column[..., None] * self.group + np.arange(self.group)
                table[some] = pack(self.initial(row[..., None], columns), self.argument.dtype)
            else:
                table[some] = self.initial(row, column)

    def initial(self, rows: Array, columns: Array) -> Array:
        """Initial elements, as stored, at (rows, columns); the arrays broadcast."""
        argument = self.argument
        shape = np.broadcast(rows, columns).shape
        if argument.init == "random":
            return encode(
                random_values(argument.seed, rows, columns, argument.dtype), argument.dtype, self.arch
            )
        if argument.init == "index":
            value = (rows * argument.cols + columns).astype(np.float64)
            as_float = argument.dtype[0] not in "iu"
            return encode(value.astype(np.float32 if as_float else np.int64), argument.dtype, self.arch)
        if argument.init == "given":
            return self._given(rows, columns)
        if argument.init in ("zero", "unwritten", "ones"):
            value = np.full(shape, float(argument.init == "ones"), np.float32)
            return encode(value, argument.dtype, self.arch)
        raise UserError(
            f"matrix {argument.name}: unknown init {argument.init!r}",
            hint="random, zero, ones, index, unwritten or given",
        )

    def _given(self, rows: Array, columns: Array) -> Array:
        """Elements of the argument's ``content``; zero behind its end."""
        kind = self.typed.dtype
        size = self.place_bytes
        whole = len(self.argument.content) // size
        content = np.frombuffer(self.argument.content[: whole * size], kind)
        if self.packed:
            content = unpack(content.reshape(whole, size), self.argument.dtype).reshape(-1)
            whole = len(content)
        index = np.asarray(rows * self.row_places * self.group + columns)
        inside = index < whole
        found = np.zeros(index.shape, kind)
        found[inside] = content[index[inside]]
        return found

    def raw(self, size_bytes: int | None = None) -> bytes:
        """All bytes, or the first ones, as they lie in memory now."""
        size = self.size if size_bytes is None else min(size_bytes, self.size)
        starts = np.arange(-(-size // self.page_bytes)) * self.page_bytes
        self.prepare(starts, starts)
        return self.data[:size].tobytes()

    def used_bytes(self) -> int:
        """Bytes up to the end of what has been read or stored: behind it everything is as it was at first."""
        pages = np.flatnonzero(self._ready)
        return min((int(pages[-1]) + 1) * self.page_bytes, self.size) if len(pages) else 0

    def initial_values(self, rows: Array, columns: Array) -> Array:
        """As :meth:`initial`, as numbers."""
        return decode(self.initial(rows, columns), self.argument.dtype, self.arch)

    def launched_region(self, row: int, column: int, rows: int, columns: int) -> Array:
        """Elements of a region as numbers, as they were at the launch."""
        if not self.stored_to:
            return self.region(row, column, rows, columns)
        return self.initial_values((row + np.arange(rows))[:, None], (column + np.arange(columns))[None, :])

    def region(self, row: int, column: int, rows: int, columns: int) -> Array:
        """Current elements of a region as numbers, [rows, columns]; cut off at the matrix's edges."""
        rows = max(0, min(rows, self.argument.rows - row))
        columns = max(0, min(columns, self.argument.cols - column))
        if not rows or not columns:
            return decode(np.zeros((rows, columns), self.typed.dtype), self.argument.dtype, self.arch)
        count = (column + columns - 1) // self.group - column // self.group + 1
        start = (row + np.arange(rows)) * self.row_places + column // self.group
        first_page, last_page = start // PAGE_PLACES, (start + count - 1) // PAGE_PLACES
        pages = first_page[:, None] + np.arange(int((last_page - first_page).max()) + 1)
        pages = np.minimum(pages, last_page[:, None])
        self.prepare(pages * self.page_bytes, pages * self.page_bytes)
        pitch, size = self.row_places * self.place_bytes, self.place_bytes
        strided = np.lib.stride_tricks.as_strided
        if self.packed:
            octets = strided(self.data[int(start[0]) * size :], (rows, count, size), (pitch, size, 1))
            codes = unpack(octets, self.argument.dtype).reshape(rows, count * self.group)
            window = codes[:, column % self.group : column % self.group + columns]
        else:
            window = strided(self.typed[int(start[0]) :], (rows, columns), (pitch, size))
        return np.array(decode(window, self.argument.dtype, self.arch))

    def place_of(self, rows: Array, columns: Array) -> Array:
        """The places that elements are stored at."""
        return np.asarray(rows * self.row_places + columns // self.group)

    def element_at(self, place: int) -> tuple[int, int]:
        """Row and column of the (first) element of a place."""
        row, column = divmod(place, self.row_places)
        return row, column * self.group

    def note_waves(self, offsets: Array, width_bytes: int, waves: Array, instruction: int) -> None:
        """Note which wave stored each element first, and stores of another wave to it.

        ``offsets`` [n] are bytes, ``waves`` [n] the wave of each; both of one instruction's active lanes.
        """
        if self.first_wave is None:
            self.first_wave = np.zeros(len(self.data) // self.place_bytes, np.uint16)
        owners = (waves + 1).astype(np.uint16)
        for part in range(0, max(width_bytes, self.place_bytes), self.place_bytes):
            at = (offsets + part) // self.place_bytes
            known = self.first_wave[at]
            self.first_wave[at] = np.where(known == 0, owners, known)
            owner = self.first_wave[at]  # of two lanes of this very instruction one came last
            if (owner != owners).any():
                again = np.flatnonzero(owner != owners)
                self.stored_again.append(
                    StoredAgain(instruction, at[again], owner[again].astype(np.int64) - 1, waves[again])
                )

    def mark_written(self, offsets: Array, width_bytes: int) -> None:
        """Note that ``width_bytes`` were stored at each byte offset."""
        self.stored_to = True
        if self.written is not None:
            for part in range(0, max(width_bytes, self.cell_bytes), self.cell_bytes):
                self.written[(offsets + part) // self.cell_bytes] = True

    def is_written(self, offsets: Array, width_bytes: int) -> npt.NDArray[np.bool_]:
        """Whether all of ``width_bytes`` at each byte offset was stored (True where that is not tracked)."""
        known = np.ones(offsets.shape, np.bool_)
        if self.written is not None:
            for part in range(0, max(width_bytes, self.cell_bytes), self.cell_bytes):
                known &= self.written[(offsets + part) // self.cell_bytes]
        return known

    def written_region(self, row: int, column: int, rows: int, columns: int) -> npt.NDArray[np.bool_]:
        """Whether each element of a region was stored to; all True where that is not tracked."""
        rows = max(0, min(rows, self.argument.rows - row))
        columns = max(0, min(columns, self.argument.cols - column))
        if self.written is None:
            return np.ones((rows, columns), np.bool_)
        index = self.place_of((row + np.arange(rows))[:, None], column + np.arange(columns))
        return self.is_written(index * self.place_bytes, self.place_bytes)

    def touched_box(self) -> tuple[int, int, int, int]:
        """Bounding box (row, column, rows, columns) of what exists: stored elements, or made pages."""
        if self.written is not None:
            places = np.flatnonzero(self.written) * self.cell_bytes // self.place_bytes
        else:
            pages = np.flatnonzero(self._ready)
            places = np.concatenate([pages * PAGE_PLACES, pages * PAGE_PLACES + PAGE_PLACES - 1])
        if not len(places) or not self.row_places:
            return 0, 0, 0, 0
        row, column = np.divmod(places, self.row_places)
        column = column * self.group
        top, bottom = int(row.min()), min(int(row.max()), self.argument.rows - 1)
        if self.written is None:
            return top, 0, bottom - top + 1, self.argument.cols
        left, right = int(column.min()), min(int(column.max()), self.argument.cols - 1)
        return top, left, bottom - top + 1, right - left + 1
