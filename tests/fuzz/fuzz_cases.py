"""Inputs that nobody meant to write, and what wavesim may do with them: answer, or refuse in one message.

A case is a family and a number; both together are its seed, so that ``python tests/fuzz/fuzz_cases.py
launch:17`` repeats one, and ``--cases 20000`` tries as many of all families. Anything but an exit code of 0,
1 or 2 is a failure: another exception, more time than the limit, a traceback, a control character.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import yaml
from click.testing import CliRunner

from wavesim.asm.tools import MissingTool
from wavesim.cli.main import cli
from wavesim.errors import UserError
from wavesim.front import by_clang
from wavesim.front.launch.formula import FUNCTIONS, evaluate_formula, names_in
from wavesim.front.launch.formula_sizes import formula_sizes
from wavesim.front.tile.load import load_tile_program
from wavesim.isa.load import load_machine
from wavesim.limits import allowing, budget

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 20.0
"""For one case, on a machine that does other things as well."""
LIMITS = {"instructions": 50_000, "clk": 1_000_000}
"""What a run may cost: an endless loop is no find here."""

NASTY_TEXTS = (
    *("", " ", "-", "--", "=", ":", ",", "0", "-1", "1e999", "nan", "-inf", "0x", "1_0", "9" * 500, "٣", "½"),
    *("\0", "\x1b[31m", "\u202e", "\ud800", "{", "[", "K", "../..", "/", "/dev/null", "'", '"', "%s", "é"),
    *("C = A @ B.T", "f32[64]", "f32[1,64]:index", "bf16[0]", "i32:-1", "l2", "gfx942", "gfx950", "s_nop"),
)
NASTY_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 63, 64, 65, 1024, 2**31, 2**32, 2**63, -(2**63), 10**30, 10**400),
    *(0.5, 1e308, float("inf"), float("nan"), [], {}, [[]], {"a": 1}, [1, 2, 3, 4, 5], [None], {1: 2}),
)

KERNEL = """\
	.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
	.text
small:
	s_load_dwordx4 s[4:7], s[0:1], 0x0
	v_lshlrev_b32 v1, 2, v0
	s_waitcnt lgkmcnt(0)
	global_load_dword v2, v1, s[4:5]
	s_mov_b32 s8, 3
.Lloop:
	ds_write_b32 v1, v2
	s_waitcnt lgkmcnt(0) vmcnt(0)
	s_barrier
	ds_read_b32 v3, v1 offset:4
	v_mfma_f32_4x4x1_16b_f32 a[0:3], v2, v2, a[0:3]
	s_waitcnt lgkmcnt(0)
	v_add_f32 v2, v2, v3
	s_sub_u32 s8, s8, 1
	s_cmp_lg_u32 s8, 0
	s_cbranch_scc1 .Lloop
	global_store_dword v1, v2, s[6:7]
	s_endpgm
	.amdhsa_kernel small
		.amdhsa_group_segment_fixed_size 1024
		.amdhsa_user_sgpr_kernarg_segment_ptr 1
		.amdhsa_next_free_vgpr 12
		.amdhsa_next_free_sgpr 16
		.amdhsa_accum_offset 8
	.end_amdhsa_kernel
"""
LAUNCH: dict[str, Any] = {
    "workgroup": 64,
    "grid": [1, 2],
    "position": [0, 1],
    "constants": {"K": 64},
    "arguments": {"A": "f32[2,K]:random", "C": "f32[2,K]:unwritten"},
    "expect": "C = A + A",
    "tile": [1, "K"],
    "memory": {"latency_clk": 500},
    "lds": 0,
}
TILES = """\
include: part.yaml
constants: {M: 32, K: 64, STEP: 32}
require: [K % STEP == 0]
workgroup: {waves: 2}
memory:
  A: {type: bf16, rows: M, cols: K}
  B: {type: bf16, rows: M, cols: K}
  C: {type: f32, rows: M, cols: M, init: unwritten}
lds:
  As: {type: bf16, rows: M, cols: STEP, swizzle: {unit_bytes: 8, rows: 8}}
  Bs: {type: bf16, rows: M, cols: STEP}
loads:
  la: {from: A, to: As, row: 0}
  lb: {from: B, to: Bs, row: 0}
values:
  row0: wave * 16
fragments:
  a: {rows: 16, cols: STEP}
  b: {rows: 16, cols: STEP, count: 2}
accumulators:
  c: {rows: 16, cols: 16, count: 2}
macros:
  fill:
  - lds_write: la
  - lds_write: lb
program:
- zero: "c[0]"
- zero: "c[1]"
- loop: t
  from: 0
  to: K / STEP
  unroll: 1
  body:
  - {global_load: la, col: t * STEP}
  - {global_load: lb, col: t * STEP}
  - wait: {vmcnt: 0}
  - barrier
  - use: fill
  - wait: {lgkmcnt: 0}
  - barrier
  - {lds_read: a, from: As, row: row0, width: b64}
  - for: i
    from: 0
    to: 2
    body:
    - {lds_read: "b[i]", from: Bs, row: 16 * i, width: b64}
  - wait: {lgkmcnt: 0}
  - if: STEP == 32
    then:
    - {mfma: "c[0]", a: a, b: "b[0]"}
    - {mfma: "c[1]", a: a, b: "b[1]"}
    else:
    - {copy: "b[1]", to: "b[0]"}
- {store: "c[0]", to: C, row: row0, col: 0}
- {store: "c[1]", to: C, row: row0, col: 16}
launch:
  grid: [1, 1]
  position: [0, 0]
  workgroups_per_cu: 1
  machine: {memory.latency_clk: l2}
  expect: {result: C, left: A, right: B, transpose_right: true}
  tile: {row: 0, col: 0, rows: M, cols: M}
"""
PART = "mfma: 16x16x16\n"
MACHINE: dict[str, Any] = {
    "base": "gfx942",
    "name": "mine",
    "description": "mine",
    "lds": {
        "read_latency_clk": {"value": 45, "unit": "clk", "source": "me", "confidence": "assumed"},
        "write_hold_clk": {"value": {4: 8, 8: 12, 12: 12, 16: 16}, "source": "me", "confidence": "assumed"},
    },
    "memory": {"latency_clk": {"value": 500, "unit": "clk", "source": "me", "confidence": "assumed"}},
}
WORDS = ("x", "A", "C", "s", "2", "0.5", "1e300", "9" * 30, "A.T", "A[0:2]", "A[1:2, 0:3]", "A[2:1]", "-A")
OPTIONS = (
    *("--arg", "--block", "--grid", "--expect", "--tile", "--kernel", "--lds", "--set", "--arch", "--region"),
    *(
        "--trips",
        "--waves",
        "--width",
        "--what-if",
        "--clock-ghz",
        "--engine",
        "--launch",
        "--machine",
        "-I",
        "-D",
    ),
)
FLAGS = ("--allow-unknown", "--ascii", "--no-extrapolate", "--adversarial", "--json", "--color", "--nonsense")


@dataclass(frozen=True)
class Failure:
    """A case that did what it may not do, with what is needed to see it again."""

    case: str
    words: tuple[str, ...]
    what: str


class TookTooLong(BaseException):
    """Not an Exception, so that nothing takes it for one of its own."""


def nasty(dice: random.Random) -> Any:
    return dice.choice(NASTY_VALUES) if dice.random() < 0.6 else dice.choice(NASTY_TEXTS)


def changed(data: Any, dice: random.Random) -> Any:
    """The tree with one of its nodes replaced, left out, doubled or renamed."""
    if isinstance(data, dict) and data and dice.random() < 0.9:
        key = dice.choice(list(data))
        kind = dice.random()
        if kind < 0.1:
            return {each: value for each, value in data.items() if each != key}
        if kind < 0.2:
            return {(str(nasty(dice)) if each == key else each): value for each, value in data.items()}
        return {each: changed(value, dice) if each == key else value for each, value in data.items()}
    if isinstance(data, list) and data and dice.random() < 0.8:
        place = dice.randrange(len(data))
        if dice.random() < 0.15:
            return data[:place] + data[place:] + data[place : place + 1]
        return [changed(value, dice) if index == place else value for index, value in enumerate(data)]
    if isinstance(data, str) and dice.random() < 0.5:
        return spoilt(data, dice)
    if isinstance(data, int) and dice.random() < 0.5:
        return dice.choice((data + 1, data - 1, 2 * data, -data, dice.randrange(70)))
    return nasty(dice)


def spoilt(text: str, dice: random.Random) -> str:
    """The text with characters lost, doubled, or others between them."""
    for _ in range(dice.choice((1, 1, 2, 5))):
        place = dice.randrange(len(text) + 1)
        length = dice.choice((0, 0, 1, 1, 3, 20))
        text = text[:place] + dice.choice(("", *NASTY_TEXTS)) + text[place + length :]
    return text


def dumped(data: Any, dice: random.Random) -> bytes:
    text = yaml.safe_dump(data, sort_keys=False, width=1000)
    if dice.random() < 0.15:
        text = spoilt(text, dice)
    return text.encode("utf-8", "surrogatepass")


def spoilt_lines(text: str, dice: random.Random) -> str:
    """Assembly with tokens exchanged, lines moved, doubled or lost."""
    lines = text.splitlines()
    tokens = [token for line in lines for token in line.replace(",", " ").split()]
    for _ in range(dice.choice((1, 1, 2, 3, 6))):
        place, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        kind = dice.random()
        if kind < 0.5:
            words = lines[place].split(" ")
            words[dice.randrange(len(words))] = dice.choice((*tokens, *tokens, *NASTY_TEXTS))
            lines[place] = " ".join(words)
        elif kind < 0.65:
            lines[place] = lines[other]
        elif kind < 0.8 and len(lines) > 2:
            del lines[place]
        elif kind < 0.9:
            lines[place], lines[other] = lines[other], lines[place]
        else:
            lines[place] = spoilt(lines[place], dice)
    return "\n".join(lines) + "\n"


def launch_case(folder: Path, dice: random.Random) -> list[str]:
    data: Any = LAUNCH
    for _ in range(dice.choice((1, 1, 2, 3))):
        data = changed(data, dice)
    (folder / "k.s").write_text(KERNEL)
    (folder / "k.launch.yaml").write_bytes(dumped(data, dice))
    return [dice.choice(("check", "run")), "k.s"]


def option_case(folder: Path, dice: random.Random) -> list[str]:
    (folder / "k.s").write_text(KERNEL)
    command = dice.choice(("run", "run", "run", "check", "check", "explain", "lower", "compare", "isa"))
    words = [command, "k.s"]
    if command in ("run", "check", "explain") and dice.random() < 0.7:
        words += ["--arg", "A=f32[64]", "--arg", "C=f32[64]:unwritten", "--block", "64"]
    for _ in range(dice.choice((1, 1, 2, 3))):
        if dice.random() < 0.2:
            words.append(dice.choice(FLAGS))
        else:
            value = dice.choice(("A=f32[64]", "C = A", "1,1", "8", "64", "lds.queue_entries=3", "no_barrier"))
            words += [dice.choice(OPTIONS), value if dice.random() < 0.5 else str(nasty(dice))]
    # as a command line holds it: without a NUL, and its bytes decoded as Python decodes them
    given = (word.replace("\0", "").encode("utf-8", "surrogatepass") for word in words)
    return [word.decode("utf-8", "surrogateescape") for word in given]


def machine_case(folder: Path, dice: random.Random) -> list[str]:
    machine = load_machine(dice.choice(("gfx942", "gfx950")))
    data = dict(MACHINE)
    for key in dice.sample(list(machine.quantities), 3):
        section, _, name = key.partition(".")
        value = machine.quantities[key].value
        plain = dict(value) if isinstance(value, (dict, types.MappingProxyType)) else value
        entry = {"value": plain, "source": "me", "confidence": "assumed"}
        data[section] = {**data.get(section, {}), name: entry}
    changes: Any = data
    for _ in range(dice.choice((1, 1, 2))):
        changes = changed(changes, dice)
    (folder / "k.s").write_text(KERNEL)
    (folder / "m.yaml").write_bytes(dumped(changes, dice))
    if dice.random() < 0.5:
        return ["isa", "show", "m.yaml", "lds"]
    run = ["run", "k.s", "--machine", "m.yaml", "--block", "64"]
    return [*run, "--arg", "A=f32[64]", "--arg", "C=f32[64]:unwritten"]


def formula_text(dice: random.Random, depth: int = 0) -> str:
    if depth > 4 or dice.random() < 0.25:
        return dice.choice(WORDS) if dice.random() < 0.95 else dice.choice(NASTY_TEXTS)
    if dice.random() < 0.45:
        name = dice.choice(list(FUNCTIONS))
        count = FUNCTIONS[name][0] if dice.random() < 0.95 else dice.randrange(4)
        return f"{name}({', '.join(formula_text(dice, depth + 1) for _ in range(count))})"
    operator = dice.choice(("+", "-", "*", "/", "**", "@", "@", "//", "if", ","))
    return f"({formula_text(dice, depth + 1)} {operator} {formula_text(dice, depth + 1)})"


def formula_case(folder: Path, dice: random.Random) -> Callable[[], None]:
    text = formula_text(dice)
    if dice.random() < 0.2:
        text = spoilt(text, dice)
    generator = np.random.default_rng(dice.randrange(1 << 30))
    values = {"A": generator.normal(size=(3, 4)), "C": generator.normal(size=(4, 3))}
    values |= {"x": generator.normal(size=(1, 64)), "s": np.asarray(0.5)}

    def evaluate() -> None:
        if set(names_in(text)) <= set(values):
            evaluate_formula(text, values.__getitem__)
            formula_sizes(text, values.__getitem__)

    return evaluate


def tile_case(folder: Path, dice: random.Random) -> list[str] | Callable[[], None]:
    data: Any = yaml.safe_load(TILES)
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        data = changed(data, dice)
    (folder / "k.yaml").write_bytes(dumped(data, dice))
    (folder / "part.yaml").write_text(PART)
    if dice.random() < 0.2:
        return [
            dice.choice(("run", "check", "lower")),
            "k.yaml",
            "--set",
            f"K={dice.choice((32, 64, 33, -1, 0))}",
        ]
    return lambda: void(load_tile_program(folder / "k.yaml", dice.choice(("gfx942", "gfx950")), {}))


def assembly_case(folder: Path, dice: random.Random) -> list[str]:
    lessons = sorted((ROOT / "kernels/wrong").glob("*.s")) + sorted((ROOT / "kernels/lessons").glob("*.s"))
    text = KERNEL if dice.random() < 0.5 else dice.choice(lessons).read_text(encoding="utf-8")
    (folder / "k.s").write_bytes(spoilt_lines(text, dice).encode("utf-8", "surrogatepass"))
    if dice.random() < 0.4:
        return ["lower", "k.s"]
    words = ["check" if dice.random() < 0.7 else "run", "k.s", "--block", "64"]
    if dice.random() < 0.5:
        words += ["--arg", "A=f32[64]", "--arg", "C=f32[64]:unwritten"]
    return words


def trace_case(folder: Path, dice: random.Random) -> list[str]:
    """A small thread trace with a node of one of its files changed."""
    code = ["; k", "s_mov_b32 s0, 2", "v_mov_b32 v0, 0", "s_barrier", "s_nop 0", "s_endpgm"]
    rows = [
        [text, 0, number, "a.hip:1", 1, 4096 + 4 * max(number - 1, 0), 0, 0]
        for number, text in enumerate(code)
    ]
    wave = {"begin": 100, "end": 200, "cu": 1, "simd": 0, "slot": 0, "id": 0, "waitcnt": [], "timeline": []}
    wave["instructions"] = [[100 + 4 * at, 2, 0, 4, at] for at in range(1, 6)]
    files: dict[str, Any] = {
        "code.json": {"code": rows, "version": "3.0.0"},
        "filenames.json": {"version": "3.0.0", "gfxip": 9, "gfxv": "vega"},
        "w.json": {"name": "SE0", "wave": wave, "num_insts": 5},
        "occupancy.json": {"0": [[96, 1, 0, 0, 1, 1], [220, 1, 0, 0, 0, 1]], "dispatches": {"1": "k"}},
    }
    files["filenames.json"]["wave_filenames"] = {"0": {"0": {"0": {"0": ["w.json", 100, 200]}}}}
    name = dice.choice(list(files))
    files[name] = changed(files[name], dice)
    for each, data in files.items():
        text = json.dumps(data)
        text = spoilt(text, dice) if each == name and dice.random() < 0.15 else text
        (folder / each).write_bytes(text.encode("utf-8", "surrogatepass"))
    return [*dice.choice((["trace", "info"], ["replay"])), "."]


def void(_: object) -> None:
    """Takes a result that only had to come about."""


FAMILIES: dict[str, Callable[[Path, random.Random], list[str] | Callable[[], None]]] = {
    "launch": launch_case,
    "option": option_case,
    "machine": machine_case,
    "formula": formula_case,
    "tile": tile_case,
    "assembly": assembly_case,
    "trace": trace_case,
}


@contextmanager
def limited() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def without_clang() -> AbstractContextManager[object]:
    """Assembly that wavesim refuses is not handed on: starting clang takes longer than all else of a case."""
    return mock.patch.object(by_clang, "assemble_with_lines", side_effect=MissingTool("clang is left out"))


def readable(text: str) -> str:
    """The text as any terminal and report takes it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def try_case(case: str, folder: Path) -> Failure | None:
    """Runs one case in ``folder``, which is emptied before."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    family, _, _ = case.partition(":")
    made = FAMILIES[family](folder, random.Random(case))
    words = tuple(made) if isinstance(made, list) else ()
    error: BaseException | None = None
    code: object = 0
    output = ""
    try:
        with limited(), without_clang():
            if isinstance(made, list):
                result = CliRunner().invoke(cli, made, catch_exceptions=True)
                error, code, output = result.exception, result.exit_code, result.output
            else:
                made()
    except (Exception, TookTooLong) as raised:
        error = raised
    if error is None or isinstance(error, UserError) or (isinstance(error, SystemExit) and code in (0, 1, 2)):
        return Failure(case, words, readable(output)) if "Traceback (most" in output else None
    return Failure(case, words, readable("".join(traceback.format_exception(error))))


def failures(cases: list[str]) -> Iterator[Failure]:
    """Those of the cases that fail."""
    with tempfile.TemporaryDirectory(prefix="wavesim-fuzz-") as name:
        folder, before = Path(name), Path.cwd()
        os.chdir(folder)
        try:
            for case in cases:
                with allowing(replace(budget(), **LIMITS)):
                    found = try_case(case, folder)
                if found is not None:
                    yield found
        finally:
            os.chdir(before)


def cases_of(count: int) -> list[str]:
    """As many cases, the families in turn."""
    return [f"{list(FAMILIES)[at % len(FAMILIES)]}:{at // len(FAMILIES)}" for at in range(count)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases_named", nargs="*", metavar="FAMILY:NUMBER")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--family", choices=list(FAMILIES))
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    cases = given.cases_named or cases_of(given.cases)[given.first :]
    if given.family and not given.cases_named:
        cases = [f"{given.family}:{at}" for at in range(given.first, given.cases)]
    started, count = time.monotonic(), 0
    for found in failures(cases):
        count += 1
        print(f"== {found.case}  wavesim {' '.join(map(repr, found.words))}\n{found.what}", flush=True)
    print(f"{len(cases)} cases, {count} failures, {time.monotonic() - started:.0f} s")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
