"""The device's memory: what all compute units ask of it together, and what that makes of an access."""
