"""rocprofv3 thread traces: folder, listing, and what is read off them."""
