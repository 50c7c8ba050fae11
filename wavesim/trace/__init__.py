"""Trace and Timeline: what was executed, and when. Emulated and measured ones have one form."""

from __future__ import annotations

from wavesim.isa.kinds import Kind
from wavesim.trace.code import CATEGORY_OF_KIND, Category, CodeEntry
from wavesim.trace.timeline import (
    REASON_NAMES,
    BusySpan,
    Reason,
    Timeline,
    WaveTimeline,
    empty_busy,
)
from wavesim.trace.trace import FOLLOWS, PUT_IN, UNKNOWN, MemoryLevel, Room, Spin, Trace, WaveTrace

__all__ = [
    "CATEGORY_OF_KIND",
    "FOLLOWS",
    "PUT_IN",
    "REASON_NAMES",
    "UNKNOWN",
    "BusySpan",
    "Category",
    "CodeEntry",
    "Kind",
    "MemoryLevel",
    "Reason",
    "Room",
    "Spin",
    "Timeline",
    "Trace",
    "WaveTimeline",
    "WaveTrace",
    "empty_busy",
]
