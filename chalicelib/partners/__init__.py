"""API keys for everybody who calls."""
