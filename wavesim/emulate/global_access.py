"""Accesses to global memory as others see them: kept for the checks, and stores that arrive late."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wavesim.emulate.context import Context, HeldStore
from wavesim.emulate.memory import Region
from wavesim.emulate.observe import GlobalAccess, stored_bytes
from wavesim.emulate.registry import Binding
from wavesim.emulate.transfer import scatter
from wavesim.emulate.types import Array

MOST_KEPT = 200_000
"""Kept accesses (about 150 MB) at which those of matrices that nothing was stored to are dropped again."""


def observe_global(
    binding: Binding,
    region: Region,
    offsets: Array,
    lanes: npt.NDArray[np.bool_],
    width_bytes: int,
    stored: Array | None = None,
    *,
    write: bool = False,
    atomic: bool = False,
    scalar: bool = False,
) -> None:
    """Keep an access to a matrix, if the checks asked for it.

    Args:
        binding: of the instruction.
        region: the allocation.
        offsets: bytes into it [n, lanes].
        lanes: those that take part.
        width_bytes: of a lane.
        stored: the dwords [dwords, n, lanes] of a plain store.
        write: whether it writes.
        atomic: whether it is an atomic.
        scalar: through the scalar cache.
    """
    context = binding.context
    if not context.observe_lds or region.matrix is None or (region.name in context.only_read and not write):
        return
    if len(context.global_accesses) >= max(context.most_kept, MOST_KEPT):
        _drop_only_read(context)
    for place, wave in enumerate(binding.lanes.numbers.tolist()):
        chosen = lanes[place]
        if not chosen.any():
            continue
        values = None if stored is None else stored_bytes(stored[:, place], width_bytes, chosen)
        row = int(context.rows[wave]) + binding.row
        context.global_accesses.append(
            GlobalAccess(
                wave,
                row,
                binding.index,
                offsets[place][chosen],
                width_bytes,
                write,
                not scalar,
                atomic,
                values,
                region.name,
            )
        )


def _drop_only_read(context: Context) -> None:
    """Forget the reads of matrices that are only read, so far, and keep no more of them."""
    written = {access.region for access in context.global_accesses if access.write}
    context.only_read |= {access.region for access in context.global_accesses} - written
    context.global_accesses = [access for access in context.global_accesses if access.region in written]
    context.most_kept = len(context.global_accesses) + MOST_KEPT


def store_global(
    binding: Binding,
    region: Region,
    offsets: Array,
    lanes: npt.NDArray[np.bool_],
    values: Array,
    width_bytes: int,
) -> None:
    """Put dwords [dwords, n, 64] into memory: now, or when the adversary lets them arrive."""
    observe_global(binding, region, offsets, lanes, width_bytes, values, write=True)
    chosen = None if lanes.all() else lanes
    if binding.context.adversary is None:
        scatter(region.words, offsets, values, width_bytes, chosen)
        return
    kept, places = values.copy(), offsets[lanes]
    first, last = int(places.min()), int(places.max()) + width_bytes - 1
    binding.context.held.append(
        HeldStore(region.name, first, last, lambda: scatter(region.words, offsets, kept, width_bytes, chosen))
    )
