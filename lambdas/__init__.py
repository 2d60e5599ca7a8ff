"""Code that runs in Lambda. It imports nothing of ours from outside this folder."""
