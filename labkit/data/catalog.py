"""Where public data sets come from, how to know them, and whom to cite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Archive:
    """One file of a public data set.

    Attributes:
        name: the file's name, in the cache too.
        url: the official address.
        checksum: "algorithm:hex digits", as pooch takes it.
        terms: what its authors ask for.
        citation: the work to cite.
    """

    name: str
    url: str
    checksum: str
    terms: str
    citation: str


CIFAR10 = Archive(
    name="cifar-10-python.tar.gz",
    url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    checksum="md5:c58f30108f718f92721af3b95e74349a",
    terms="no licence stated; the authors ask to be cited",
    citation="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
)
