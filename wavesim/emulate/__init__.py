"""Numpy execution of waves: Program -> Trace and results."""
