"""Data sets made on the spot: seeded, without a network, the same on every machine."""
