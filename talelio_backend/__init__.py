"""The backend of a maker's own site."""

# A release raises this and the Dockerfile's VERSION, and adds a heading to CHANGELOG.md.
# A test compares them.
__version__ = '1.0.0'
