"""What must be so in an account before a deployment, and what is left to do after it."""
