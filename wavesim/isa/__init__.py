"""Loads and validates the data in isa/: machines, opcodes, MFMA table."""
