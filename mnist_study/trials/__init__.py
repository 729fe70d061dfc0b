"""What trained models are put through: damage, small pictures, other people's digits, doubt."""
