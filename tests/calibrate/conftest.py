"""The stand-in libamdhip64 (it executes nothing on a GPU) and the true hip-python wheels."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WHEELS = ("7.2.2.562.43", "10.0.0.0.1.2")
SOURCE = Path(__file__).with_name("standin_hip.c")
CACHE = Path(__file__).resolve().parents[2] / "build" / "wheels"


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the stand-in library, built from the project's own C source."""
    compiler = next((tool for tool in ("cc", "gcc", "clang", "clang-22") if shutil.which(tool)), None)
    if compiler is None:
        pytest.skip("needs a C compiler for the stand-in library")
    folder = tmp_path_factory.mktemp("standin")
    command = [compiler, "-shared", "-fPIC", "-o", str(folder / "libamdhip64.so"), str(SOURCE)]
    subprocess.run(command, check=True)
    return folder


def installed(version: str) -> Path:
    """Folder with this hip-python, installed beside the tests' own packages."""
    folder = CACHE / f"hip-python-{version}"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "--target", str(folder), f"hip-python=={version}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"hip-python {version} cannot be installed: {done.stderr[-200:]}")
        (folder / "done").touch()
    return folder


@pytest.fixture(scope="session", params=WHEELS)
def wheel(request: pytest.FixtureRequest) -> Path:
    """Folder with a hip-python of one of the two families."""
    return installed(request.param)


def environment(standin: Path, wheel: Path, tmp_path: Path) -> dict[str, str]:
    """Environment in which the GPU is the stand-in; its log is ``hip.log`` in ``tmp_path``."""
    return {
        **os.environ,
        "LD_LIBRARY_PATH": str(standin),
        "ROCM_PATH": str(tmp_path / "no-rocm-here"),
        "PYTHONPATH": str(wheel),
        "WAVESIM_STANDIN_LOG": str(tmp_path / "hip.log"),
    }


@pytest.fixture
def standin_environment(standin: Path, tmp_path: Path) -> dict[str, str]:
    """The stand-in GPU with one hip-python."""
    return environment(standin, installed(WHEELS[-1]), tmp_path)


@pytest.fixture
def each_environment(standin: Path, wheel: Path, tmp_path: Path) -> dict[str, str]:
    """The stand-in GPU with each hip-python."""
    return environment(standin, wheel, tmp_path)
