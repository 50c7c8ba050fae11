"""Bounds on what untrusted input may ask for. A kernel that passes one is refused with its place."""

from __future__ import annotations

MAX_INPUT_BYTES = 64 * 1024 * 1024
"""Largest text file (YAML, assembly) that is read."""

MAX_INSTRUCTIONS_STATIC = 200_000
"""Instructions in one program."""

MAX_INSTRUCTIONS_PER_WAVE = 20_000_000
"""Dynamic instructions that one wave may execute."""

MAX_UNROLL = 4096
"""Copies of a body that one ``unroll`` or compile-time ``for`` of a tile program may make."""

MAX_WAVES = 64
"""Waves simulated together on one compute unit (gfx9: 8 slots on each of 4 SIMDs, and room to queue)."""

MAX_CLK = 2_000_000_000
"""Shader clocks that one simulation may last."""

SPIN_PATIENCE_CLK = 100_000
"""Shader clocks for which polling goes on while nothing but repeated polls issues (docs/model.md §12)."""
