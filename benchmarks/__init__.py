"""What the service costs: capacity units and round trips, CPU and cold start beside a floor; `make bench`."""
