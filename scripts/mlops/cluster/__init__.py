"""Looking at real clusters; nothing here changes one."""
