"""Microbenchmarks and what they measure."""
