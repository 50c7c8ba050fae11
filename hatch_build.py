"""Build hook: checks the data of isa/ and writes its built forms; compiles the timing engine for the wheel.

Where the YAML reader is missing, or a C compiler, it goes on without: the package then does at each start
what could have been done once, or uses SimPy.
"""

from __future__ import annotations

import compileall
import importlib.util
import os
import sys
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "wavesim/timing/compiled"
PLATFORM = "WAVESIM_WHEEL_PLATFORM"
"""Environment variable: a wheel for this platform (``build.py``'s WHEELS) is made, or none."""


class EngineHook(BuildHookInterface):  # type: ignore[type-arg]
    """A wheel with the library is of its platform and serves every Python 3; one without it is pure."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build all beside its source: an editable install finds it there too."""
        self._forms(version, build_data)
        self._engine(version, build_data)
        if version == "editable":  # pip compiles what it copies, and nothing of a checkout
            compileall.compile_dir(Path(self.root) / "wavesim", quiet=2)

    def _forms(self, version: str, build_data: dict[str, Any]) -> None:
        """The forms of isa/; a machine file that is not as it should be ends the build with its line."""
        sys.path.insert(0, self.root)
        try:
            from wavesim.isa.build import build
        except ImportError as problem:
            self.app.display_warning(f"isa/ will be read as YAML at each start: {problem}")
            return
        finally:
            sys.path.remove(self.root)
        forms = build()
        if version != "editable":
            build_data["artifacts"] += [f"/wavesim/isa/built/{name}" for name in forms]

    def _engine(self, version: str, build_data: dict[str, Any]) -> None:
        builder = _builder(Path(self.root) / FOLDER / "build.py")
        asked = os.environ.get(PLATFORM)
        machine = builder.WHEELS[asked][0] if asked else builder.HERE
        problem = builder.build(machine=machine)
        if problem:
            if asked:
                raise RuntimeError(f"no timing engine for {asked}: {problem}")
            self.app.display_warning(f"no compiled timing engine, wavesim will use SimPy: {problem}")
            return
        if version != "editable":
            build_data["artifacts"].append(f"/{FOLDER}/{builder.library_path(machine).name}")
            build_data["pure_python"] = False
            platform = asked or sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"py3-none-{platform}"


def _builder(path: Path) -> ModuleType:
    """The module that builds the library, loaded by its path: wavesim's dependencies are not here."""
    spec = importlib.util.spec_from_file_location("engine_build", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
