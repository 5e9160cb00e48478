"""How good the lists are: a door for any shop's data, and a table beside the textbook methods."""
