"""LLVM's own assembler tests read by wavesim: how many lines parse, and print to the same bytes.

The corpus is made of the tests of LLVM's assembler and disassembler for AMDGPU (llvm/test/MC/AMDGPU/*.s,
llvm/test/MC/Disassembler/AMDGPU/*.txt): every line that llvm-mc assembles for an architecture, with its
bytes, and the text that the disassembler prints for them. Both texts must parse, have LLVM's size, and print
to text that assembles to the same bytes. ``--tests FOLDER`` names a folder with these files (a checkout of
LLVM, or its test folder); ``--download`` gets Debian's source package into ``--cache`` first (200 MB, once).
``--lines FILE`` writes every line that is refused or wrong. Nothing of the corpus belongs in this repository.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wavesim.asm.layout import size_of
from wavesim.asm.llvm_lines import decode, encode_lines
from wavesim.asm.printer import print_instruction
from wavesim.asm.text.instructions import parse_instruction, strip_comment
from wavesim.errors import UserError
from wavesim.isa.opcodes import ARCHS, lookup

CACHE = Path("/tmp/wavesim-llvm-tests")
PACKAGE = "llvm-toolchain-22"
_SOURCES = """\
Types: deb-src
URIs: http://deb.debian.org/debian
Suites: sid
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
_INSIDE = re.compile(r"llvm/test/MC/(Disassembler/)?AMDGPU/[^/]+\.(s|txt)$")
_NO_INSTRUCTION = re.compile(r'\s*(?:[.#]|//|"?[\w.$]+"?\s*(?::(?!:)|=(?!=)))')
_ENCODING = re.compile(r"0x[0-9a-fA-F]{2}(?:[\s,]+0x[0-9a-fA-F]{2})*$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of assembly that LLVM takes, and its bytes; ``printed`` where a disassembler wrote it."""

    text: str
    code: bytes
    printed: bool


@dataclass(slots=True)
class Outcome:
    """What wavesim made of the lines of one architecture; wrong and refused ones with the reason."""

    lines: int = 0
    same: int = 0
    refused: list[tuple[Line, str]] = field(default_factory=list)
    wrong_size: list[tuple[Line, str]] = field(default_factory=list)
    wrong_bytes: list[tuple[Line, str]] = field(default_factory=list)

    @property
    def percent(self) -> float:
        return 100 * self.same / self.lines if self.lines else 0.0


def download(cache: Path) -> Path:
    """Debian's source package of LLVM, by apt; of it only the tests are unpacked."""
    tests = cache / "tests"
    if tests.is_dir():
        return tests
    parts, lists = cache / "sources", cache / "lists"
    parts.mkdir(parents=True, exist_ok=True)
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (parts / "llvm.sources").write_text(_SOURCES, encoding="utf-8")
    options = [
        *("-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={parts}"),
        *(
            "-o",
            f"Dir::State::lists={lists}",
            "-o",
            "Dir::Cache::srcpkgcache=",
            "-o",
            "Dir::Cache::pkgcache=",
        ),
    ]
    subprocess.run(["apt-get", *options, "update", "-qq"], check=True)
    got = ["apt-get", *options, "-qq", "source", "--download-only", "--tar-only", PACKAGE]
    subprocess.run(got, cwd=cache, check=True)
    archive = next(cache.glob("*.orig.tar.xz"))
    partial = cache / "partial"
    partial.mkdir(exist_ok=True)
    with tarfile.open(archive, "r|xz") as source:
        for member in source:
            if member.isfile() and _INSIDE.search(member.name):
                content = source.extractfile(member)
                assert content is not None
                folder = "decoded" if "/Disassembler/" in member.name else "assembled"
                (partial / f"{folder}-{Path(member.name).name}").write_bytes(content.read())
    archive.unlink()
    partial.rename(tests)
    return tests


def read_tests(folder: Path) -> tuple[list[str], list[bytes]]:
    """The distinct lines of assembly and encodings in the test files below ``folder``."""
    lines: dict[str, None] = {}
    codes: dict[bytes, None] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".s":
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                text = strip_comment(line)[0].strip()
                if text and not _NO_INSTRUCTION.match(text):
                    lines[text] = None
        elif path.suffix == ".txt":
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                text = line.partition("#")[0].strip().strip("[]").strip()
                if _ENCODING.match(text):
                    codes[bytes(int(byte, 16) for byte in re.findall(r"0x(\w\w)", text))] = None
    return list(lines), list(codes)


def corpus(lines: Sequence[str], codes: Sequence[bytes], arch: str) -> list[Line]:
    """The lines that LLVM takes for ``arch`` and can print again, as written and as it prints them."""
    assembled = [
        (text, code) for text, code in zip(lines, encode_lines(lines, arch), strict=True) if code is not None
    ]
    every = list(dict.fromkeys([*(code for _, code in assembled), *codes]))
    shown = {code: text for code, text in zip(every, decode(every, arch), strict=True) if text is not None}
    found = {text: Line(text, code, False) for text, code in assembled if code in shown}
    again = encode_lines(list(shown.values()), arch)
    for (code, text), encoded in zip(shown.items(), again, strict=True):
        if encoded == code:  # else LLVM itself does not read what it prints
            found.setdefault(text, Line(text, code, True))
    return list(found.values())


def compare(lines: Iterable[Line], arch: str) -> Outcome:
    """Reads, sizes and prints every line."""
    outcome = Outcome()
    printed: list[tuple[Line, str]] = []
    for line in lines:
        outcome.lines += 1
        try:
            instruction = parse_instruction(line.text, arch)
        except UserError as error:
            outcome.refused.append((line, error.message))
            continue
        size = size_of(instruction, lookup(instruction.opcode, arch))
        if size != len(line.code):
            outcome.wrong_size.append((line, f"{size} bytes, not {len(line.code)}"))
            continue
        printed.append((line, print_instruction(instruction)))
    again = encode_lines([text for _, text in printed], arch)
    for (line, text), code in zip(printed, again, strict=True):
        if code == line.code:
            outcome.same += 1
        else:
            outcome.wrong_bytes.append((line, f"prints {text}"))
    return outcome


def report(arch: str, outcome: Outcome) -> Iterator[str]:
    counts = (
        outcome.lines,
        outcome.same,
        *map(len, (outcome.refused, outcome.wrong_size, outcome.wrong_bytes)),
    )
    yield f"| {arch} | {' | '.join(map(str, counts))} | {outcome.percent:.3f} |"


def reasons(outcome: Outcome) -> Counter[str]:
    """Refusals by their message, without the names in it."""
    return Counter(re.sub(r"'[^']*'|\b[vs]_\w+|\d+", "…", why) for _, why in outcome.refused)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tests", type=Path, help="folder with LLVM's test files")
    parser.add_argument("--download", action="store_true", help="get them from Debian")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--arch", choices=ARCHS, action="append")
    parser.add_argument("--lines", type=Path, help="write what is refused or wrong")
    given = parser.parse_args()
    folder = download(given.cache) if given.download else given.tests or given.cache / "tests"
    if not folder.is_dir():
        print(f"no tests of LLVM in {folder}: say --download, or --tests FOLDER")
        return 2 if given.tests else 0
    lines, codes = read_tests(folder)
    print(f"{len(lines)} lines and {len(codes)} encodings\n")
    print("| architecture | lines LLVM takes | same bytes | refused | wrong size | wrong bytes | % |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    found = {}
    for arch in given.arch or ARCHS:
        found[arch] = compare(corpus(lines, codes, arch), arch)
        print(*report(arch, found[arch]), sep="\n", flush=True)
    for arch, outcome in found.items():
        for why, count in reasons(outcome).most_common(20):
            print(f"{arch}: {count} × {why}")
    if given.lines:
        rows = [
            f"{arch}\t{kind}\t{line.text}\t{line.code.hex()}\t{why}\n"
            for arch, outcome in found.items()
            for kind, some in (
                ("refused", outcome.refused),
                ("size", outcome.wrong_size),
                ("bytes", outcome.wrong_bytes),
            )
            for line, why in some
        ]
        given.lines.write_text("".join(rows), encoding="utf-8")
    return 0 if not any(each.wrong_size or each.wrong_bytes for each in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
