"""The demo shop: two years of a real gift shop, cut to size, with invented people."""
