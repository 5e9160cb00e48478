"""What customers say about the shop: complaints until they are resolved, and how satisfied they are."""
