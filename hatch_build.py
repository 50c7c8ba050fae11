"""Build hook: compiles the timing engine for the wheel, and goes on without it where no C compiler is."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "wavesim/timing/compiled"


class EngineHook(BuildHookInterface):  # type: ignore[type-arg]
    """A wheel with the library is of its platform and serves every Python 3; one without it is pure."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the library beside its source: an editable install finds it there too."""
        builder = _builder(Path(self.root) / FOLDER / "build.py")
        problem = builder.build()
        if problem:
            self.app.display_warning(f"no compiled timing engine, wavesim will use SimPy: {problem}")
            return
        if version != "editable":
            build_data["artifacts"].append(f"/{FOLDER}/{builder.library_path().name}")
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"py3-none-{platform}"


def _builder(path: Path) -> ModuleType:
    """The module that builds the library, loaded by its path: wavesim's dependencies are not here."""
    spec = importlib.util.spec_from_file_location("engine_build", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
