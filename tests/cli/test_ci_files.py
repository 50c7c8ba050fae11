"""The GitHub Action and the pre-commit hook do what their files say, as far as that goes without hosts."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
BAD = """\
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
k:
	global_load_dword v2, v0, s[0:1]
	v_mov_b32 v3, v2
	s_endpgm
"""

pytestmark = pytest.mark.skipif(
    not (BIN / "wavesim").exists() or shutil.which("bash") is None, reason="needs the command and bash"
)


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}


def action(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The step that checks, as GitHub runs it: bash with -e and pipefail, inputs in the environment."""
    action = read("action.yml")
    step = action["runs"]["steps"][-1]
    known = {name: each.get("default", "") for name, each in action["inputs"].items()} | inputs
    given = {name: known[text.split("inputs.")[1].rstrip(" }")] for name, text in step["env"].items()}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(
        command, cwd=folder, env=environment(**given), capture_output=True, text=True, check=False
    )


def test_the_action_annotates_and_fails(tmp_path: Path) -> None:
    (tmp_path / "a b.s").write_text(BAD)
    (tmp_path / "c.s").write_text(BAD.replace("\tv_mov", "\ts_waitcnt vmcnt(0)\n\tv_mov"))
    done = action(tmp_path, kernels="*.s\n", sarif="out.sarif")
    assert done.returncode == 1, done.stderr
    assert "::error file=a b.s,title=wavesim missing-wait,line=4" in done.stdout
    assert '"version": "2.1.0"' in (tmp_path / "out.sarif").read_text()
    assert action(tmp_path, kernels="c.s").returncode == 0
    written = action(tmp_path, kernels="*.s", arguments="--write-baseline=base.json\n")
    assert written.returncode == 0, written.stderr
    assert action(tmp_path, kernels="*.s", arguments="--baseline=base.json").returncode == 0


def test_inputs_of_the_action_are_words_and_never_code(tmp_path: Path) -> None:
    for text in ("$(touch hit)", "`touch hit`", "; touch hit", "--write-baseline=hit"):
        assert action(tmp_path, kernels=text).returncode == 2
        assert not (tmp_path / "hit").exists()
    for step in read("action.yml")["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_the_hook_checks_the_files_it_is_given(tmp_path: Path) -> None:
    (hook,) = read(".pre-commit-hooks.yaml")
    (tmp_path / "k.s").write_text(BAD)
    done = subprocess.run(
        [*shlex.split(hook["entry"]), "k.s"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith("k.s:4:1: error: ")
