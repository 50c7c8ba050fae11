"""The software-wait-state rules of isa/hazards.yaml and the MFMA columns of isa/mfma.csv, as rows."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from wavesim.errors import UserError
from wavesim.isa.built import load_data
from wavesim.isa.paths import data_dir

PRODUCERS = ("valu", "trans", "salu", "setreg", "wide_store", "wide_store_sgpr", "moved", "selected", "dot")
CONSUMERS = (
    "mfma",
    "vmem",
    "valu",
    "non_trans_valu",
    "lane_select",
    "div_fmas",
    "dpp",
    "readlane",
    "permlane",
    "lds_dma",
    "buffer_lds",
    "rwlane",
    "m0_user",
    "hwreg",
    "vector",
    "memory",
    "after_dot",
)
LINKS = (
    *("vgpr", "sgpr", "vcc", "exec", "m0", "constant", "carry", "zero_flag"),
    *("data", "hwreg", "overwritten", "lane"),
)
ASKERS = ("manual", "llvm", "seen")
"""Who asks for a row; at least one does."""


@dataclass(frozen=True, slots=True)
class HazardRow:
    """``wait_states`` instructions must stand between producer and consumer; see isa/hazards.yaml.

    ``manual``, ``llvm`` and ``seen`` say who asks for it; what does not is empty.
    """

    id: str
    producer: str
    consumer: str
    through: str
    wait_states: int
    manual: str = ""
    llvm: str = ""
    seen: str = ""

    @property
    def only_llvm(self) -> bool:
        """Whether neither the manual asks for it nor hardware was seen to need it."""
        return not self.manual and not self.seen

    @property
    def source(self) -> str:
        """Everyone who asks for it."""
        llvm = f"LLVM GCNHazardRecognizer: {self.llvm}" if self.llvm else ""
        seen = f"seen: {self.seen}" if self.seen else ""
        return "; ".join(each for each in (self.manual, llvm, seen) if each)


@dataclass(frozen=True, slots=True)
class MfmaWaits:
    """Wait states after an MFMA, by what the later instruction does with its result (or with SrcC).

    ``passes``: issue slots (4 clk) for which it holds the matrix pipe; the next MFMA issues behind them.
    """

    passes: int
    srcc_same: int
    srcc_overlap: int
    srcab: int
    valu: int
    memory: int
    war_srcc: int
    source: str


@cache
def hazard_rows(arch: str) -> tuple[HazardRow, ...]:
    """The rows that hold on ``arch``.

    Raises:
        UserError: the data file has an unknown key or word.
    """
    data, marks = load_data(data_dir("isa") / "hazards.yaml")
    rows = []
    for index, row in enumerate(data["rows"]):
        path = ("rows", index)
        words = {"producer": PRODUCERS, "consumer": CONSUMERS, "through": LINKS}
        for key in row:
            if key not in {"id", "producer", "consumer", "through", "wait_states", *ASKERS}:
                raise marks.error((*path, key), f"unknown key {key!r} in a hazard row", at_key=True)
        for key, allowed in words.items():
            if row.get(key) not in allowed:
                raise marks.error((*path, key), f"{key}: {row.get(key)!r}", f"one of {', '.join(allowed)}")
        if not any(row.get(key) for key in ASKERS):
            raise marks.error(path, "a hazard row that nobody asks for", f"name one of {', '.join(ASKERS)}")
        if arch in row["wait_states"]:
            asked = {key: str(row.get(key, "")) for key in ASKERS}
            names = (row["id"], row["producer"], row["consumer"], row["through"])
            rows.append(HazardRow(*names, int(row["wait_states"][arch]), **asked))
    return tuple(rows)


@cache
def mfma_waits(arch: str) -> Mapping[str, MfmaWaits]:
    """Wait states after each MFMA of ``arch``; f8f6f4 opcodes are keyed ``opcode`` (an 8-bit operand) and
    ``opcode fp4`` (none).

    Raises:
        UserError: a row of isa/mfma.csv is not complete.
    """
    found: dict[str, MfmaWaits] = {}
    path = data_dir("isa") / "mfma.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(line for line in stream if not line.startswith("#")):
            if row["arch"] != arch:
                continue
            name, _, variant = row["opcode"].partition(" [")
            key = f"{name} fp4" if variant.startswith("both") else name
            try:
                found[key] = MfmaWaits(
                    passes=int(row["passes"]),
                    srcc_same=int(row["waits_srcC_same"] or 0),
                    srcc_overlap=int(row["waits_srcC_overlap"] or 0),
                    srcab=int(row["waits_srcAB"] or 0),
                    valu=int(row["waits_valu"] or 0),
                    memory=int(row["waits_mem"] or 0),
                    war_srcc=int(row["waits_war_valu_write_srcC"] or 0),
                    source=row["source"],
                )
            except ValueError:
                raise UserError(
                    f"{path}: {row['opcode']} on {arch} has a wait count that is no number"
                ) from None
    return MappingProxyType(found)
