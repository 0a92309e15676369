"""The parts of tools/train_demo_sae.py."""
