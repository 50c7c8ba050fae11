"""Code objects: ELF, kernel descriptors, metadata, disassembly."""
