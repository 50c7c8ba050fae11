"""A Dask cluster, whose workers must have the same wavesim.

Dask runs any code that its users send, so a scheduler is one to be trusted. What wavesim sends and gets is
pickled as Dask does it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from wavesim.errors import UserError
from wavesim.isa.paths import PACKAGE, data_dir

OTHER_WAVESIM = "the worker has another version of wavesim: install the same one"

TIMEOUT_S = 10


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """The hash of wavesim's own code and machine data."""
    files = [path for kind in ("*.py", "*.c") for path in PACKAGE.rglob(kind)]
    data = [path for kind in ("*.yaml", "*.csv") for path in data_dir("isa").rglob(kind)]
    found = hashlib.sha256()
    for path in (*sorted(files), *sorted(data)):
        found.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


@contextmanager
def connected(scheduler: str) -> Iterator[tuple[Any, Any]]:
    """The package ``distributed`` and a client of the scheduler at an address.

    Raises:
        UserError: Dask is not installed; no scheduler answers there.
    """
    try:
        import distributed
    except ImportError:
        raise UserError(
            "a scheduler needs Dask", None, "pip install 'wavesim-cdna[sweep]', here and for its workers"
        ) from None
    try:
        connect: Any = distributed.Client
        client = connect(scheduler, timeout=TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"no Dask scheduler answers at {scheduler}: {reason:.200}") from None
    with client:
        yield distributed, client
