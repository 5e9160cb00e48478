"""What three rooms or more need; knows no room."""
