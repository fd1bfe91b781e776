"""A Jupyter course kit with autograding: class activation maps and weak segmentation.

Importing the package imports nothing else; take what you need from its modules.
"""

__version__ = "1.0.0"
