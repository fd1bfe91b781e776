"""Data sets: one loader each, filled from a folder, from the network or made on the spot."""
