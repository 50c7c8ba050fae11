"""Mutants of clean kernels: of those that go wrong under adversarial execution, how many check names.

From every clean kernel each s_waitcnt, s_barrier and s_nop is removed in turn, each vmcnt count is raised by
one, and the offset of each LDS instruction is shifted. A mutant counts where its adversarial execution
(loads and stores as late as the ISA allows, waves in hostile order) has wrong numbers, does not end or leaves
the limits. It is found if a rule finds it without that execution; where the one rule is wrong-result, on the
numbers in the usual order, that is listed apart, because it names no line. No execution shows a missing wait
state, so for each s_nop it is counted instead whether a rule on wait states names its removal (``--nops``:
only that).

Deterministic. ``--every N`` takes each Nth mutant of a kernel, ``--only TEXT`` the kernels so named.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from wavesim.asm.printer import print_program
from wavesim.asm.text.parse import parse_program
from wavesim.checks.registers import uninitialised_on_the_way
from wavesim.checks.run import check_execution, check_kernel, check_program
from wavesim.emulate.judge.numerics import check_numerics
from wavesim.emulate.run import emulate
from wavesim.errors import UserError
from wavesim.front.launch.file import LaunchOptions
from wavesim.front.launch.model import LoadedKernel
from wavesim.isa.machine import Machine
from wavesim.pipeline.run import RunOptions, prepare

ROOT = Path(__file__).resolve().parent.parent
MUTANTS = ROOT / "benchmarks" / "mutants"
"""Kernels written for this: an exchange through global memory, a pipeline of loads to LDS."""
EXAMPLES = ROOT.parent / "shared" / "examples"
SHIFT_BYTES = 64
VMCNT, MOST_WAITED = re.compile(r"vmcnt\((\d+)\)"), 62
REMOVED = ("s_waitcnt", "s_barrier", "s_nop")
KINDS = (*REMOVED, "count", "offset")


@dataclass(frozen=True)
class Original:
    """A clean kernel, as text that can be edited, and its launch."""

    name: str
    kernel: LoadedKernel
    machine: Machine
    text: str

    def mutated(self, text: str) -> LoadedKernel:
        """The kernel with another text."""
        program = parse_program(text, self.name, arch=self.kernel.program.arch)
        return replace(self.kernel, program=program, findings=())


@dataclass(frozen=True)
class Mutant:
    """An edit: ``kind`` of KINDS, ``what`` was there, and the text after it."""

    kind: str
    what: str
    text: str


def example(name: str, depth: int = 128) -> Original:
    """A compiled example at K = ``depth``."""
    arguments = (f"A=bf16[128,{depth}]", f"B=bf16[128,{depth}]", "C=f32[128,128]:unwritten", "N=128")
    launch = LaunchOptions(arguments=(*arguments, f"K={depth}"), block=512, expect="C = A @ B.T")
    kernel, machine = prepare(EXAMPLES / name, RunOptions(launch=launch))
    return Original(name, kernel, machine, (EXAMPLES / name).read_text())


def own(name: str, arch: str, depth: int = 128) -> Original:
    """A kernel of kernels/, tile program or HIP, as its machine code is printed."""
    options = RunOptions(arch=arch, settings={"K": str(depth)})
    kernel, machine = prepare(ROOT / "kernels" / name, options)
    return Original(f"{name} ({arch})", kernel, machine, print_program(kernel.program))


def originals(only: str = "") -> Iterator[Original]:
    """Every clean kernel whose name contains ``only``; examples where they are at hand."""
    for path in sorted(EXAMPLES.glob("*.s")):
        wrong = path.name.split(".")[0].endswith(("_HAZARD", "_RACE"))
        if not wrong and only in path.name:
            yield example(path.name, 256 if "unroll2" in path.name else 128)
    for name in ("4wave.yaml", "8wave.yaml", "8wave_pingpong.yaml", "8wave_256.yaml", "hip/8wave.hip"):
        for arch in ("gfx942", "gfx950"):
            if only in f"{name} ({arch})":
                yield own(name, arch, 256 if name.startswith("hip/") else 128)  # the HIP kernel's least
    for path in sorted(MUTANTS.glob("*.s")):
        if only in path.name:
            kernel, machine = prepare(path, RunOptions())
            yield Original(path.name, kernel, machine, path.read_text())


def mutants(text: str) -> Iterator[Mutant]:
    """The edits of a text, in its order."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        code = line.split(";")[0].split("//")[0].rstrip()
        word = code.split()[0] if code.split() else ""
        if word in REMOVED:
            kind, changed = word, ""
            count = VMCNT.search(code)
            if count is not None and int(count.group(1)) < MOST_WAITED:
                raised = f"vmcnt({int(count.group(1)) + 1})"
                yield Mutant(
                    "count",
                    f"{number + 1}: {' '.join(code.split())}",
                    "\n".join([*lines[:number], VMCNT.sub(raised, code), *lines[number + 1 :]]),
                )
        elif word.startswith(("ds_read", "ds_write")) and "offset0" not in code and "offset1" not in code:
            kind, changed = "offset", _shifted(code)
        else:
            continue
        text_after = "\n".join([*lines[:number], changed, *lines[number + 1 :]])
        yield Mutant(kind, f"{number + 1}: {' '.join(code.split())}", text_after)


def _shifted(code: str) -> str:
    if "offset:" not in code:
        return f"{code} offset:{SHIFT_BYTES}"
    before, value = code.split("offset:", 1)
    digits = value.split()[0]
    return f"{before}offset:{int(digits) + SHIFT_BYTES}{value[len(digits) :]}"


def changes_behaviour(kernel: LoadedKernel, machine: Machine) -> bool:
    """Whether adversarial execution goes wrong."""
    try:
        execution = emulate(kernel.program, kernel.launch, machine, adversarial=True)
    except UserError:
        return True
    return not execution.complete or not check_numerics(execution, kernel.launch).ok


def rules_found(kernel: LoadedKernel, machine: Machine) -> set[str]:
    """Rules that find something above a note, without what adversarial execution would say."""
    found, relaxer = check_program(kernel.program)
    bad = {each.rule for each in found if each.is_bad}
    if bad:
        return bad
    try:
        execution = emulate(kernel.program, kernel.launch, machine, observe_lds=True)
    except UserError:
        return {"refused"}
    seen, _ = check_execution(execution)
    seen += uninitialised_on_the_way(execution.trace, relaxer.effects, found)
    return {each.rule for each in seen if each.is_bad}


@dataclass
class Tally:
    """What became of the mutants of one kernel."""

    tried: Counter[str]
    changed: Counter[str]
    named: Counter[str]
    result_only: list[str]
    missed: list[str]


def tally(original: Original, every: int = 1, first: int = 0, progress: bool = False) -> Tally:
    """Try each ``every``-th mutant of a kernel, from the ``first`` on."""
    result = Tally(Counter(), Counter(), Counter(), [], [])
    chosen = list(mutants(original.text))[first::every]
    for number, mutant in enumerate(chosen):
        if progress and sys.stderr.isatty():
            print(f"\r{original.name}: {number + 1}/{len(chosen)} ", end="", file=sys.stderr, flush=True)
        result.tried[mutant.kind] += 1
        kernel = original.mutated(mutant.text)
        if not changes_behaviour(kernel, original.machine):
            continue
        result.changed[mutant.kind] += 1
        rules = rules_found(kernel, original.machine)
        if rules - {"wrong-result"}:
            result.named[mutant.kind] += 1
        elif rules:
            result.result_only.append(f"{mutant.kind} {mutant.what}")
        else:
            result.missed.append(f"{mutant.kind} {mutant.what}")
    if progress and sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return result


def nops_named(original: Original) -> tuple[int, int]:
    """Removals of an s_nop that a rule on the code names, and all of them."""
    removals = [each for each in mutants(original.text) if each.kind == "s_nop"]
    found = [check_program(original.mutated(each.text).program)[0] for each in removals]
    return sum(any(each.is_bad for each in findings) for findings in found), len(removals)


def main() -> None:
    """Print a table of kernels and kinds: found / changed / tried."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--every", type=int, default=1, metavar="N")
    parser.add_argument("--only", default="", metavar="TEXT")
    parser.add_argument("--nops", action="store_true", help="only whether the removal of an s_nop is named")
    options = parser.parse_args()
    if options.nops:
        counts = {each.name: nops_named(each) for each in originals(options.only)}
        for name, (named, removed) in counts.items():
            print(f"{name:36}{named:>6} of {removed}")
        print(
            f"{'all':36}{sum(each[0] for each in counts.values()):>6} of {sum(e[1] for e in counts.values())}"
        )
        return
    begin = time.monotonic()
    print("found / wrong under adversarial execution / tried")
    heads = (*KINDS, "false alarms")
    print(f"{'kernel':36}" + "".join(f"{head:>14}" for head in heads), flush=True)
    alarms = 0
    totals = {kind: [0, 0, 0, 0] for kind in KINDS}  # tried, wrong, by a rule that names a line, by numbers
    missed = []
    for original in originals(options.only):
        good = check_kernel(original.kernel, original.machine).good
        result = tally(original, options.every, progress=True)
        row = []
        for kind in KINDS:
            by_numbers = sum(each.startswith(kind) for each in result.result_only)
            counts = (result.tried[kind], result.changed[kind], result.named[kind], by_numbers)
            totals[kind] = [total + count for total, count in zip(totals[kind], counts, strict=True)]
            row.append(f"{counts[2] + by_numbers}/{counts[1]}/{counts[0]}")
        row.append(str(int(not good)))
        print(f"{original.name:36}" + "".join(f"{cell:>14}" for cell in row), flush=True)
        missed += [f"{original.name}: {each}" for each in result.missed]
        alarms += not good
    for kind, (tried, changed, named, by_numbers) in totals.items():
        share = (named + by_numbers) / changed if changed else 1.0
        print(
            f"{kind}: {tried} mutants, {changed} wrong, {named} found by a rule with the line, "
            f"{by_numbers} by wrong numbers alone ({share:.1%})"
        )
    changed, found = (sum(row[1] for row in totals.values()), sum(sum(row[2:]) for row in totals.values()))
    print(f"all: {changed} wrong, {found} found ({found / max(changed, 1):.1%}); {alarms} false alarms")
    print("\n  ".join([f"not found: {len(missed)}", *missed]))
    print(f"{time.monotonic() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
