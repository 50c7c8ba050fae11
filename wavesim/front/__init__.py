"""Front ends: what people have on disk becomes a LoadedKernel."""
