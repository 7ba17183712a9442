"""The version of the package, as a string."""

__version__ = '0.2.0'
