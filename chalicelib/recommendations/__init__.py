"""Which items to show to whom now, each with its true reason."""
