"""Kernels written in Python (Triton, Gluon, FlyDSL): compiled without a GPU, with their launch."""
