"""From a folder of sounds to a dataset that training reads."""
