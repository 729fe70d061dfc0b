"""The page to draw in: its sources, and what builds them into one file."""
