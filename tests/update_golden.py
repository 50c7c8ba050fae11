"""Makes the pictures of the timing rules anew: tests/golden/rules.txt."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "timing"))

from test_golden_pictures import GOLDEN, golden

if __name__ == "__main__":
    GOLDEN.write_text(golden(), encoding="utf-8")
