"""What runs inside a service: the scoring route in front of BentoML, and the process."""
