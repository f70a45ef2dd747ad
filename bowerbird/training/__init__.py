"""Training: the adversarial step, the state that a checkpoint holds, the loop around them."""
