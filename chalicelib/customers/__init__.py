"""Who a customer is: profile, traits, consent, customer tokens."""
