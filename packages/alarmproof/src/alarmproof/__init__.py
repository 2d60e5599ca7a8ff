"""Predicts what CloudWatch would do with a template's alarms on given series.

This package stands alone: it works on the alarms of any CloudFormation template and needs neither
the CDK nor AWS.
"""
