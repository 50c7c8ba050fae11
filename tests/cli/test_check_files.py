"""`wavesim check` of several files: order, exit codes, formats for editors and code hosts, baselines."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wavesim.cli.main import cli

HEAD = '\t.amdgcn_target "amdgcn-amd-amdhsa--gfx942"\nk:\n'
LOAD = "\tglobal_load_dword v2, v0, s[0:1]\n"
WAIT, USE, END = "\ts_waitcnt vmcnt(0)\n", "\tv_mov_b32 v3, v2\n", "\ts_endpgm\n"
GOOD, BAD = HEAD + LOAD + WAIT + USE + END, HEAD + LOAD + USE + END


def check(*words: str) -> Result:
    return CliRunner().invoke(cli, ["check", *words], standalone_mode=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.s").write_text(GOOD)
    (tmp_path / "b.s").write_text(BAD)
    (tmp_path / "sub/c.s").write_text(BAD)
    (tmp_path / "notes.txt").write_text("no kernel")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_come_in_the_order_given_and_patterns_sorted(folder: Path) -> None:
    done = check("sub/c.s", "**/*.s", "./a.s", "--json")
    assert done.return_value == 1
    kernels = json.loads(done.stdout)["kernels"]
    places = [each["findings"][0]["places"][0]["file"] for each in kernels]
    assert places == ["sub/c.s", "a.s", "b.s"]
    assert check("a.s").return_value == 0
    assert "no kernel file of this pattern" in str(check("*.txt").exception)


def test_one_that_is_unusable_keeps_none_from_being_checked(folder: Path) -> None:
    (folder / "b.s").write_text(HEAD + "\tv_no_such v1\n")
    done = check("*.s", "sub/c.s")
    assert done.return_value == 2
    assert "b.s:3" in done.stderr
    assert "sub/c.s:4: error" in done.stdout
    assert done.stdout.endswith("3 kernels: 1 clean, 1 not clean, 1 unusable\n")
    done = check("*.s", "--sarif", "out.sarif", "--write-baseline", "base.json")
    assert done.return_value == 2
    assert "no file is written" in done.stderr
    assert not (folder / "out.sarif").exists()
    assert not (folder / "base.json").exists()


def test_gcc_lines_lead_to_the_place(folder: Path) -> None:
    done = check("**/*.s", "--format", "gcc")
    assert done.return_value == 1
    form = re.compile(r"(\S+):(\d+):(\d+): (error|warning|note): .* \[[\w-]+\]")
    found = [form.fullmatch(line) for line in done.stdout.splitlines()]
    assert all(found)
    errors = [each.group(1, 2, 3) for each in found if each and each[4] == "error"]
    assert errors == [("b.s", "4", "1"), ("sub/c.s", "4", "1")]


def test_github_commands_are_escaped(folder: Path) -> None:
    (folder / "a,b:c%.s").write_text(BAD)
    first = check("a,b:c%.s", "--format", "github").stdout.splitlines()[0]
    head, message = first.split("::", 2)[1:]
    assert head.startswith("error file=a%2Cb%3Ac%25.s,")
    assert "line=4,col=1" in head
    assert "%0Afix: put s_waitcnt" in message


def test_json_and_sarif_by_format(folder: Path) -> None:
    assert json.loads(check("b.s", "--format", "json").stdout)["verdict"] == "bad"
    assert json.loads(check("b.s", "--format", "sarif").stdout)["version"] == "2.1.0"
    assert "leave one out" in str(check("b.s", "--format", "json", "--json", "x.json").exception)


def test_a_baseline_knows_old_findings_and_no_more_of_them(folder: Path) -> None:
    done = check("b.s", "sub/c.s", "--write-baseline", "base.json")
    assert done.return_value == 0
    again = check("b.s", "./sub/c.s", "--baseline", "base.json")
    assert again.return_value == 0
    assert "1 finding of the baseline not shown" in again.stdout
    (folder / "b.s").write_text(HEAD + "\ts_nop 0\n" + (LOAD + USE).replace("v2", "v5") + END)
    assert check("b.s", "--baseline", "base.json").return_value == 0  # moved, another register
    (folder / "b.s").write_text(HEAD + LOAD + USE + WAIT + LOAD + USE + END)
    more = check("b.s", "--baseline", "base.json", "--json")
    assert more.return_value == 1
    report = json.loads(more.stdout)
    assert [each["rule"] for each in report["findings"]].count("missing-wait") == 1
    assert report["baseline"] == 1
    shutil.copy("b.s", "new.s")
    assert check("new.s", "--baseline", "base.json").return_value == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "base.json:1: no JSON"),
        ("[]", "no baseline of version 1"),
        ('{"schema": "wavesim baseline", "version": 2, "findings": []}', "no baseline of version 1"),
        ('{"schema": "wavesim baseline", "version": 1}', "findings[0]"),
        ('{"schema": "wavesim baseline", "version": 1, "findings": [{"file": "b.s"}]}', "findings[0]"),
    ],
)
def test_what_is_no_baseline_is_refused(folder: Path, text: str, said: str) -> None:
    (folder / "base.json").write_text(text)
    assert said in str(check("b.s", "--baseline", "base.json").exception)


def test_a_code_object_shows_address_and_disassembly(folder: Path) -> None:
    tool = next((name for name in ("llvm-mc-22", "llvm-mc-19", "llvm-mc") if shutil.which(name)), None)
    if tool is None or not any(shutil.which(name) for name in ("ld.lld", "ld.lld-22", "lld-22")):
        pytest.skip("needs llvm-mc and lld")
    kernel = "\t.amdhsa_kernel k\n\t.amdhsa_next_free_vgpr 8\n\t.amdhsa_next_free_sgpr 8\n"
    kernel += "\t.amdhsa_accum_offset 8\n\t.end_amdhsa_kernel\n"
    text = "\t.globl k\n\t.type k,@function\n" + BAD + kernel
    (folder / "d.s").write_text(text.replace("s_endpgm", "s_endpgm\n\t.section .rodata"))
    target = ["-triple=amdgcn-amd-amdhsa", "-mcpu=gfx942", "-filetype=obj"]
    subprocess.run([tool, *target, "-o", "d.o", "d.s"], check=True)
    text = check("d.o").stdout
    (at,) = re.findall(r"^  at (0x[0-9a-f]+): v_mov_b32.* v3, v2$", text, re.MULTILINE)
    (also,) = re.findall(r"^  also d.o:\d+, (0x[0-9a-f]+): global_load_dword", text, re.MULTILINE)
    assert int(at, 0) - int(also, 0) == 8
    assert f"(at {at}: v_mov_b32" in check("d.o", "--format", "gcc").stdout
    assert ",line=" not in check("d.o", "--format", "github").stdout
    place = json.loads(check("d.o", "--json").stdout)["findings"][0]["places"][0]
    assert place["instruction"].startswith(f"{at}: v_mov_b32")
