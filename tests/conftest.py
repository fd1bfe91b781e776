"""Tests compute little: with one thread each they are not slowed down by what else runs."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported, hence before it
