"""A contract's table checked where it lies: in a database, or by Spark."""
