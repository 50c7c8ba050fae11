"""Finds a better schedule of a loop, and proves that it computes the same."""
