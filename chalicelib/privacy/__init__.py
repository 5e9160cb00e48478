"""What a person may ask of us: see it, take it along, have it forgotten."""
