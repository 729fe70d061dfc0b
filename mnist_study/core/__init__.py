"""What decides what a training gives: every file here is in every record's key."""
