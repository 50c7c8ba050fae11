"""Calibration: measure a machine, a GPU or a stand-in for one, and fit the model to it."""
