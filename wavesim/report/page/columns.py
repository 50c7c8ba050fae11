"""Columns: integer arrays as one compressed text, small because issue clocks of a loop repeat."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

INT32_LIMIT = 2**31


@dataclass
class ColumnWriter:
    """Collects arrays; each is known by its number (the order of :meth:`add`).

    The bytes are little-endian int32, one column after the other. A column is stored as differences of
    neighbours, whose pattern repeats with a loop's period, so that deflate finds it.
    """

    parts: list[bytes] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def add(self, values: npt.NDArray[np.integer]) -> int:
        """Append a column; gives its number.

        Raises:
            ValueError: a value does not fit in 32 bits.
        """
        wide = np.asarray(values, np.int64)
        if len(wide) and max(int(wide.max()), -int(wide.min())) >= INT32_LIMIT:
            raise ValueError("a column holds a value beyond 32 bits")
        steps = np.diff(wide, prepend=0)
        self.parts.append(steps.astype("<i8").astype("<i4").tobytes())  # modulo 2^32, as the reader adds
        self.counts.append(len(wide))
        return len(self.counts) - 1

    def text(self) -> str:
        """All columns, deflated and in base64."""
        return base64.b64encode(zlib.compress(b"".join(self.parts), 9)).decode("ascii")


def read_columns(text: str, counts: list[int]) -> list[npt.NDArray[np.int64]]:
    """The arrays of :meth:`ColumnWriter.text` again (for tests and other readers)."""
    data = np.frombuffer(zlib.decompress(base64.b64decode(text)), "<i4")
    found, at = [], 0
    for count in counts:
        found.append(np.cumsum(data[at : at + count].astype(np.int64)))
        at += count
    return found
