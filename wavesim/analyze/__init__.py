"""Reads a Timeline: stalls, overlap, bounds, steady state -> Analysis."""
