"""The space inside an instrument: its places, ways through it, and directions that mean something."""
