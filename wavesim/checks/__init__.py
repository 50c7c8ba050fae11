"""Findings about a kernel: hazards, races, deadlocks, coverage."""
