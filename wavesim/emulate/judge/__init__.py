"""Whether the numbers are right, and where they are wrong."""
