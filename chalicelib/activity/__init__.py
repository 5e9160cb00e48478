"""Behavioural events in, and the timeline of every touchpoint."""
