"""Orders, shipments and where they are."""
