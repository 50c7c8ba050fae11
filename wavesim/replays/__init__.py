"""Measured thread traces beside the model: import, replay, compare, validate."""
