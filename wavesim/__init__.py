"""wavesim: an assembly-level simulator of wave overlap on AMD CDNA compute units.

``wavesim.run``, ``check``, ``explain``, ``tune``, ``triton`` and the others are the Python API
(:mod:`wavesim.api`); they are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wavesim._version import __version__

if TYPE_CHECKING:
    from wavesim.api import (
        CheckReport,
        Comparison,
        ExplainResult,
        FileCheck,
        LaunchOptions,
        LoopsReport,
        PythonKernel,
        RegionOptions,
        RunResult,
        SweepProgress,
        SweepTable,
        Table,
        TimelineView,
        TuneResult,
        TuneState,
        check,
        check_files,
        compare,
        explain,
        flydsl,
        launch_skeleton,
        loops,
        replay,
        run,
        sweep,
        triton,
        tune,
    )


__all__ = [
    "CheckReport",
    "Comparison",
    "ExplainResult",
    "FileCheck",
    "LaunchOptions",
    "LoopsReport",
    "PythonKernel",
    "RegionOptions",
    "RunResult",
    "SweepProgress",
    "SweepTable",
    "Table",
    "TimelineView",
    "TuneResult",
    "TuneState",
    "__version__",
    "check",
    "check_files",
    "compare",
    "explain",
    "flydsl",
    "launch_skeleton",
    "loops",
    "replay",
    "run",
    "sweep",
    "triton",
    "tune",
]


def __getattr__(name: str) -> object:
    """Functions and results of the API, imported when they are first asked for."""
    import importlib

    if name in __all__:
        return getattr(importlib.import_module("wavesim.api"), name)
    raise AttributeError(f"module 'wavesim' has no attribute {name!r}")
