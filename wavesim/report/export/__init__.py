"""Other programs' formats: SVG, Perfetto, Konata, SARIF."""
