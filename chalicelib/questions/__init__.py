"""One useful question at a time, its answer, and what was promised for it: points, a coupon or content, once."""
