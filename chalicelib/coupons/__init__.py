"""Coupons: each of one customer, good for one order, whoever in the house issued it."""
