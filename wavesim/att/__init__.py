"""rocprofv3 thread traces -> Trace and measured Timeline."""
