"""wavesim: an assembly-level simulator of wave overlap on AMD CDNA compute units."""

from __future__ import annotations

__version__ = "0.1.0"
