"""The compute-unit model: Trace -> Timeline. docs/model.md is its contract."""
