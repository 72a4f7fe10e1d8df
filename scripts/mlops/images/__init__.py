"""Images of services: a runtime that releases with one lock share, and a bento on top of it."""
