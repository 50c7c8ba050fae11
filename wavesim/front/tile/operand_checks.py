"""Whether fragments can be read from a buffer with a width, and multiplied with each other."""

from __future__ import annotations

from wavesim.front.tile.declarations import Fragment, LdsBuffer
from wavesim.front.tile.element_types import ELEMENT_BITS, FRAGMENT_TYPES
from wavesim.front.tile.node import Node
from wavesim.front.tile.shapes import Operation


def check_read(node: Node, fragment: Fragment, buffer: LdsBuffer, width: int, slab_bytes: int) -> None:
    """Refuse a read of ``width`` bytes a lane (``slab_bytes`` by all groups of lanes) that does not fit.

    Raises:
        UserError: with what would.
    """
    bits = ELEMENT_BITS[fragment.dtype]
    if ELEMENT_BITS[buffer.dtype] != bits:
        raise node.error(
            f"a fragment of {fragment.dtype} from a buffer of {buffer.dtype}",
            f"{fragment.name}: {{type: {buffer.dtype}, ...}}" if buffer.dtype in FRAGMENT_TYPES else "",
        )
    if 8 * width % bits:
        raise node.error(f"width {8 * width} bits reads parts of elements of {bits} bits", "width: b96")
    if (fragment.cols * bits // 8) % slab_bytes:
        raise node.error(
            f"width {8 * width} bits reads {8 * slab_bytes // bits} columns at a time; "
            f"{fragment.name} has {fragment.cols}",
            "a narrower width, or more columns",
        )
    if buffer.row_bytes % width or (buffer.swizzle_bytes and buffer.swizzle_bytes % width):
        raise node.error(
            f"width {8 * width} bits from rows of {buffer.row_bytes} bytes, swizzled by "
            f"{buffer.swizzle_bytes} bytes",
            "row and swizzle unit must be multiples of the width",
        )


def check_order(node: Node, operation: Operation, a: Fragment, b: Fragment) -> None:
    """Refuse fragments whose lanes hold different k at the same place.

    Raises:
        UserError: with the widths that go together.
    """
    if not a.width_bytes and not b.width_bytes:
        return  # filled by raw lines
    orders = [operation.order(each.dtype, each.width_bytes or 16, each.cols) for each in (a, b)]
    if orders[0] == orders[1] and a.width_bytes and b.width_bytes:
        return
    same = ELEMENT_BITS[a.dtype] == ELEMENT_BITS[b.dtype]
    raise node.error(
        f"{a.name} ({a.dtype}) was read {8 * a.width_bytes} bits wide and {b.name} ({b.dtype}) "
        f"{8 * b.width_bytes}",
        "read both with one width: it decides which k a lane holds"
        if same
        else "4-bit elements at b128 go with 8-bit ones at b128, at b64 with 6-bit ones at b96",
    )
