"""A kernel for the tests of the judge."""

import pytest
from jupyter_client.manager import start_new_kernel


@pytest.fixture(scope="session")
def kernel():
    """A kernel of the tests' own: (manager, blocking client)."""
    manager, client = start_new_kernel(kernel_name="python3")
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
