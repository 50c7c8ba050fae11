"""Launches: grid, arguments, data and expected results."""
