"""Lineage: what each step read and wrote, as OpenLineage events, and the questions they answer."""
