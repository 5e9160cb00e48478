"""What follows from what somebody did: computed, inferred with evidence, and what they take an interest in."""
