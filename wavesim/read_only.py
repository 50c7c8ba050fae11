"""Read-only mappings can be pickled once this is imported; the standard library leaves that out."""

from __future__ import annotations

import copyreg
from types import MappingProxyType
from typing import Any


def _made(content: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(content)


def _reduced(mapping: MappingProxyType[Any, Any]) -> tuple[Any, tuple[dict[Any, Any]]]:
    return _made, (dict(mapping),)


copyreg.pickle(MappingProxyType, _reduced)
