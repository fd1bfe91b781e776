"""A Jupyter course kit with autograding: class activation maps and weak segmentation.

Importing the package imports nothing else; take what you need from its modules.
"""

__version__ = "0.1.0"
