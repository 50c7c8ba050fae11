"""Accesses to global memory as others see them: kept for the checks, and stores that arrive late."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wavesim.emulate.context import HeldStore
from wavesim.emulate.memory import Region
from wavesim.emulate.observe import GlobalAccess, stored_bytes
from wavesim.emulate.registry import Array, Binding
from wavesim.emulate.transfer import scatter


def observe_global(
    binding: Binding,
    region: Region,
    offsets: Array,
    lanes: npt.NDArray[np.bool_],
    width_bytes: int,
    stored: Array | None = None,
    *,
    write: bool = False,
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
        write: whether it writes; without ``stored``, an atomic.
        scalar: through the scalar cache.
    """
    context = binding.context
    if not context.observe_lds or region.matrix is None:
        return
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
                write and stored is None,
                values,
                region.name,
            )
        )


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
