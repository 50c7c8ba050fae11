"""YAML tile programs and launch descriptions -> Program and Launch."""
