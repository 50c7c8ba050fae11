"""The page of each rule shows its wrong kernel as it is; LLVM assembles it; the rule is what check says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from wavesim.checks.rules import RULES

ROOT = Path(__file__).resolve().parents[2]
WRONG = ROOT / "kernels" / "wrong"
LISTING = re.compile(r"^`(kernels/\S+)`\n\n```(?:asm|yaml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("rule", RULES)
def test_page(rule: str) -> None:
    text = (ROOT / "docs" / "checks" / f"{rule}.md").read_text(encoding="utf-8")
    (listing,) = LISTING.findall(text)
    path, source = listing
    assert source.rstrip() == (ROOT / path).read_text().rstrip()
    assert 8 <= len(source.rstrip().split("\n")) <= 60
    (shown,) = SHOWN.findall(text)
    assert shown.startswith(f"$ wavesim check {path}\n")
    assert f"[{rule}]" in shown
    for heading in ("What it means", "How to fix it", "What is not covered"):
        assert f"\n## {heading}\n" in text


def test_the_index_names_every_rule_and_every_kernel_has_a_page() -> None:
    index = (ROOT / "docs" / "checks" / "README.md").read_text(encoding="utf-8")
    for rule in RULES.values():
        assert f"| [`{rule.id}`]({rule.id}.md) | {rule.severity.value} |" in index
    kernels = {path.stem for path in WRONG.glob("*.s")} | {path.stem for path in WRONG.glob("*.yaml")}
    kernels = {name for name in kernels if not name.endswith(".launch")} - {"one-tile"}
    assert kernels == set(RULES)


@pytest.mark.parametrize("path", sorted(WRONG.glob("*.s")), ids=lambda path: path.stem)
def test_llvm_assembles_it(path: Path) -> None:
    tool = next((name for name in ("llvm-mc-22", "llvm-mc-19", "llvm-mc") if shutil.which(name)), None)
    if tool is None:
        pytest.skip("needs llvm-mc")
    target = re.search(r"hsa--(\w+)", path.read_text(encoding="utf-8"))
    assert target is not None
    command = [
        tool,
        "-triple=amdgcn-amd-amdhsa",
        f"-mcpu={target[1]}",
        "-filetype=obj",
        "-o",
        "/dev/null",
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
