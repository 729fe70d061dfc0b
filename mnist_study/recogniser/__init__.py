"""Makes and measures what digit_reader carries: its network, its thresholds, its page."""
