"""The changes that docs/extending.md shows apply to this tree, take the files it says, pass their tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATCHES = sorted((ROOT / "docs" / "extending").glob("*.patch"))
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
ROW = re.compile(r"^\| \[(\w+)\]\(extending/\w+\.patch\) \|.*\| (\d+) \| `(\S+)` \|$", re.MULTILINE)
SHOWN = {name: (int(files), test) for name, files, test in ROW.findall(PAGE)}
PARTS = (
    "wavesim",
    "isa",
    "kernels",
    "tests",
    "docs",
    "pyproject.toml",
    "hatch_build.py",
    "mkdocs.yml",
    "README.md",
)


def changed(patch: Path) -> list[str]:
    return re.findall(r"^diff --git a/(\S+)", patch.read_text("utf-8"), re.MULTILINE)


def test_every_patch_is_shown_with_the_files_that_it_took() -> None:
    assert {patch.stem: len(changed(patch)) for patch in PATCHES} == {
        name: files for name, (files, _) in SHOWN.items()
    }


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_it_applies_and_passes_its_test(patch: Path, tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    unwanted = shutil.ignore_patterns("__pycache__", "golden", "images", "corpus")
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part, **({"ignore": unwanted} if (ROOT / part).is_dir() else {}))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    done = subprocess.run(
        ["git", "apply", str(patch)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{patch.name} no longer applies: {done.stderr}"
    test = SHOWN[patch.stem][1]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", f"tests/{test}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
