"""From measured clocks to machine values."""
