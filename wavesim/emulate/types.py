"""The arrays that instructions work on, and what a bound instruction is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
Step = Callable[[], None]
"""A bound instruction: executes it once for every wave of its batch."""
