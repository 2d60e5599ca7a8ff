"""What reading, rules and evaluation stand on: alarms, metrics, expressions, bounded input."""
