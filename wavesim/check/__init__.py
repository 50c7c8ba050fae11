"""Findings about a kernel: hazards, races, deadlocks, coverage."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    """The package, which can also be called: ``wavesim.check(kernel)`` is :func:`wavesim.api.check`."""

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        import importlib

        return importlib.import_module("wavesim.api").check(*args, **keywords)


sys.modules[__name__].__class__ = _Package
