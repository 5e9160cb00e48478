"""The loyalty ledger: points earned exactly once, every balance explained by its entries."""
