"""The chip around a compute unit: cache levels, bandwidths, clock and power, instruction cache."""
