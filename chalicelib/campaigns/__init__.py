"""Lifecycle campaigns: what a schedule sends, when it is due, to whom."""
