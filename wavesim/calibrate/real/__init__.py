"""The real kernel, measured beside the model."""
