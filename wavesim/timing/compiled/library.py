"""The compiled engine's library: found, built anew in a checkout whose source has changed, and loaded."""

from __future__ import annotations

import ctypes
from functools import cache

from wavesim.timing.compiled import build

POINTER, INT64 = ctypes.c_void_p, ctypes.c_int64

FUNCTIONS: dict[str, tuple[object, tuple[object, ...]]] = {
    "wavesim_source_hash": (ctypes.c_char_p, ()),
    "wavesim_parameters": (ctypes.c_char_p, ()),
    "wavesim_op_fields": (ctypes.c_char_p, ()),
    "wavesim_categories": (ctypes.c_char_p, ()),
    "wavesim_kinds": (ctypes.c_char_p, ()),
    "wavesim_reasons": (ctypes.c_char_p, ()),
    "wavesim_new": (POINTER, (POINTER,)),
    "wavesim_start": (None, (POINTER,)),
    "wavesim_run": (ctypes.c_int, (POINTER, INT64)),
    "wavesim_force": (ctypes.c_int, (POINTER, POINTER)),
    "wavesim_run_forced": (ctypes.c_int, (POINTER, INT64, INT64)),
    "wavesim_rows_done": (INT64, (POINTER,)),
    "wavesim_finish": (INT64, (POINTER, POINTER, POINTER)),
    "wavesim_places": (None, (POINTER, POINTER, POINTER, POINTER)),
    "wavesim_stall_offsets": (None, (POINTER, POINTER)),
    "wavesim_stalls": (None, (POINTER, POINTER)),
    "wavesim_use_count": (INT64, (POINTER, INT64)),
    "wavesim_uses": (None, (POINTER, INT64, POINTER)),
    "wavesim_free": (None, (POINTER,)),
}
"""Of each function of engine.c: result and arguments."""


@cache
def load() -> tuple[ctypes.CDLL | None, str]:
    """The library, or None and why there is none.

    A checkout (the folder above the package has the build hook) builds it if it is missing: the source has
    changed, or the checkout was installed before it had one.
    """
    path = build.library_path()
    if not path.exists():
        checkout = build.FOLDER.parents[2]
        if not (checkout / "hatch_build.py").exists():
            return None, "it was not built when wavesim was installed; install it again where a C compiler is"
        problem = build.build()
        if problem:
            return None, f"it could not be built: {problem}"
    return load_from(str(path))


def load_from(path: str) -> tuple[ctypes.CDLL | None, str]:
    """The library in that file if it is one of this source, else None and why not."""
    try:
        library = ctypes.CDLL(path)
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        return None, f"it cannot be loaded: {error}"
    if library.wavesim_source_hash().decode() != build.source_hash():
        return None, "it was built from another source; install wavesim again"
    return library, ""


@cache
def names(text: bytes) -> tuple[str, ...]:
    """Names that the library numbers, in their order."""
    return tuple(text.decode().split())
