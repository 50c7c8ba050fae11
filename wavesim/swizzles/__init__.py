"""Finds a layout of a tile in LDS whose writes and reads meet in few banks."""
