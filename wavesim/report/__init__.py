"""Views over Analysis and Timeline: terminal, JSON, Perfetto, Konata. They never compute."""
