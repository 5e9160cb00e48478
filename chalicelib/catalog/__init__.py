"""What the shop sells and tells: products, content, offers, plans."""
