"""What the product speaks of: frozen values and pure rules. No I/O."""
