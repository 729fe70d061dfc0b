"""Programs behind `make` that write docs and results: python -m tools.NAME, in the clone."""
