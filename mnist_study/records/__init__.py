"""What was trained and kept, and what it shows over seeds."""
