"""Kokyaku: the personalization backend of one shop."""
