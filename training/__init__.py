"""Training: what a shop's purchases teach, learned apart from the service with dependencies of its own."""
