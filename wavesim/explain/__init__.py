"""Why a kernel takes the clocks it takes: critical path, what-if ladder, exposed latencies, tried advice."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    """The package, which can also be called: ``wavesim.explain(kernel)`` is :func:`wavesim.api.explain`."""

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        import importlib

        return importlib.import_module("wavesim.api").explain(*args, **keywords)


sys.modules[__name__].__class__ = _Package
