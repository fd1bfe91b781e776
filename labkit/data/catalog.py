"""Where public data sets come from, how to know them, and whom to cite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Archive:
    """One file of a public data set.

    Attributes:
        name: the file's name, in the cache too.
        url: the official address.
        checksum: "algorithm:hex digits", as pooch takes it; None where none is known, so that
            what is inside must be checked instead.
        terms: what its authors ask for.
        citation: the work to cite.
    """

    name: str
    url: str
    checksum: str | None
    terms: str
    citation: str


CIFAR10 = Archive(
    name="cifar-10-python.tar.gz",
    url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    checksum="md5:c58f30108f718f92721af3b95e74349a",
    terms="no licence stated; the authors ask to be cited",
    citation="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
)

_CMP = "https://cmp.felk.cvut.cz/~tylecr1/facade"
_CMP_TERMS = "for research; the authors ask to be cited"
_CMP_CITATION = (
    "R. Tyleček and R. Šára, Spatial Pattern Templates for Recognition of Objects with Regular "
    "Structure, GCPR 2013"
)
CMP_FACADE_BASE = Archive(
    name="CMP_facade_DB_base.zip",
    url=f"{_CMP}/CMP_facade_DB_base.zip",
    checksum=None,
    terms=_CMP_TERMS,
    citation=_CMP_CITATION,
)
CMP_FACADE_EXTENDED = Archive(
    name="CMP_facade_DB_extended.zip",
    url=f"{_CMP}/CMP_facade_DB_extended.zip",
    checksum=None,
    terms=_CMP_TERMS,
    citation=_CMP_CITATION,
)

_FLOWERS = "https://www.robots.ox.ac.uk/~vgg/data/flowers/17"
_FLOWERS_TERMS = "no licence stated; the authors ask to be cited"
_FLOWERS_CITATION = (
    "M.-E. Nilsback and A. Zisserman, A Visual Vocabulary for Flower Classification, CVPR 2006"
)
FLOWERS17 = Archive(
    name="17flowers.tgz",
    url=f"{_FLOWERS}/17flowers.tgz",
    checksum="md5:b59a65d8d1a99cd66944d474e1289eab",
    terms=_FLOWERS_TERMS,
    citation=_FLOWERS_CITATION,
)
FLOWERS17_SPLITS = Archive(
    name="datasplits.mat",
    url=f"{_FLOWERS}/datasplits.mat",
    checksum="md5:4828cddfd0d803c5abbdebcb1e148a1e",
    terms=_FLOWERS_TERMS,
    citation=_FLOWERS_CITATION,
)
