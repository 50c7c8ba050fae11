"""The tile language: a YAML kernel is lowered to CDNA instructions."""
