"""The ear: how good an instrument is, in figures and in words."""
