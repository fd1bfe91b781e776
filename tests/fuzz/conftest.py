"""The same few inputs each time; LABKIT_FUZZ=long draws new ones, many more."""

import os

from hypothesis import HealthCheck, settings

COMMON = {
    "deadline": None,  # `within` bounds each reading; the first of all also imports
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
settings.register_profile("quick", derandomize=True, max_examples=40, **COMMON)
settings.register_profile("long", max_examples=1000, print_blob=True, **COMMON)
settings.load_profile("long" if os.environ.get("LABKIT_FUZZ") == "long" else "quick")
