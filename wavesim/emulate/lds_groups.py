"""LDS accesses of a block that only record: one comparison for all that share an address register.

The array clocks of a block's LDS instructions stand in one table, which is made anew only when addresses or
EXEC are others than at any of the last runs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from wavesim.emulate.blocks import Block, BlockMap
from wavesim.emulate.context import Context
from wavesim.emulate.registry import Binding
from wavesim.emulate.semantics.memory.addresses_only import LdsAddresses
from wavesim.emulate.state import Lanes
from wavesim.emulate.types import Array, Step
from wavesim.program.dataflow import RegisterName, effects, registers_of

MOST_KNOWN = 8
"""Addresses that a group remembers: those of the buffers that a loop goes round in."""

MOST_TABLES = 64
"""Tables that are kept: combinations of what the groups remember."""

_EXEC: RegisterName = ("exec", 0)
Clocks = npt.NDArray[np.int32]


class LdsTable:
    """The array clocks [instructions, n] of a block's LDS instructions.

    Attributes:
        steps: per instruction the step that looks at its group's addresses, or one that does nothing.
    """

    def __init__(
        self, block: Block, lanes: Lanes, context: Context, blocks: BlockMap, bound: Callable[[int], Binding]
    ) -> None:
        self.context = context
        self.lanes = lanes
        indices = (block.start + block.lds_rows).tolist()
        self.steps: dict[int, Step] = dict.fromkeys(indices, _nothing)
        self.groups: list[_Group] = []
        self._stores_at: int | None = None
        self._tables: dict[tuple[int, ...], tuple[Clocks, list[Clocks]]] = {}
        assert context.slice is not None
        found: dict[tuple[object, ...], list[tuple[int, LdsAddresses]]] = {}
        written: dict[RegisterName, int] = {}
        for index in range(block.start, block.stop):
            if index in self.steps:
                access = LdsAddresses(bound(index))
                names = (_EXEC, *(registers_of(access.operand) if access.operand is not None else ()))
                key = tuple((name, written.get(name)) for name in names)
                found.setdefault(key, []).append((index, access))
                if access.write and self._stores_at is None:
                    self._stores_at = index - block.start
            elif index not in context.slice.addresses_only and index not in context.slice.left_out:
                for name in effects(blocks.code[index].instruction, context.arch).writes:
                    written[name] = index
        for members in found.values():
            places = [indices.index(index) for index, _ in members]
            group = _Group(lanes, places, [access for _, access in members])
            self.groups.append(group)
            self.steps[members[0][0]] = group.look

    def finish(self) -> Clocks:
        """The table after the steps have run; stores are counted. Runs that are alike give one table."""
        if self._stores_at is not None:
            self.context.note_store(self.lanes, self._stores_at)
        parts = [group.clocks for group in self.groups]
        key = tuple(map(id, parts))
        known = self._tables.get(key)
        if known is None:
            if len(self._tables) >= MOST_TABLES:
                self._tables.clear()
            table = np.zeros((len(self.steps), self.lanes.count), np.int32)
            for group in self.groups:
                table[group.places] = group.clocks
            known = self._tables[key] = table, parts
        return known[0]


class _Group:
    """Accesses that share a register of addresses, which nothing between them writes."""

    def __init__(self, lanes: Lanes, places: list[int], members: list[LdsAddresses]) -> None:
        self.lanes = lanes
        self.places = places
        self.members = members
        self.address = members[0].address
        self.clocks = self._compute() if self.address is None else np.zeros((0, 0), np.int32)
        self._known: dict[bytes, tuple[Array, Array, Clocks]] = {}
        self._last: tuple[Array, Array, Clocks] | None = None

    def look(self) -> None:
        """Renew ``clocks`` [members, n] if the addresses or EXEC have changed."""
        address = self.address
        if address is None or (self._last is not None and self._are(address, self._last)):
            return
        key = address[:, 0].tobytes()
        found = self._known.get(key)
        if found is None or not self._are(address, found):
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            found = self._known[key] = address.copy(), self.lanes.exec.copy(), self._compute()
        self._last = found
        self.clocks = found[2]

    def _are(self, address: Array, known: tuple[Array, Array, Clocks]) -> bool:
        return bool((address == known[0]).all()) and bool((self.lanes.exec == known[1]).all())

    def _compute(self) -> Clocks:
        return np.stack([member.clk() for member in self.members])


def _nothing() -> None:
    return None
