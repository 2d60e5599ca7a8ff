"""The monitoring stack: signals, notifications and dashboard as AWS resources."""
