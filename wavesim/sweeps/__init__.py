"""Many runs as one table: kernels, constants, machines and settings, each with each."""
