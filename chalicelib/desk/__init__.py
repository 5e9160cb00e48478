"""What the shop's people and the customer keep about each other: notes, a watchlist, projects."""
