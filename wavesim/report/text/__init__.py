"""Reports as text: terminal output, tables, pictures."""
