"""Makes and measures what digit_reader carries: its network, its levels of doubt, its page."""
