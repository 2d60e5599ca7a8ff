"""Predicts what CloudWatch would do with a template's alarms on given series."""
