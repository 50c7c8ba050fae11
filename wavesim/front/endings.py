"""Which ending of a file's name goes to which front end."""

from __future__ import annotations

TILES = (".yaml", ".yml")
ASSEMBLY = (".s", ".amdgcn")
"""``.amdgcn`` is Triton's name for it."""
HIP = (".hip", ".cpp", ".cc", ".cxx", ".cu")
"""HIP goes by the names of C++ and CUDA sources, too."""
CODE_OBJECTS = (".co", ".hsaco", ".o")
RAW_TRACES = ATT, DATABASE = (".att", ".db")
"""What rocprofv3 leaves of a thread trace, beside folders; a database leads to the .att files."""
