"""What the notebook shows, and the run that shows it."""
